"""Agents: models that use tools until they have an answer, remember, and work together.

May import every room but ``bridges``.
"""

from llmspell_llm.agent.agent import Agent, AgentEvent, AgentSpec
from llmspell_llm.agent.running import AgentError, AgentRun, Outcome
from llmspell_llm.agent.snapshots import Shelf, SnapshotError

__all__ = [
    "Agent",
    "AgentError",
    "AgentEvent",
    "AgentRun",
    "AgentSpec",
    "Outcome",
    "Shelf",
    "SnapshotError",
]
