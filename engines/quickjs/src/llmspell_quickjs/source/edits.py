"""``Edits``: changes to a source that leave every line where it was, and the way back from a column to the author's."""

from __future__ import annotations

from bisect import bisect_right

_NOT_NEWLINE = bytes(b if b in b"\r\n" else 0x20 for b in range(256))


_Change = tuple[int, int, int, int, bytes]
"""Start, end, rank, number, new text."""


def _order(change: _Change) -> tuple[int, bool, int, int, int]:
    """Insertions first, by rank; then the widest change at a place, so that what it covers is dropped."""
    start, end, rank, number, _ = change
    return start, end > start, rank, -end, number


class Edits:
    """Collect replacements in a UTF-8 text; none may add or remove a line break.

    Offsets are bytes of the original, as both the parser and the engine count them.

    Example:
        >>> edits = Edits(b"let x: T = 1")
        >>> edits.blank(5, 8)
        >>> edits.insert(11, "(")
        >>> edits.apply()
        b'let x    = (1'
    """

    __slots__ = ("_changes", "_lines", "_starts", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._changes: list[_Change] = []
        self._starts: list[int] | None = None
        self._lines: dict[int, list[tuple[int, int, int]]] | None = None

    def __bool__(self) -> bool:
        return bool(self._changes)

    def insert(self, at: int, text: str, rank: int = 0) -> None:
        """Put ``text`` before the byte at ``at``; insertions at one place stand by rank, then as they were made."""
        self._changes.append((at, at, rank, len(self._changes), text.encode()))

    def replace(self, start: int, end: int, text: str) -> None:
        """Put ``text`` where ``start:end`` was, with the line breaks of what it replaces after it."""
        breaks = self.text.count(b"\n", start, end)
        self._changes.append((start, end, 0, len(self._changes), text.encode() + b"\n" * breaks))

    def blank(self, start: int, end: int, first: str = "") -> None:
        """Turn ``start:end`` into spaces (line breaks stay), beginning with ``first``."""
        if start < end:
            spaces = self.text[start:end].translate(_NOT_NEWLINE)
            head = first.encode()
            self._changes.append((start, end, 0, len(self._changes), head + spaces[len(head) :]))

    def apply(self) -> bytes:
        """Return the changed text. A change inside a replaced or blanked region is dropped."""
        out: list[bytes] = []
        kept: list[_Change] = []
        at = 0
        for change in sorted(self._changes, key=_order):
            start, end, _, _, new = change
            if start < at:
                continue
            out += (self.text[at:start], new)
            kept.append(change)
            at = end
        out.append(self.text[at:])
        self._changes = kept
        return b"".join(out)

    @property
    def _line_starts(self) -> list[int]:
        if self._starts is None:
            starts = self._starts = [0]
            at = self.text.find(b"\n")
            while at >= 0:
                starts.append(at + 1)
                at = self.text.find(b"\n", at + 1)
        return self._starts

    @property
    def _moves(self) -> dict[int, list[tuple[int, int, int]]]:
        """Where columns moved, by line: column from 0, old length, new length. Asked only after :meth:`apply`."""
        if self._lines is None:
            lines: dict[int, list[tuple[int, int, int]]] = {}
            for start, end, _, _, new in self._changes:
                if end - start != len(new):
                    line = bisect_right(self._line_starts, start)
                    last = new.rpartition(b"\n")[2] if b"\n" in new else new
                    lines.setdefault(line, []).append((start - self._line_starts[line - 1], end - start, len(last)))
            self._lines = lines
        return self._lines

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column (in characters, both from 1) of a byte of the original."""
        starts = self._line_starts
        line = bisect_right(starts, offset)
        return line, len(self.text[starts[line - 1] : offset].decode("utf-8", "replace")) + 1

    def spot(self, offset: int) -> tuple[int, int]:
        """Return line (from 1) and column (from 0, in bytes) of a byte of the original."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1]

    def offset(self, line: int, column: int) -> int:
        """Return the byte of the original at a line and column, as :meth:`place` counts them; 0 if there is none."""
        if not 1 <= line <= len(self._line_starts):
            return 0
        return self._line_starts[line - 1] + len(self.line_text(line)[: column - 1].encode("utf-8", "replace"))

    def original_column(self, line: int, column: int) -> int:
        """Turn a byte column of the changed text into the character column of the original, both from 1."""
        starts = self._line_starts
        if not 1 <= line <= len(starts):
            return column
        at = column - 1
        shift = 0
        for start, old, new in self._moves.get(line, ()):
            if at < start + shift:
                break
            if at < start + shift + new:
                at = start + shift
                break
            shift += new - old
        begin = starts[line - 1]
        end = starts[line] - 1 if line < len(starts) else len(self.text)
        head = self.text[begin : min(begin + max(0, at - shift), end)]
        return len(head.decode("utf-8", "replace")) + 1

    @property
    def shifts(self) -> list[tuple[int, int, int, int]]:
        """Changes that moved columns: line, column from 0, old length, new length, all in bytes."""
        return [(line, *move) for line in sorted(self._moves) for move in self._moves[line]]

    def line_text(self, line: int) -> str:
        """Return a line of the original, without its line break."""
        starts = self._line_starts
        if not 1 <= line <= len(starts):
            return ""
        end = starts[line] - 1 if line < len(starts) else len(self.text)
        return self.text[starts[line - 1] : end].decode("utf-8", "replace")

    @property
    def line_count(self) -> int:
        return len(self._line_starts)
