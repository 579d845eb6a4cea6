"""What lives as long as the run it came from: functions of scripts above all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from llmspell.plugin import Call

T = TypeVar("T")


class RunScoped(Generic[T]):
    """Named things, kept apart by the run they were made in and forgotten with it.

    Spells that call each other, also across languages, are one run here: what one defines the others find.
    """

    def __init__(self) -> None:
        self._runs: WeakKeyDictionary[object, dict[str, T]] = WeakKeyDictionary()

    def of(self, call: Call) -> dict[str, T]:
        """Return what the run that ``call`` belongs to holds, by name; it may be changed."""
        home = call.run.home
        found = self._runs.get(home)
        if found is None:
            found = self._runs[home] = {}
        return found

    def __iter__(self) -> Iterator[dict[str, T]]:
        return iter(list(self._runs.values()))


MAX_LEFT = 1000


class SessionNames(Generic[T]):
    """Named things of a session. A run sees its own first, then what earlier runs left.

    So a spell may run again in its session, or many times at once, and make what it names each time anew; and a later
    run (the next line of a REPL) finds what an earlier one made. The oldest of what was left is forgotten beyond a
    thousand.
    """

    def __init__(self) -> None:
        self._runs: RunScoped[T] = RunScoped()
        self._left: dict[str, T] = {}

    def taken(self, call: Call, name: str) -> bool:
        """Tell whether this run has made something of that name."""
        return name in self._runs.of(call)

    def add(self, call: Call, name: str, thing: T) -> None:
        self._runs.of(call)[name] = thing
        self._left.pop(name, None)
        self._left[name] = thing
        if len(self._left) > MAX_LEFT:
            del self._left[next(iter(self._left))]

    def find(self, call: Call, name: str) -> T | None:
        found = self._runs.of(call).get(name)
        return self._left.get(name) if found is None else found

    def remove(self, call: Call, name: str) -> T | None:
        """Forget what a run means by a name, and return it."""
        mine = self._runs.of(call).pop(name, None)
        left = self._left.get(name)
        if left is not None and mine in (None, left):
            del self._left[name]
        return left if mine is None else mine

    def all(self, call: Call) -> dict[str, T]:
        """Return what a run may mean, by name."""
        return {**self._left, **self._runs.of(call)}

    def __iter__(self) -> Iterator[T]:
        seen: dict[int, T] = {id(thing): thing for named in self._runs for thing in named.values()}
        seen.update({id(thing): thing for thing in self._left.values()})
        return iter(list(seen.values()))
