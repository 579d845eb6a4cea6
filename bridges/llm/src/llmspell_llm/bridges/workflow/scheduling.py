"""Workflows at a time, and again and again."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import BridgeError, Call, HostObject, export
from llmspell_llm.bridges.workflow.base import WorkflowBase
from llmspell_llm.bridges.workflow.running import RunningExports
from llmspell_llm.plain import known
from llmspell_llm.workflow import WorkflowError

MAX_SCHEDULES = 1000
SHORTEST = 0.01
"""Seconds between two runs at least: a schedule is no busy loop."""

_ids = itertools.count(1)


@dataclass(slots=True)
class Schedule:
    """When a workflow is run."""

    id: str
    workflow: str
    every: float | None
    times: int | None
    next: float
    input: Any
    runs: int = 0
    failures: int = 0
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def as_value(self) -> dict[str, Any]:
        return known(
            {
                "id": self.id,
                "workflow": self.workflow,
                "every": self.every,
                "times": self.times,
                "next": self.next,
                "runs": self.runs,
                "failures": self.failures,
            }
        )


class _Ending(HostObject):
    """Ends a schedule together with the script's run, whose functions it would need."""

    def __init__(self, bridge: SchedulingExports, id: str) -> None:
        self._bridge = bridge
        self._id = id

    async def aclose(self) -> None:
        """Called when the run ends."""
        await self._bridge.end(self._id)


class SchedulingExports(RunningExports):
    """The exports about schedules. A schedule ends with the script's run that made it."""

    def __init__(self) -> None:
        super().__init__()
        self._schedules: dict[str, Schedule] = {}

    async def close(self) -> None:
        """End every schedule, and stop every run."""
        for id in list(self._schedules):
            await self.end(id)
        await WorkflowBase.close(self)

    @export
    async def schedule(self, call: Call, id: str, schedule: dict[str, Any]) -> str:
        """Run a workflow later, or again and again; return the schedule's id.

        Args:
            id: The workflow.
            schedule: ``delay`` (seconds until the first run) or ``at`` (a time in seconds since 1970); ``every``
                (seconds from one beginning to the next), ``times`` (how often at most), ``input``. A run that takes
                longer than ``every`` delays the next; two never overlap.
        """
        self.find(call, id)
        if len(self._schedules) >= MAX_SCHEDULES:
            raise WorkflowError(f"there are {MAX_SCHEDULES:,} schedules already; cancel some", code="too_many")
        made = _read(f"schedule-{next(_ids)}", id, schedule)
        self._schedules[made.id] = made
        made.task = asyncio.ensure_future(self._keep(call, made))
        call.run.make_handle(_Ending(self, made.id))
        return made.id

    @export
    async def cancel_scheduled(self, schedule: str) -> bool:
        """End a schedule; tell whether there was one."""
        return await self.end(schedule)

    @export
    def list_scheduled(self) -> list[dict[str, Any]]:
        """List the schedules: ``{id, workflow, every, times, next, runs, failures}`` each."""
        return [schedule.as_value() for schedule in self._schedules.values()]

    @export
    async def wait_scheduled(self, schedule: str) -> dict[str, Any]:
        """Wait until a schedule has come to its end, and tell how it went: ``{runs, failures, ...}``."""
        found = self._schedules.get(schedule)
        if found is None:
            raise ArgumentError(f"there is no schedule {schedule!r}", parameter="schedule", position=1)
        assert found.task is not None
        await asyncio.wait([found.task])
        if not found.task.cancelled():
            found.task.result()
        return found.as_value()

    async def end(self, id: str) -> bool:
        """End a schedule, with the run it may be at."""
        found = self._schedules.pop(id, None)
        if found is None or found.task is None:
            return False
        found.task.cancel()
        await asyncio.gather(found.task, return_exceptions=True)
        return True

    async def _keep(self, call: Call, schedule: Schedule) -> None:
        while schedule.times is None or schedule.runs < schedule.times:
            await asyncio.sleep(max(0.0, schedule.next - time.time()))
            schedule.runs += 1
            try:
                await self.work(call, schedule.workflow, schedule.input)
            except BridgeError:
                schedule.failures += 1
            schedule.next = max(time.time(), schedule.next + (schedule.every or 0.0))


def _read(id: str, workflow: str, given: dict[str, Any]) -> Schedule:
    if unknown := sorted(set(given) - {"delay", "at", "every", "times", "input"}):
        raise _wrong(f"a schedule has no {unknown[0]!r}; it has at, delay, every, input, times")
    times = given.get("times")
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
        raise _wrong("times should be 1 or more")
    every = _seconds(given, "every", SHORTEST)
    if every is None and times not in (None, 1):
        raise _wrong("a workflow that is run several times needs every: the seconds from one run to the next")
    at = _seconds(given, "at", 0.0)
    first = time.time() + (_seconds(given, "delay", 0.0) or 0.0) if at is None else at
    return Schedule(id, workflow, every, 1 if every is None else times, first, given.get("input"))


def _seconds(given: dict[str, Any], name: str, least: float) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < float("inf"):
        raise _wrong(f"{name} should be a number of seconds, {least:g} or more")
    return float(value)


def _wrong(message: str) -> ArgumentError:
    return ArgumentError(message, parameter="schedule", position=2)
