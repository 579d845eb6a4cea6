"""The ``agent`` bridge: agents made, run, brought together, remembered and watched."""

from __future__ import annotations

from llmspell_llm.bridges.agent.creating import CreatingExports
from llmspell_llm.bridges.agent.keeping import KeepingExports
from llmspell_llm.bridges.agent.observing import ObservingExports
from llmspell_llm.bridges.agent.teamwork import TeamworkExports


class AgentBridge(CreatingExports, TeamworkExports, KeepingExports, ObservingExports):
    """Agents: models with a task, tools and a memory.

    ``agent.create`` returns a handle with methods (``run``, ``chat``, ``stream``, ...); the functions here take an
    agent's id, or its handle, first. An agent lives as long as its session; functions of the script that it was
    given (tools, hooks) live as long as the run they came from.
    """

    name = "agent"
    requires = ("llm", "tools")
