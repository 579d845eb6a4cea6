"""Functions that run before, after and around others, by the name of what is done."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from llmspell.plugin import Call, ScriptFunction
from llmspell_std.ending import at_end
from llmspell_std.function import GivenFunction

Place = Literal["before", "after", "around"]


@dataclass(frozen=True, slots=True)
class Interceptor:
    """One function and where it stands."""

    id: int
    event: str
    place: Place
    fn: ScriptFunction


class Interceptors:
    """The functions of one session, each dropped when its run ends."""

    def __init__(self) -> None:
        self._all: dict[int, Interceptor] = {}
        self._ids = itertools.count(1)

    def add(self, call: Call, event: str, place: Place, fn: ScriptFunction) -> int:
        number = next(self._ids)
        self._all[number] = Interceptor(number, event, place, fn)
        at_end(call, lambda: self._all.pop(number, None))
        return number

    def remove(self, event: str | None, place: Place | None, number: int | None) -> int:
        """Remove those that fit what is given; return how many."""
        gone = [
            known.id
            for known in self._all.values()
            if (event is None or known.event == event)
            and (place is None or known.place == place)
            and (number is None or known.id == number)
        ]
        for each in gone:
            del self._all[each]
        return len(gone)

    async def run(self, event: str, fn: ScriptFunction, args: list[Any]) -> Any:
        """Call a function with everything that stands before, around and after it."""
        for known in self._of(event, "before"):
            changed = await known.fn(*args)
            if isinstance(changed, list):
                args = changed
        inner: Callable[..., Awaitable[Any]] = fn
        for known in reversed(self._of(event, "around")):
            inner = _around(known.fn, inner)
        result = await inner(*args)
        for known in self._of(event, "after"):
            changed = await known.fn(result, *args)
            if changed is not None:
                result = changed
        return result

    def _of(self, event: str, place: Place) -> list[Interceptor]:
        return [known for known in self._all.values() if known.event == event and known.place == place]


def _around(outer: ScriptFunction, inner: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def call(*args: Any) -> Any:
        return await outer(GivenFunction("next", inner), *args)

    return call
