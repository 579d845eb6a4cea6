"""The bridge that conformance cases talk to: it echoes, fails, calls back, streams and waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

from llmspell.bridge import Bridge, Call, HostObject, ScriptFunction, export
from llmspell.errors import BridgeError


@dataclass(frozen=True)
class Person:
    """A record: its field names follow the language, the keys of its plain dict do not."""

    full_name: str
    birth_year: int
    free_form: dict[str, Any] = field(default_factory=dict)


class Counter(HostObject):
    """A handle with methods."""

    def __init__(self, kit: Kit, start: int) -> None:
        self._kit = kit
        self._value = start

    @export
    def add(self, amount: int = 1) -> int:
        """Add, and tell the new value."""
        self._value += amount
        return self._value

    @export
    async def add_later(self, amount: int = 1) -> int:
        """Add after a turn of the loop."""
        await asyncio.sleep(0)
        return self.add(amount)

    @export
    def value(self) -> int:
        """Tell the value."""
        return self._value

    @export
    def fail(self) -> None:
        """Fail as expected."""
        raise BridgeError("the counter is stuck", code="stuck")

    @export
    def twin(self) -> Counter:
        """Make another counter with the same value."""
        return Counter(self._kit, self._value)

    @export
    def same_as(self, other: HostObject) -> bool:
        """Tell whether ``other`` is this very counter."""
        return other is self

    def close(self) -> None:
        """Tell the kit, so that a test sees that handles end with their run."""
        self._kit.closed.append("counter")


class Kit(Bridge):
    """What conformance cases need of a host.

    A test looks at ``notes`` (what scripts noted), ``closed`` (handles and streams that were let go of), and waits
    for ``reached`` (a script has begun, or hangs in a host call) and ``let_go`` (that call was cancelled).
    """

    name = "kit"

    def __init__(self, reached: threading.Event | None = None, let_go: threading.Event | None = None) -> None:
        self.notes: list[Any] = []
        self.closed: list[str] = []
        self.reached = reached or threading.Event()
        self.let_go = let_go or threading.Event()
        self.kept: ScriptFunction | None = None
        self.running = 0
        self.most_running = 0

    @export
    def echo(self, value: Any = None) -> Any:
        """Return what was given."""
        return value

    @export
    async def echo_later(self, value: Any = None) -> Any:
        """Return what was given, after a turn of the loop."""
        await asyncio.sleep(0)
        return value

    @export
    def note(self, value: Any = None) -> None:
        """Keep a value for the test."""
        self.notes.append(value)

    @export
    def begin(self) -> None:
        """Tell the test that the script has begun."""
        self.reached.set()

    @export
    def kind(self, value: Any = None) -> str:
        """Name the type the host got: ``int``, ``float``, ``str``, ``bytes``, ``list``, ``dict``, ``NoneType`` ..."""
        return type(value).__name__

    @export
    def describe(self, value: Any = None) -> str:
        """Write the value as the host sees it."""
        return repr(value)

    @export
    def add(self, left: int, right: int) -> int:
        """Add two integers."""
        return left + right

    @export
    def join_words(self, words: list[str], *, word_separator: str = " ", upper_case: bool = False) -> str:
        """Join words, with options."""
        text = word_separator.join(words)
        return text.upper() if upper_case else text

    @export
    def total(self, *numbers: float) -> float:
        """Add up any number of numbers."""
        return sum(numbers)

    @export
    def optional(self, first: str, second: str | None = None) -> str:
        """Tell whether the second argument was there."""
        return f"{first}, {second}"

    @export
    def person(self) -> Person:
        """Return a record."""
        return Person("Ada Lovelace", 1815, {"first_program": True})

    @export
    def big(self, exponent: int) -> int:
        """Return a power of two."""
        return 1 << exponent

    @export
    def special(self, name: str) -> Any:
        """Return a value that is hard to write in some language."""
        return {
            "nan": float("nan"), "infinity": float("inf"), "minus_infinity": float("-inf"), "minus_zero": -0.0,
            "bytes": b"\x00\xff\x80", "nul": "a\x00b", "bee": "🐝 é ✓", "empty_text": "", "empty_bytes": b"",
            "nothing": None, "empty_list": [], "empty_dict": {}, "holes": [1, None, 3], "none_inside": {"a": None},
            "text_bytes": b"abc", "surrogate": "a\ud800b", "whole": 3.0, "unsafe": 2**53 + 1, "long": 2**63 - 1,
            "instant": datetime(2026, 1, 31, 10, 0, 0, 123456, timezone(timedelta(hours=2))),
            "clock": datetime(2026, 1, 31, 10), "day": date(2026, 1, 31),
            "nested": {"list": [{"deep": [1, [2, {"x": "y"}]]}]}, "true": True, "numeric_keys": {"1": "a", "2": "b"},
        }[name]  # fmt: skip

    @export
    def deep(self, levels: int) -> Any:
        """Return a list in a list in a list."""
        value: Any = "bottom"
        for _ in range(levels):
            value = [value]
        return value

    @export
    def wide(self, size: int) -> list[int]:
        """Return a long list."""
        return list(range(size))

    @export
    def foreign(self) -> Any:
        """Return what cannot cross."""
        return object()

    @export
    def fail(self, code: str = "failed", message: str = "it did not work") -> None:
        """Fail as expected."""
        raise BridgeError(message, code=code, details={"tried": 3})

    @export
    async def fail_later(self, code: str = "failed", message: str = "it did not work") -> None:
        """Fail as expected, after a turn of the loop."""
        await asyncio.sleep(0)
        self.fail(code, message)

    @export
    def crash(self) -> None:
        """Fail as nobody expects."""
        raise RuntimeError("secret: /srv/keys/private.pem")

    @export
    async def call(self, function: ScriptFunction, *args: Any) -> Any:
        """Call a function of the script, and return its result."""
        return await function(*args)

    @export
    async def each(self, items: list[Any], function: ScriptFunction) -> list[Any]:
        """Call a function for each item, one after the other."""
        return [await function(item) for item in items]

    @export
    async def feed(self, items: list[Any], function: ScriptFunction, *, breaks: bool = False) -> int | None:
        """Call a function with each item of a stream that runs ahead, until it returns false; tell how often then."""

        async def stream() -> AsyncGenerator[Any, None]:
            try:
                for item in items:
                    yield item
                if breaks:
                    raise BridgeError("the stream broke", code="broken")
            finally:
                self.closed.append("fed")

        return await function.each(stream(), ahead=4)

    @export
    async def together(self, items: list[Any], function: ScriptFunction) -> list[Any]:
        """Call a function for all items at once."""
        return list(await asyncio.gather(*(function(item) for item in items)))

    @export
    async def attempt(self, function: ScriptFunction) -> str:
        """Call a function; tell the class of what it raised, or ``"ok"``."""
        try:
            await function()
        except Exception as error:  # noqa: BLE001 - the class of any failure is the answer
            return type(error).__name__
        return "ok"

    @export
    def keep(self, function: ScriptFunction) -> None:
        """Keep a function, which must not outlive its run."""
        self.kept = function

    @export
    async def call_kept(self, *args: Any) -> Any:
        """Call the function that was kept."""
        assert self.kept is not None
        return await self.kept(*args)

    @export
    def counter(self, start: int = 0) -> Counter:
        """Make a counter."""
        return Counter(self, start)

    @export
    def read_counter(self, counter: HostObject) -> int:
        """Tell the value of a counter that comes back."""
        assert isinstance(counter, Counter)
        return counter.value()

    @export
    async def count_to(self, last: int) -> AsyncIterator[int]:
        """Stream the numbers from 1."""
        try:
            for number in range(1, last + 1):
                await asyncio.sleep(0)
                yield number
        finally:
            self.closed.append("stream")

    @export(ahead=8)
    async def count_ahead(self, last: int) -> AsyncIterator[int]:
        """Stream the numbers from 1, up to 8 of them ahead of the script."""
        try:
            for number in range(1, last + 1):
                yield number
        finally:
            self.closed.append("ahead")

    @export(ahead=8)
    async def broken_ahead(self, good: int) -> AsyncIterator[int]:
        """Stream some numbers ahead of the script, then fail."""
        for number in range(1, good + 1):
            yield number
        raise BridgeError("the stream broke", code="broken")

    @export
    async def broken_stream(self, good: int) -> AsyncIterator[int]:
        """Stream some numbers, then fail."""
        for number in range(1, good + 1):
            yield number
        raise BridgeError("the stream broke", code="broken")

    @export
    def say(self, call: Call, text: str) -> None:
        """Write to the run's output from the host."""
        call.emit(text)

    @export
    def who(self, call: Call) -> dict[str, Any]:
        """Tell who asks."""
        return {"language": call.language, "line": call.line, "method": call.method}

    @export
    async def pause(self, turns: int = 1) -> int:
        """Wait some turns of the loop; ``most`` then tells how many waited at once."""
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            for _ in range(turns):
                await asyncio.sleep(0)
            return turns
        finally:
            self.running -= 1

    @export
    def most(self) -> int:
        """Tell how many ``pause`` calls were under way at once, at most."""
        return self.most_running

    @export
    async def work(self, call: Call, steps: int) -> int:
        """Do some steps, and tell after each how far the work is."""
        for step in range(steps):
            call.progress(step / max(steps - 1, 1), f"step {step + 1}")
            await call.settle()
            await asyncio.sleep(0)
        return steps

    @export
    def closings(self) -> list[str]:
        """Tell what was let go of so far."""
        return list(self.closed)

    @export
    async def hang(self) -> None:
        """Wait until cancelled."""
        self.reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.let_go.set()
