"""A workflow at work: the ways its steps follow each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmspell_llm.tools.running import is_fatal
from llmspell_llm.workflow.control import Control, WorkflowError
from llmspell_llm.workflow.journal import Journal, MemoryJournal
from llmspell_llm.workflow.spec import MAX_ROUNDS, Workflow
from llmspell_llm.workflow.stepping import StepRunner, Steps, Told


@dataclass
class WorkflowRun:
    """One run of a workflow.

    Attributes:
        workflow: What is done.
        runner: Who does the steps.
        input: What the first step gets.
        variables: What steps find as ``vars``.
        journal: What was done before, in an earlier try at the same run.
        control: Pauses and stops it.
        told: Told what becomes of the steps.
    """

    workflow: Workflow
    runner: StepRunner
    input: Any
    variables: dict[str, Any]
    journal: Journal = field(default_factory=MemoryJournal)
    control: Control = field(default_factory=Control)
    told: Told | None = None

    def __post_init__(self) -> None:
        self.steps = Steps(self.workflow, self.runner, self.journal, self.control, self.variables, self.told)

    async def run(self) -> Any:
        """Do all there is to do and return what came of it.

        Raises:
            WorkflowError: A step failed, and the workflow stops or compensates then; or it was stopped.
        """
        ways: dict[str, Callable[[Any], Coroutine[Any, Any, Any]]] = {
            "sequential": self._chain,
            "parallel": self._parallel,
            "conditional": self._conditional,
            "loop": self._loop,
            "map": self._map,
            "reduce": self._reduce,
        }
        limit = asyncio.timeout(self.workflow.timeout)
        try:
            async with limit:
                self.steps.input = await self.journal.begin(self.input)
                output = await ways[self.workflow.kind](self.steps.input)
        except WorkflowError as error:
            if error.undo:
                await self.steps.undo()
                await self.journal.finish()  # what is undone must not be found done by the next try
            raise
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise WorkflowError(
                f"workflow {self.workflow.id!r} took longer than {self.workflow.timeout:g} s", code="timeout"
            ) from error
        await self.journal.finish()
        return output

    async def _chain(
        self,
        value: Any,
        place: str = "",
        more: Mapping[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
    ) -> Any:
        """Do the steps one after the other, each with what came of the one before it."""
        for step in self.workflow.steps:
            done, output = await self.steps.do(step, value, f"{place}{step.id}", more, outputs=outputs)
            if done:
                value = output
        return value

    async def _parallel(self, value: Any) -> Any:
        outputs: dict[str, Any] = {}
        await self._at_once(self.steps.do(step, value, step.id, outputs=outputs) for step in self.workflow.steps)
        self.steps.outputs.update(outputs)
        return {step.id: outputs[step.id] for step in self.workflow.steps if step.id in outputs}

    async def _conditional(self, value: Any) -> Any:
        for step in self.workflow.steps:
            before, _ = await self.journal.find(step.id)
            if before or step.condition is None or await step.condition(self.steps.context(value)):
                return (await self.steps.do(step, value, step.id, chosen=True))[1]
        if self.workflow.otherwise is not None:
            return (await self.steps.do(self.workflow.otherwise, value, "otherwise"))[1]
        raise WorkflowError(
            f"no condition of workflow {self.workflow.id!r} holds", code="no_match", hint="give it otherwise"
        )

    async def _loop(self, value: Any) -> Any:
        condition, times = self.workflow.condition, self.workflow.times
        if condition is None and times is None:
            raise WorkflowError(
                f"loop {self.workflow.id!r} has neither a condition nor times, and would never end",
                code="too_many_rounds",
            )
        rounds = 0
        while True:
            more = {"iteration": rounds + 1}
            if condition is None and rounds == times:
                return value
            if condition is not None and not await condition({**self.steps.context(value), **more}):
                return value
            if condition is not None and rounds >= (MAX_ROUNDS if times is None else times):
                if times is not None:
                    return value
                raise WorkflowError(
                    f"loop {self.workflow.id!r} went round {rounds:,} times and its condition still holds",
                    code="too_many_rounds",
                    hint="say how many rounds it may take with times",
                )
            rounds += 1
            value = await self._chain(value, f"{rounds}/", more)

    async def _map(self, value: Any) -> Any:
        items = self._items(value)
        made: list[Any] = [None] * len(items)

        async def one(index: int) -> None:
            more = {"item": items[index], "index": index + 1}
            made[index] = await self._chain(items[index], f"{index + 1}/", more, outputs={})

        await self._at_once(one(index) for index in range(len(items)))
        return made

    async def _reduce(self, value: Any) -> Any:
        result = self.workflow.initial
        for index, item in enumerate(self._items(value), 1):
            for step in self.workflow.steps:
                given = {"accumulator": result, "item": item, "index": index}
                done, output = await self.steps.do(step, given, f"{index}/{step.id}", given)
                if done:
                    result = output
        return result

    def _items(self, value: Any) -> list[Any]:
        if isinstance(value, Mapping) and not value:
            return []  # an empty table of Lua
        if not isinstance(value, list):
            raise WorkflowError(
                f"workflow {self.workflow.id!r} takes a list, not a {type(value).__name__}", code="not_a_list"
            )
        return value

    async def _at_once(self, work: Iterable[Coroutine[Any, Any, Any]]) -> None:
        """Do work side by side, so many at a time; the first failure ends the rest, one that ends the run above all."""
        waiting = iter(work)

        async def worker() -> None:
            for each in waiting:
                await each

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.workflow.concurrency):
                    group.create_task(worker())
        except BaseExceptionGroup as failed:
            first = failed.exceptions[0]
            raise next((error for error in failed.exceptions if is_fatal(error)), first) from None
