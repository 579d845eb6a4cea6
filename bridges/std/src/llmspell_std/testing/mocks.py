"""Functions that note how they are called, and do what a test says."""

from __future__ import annotations

from collections import deque
from typing import Any

from llmspell.plugin import HostObject, ScriptFunction, Value, export
from llmspell_std.data import jsontext
from llmspell_std.errors.shape import as_error, raised
from llmspell_std.function import GivenFunction
from llmspell_std.testing import checks

_KEPT = 1_000


class MockControl(HostObject):
    """Says what a mock does, and tells how it was called.

    Args:
        through: The function it stands for, if it is a spy.
    """

    def __init__(self, name: str, through: ScriptFunction | None = None) -> None:
        self._through = through
        self._calls: deque[list[Any]] = deque(maxlen=_KEPT)
        self._count = 0
        self._sequence: list[Any] = []
        self._result: Any = None
        self._error: dict[str, Any] | None = None
        self._special: list[tuple[list[Any], Any, dict[str, Any] | None]] = []
        self.function = GivenFunction(name or "mock", self._called)

    async def _called(self, *args: Any) -> Any:
        given = list(args)
        self._calls.append([jsontext.plain(arg) for arg in given])
        self._count += 1
        for wanted, result, error in self._special:
            if checks.same(given, wanted):
                if error is not None:
                    raise raised(error)
                return result
        if self._error is not None:
            raise raised(self._error)
        if self._sequence:
            return self._sequence.pop(0)
        if self._through is not None:
            return await self._through(*args)
        return self._result

    @export
    def returns(self, value: Value) -> MockControl:
        """Have the mock return a value; return this control, as all of these do."""
        self._result, self._error, self._through = value, None, None
        return self

    @export
    def returns_sequence(self, *values: Value) -> MockControl:
        """Have the mock return these values one after the other."""
        self._sequence, self._error = list(values), None
        return self

    @export
    def throws(self, error: Value) -> MockControl:
        """Have the mock fail."""
        self._error = as_error(error)
        return self

    @export
    def calls_through(self, fn: ScriptFunction) -> MockControl:
        """Have the mock call a function."""
        self._through, self._error = fn, None
        return self

    @export
    def returns_for(self, args: list[Any], value: Value) -> MockControl:
        """Have the mock return a value for these arguments."""
        self._special.append((args, value, None))
        return self

    @export
    def throws_for(self, args: list[Any], error: Value) -> MockControl:
        """Have the mock fail for these arguments."""
        self._special.append((args, None, as_error(error)))
        return self

    @export
    def called(self) -> bool:
        """Tell whether the mock was called."""
        return self._count > 0

    @export
    def call_count(self) -> int:
        """Return how often it was called."""
        return self._count

    @export
    def called_times(self, count: int) -> bool:
        """Tell whether it was called so often."""
        return self._count == count

    @export
    def called_with(self, *args: Value) -> bool:
        """Tell whether it was ever called with these arguments."""
        wanted = [jsontext.plain(arg) for arg in args]
        return any(checks.same(call, wanted) for call in self._calls)

    @export
    def get_calls(self) -> list[list[Any]]:
        """Return the arguments of each call, the last thousand of them."""
        return list(self._calls)

    @export
    def reset(self) -> MockControl:
        """Forget calls and instructions."""
        self._calls.clear()
        self._special.clear()
        self._sequence.clear()
        self._count, self._result, self._error = 0, None, None
        return self
