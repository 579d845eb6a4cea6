"""``TestingBridge``: what scripts see as ``testing``."""

from __future__ import annotations

import time
from typing import Any

from llmspell.plugin import Bridge, BridgeError, Call, ScriptFunction, Value, export
from llmspell_std.data.truth import is_true
from llmspell_std.ending import at_end
from llmspell_std.testing import checks
from llmspell_std.testing.expectation import Expectation, demand, failure_in, not_thrown
from llmspell_std.testing.mocks import MockControl
from llmspell_std.testing.suite import Case, Report, Runner, Suite, load


class TestingBridge(Bridge):
    """Write tests in a script and run them: ``describe``, ``it``, ``run``.

    A failed assertion is an error with the code ``assertion``. Times are milliseconds. Every assertion takes a message
    as its last argument.
    """

    __test__ = False
    name = "testing"

    def __init__(self) -> None:
        self._root = self._here = Suite()
        self._report: Report | None = None
        self._owner = ""

    # Suites

    @export
    async def describe(
        self, call: Call, name: str, fn: ScriptFunction, *, skip: bool = False, only: bool = False
    ) -> None:
        """Open a suite: ``fn`` declares its tests with ``it``, and suites inside it."""
        self._own(call)
        suite = Suite(name, self._here, skip, only)
        self._here.below.append(suite)
        self._here = suite
        try:
            await fn()
        finally:
            assert suite.above is not None
            self._here = suite.above

    @export
    def it(
        self,
        call: Call,
        name: str,
        fn: ScriptFunction,
        *,
        skip: bool = False,
        only: bool = False,
        timeout: float = 5_000,
    ) -> None:
        """Declare a test. If any test says ``only``, all others are skipped."""
        self._own(call)
        self._here.cases.append(Case(name, fn, skip, only, timeout))

    @export
    def skip(self, call: Call, name: str, fn: ScriptFunction) -> None:
        """Declare a test that is skipped."""
        self.it(call, name, fn, skip=True)

    @export
    def only(self, call: Call, name: str, fn: ScriptFunction) -> None:
        """Declare a test beside which all others are skipped."""
        self.it(call, name, fn, only=True)

    @export
    def before_all(self, call: Call, fn: ScriptFunction) -> None:
        """Run once before the tests of this suite."""
        self._wrap(call, "before_all", fn)

    @export
    def after_all(self, call: Call, fn: ScriptFunction) -> None:
        """Run once after the tests of this suite."""
        self._wrap(call, "after_all", fn)

    @export
    def before_each(self, call: Call, fn: ScriptFunction) -> None:
        """Run before each test of this suite and those inside it."""
        self._wrap(call, "before_each", fn)

    @export
    def after_each(self, call: Call, fn: ScriptFunction) -> None:
        """Run after each test of this suite and those inside it."""
        self._wrap(call, "after_each", fn)

    @export
    async def run(self, call: Call, *, quiet: bool = False, pattern: str = "") -> Report:
        """Run all tests that were declared, or those with ``pattern`` in their names; print a summary.

        Returns ``{total, passed, failed, skipped, duration, tests}``.
        """
        self._own(call)
        report = self._report = await Runner(call, self._root, pattern).run()
        if not quiet:
            for result in report.tests:
                if result.status == "failed":
                    where = f"{result.suite} > " if result.suite else ""
                    call.emit(f"FAILED {where}{result.name}: {result.error}\n")
            call.emit(
                f"{report.total} tests: {report.passed} passed, {report.failed} failed, {report.skipped} skipped "
                f"({report.duration:.0f} ms)\n"
            )
        return report

    @export
    def get_results(self) -> Report | None:
        """Return the report of the last ``run``, or nothing."""
        return self._report

    @export
    def reset(self) -> None:
        """Forget all tests and results."""
        self._root = self._here = Suite()
        self._report = None

    # Assertions

    @export
    def expect(self, call: Call, value: Value) -> Expectation:
        """Return a value of which something is expected: ``expect(x):to_equal(5)``."""
        return Expectation(value, is_true(call.language, value))

    @export
    def assert_equals(self, actual: Value, expected: Value, message: str | None = None) -> None:
        """Expect two values to be the same, in depth."""
        demand(checks.equal(actual, expected), message)

    assert_deep_equals = assert_equals

    @export
    def assert_not_equals(self, actual: Value, expected: Value, message: str | None = None) -> None:
        """Expect two values to differ."""
        demand(checks.unequal(actual, expected), message)

    @export
    def assert_truthy(self, call: Call, value: Value, message: str | None = None) -> None:
        """Expect what the language takes as true."""
        demand(None if is_true(call.language, value) else f"{checks.shown(value)} does not count as true", message)

    @export
    def assert_falsy(self, call: Call, value: Value, message: str | None = None) -> None:
        """Expect what the language takes as false."""
        demand(f"{checks.shown(value)} counts as true" if is_true(call.language, value) else None, message)

    @export
    def assert_is_nil(self, value: Value, message: str | None = None) -> None:
        """Expect nothing."""
        demand(checks.equal(value, None), message)

    @export
    def assert_not_nil(self, value: Value, message: str | None = None) -> None:
        """Expect something."""
        demand(checks.unequal(value, None), message)

    @export
    def assert_type(self, value: Value, kind: str, message: str | None = None) -> None:
        """Expect a kind: ``string``, ``number``, ``boolean``, ``table``, ``array``, ``function``, ``nil`` ..."""
        demand(checks.of_kind(value, kind), message)

    @export
    def assert_greater_than(self, actual: Value, other: Value, message: str | None = None) -> None:
        """Expect more than another number or text."""
        demand(checks.ordered(actual, ">", other), message)

    @export
    def assert_less_than(self, actual: Value, other: Value, message: str | None = None) -> None:
        """Expect less than another number or text."""
        demand(checks.ordered(actual, "<", other), message)

    @export
    def assert_greater_or_equal(self, actual: Value, other: Value, message: str | None = None) -> None:
        """Expect as much as another number or text, or more."""
        demand(checks.ordered(actual, ">=", other), message)

    @export
    def assert_less_or_equal(self, actual: Value, other: Value, message: str | None = None) -> None:
        """Expect as much as another number or text, or less."""
        demand(checks.ordered(actual, "<=", other), message)

    @export
    def assert_between(self, actual: Value, low: Value, high: Value, message: str | None = None) -> None:
        """Expect a number or text between two others, or one of them."""
        demand(checks.ordered(actual, ">=", low) or checks.ordered(actual, "<=", high), message)

    @export
    def assert_contains(self, whole: Value, part: Value, message: str | None = None) -> None:
        """Expect a text to hold a text, or a table a value."""
        demand(checks.containing(whole, part), message)

    assert_has_value = assert_contains

    @export
    def assert_matches(self, text: Value, pattern: str, message: str | None = None) -> None:
        """Expect a text to match a regular expression (RE2)."""
        demand(checks.matching(text, pattern), message)

    @export
    def assert_starts_with(self, text: str, start: str, message: str | None = None) -> None:
        """Expect a text to begin so."""
        demand(None if text.startswith(start) else f"expected {checks.shown(text)} to begin with {start!r}", message)

    @export
    def assert_ends_with(self, text: str, end: str, message: str | None = None) -> None:
        """Expect a text to end so."""
        demand(None if text.endswith(end) else f"expected {checks.shown(text)} to end with {end!r}", message)

    @export
    def assert_has_key(self, table: dict[str, Any], key: str, message: str | None = None) -> None:
        """Expect a table to have a key."""
        demand(None if key in table else f"expected {checks.shown(table)} to have the key {key!r}", message)

    @export
    def assert_length(self, value: Value, length: int, message: str | None = None) -> None:
        """Expect a text or table to have a length."""
        demand(checks.sized(value, length), message)

    @export
    def assert_empty(self, value: Value, message: str | None = None) -> None:
        """Expect nothing, or a text or table with nothing in it."""
        demand(checks.empty(value), message)

    @export
    def assert_not_empty(self, value: Value, message: str | None = None) -> None:
        """Expect a text or table with something in it."""
        demand("expected something" if checks.empty(value) is None else None, message)

    @export
    async def assert_error(self, fn: ScriptFunction, expected: str | None = None, message: str | None = None) -> Any:
        """Expect a function to fail, with ``expected`` in its code or message; return the error."""
        failure = await failure_in(fn)
        demand(not_thrown(failure, expected), message)
        return failure

    @export
    async def assert_no_error(self, fn: ScriptFunction, message: str | None = None) -> None:
        """Expect a function not to fail."""
        failure = await failure_in(fn)
        demand(None if failure is None else f"expected no failure, got {failure['message']}", message)

    @export
    async def assert_error_matches(self, fn: ScriptFunction, pattern: str, message: str | None = None) -> None:
        """Expect a function to fail with a message that matches a regular expression."""
        failure = await failure_in(fn)
        demand(not_thrown(failure, None) or checks.matching((failure or {}).get("message"), pattern), message)

    @export
    def fail(self, message: str = "failed") -> None:
        """Fail."""
        raise BridgeError(message, code="assertion")

    # Stand-ins

    @export
    def mock(self, name: str = "") -> dict[str, Any]:
        """Return ``{fn, control}``: a function, and what says what it does and tells how it was called."""
        control = MockControl(name)
        return {"fn": control.function, "control": control}

    @export
    def spy(self, fn: ScriptFunction) -> dict[str, Any]:
        """Return ``{fn, control}``: a function that calls another, and what tells how it was called."""
        control = MockControl(f"spy {fn.name}".strip(), fn)
        return {"fn": control.function, "control": control}

    # Measurements

    @export
    async def benchmark(
        self, call: Call, name: str, fn: ScriptFunction, *, iterations: int = 1_000, warmup: int = 10
    ) -> dict[str, Any]:
        """Call a function many times; return ``{name, iterations, total_time, avg_time, min_time, max_time,
        ops_per_sec}``, the call from the host included."""
        if not (1 <= iterations <= 1_000_000 and 0 <= warmup <= 1_000_000):
            raise BridgeError("iterations and warmup should be sensible numbers", code="invalid_argument")
        for _ in range(warmup):
            await fn()
        times = []
        for _ in range(iterations):
            call.checkpoint()
            start = time.perf_counter()
            await fn()
            times.append((time.perf_counter() - start) * 1000)
        total = sum(times)
        return {
            "name": name,
            "iterations": iterations,
            "total_time": total,
            "avg_time": total / iterations,
            "min_time": min(times),
            "max_time": max(times),
            "ops_per_sec": iterations * 1000 / total if total else 0.0,
        }

    @export
    async def load_test(
        self, call: Call, fn: ScriptFunction, *, concurrent: int = 10, iterations: int = 1_000, duration: float = 10_000
    ) -> dict[str, Any]:
        """Call a function many times, several calls at once, until the calls or the time are used up.

        Returns ``{requests, errors, requests_per_sec, p50_latency, p95_latency, p99_latency}``.
        """
        return await load(call, fn, concurrent, iterations, duration / 1000)

    def _wrap(self, call: Call, place: str, fn: ScriptFunction) -> None:
        self._own(call)
        self._here.around.setdefault(place, []).append(fn)

    def _own(self, call: Call) -> None:
        """Tests belong to the run that declares them: those of another are forgotten."""
        if self._owner != call.run_id:
            self._owner = call.run_id
            self.reset()
            at_end(call, self.reset)
