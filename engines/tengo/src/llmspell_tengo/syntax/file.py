"""A source text and the places in it."""

from __future__ import annotations

from bisect import bisect_right

from llmspell.errors import Location


class SourceFile:
    """Text of a program or module under the name that errors give it.

    Args:
        name: What positions say before the line, e.g. ``"(main)"``.
        text: The whole source.

    Example:
        >>> str(SourceFile("x.tengo", "a\\nbc").locate(3))
        'x.tengo:2:2'
    """

    __slots__ = ("_starts", "name", "text")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._starts: list[int] | None = None

    def locate(self, offset: int) -> Location:
        """Turn a character offset into line and column, both from 1; columns count UTF-8 bytes."""
        starts = self._starts
        if starts is None:
            starts = [0]
            at = self.text.find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = self.text.find("\n", at + 1)
            self._starts = starts
        line = bisect_right(starts, offset)
        before = self.text[starts[line - 1] : offset]
        width = len(before) if before.isascii() else len(before.encode("utf-8", "surrogatepass"))
        return Location(self.name, line, width + 1)
