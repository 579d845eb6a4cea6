"""Suites of tests: how they nest, and running them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from llmspell.errors import LlmspellError
from llmspell.plugin import BridgeError, Call, ScriptFunction
from llmspell_std.errors.patience import limited
from llmspell_std.errors.shape import Failing, failure_of

Outcome = Literal["passed", "failed", "skipped"]


@dataclass(slots=True)
class Case:
    """One test."""

    name: str
    fn: ScriptFunction
    skip: bool = False
    only: bool = False
    timeout: float = 5_000


@dataclass(slots=True)
class Suite:
    """Tests with a name in common, and what runs before and after them."""

    name: str = ""
    above: Suite | None = None
    skip: bool = False
    only: bool = False
    cases: list[Case] = field(default_factory=list)
    below: list[Suite] = field(default_factory=list)
    around: dict[str, list[ScriptFunction]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return " > ".join(suite.name for suite in reversed(self.line()) if suite.name)

    def line(self) -> list[Suite]:
        """Return this suite and those above it, innermost first."""
        found: list[Suite] = []
        here: Suite | None = self
        while here is not None:
            found.append(here)
            here = here.above
        return found

    def has_only(self) -> bool:
        return any(c.only for c in self.cases) or any(s.only or s.has_only() for s in self.below)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one test. ``duration`` is milliseconds."""

    name: str
    suite: str
    status: Outcome
    error: str = ""
    duration: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all tests. ``duration`` is milliseconds."""

    total: int
    passed: int
    failed: int
    skipped: int
    duration: float
    tests: list[Result]


class Runner:
    """Runs suites, one test after the other.

    Args:
        pattern: Only tests with this text in their name or suite.
    """

    def __init__(self, call: Call, root: Suite, pattern: str) -> None:
        self._call = call
        self._root = root
        self._pattern = pattern
        self._only = root.has_only()
        self._results: list[Result] = []

    async def run(self) -> Report:
        began = time.monotonic()
        await self._suite(self._root, False, False)
        counts = {status: sum(r.status == status for r in self._results) for status in ("passed", "failed", "skipped")}
        return Report(
            len(self._results), counts["passed"], counts["failed"], counts["skipped"],
            (time.monotonic() - began) * 1000, self._results,
        )  # fmt: skip

    async def _suite(self, suite: Suite, skip: bool, only: bool) -> None:
        skip, only = skip or suite.skip, only or suite.only
        failure = "" if skip else await self._all(suite.around.get("before_all", []))
        for case in suite.cases:
            await self._case(suite, case, skip, only, failure)
        for below in suite.below:
            await self._suite(below, skip, only)
        if not skip and (late := await self._all(suite.around.get("after_all", []))):
            self._results.append(Result("after_all", suite.path, "failed", late))

    async def _case(self, suite: Suite, case: Case, skip: bool, only: bool, failure: str) -> None:
        if self._pattern not in case.name and self._pattern not in suite.path:
            return
        if skip or case.skip or (self._only and not (only or case.only)):
            self._results.append(Result(case.name, suite.path, "skipped"))
            return
        self._call.checkpoint()
        began = time.monotonic()
        line = suite.line()
        before = [fn for each in reversed(line) for fn in each.around.get("before_each", [])]
        after = [fn for each in line for fn in each.around.get("after_each", [])]
        failure = failure or await self._all(before)
        if not failure:
            failure = await self._one(case.fn, case.timeout)
        failure = failure or await self._all(after)
        taken = (time.monotonic() - began) * 1000
        self._results.append(Result(case.name, suite.path, "failed" if failure else "passed", failure, taken))

    async def _all(self, functions: list[ScriptFunction]) -> str:
        for fn in functions:
            if failure := await self._one(fn, 5_000):
                return failure
        return ""

    @staticmethod
    async def _one(fn: ScriptFunction, timeout: float) -> str:
        """Call a function; return its failure as a text."""
        try:
            await limited(fn, timeout)
        except Failing as error:
            failure = failure_of(error)
            return str(failure["message"])
        return ""


async def load(call: Call, fn: ScriptFunction, concurrent: int, iterations: int, seconds: float) -> dict[str, Any]:
    """Call a function many times, several calls at once, and measure.

    Raises:
        BridgeError: ``invalid_argument``.
    """
    if not (1 <= concurrent <= 1_000 and 1 <= iterations <= 1_000_000 and seconds > 0):
        raise BridgeError(
            "concurrent, iterations and duration should be positive and sensible", code="invalid_argument"
        )
    latencies: list[float] = []
    errors = 0
    left = iterations
    began = time.monotonic()

    async def worker() -> None:
        nonlocal left, errors
        while left > 0 and time.monotonic() - began < seconds:
            left -= 1
            call.checkpoint()
            start = time.monotonic()
            try:
                await fn()
            except Failing as error:
                failure_of(error)
                errors += 1
            latencies.append((time.monotonic() - start) * 1000)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrent):
                group.create_task(worker())
    except* LlmspellError as failures:
        raise failures.exceptions[0] from None
    taken = time.monotonic() - began
    latencies.sort()
    return {
        "requests": len(latencies),
        "errors": errors,
        "requests_per_sec": len(latencies) / taken if taken else 0.0,
        **{
            f"p{part}_latency": latencies[min(len(latencies) - 1, len(latencies) * part // 100)]
            for part in (50, 95, 99)
        },
    }
