"""The ``workflow`` bridge: workflows made, run, paused, resumed, watched and written down."""

from __future__ import annotations

from llmspell_llm.bridges.workflow.changing import ChangingExports
from llmspell_llm.bridges.workflow.making import MakingExports
from llmspell_llm.bridges.workflow.observing import ObservingExports
from llmspell_llm.bridges.workflow.scheduling import SchedulingExports
from llmspell_llm.bridges.workflow.writing import WritingExports


class WorkflowBridge(MakingExports, ChangingExports, WritingExports, SchedulingExports, ObservingExports):
    """Workflows: steps one after the other, side by side, by condition, again and again.

    A step is a function of the script, an agent, a tool, another workflow, a spell, or a prompt. A workflow belongs to
    its session; functions in it live as long as the run they came from. With ``checkpoint`` each step's output is kept
    on disk, and a run of the same id goes on after the last step that was done, even if the process was killed.
    """

    name = "workflow"
    requires = ("agent", "llm", "tools")
    permissions = ("read", "write")
