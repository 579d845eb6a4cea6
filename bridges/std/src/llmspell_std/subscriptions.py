"""``Subscriptions``: functions of scripts that want to hear of some kinds of things, each for as long as its run."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from llmspell.plugin import Call, ScriptFunction
from llmspell_std.ending import at_end


class Subscriptions:
    """Who wants to hear of what, by number."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[frozenset[str], ScriptFunction]] = {}
        self._numbers = itertools.count(1)

    def add(self, call: Call, kinds: Iterable[str], receive: ScriptFunction) -> int:
        """Have a function told of these kinds, or of all, until the call's run ends; return its number."""
        number = next(self._numbers)
        self._known[number] = (frozenset(kinds), receive)
        at_end(call, lambda: self.remove(number))
        return number

    def remove(self, number: int) -> bool:
        """End a subscription; tell whether there was one."""
        return self._known.pop(number, None) is not None

    async def tell(self, kind: str, what: dict[str, Any]) -> None:
        """Call the functions that want to hear of a kind, one after the other.

        Raises:
            ScriptError: One of them raised; those after it are not called.
        """
        for kinds, receive in list(self._known.values()):
            if not kinds or kind in kinds:
                await receive(what)
