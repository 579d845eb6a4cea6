"""``Invocations``: what the host has asked of one guest, and who waits for it."""

from __future__ import annotations

import asyncio
from typing import Any

from llmspell.bridge.function import Heard
from llmspell.errors import BridgeError

MAX_INVOCATIONS = 500
"""Calls of script functions open at once in one guest: what bounds recursion across languages."""


class Invocations:
    """Number the questions, and find who hears the answer.

    Example:
        >>> open, heard = Invocations(), []
        >>> number = open.begin(lambda values, error: heard.append(values))
        >>> open.end(number)([42], None)
        >>> heard, len(open)
        ([[42]], 0)
    """

    __slots__ = ("_last", "_waiting")

    def __init__(self) -> None:
        self._last = 0
        self._waiting: dict[int, Heard] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def begin(self, heard: Heard) -> int:
        """Give a question its number.

        Raises:
            BridgeError: Too many are open already.
        """
        if len(self._waiting) >= MAX_INVOCATIONS:
            raise BridgeError(
                f"more than {MAX_INVOCATIONS} calls of script functions are open at once: the recursion between host "
                "and script, or between languages, is too deep",
                code="too_deep",
            )
        self._last = number = self._last + 1
        self._waiting[number] = heard
        return number

    def end(self, number: int) -> Heard | None:
        """Return who hears the answer; None if nobody waits for it any more."""
        return self._waiting.pop(number, None)

    def fail(self, error: BaseException) -> None:
        """Tell whoever waits that no answer will come."""
        waiting, self._waiting = self._waiting, {}
        for heard in waiting.values():
            heard(None, error)


def into(future: asyncio.Future[list[Any]]) -> Heard:
    """Let a future hear."""

    def heard(values: list[Any] | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(values or [])
        else:
            future.set_exception(error)
            future.exception()

    return heard
