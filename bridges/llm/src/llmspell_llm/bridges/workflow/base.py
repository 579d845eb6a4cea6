"""What the parts of the ``workflow`` bridge share."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmspell.plugin import Bridge, BridgeContext, Call
from llmspell_llm.bridges.agent import AgentBridge
from llmspell_llm.bridges.llm import LlmBridge
from llmspell_llm.bridges.tools import ToolsBridge
from llmspell_llm.plain import known
from llmspell_llm.scoped import SessionNames
from llmspell_llm.workflow import Control, Step, Workflow, WorkflowError
from llmspell_llm.workflow.reading import check_steps, workflow_from

HISTORY = 100
MAX_ERRORS = 1000
MAX_WORKFLOWS = 10_000
_numbers = itertools.count(1)


@dataclass(slots=True)
class Run:
    """One run of a workflow, under way or ended."""

    id: str
    started: float
    control: Control
    status: str = "running"
    ended: float | None = None
    error: str | None = None
    log: Sequence[dict[str, Any]] = ()

    def as_value(self) -> dict[str, Any]:
        return known(
            {
                "run": self.id,
                "status": "paused" if self.status == "running" and self.control.paused else self.status,
                "started": self.started,
                "ended": self.ended,
                "duration": None if self.ended is None else (self.ended - self.started) * 1000,
                "error": self.error,
                "steps": list(self.log),
            }
        )


@dataclass(slots=True, eq=False)
class Kept:
    """A workflow of a session, and what became of it."""

    workflow: Workflow
    variables: dict[str, Any]
    runs: deque[Run] = field(default_factory=lambda: deque(maxlen=HISTORY))
    active: list[Run] = field(default_factory=list)
    errors: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MAX_ERRORS))
    executions: int = 0
    failures: int = 0
    durations: deque[float] = field(default_factory=lambda: deque(maxlen=HISTORY))

    @property
    def status(self) -> str:
        if self.active:
            return "paused" if all(run.control.paused for run in self.active) else "running"
        return self.runs[-1].status if self.runs else "created"

    def begin(self, run_id: str | None, above: Control | None) -> Run:
        """Note that a run begins.

        Raises:
            WorkflowError: A run of that id is under way.
        """
        id = run_id or f"run-{next(_numbers)}"
        if any(run.id == id for run in self.active):
            raise WorkflowError(
                f"run {id!r} of workflow {self.workflow.id!r} is under way already", code="already_running"
            )
        run = Run(id, time.time(), Control(above))
        self.runs.append(run)
        self.active.append(run)
        self.executions += 1
        return run

    def end(self, run: Run, status: str, error: str | None = None) -> None:
        """Note that a run has ended."""
        run.status, run.error, run.ended = status, error, time.time()
        self.active.remove(run)
        self.durations.append(run.ended - run.started)
        self.failures += status != "completed"

    def stop(self) -> None:
        for run in self.active:
            run.control.stop()

    def metrics(self) -> dict[str, Any]:
        """Return what scripts see; durations in milliseconds."""
        times = [took * 1000 for took in self.durations]
        return known(
            {
                "execution_count": self.executions,
                "success_count": self.executions - self.failures - len(self.active),
                "failure_count": self.failures,
                "average_duration": statistics.fmean(times) if times else None,
                "max_duration": max(times) if times else None,
            }
        )


class WorkflowBase(Bridge):
    """Knows the session's workflows."""

    def __init__(self) -> None:
        self.kept: SessionNames[Kept] = SessionNames()
        self.templates: SessionNames[dict[str, Any]] = SessionNames()

    async def open(self, context: BridgeContext) -> None:
        """Stand on the session's agents, models and tools."""
        agents, llm, tools = (context.bridges[name] for name in ("agent", "llm", "tools"))
        assert isinstance(agents, AgentBridge)
        assert isinstance(llm, LlmBridge)
        assert isinstance(tools, ToolsBridge)
        self.agents, self.llm, self.tools = agents, llm, tools

    async def close(self) -> None:
        """Stop every run."""
        tasks = [run.control.task for kept in self.kept for run in kept.active if run.control.task is not None]
        for kept in self.kept:
            kept.stop()
        await asyncio.gather(*tasks, return_exceptions=True)

    def keep(self, call: Call, workflow: Workflow) -> Kept:
        """Keep a workflow under its id.

        Raises:
            WorkflowError: This run has made one of that id, or has too many.
        """
        self.must_be_free(call, workflow.id)
        if len(self.kept.all(call)) >= MAX_WORKFLOWS:
            raise WorkflowError(f"there are {MAX_WORKFLOWS:,} workflows already; remove some", code="too_many")
        kept = Kept(workflow, dict(workflow.variables))
        self.kept.add(call, workflow.id, kept)
        return kept

    def make(self, call: Call, id: str, given: Mapping[str, Any]) -> Kept:
        """Make a workflow of a script's description."""
        self.must_be_free(call, id)
        return self.keep(call, workflow_from(id, given))

    def must_be_free(self, call: Call, id: str) -> None:
        if self.kept.taken(call, id):
            raise WorkflowError(f"there is a workflow {id!r} already; remove it first", code="name_taken")

    def find(self, call: Call, id: str) -> Kept:
        """Return a workflow.

        Raises:
            WorkflowError: There is none of that id.
        """
        found = self.kept.find(call, id)
        if found is None:
            known = ", ".join(self.kept.all(call)) or "none"
            raise WorkflowError(f"there is no workflow {id!r}; workflows: {known}", code="not_found")
        return found

    def change(self, call: Call, id: str, steps: list[Step]) -> None:
        """Give a workflow other steps; runs under way go on with those they have."""
        check_steps(steps)
        kept = self.find(call, id)
        kept.workflow = kept.workflow.with_steps(steps)
