"""``expect(value)``: assertions that read from left to right."""

from __future__ import annotations

from typing import Any

from llmspell.plugin import BridgeError, HostObject, ScriptFunction, Value, export
from llmspell_std.errors.shape import Failing, failure_of
from llmspell_std.testing import checks

FAILED = "assertion"


def demand(problem: str | None, message: str | None = None) -> None:
    """Fail if a check found something wrong.

    Raises:
        BridgeError: ``assertion``.
    """
    if problem is not None:
        raise BridgeError(f"{message}: {problem}" if message else problem, code=FAILED)


async def failure_in(fn: ScriptFunction) -> dict[str, Any] | None:
    """Call a function and return its failure, or None."""
    try:
        await fn()
    except Failing as error:
        return failure_of(error)
    return None


class Expectation(HostObject):
    """A value of which something is expected.

    Args:
        negated: The opposite is expected.
    """

    def __init__(self, value: Any, truth: bool, negated: bool = False) -> None:
        self._value = value
        self._truth = truth
        self._negated = negated

    @export
    def negate(self) -> Expectation:
        """Expect the opposite of what follows."""
        return Expectation(self._value, self._truth, not self._negated)

    @export
    def to_equal(self, expected: Value) -> None:
        """Expect it to be the same, in depth."""
        self._judge(checks.equal(self._value, expected), f"equal {checks.shown(expected)}")

    to_deep_equal = to_equal

    @export
    def to_be_truthy(self) -> None:
        """Expect what the language takes as true."""
        self._judge(None if self._truth else f"{checks.shown(self._value)} does not count as true", "count as true")

    @export
    def to_be_falsy(self) -> None:
        """Expect what the language takes as false."""
        self._judge(f"{checks.shown(self._value)} counts as true" if self._truth else None, "count as false")

    @export
    def to_be_nil(self) -> None:
        """Expect nothing."""
        self._judge(checks.equal(self._value, None), "be nothing")

    @export
    def to_be_type(self, kind: str) -> None:
        """Expect a kind: ``string``, ``number``, ``table``, ``function`` ..."""
        self._judge(checks.of_kind(self._value, kind), f"be of the kind {kind}")

    @export
    def to_contain(self, part: Value) -> None:
        """Expect a text to hold a text, or a table a value."""
        self._judge(checks.containing(self._value, part), f"contain {checks.shown(part)}")

    @export
    def to_match(self, pattern: str) -> None:
        """Expect a text to match a regular expression."""
        self._judge(checks.matching(self._value, pattern), f"match {pattern}")

    @export
    def to_be_greater_than(self, other: int | float | str) -> None:
        """Expect more."""
        self._judge(checks.ordered(self._value, ">", other), f"be greater than {other}")

    @export
    def to_be_less_than(self, other: int | float | str) -> None:
        """Expect less."""
        self._judge(checks.ordered(self._value, "<", other), f"be less than {other}")

    @export
    def to_be_close_to(self, other: float, tolerance: float = 1e-9) -> None:
        """Expect a number near another."""
        self._judge(checks.close(self._value, other, tolerance), f"be close to {other}")

    @export
    async def to_throw(self, text: str | None = None) -> None:
        """Expect a function to fail, with ``text`` in its code or message."""
        if not isinstance(self._value, ScriptFunction):
            raise BridgeError("only a function can throw", code="invalid_argument")
        failure = await failure_in(self._value)
        self._judge(not_thrown(failure, text), "throw" + (f" {text!r}" if text else ""))

    def _judge(self, problem: str | None, wish: str) -> None:
        if self._negated:
            demand(f"expected {checks.shown(self._value)} not to {wish}" if problem is None else None)
        else:
            demand(problem)


def not_thrown(failure: dict[str, Any] | None, text: str | None) -> str | None:
    """Return what is wrong with a failure that was expected, or None."""
    if failure is None:
        return "expected a failure, and there was none"
    if text is not None and text not in failure["message"] and text != failure["code"]:
        return f"expected a failure with {text!r}, got {failure['code']}: {failure['message']}"
    return None
