"""One step of a run: whether it is done, with what, how often it is tried, and what becomes of it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from llmspell.plugin import ScriptFunction
from llmspell_llm.plain import known
from llmspell_llm.tools.running import is_fatal
from llmspell_llm.workflow.control import Control, WorkflowError
from llmspell_llm.workflow.filling import filled, said
from llmspell_llm.workflow.journal import Journal
from llmspell_llm.workflow.spec import ONCE, USUAL_RETRY, Step, Workflow

MAX_LOG = 1000

Told = Callable[[str, dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Task:
    """A step with all that who does it needs to know.

    Attributes:
        given: Its input.
        context: What functions and templates find: ``input``, ``previous``, ``steps``, ``vars``, ``param``.
        journal: Where a workflow that is the step keeps what it has done.
        control: What holds the run.
    """

    step: Step
    given: Any
    context: Mapping[str, Any]
    journal: Journal
    control: Control


class StepRunner(Protocol):
    """Does what a step says."""

    async def do(self, task: Task) -> Any:
        """Return what comes of a step."""


@dataclass
class Steps:
    """Does the steps of one run, and remembers what came of them.

    Attributes:
        told: Told of ``step_started``, ``step_done``, ``step_skipped``, ``step_failed``, ``step_restored``,
            ``step_compensated`` and ``step_compensation_failed``.
        outputs: What came of each step, by id; of a step done often, the last time.
        variables: What steps find as ``vars``; a step with ``save`` puts its output there.
        log: What happened, the last thousand entries: ``{step, place, status, duration, error}``.
        errors: The steps that failed: ``{step, place, error, time}``.
    """

    workflow: Workflow
    runner: StepRunner
    journal: Journal
    control: Control
    variables: dict[str, Any]
    told: Told | None = None
    input: Any = None
    outputs: dict[str, Any] = field(default_factory=dict)
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MAX_LOG))
    errors: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MAX_LOG))
    _done: list[tuple[Step, Any]] = field(default_factory=list)

    async def do(
        self,
        step: Step,
        value: Any,
        place: str,
        more: Mapping[str, Any] | None = None,
        *,
        outputs: dict[str, Any] | None = None,
        chosen: bool = False,
    ) -> tuple[bool, Any]:
        """Do a step, unless it was done before; return whether it was done, and what came of it.

        Args:
            step: The step.
            value: What came of the one before it.
            place: Where in the run it stands: its id, and the round or item it belongs to.
            more: What else it finds in its context.
            outputs: Where its output is found by those after it; the run's if not given.
            chosen: Its condition was asked already.

        Raises:
            WorkflowError: It failed, and the workflow does not go on then; or the run was stopped.
        """
        await self.control.checkpoint()
        outputs = self.outputs if outputs is None else outputs
        found, output = await self.journal.find(place)
        if found:
            await self._note(step, place, "restored")
            self._keep(step, output, outputs)
            return True, output
        context = {**self.context(value, outputs), **(more or {})}
        if step.condition is not None and not chosen and not await step.condition(context):
            await self._note(step, place, "skipped")
            return False, None
        began = time.perf_counter()
        await self._tell("step_started", step, place)
        try:
            given = await self._given(step, value, context)
            journal = self.journal.within(place)
            output = await self._tries(Task(step, given, context, journal, self.control))
        except Exception as error:
            if is_fatal(error) or self.control.stopped:
                raise
            return await self._failed(step, place, error, time.perf_counter() - began)
        await self.journal.note(place, output)
        self._keep(step, output, outputs)
        await self._note(step, place, "done", seconds=time.perf_counter() - began)
        return True, output

    async def undo(self) -> None:
        """Undo what was done, the last first; what cannot be undone is noted and does not stop the rest."""
        for step, output in reversed(self._done):
            if step.compensation is None:
                continue
            try:
                await step.compensation(output, self.context(output))
            except Exception as error:
                if is_fatal(error):
                    raise
                self._failure(step, step.id, said(error))
                await self._note(step, step.id, "compensation_failed", error=said(error))
            else:
                await self._note(step, step.id, "compensated")

    def context(self, value: Any, outputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what conditions, inputs and function steps get to know."""
        return {
            "input": self.input,
            "previous": value,
            "steps": dict(self.outputs if outputs is None else outputs),
            "vars": dict(self.variables),
            "param": dict(self.workflow.parameters),
        }

    def _keep(self, step: Step, output: Any, outputs: dict[str, Any]) -> None:
        outputs[step.id] = output
        if step.save is not None:
            self.variables[step.save] = output
        if step.compensation is not None:
            self._done.append((step, output))

    async def _given(self, step: Step, value: Any, context: Mapping[str, Any]) -> Any:
        if step.input is None:
            return value
        if isinstance(step.input, ScriptFunction):
            return await step.input(dict(context))
        return filled(step.input, context)

    async def _tries(self, task: Task) -> Any:
        step = task.step
        retry = step.retry or (USUAL_RETRY if self._strategy(step) == "retry" else ONCE)
        for attempt in range(1, retry.attempts + 1):
            try:
                return await self._one_try(task)
            except Exception as error:
                if is_fatal(error) or self.control.stopped or attempt == retry.attempts:
                    raise
            await asyncio.sleep(retry.before(attempt + 1))
            await self.control.checkpoint()
        raise AssertionError("a step is tried at least once")

    async def _one_try(self, task: Task) -> Any:
        limit = asyncio.timeout(task.step.timeout)
        try:
            async with limit:
                return await self.runner.do(task)
        except TimeoutError as error:
            if limit.expired():
                raise WorkflowError(f"it took longer than {task.step.timeout:g} s", code="timeout") from error
            raise

    async def _failed(self, step: Step, place: str, error: Exception, seconds: float) -> tuple[bool, Any]:
        reason = said(error)
        self._failure(step, place, reason)
        await self._note(step, place, "failed", seconds=seconds, error=reason)
        strategy = self._strategy(step)
        if strategy == "continue":
            return False, None
        raise WorkflowError(
            f"step {step.id!r} of workflow {self.workflow.id!r} failed: {reason}",
            code="step_failed",
            details={"step": step.id, "place": place, "error": reason, "completed": list(self.outputs)},
            undo=strategy == "compensate",
        ) from error

    def _strategy(self, step: Step) -> str:
        return step.on_error or self.workflow.on_error

    def _failure(self, step: Step, place: str, reason: str) -> None:
        self.errors.append({"step": step.id, "place": place, "error": reason, "time": time.time()})

    async def _note(
        self, step: Step, place: str, status: str, *, seconds: float = 0.0, error: str | None = None
    ) -> None:
        entry = {"step": step.id, "place": place, "status": status, "duration": seconds * 1000, "error": error}
        self.log.append(known(entry))
        await self._tell(f"step_{status}", step, place)

    async def _tell(self, kind: str, step: Step, place: str) -> None:
        if self.told is not None:
            await self.told(kind, {"step": step.id, "place": place})
