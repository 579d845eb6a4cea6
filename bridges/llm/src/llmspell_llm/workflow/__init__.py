"""Workflows: steps one after the other, side by side, by condition, again and again; resumed where they stopped.

May import ``errors``, ``names``, ``llm`` (templates) and ``tools`` (which failures end a run).
"""

from llmspell_llm.workflow.checkpoints import CheckpointError, SqliteJournal
from llmspell_llm.workflow.control import Control, WorkflowError
from llmspell_llm.workflow.journal import Journal, MemoryJournal
from llmspell_llm.workflow.running import WorkflowRun
from llmspell_llm.workflow.spec import KINDS, STEP_KINDS, STRATEGIES, Retry, Step, Workflow
from llmspell_llm.workflow.stepping import StepRunner, Task

__all__ = [
    "KINDS",
    "STEP_KINDS",
    "STRATEGIES",
    "CheckpointError",
    "Control",
    "Journal",
    "MemoryJournal",
    "Retry",
    "SqliteJournal",
    "Step",
    "StepRunner",
    "Task",
    "Workflow",
    "WorkflowError",
    "WorkflowRun",
]
