"""``Crossing``: calls and replies of one run, to and from the frames of the glue."""

from __future__ import annotations

from typing import Any

from llmspell.engine.messages import Call, Reply
from llmspell.values import HostRef
from llmspell_quickjs.codec import decode, encode
from llmspell_quickjs.stack import Files

STOP = "X"
"""The answer after which the glue goes no further: the interrupt is tripped."""

TOO_DEEP = "R"
"""The answer to a glue that asks for a part of itself where the stack has no room for it."""


class Crossing:
    """Remembers the handles a script was given, to know them when it hands them back.

    Args:
        files: Where the places of calls are.
    """

    __slots__ = ("_files", "_handles", "_lines")

    def __init__(self, files: Files) -> None:
        self._files = files
        self._lines: dict[int, int] = {}  # of the engine -> of the author
        self._handles: dict[int, HostRef] = {}

    def read(self, frame: str) -> Any:
        """Read a value the glue wrote."""
        return decode(frame, self._handle)

    def call(self, frame: str) -> Call:
        """Read a call: ``[id, line, target, method, args]``."""
        id, line, target, method, args = decode(frame, self._handle)
        own = self._lines.get(line)
        if own is None:
            own = self._files.line(line)
            if own:
                self._lines[line] = own
        return Call(id, target, method, args, own)

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
