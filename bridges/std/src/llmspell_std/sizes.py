"""How much of the host's memory a script's values take, and bounds to that."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from llmspell.plugin import BridgeError

_NODE = 64


def weight(value: Any) -> int:
    """Return roughly how many bytes a value takes.

    Raises:
        BridgeError: ``not_data``: it holds a function or handle, which cannot be kept beyond its run.
    """
    total = 0
    stack = [value]
    while stack:
        item = stack.pop()
        total += _NODE
        if isinstance(item, str | bytes):
            total += len(item)
        elif isinstance(item, dict):
            total += sum(map(len, item))
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        elif not (item is None or isinstance(item, bool | int | float | datetime)):
            raise BridgeError("functions and handles cannot be kept, only plain data", code="not_data")
    return total


class Quota:
    """A number of bytes that several keepers share."""

    def __init__(self, limit: int, what: str) -> None:
        self.limit = limit
        self.used = 0
        self._what = what

    def change(self, by: int) -> None:
        """Take or give back.

        Raises:
            BridgeError: ``too_large``; nothing is taken then.
        """
        if by > 0 and self.used + by > self.limit:
            raise BridgeError(f"{self._what} would hold more than {self.limit:,} bytes", code="too_large")
        self.used += by
