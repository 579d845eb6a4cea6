"""``Crossing``: calls and replies of one run, to and from the frames of the glue."""

from __future__ import annotations

from typing import Any

from llmspell.engine.messages import Call, Reply
from llmspell.values import HostRef
from llmspell_quickjs.codec import decode, encode
from llmspell_quickjs.names import camel
from llmspell_quickjs.stack import Files

STOP = "X"
"""The answer after which the glue goes no further: the interrupt is tripped."""

TOO_DEEP = "R"
"""The answer to a glue that asks for a part of itself where the stack has no room for it."""

_COLUMNS = 1 << 20
"""A place is one number: a line of the engine, times this, and the column in it."""


class Crossing:
    """Remembers the handles a script was given, to know them when it hands them back.

    Args:
        files: Where the places of calls are.
    """

    __slots__ = ("_files", "_handles", "_lines")

    def __init__(self, files: Files) -> None:
        self._files = files
        self._lines: dict[tuple[int, str], int] = {}  # place of the engine and function -> line of the author
        self._handles: dict[int, HostRef] = {}

    def read(self, frame: str) -> Any:
        """Read a value the glue wrote."""
        return decode(frame, self._handle)

    def call(self, frame: str) -> Call:
        """Read a call: ``[id, place, target, method, args]``."""
        id, place, target, method, args = decode(frame, self._handle)
        return Call(id, target, method, args, self.line(place, method))

    def line(self, place: int, method: str) -> int:
        """Return the author's line of a place where something is called, as the glue writes places."""
        key = (place, method)
        line = self._lines.get(key)
        if line is None:
            line = self._files.call_line(*divmod(place, _COLUMNS), camel(method))
            if line:
                self._lines[key] = line
        return line

    def answer(self, reply: Reply) -> str:
        """Write what the glue hears of a reply that is not fatal."""
        fault = reply.fault
        if fault is None:
            return "V" + self.write(reply.value)
        return "E" + encode([fault.code, fault.message, fault.details, reply.id])

    def write(self, value: Any) -> str:
        """Write a value for the script."""
        self._remember(value)
        return encode(value)

    def _remember(self, value: Any) -> None:
        kind = type(value)
        if kind is HostRef:
            self._handles[value.id] = value
        elif kind is list:
            for part in value:
                self._remember(part)
        elif kind is dict:
            for part in value.values():
                self._remember(part)

    def _handle(self, number: int) -> HostRef:
        return self._handles.get(number) or HostRef(number, "object")
