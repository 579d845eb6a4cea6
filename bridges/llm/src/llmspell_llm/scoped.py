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
