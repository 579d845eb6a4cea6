"""What a run has done, so that it need not be done again."""

from __future__ import annotations

from typing import Any, Protocol

INPUT = ">"
"""The place of the input; no step has one that ends so."""


class Journal(Protocol):
    """Keeps the outputs of steps by their place in a run."""

    async def begin(self, input: Any) -> Any:
        """Return the input to run with: what the run first began with, if this one goes on."""

    async def find(self, place: str) -> tuple[bool, Any]:
        """Tell whether a step was done before, and what came of it."""

    async def note(self, place: str, output: Any) -> None:
        """Write down that a step is done."""

    async def finish(self) -> None:
        """Forget the run: it has come to its end."""

    def within(self, place: str) -> Journal:
        """Return the journal of a workflow that is the step at a place."""


class MemoryJournal:
    """Remembers nothing: a run with it begins anew each time."""

    async def begin(self, input: Any) -> Any:
        return input

    async def find(self, place: str) -> tuple[bool, Any]:
        return False, None

    async def note(self, place: str, output: Any) -> None:
        return None

    async def finish(self) -> None:
        return None

    def within(self, place: str) -> MemoryJournal:
        return self


class NestedJournal:
    """The part of a journal that belongs to a workflow within a workflow.

    Args:
        journal: The whole.
        place: Of the step that the inner workflow is.
    """

    def __init__(self, journal: Journal, place: str) -> None:
        self._journal = journal
        self._place = place

    async def begin(self, input: Any) -> Any:
        found, first = await self.find(INPUT)
        if found:
            return first
        await self.note(INPUT, input)
        return input

    async def find(self, place: str) -> tuple[bool, Any]:
        return await self._journal.find(f"{self._place}>{place}")

    async def note(self, place: str, output: Any) -> None:
        await self._journal.note(f"{self._place}>{place}", output)

    async def finish(self) -> None:
        """Keep it: it is forgotten together with the whole."""

    def within(self, place: str) -> NestedJournal:
        return NestedJournal(self, place)
