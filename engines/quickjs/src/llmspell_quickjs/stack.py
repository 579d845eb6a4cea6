"""Places: from the lines and columns the engine knows to those of the author's files."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

from llmspell.engine.messages import FrameInfo
from llmspell_quickjs.glue import FIRST_LINE
from llmspell_quickjs.source import MAIN_FUNCTION, Calls, Prepared, dialect_of

LANGUAGE = "javascript"
_FRAME = re.compile(r"^    at (?:(?P<function>.*?) \()?(?P<file>[^()]+):(?P<line>\d+):(?P<column>\d+)\)?$")
_MAX_FRAMES = 64


class Place(NamedTuple):
    """A place in an author's file; nothing known is ``("", 0, 0)``."""

    file: str = ""
    line: int = 0
    column: int = 0


class Files:
    """The files of one run. Each is given lines of its own, so that a line of the engine names its file."""

    __slots__ = ("_calls", "_files", "_firsts", "_next")

    def __init__(self) -> None:
        self._calls: dict[str, Calls] = {}
        self._firsts: list[int] = []
        self._files: list[Prepared] = []
        self._next = FIRST_LINE

    def add(self, prepared: Prepared) -> int:
        """Take in a file and return the line it begins at."""
        first = self._next
        self._firsts.append(first)
        self._files.append(prepared)
        self._next += prepared.edits.line_count + 1
        return first

    def find(self, line: int) -> tuple[Prepared, int] | None:
        """Return the file that a line of the engine belongs to, and the line in it."""
        index = bisect_right(self._firsts, line) - 1
        if index < 0 or line >= self._next:
            return None
        prepared = self._files[index]
        return prepared, min(line - self._firsts[index] + 1, prepared.edits.line_count)

    @property
    def last(self) -> Prepared | None:
        """The file that was taken in last: the one being compiled, if one is."""
        return self._files[-1] if self._files else None

    def first_of(self, prepared: Prepared) -> int:
        return self._firsts[self._files.index(prepared)]

    def named(self, name: str) -> Prepared | None:
        return next((prepared for prepared in self._files if prepared.name == name), None)

    def line(self, line: int) -> int:
        """Return the author's line of a line of the engine, 0 if it is nobody's."""
        found = self.find(line)
        return 0 if found is None else found[1]

    def place(self, line: int, column: int = 1) -> Place:
        """Return the author's place of a line and byte column of the engine."""
        found = self.find(line)
        if found is None:
            return Place()
        prepared, own = found
        return Place(prepared.name, own, prepared.edits.original_column(own, column))

    def _call(self, place: Place, function: str) -> Place:
        """Return where the call of a function stands that is under way at a place."""
        prepared = self.named(place.file)
        if prepared is None or not 1 <= place.line <= prepared.edits.line_count:
            return place
        calls = self._calls.get(place.file)
        if calls is None:
            calls = self._calls[place.file] = Calls(prepared.edits.text, dialect_of(place.file))
        start = calls.start_of(function, prepared.edits.offset(place.line, place.column))
        return place if start is None else Place(place.file, *prepared.edits.place(start))

    def frames(self, stack: str, error: str = "") -> tuple[FrameInfo, ...]:
        """Read a stack as the engine writes it, or as the glue shows it to scripts.

        Frames of the glue and of the engine itself are left out.

        Args:
            stack: The text.
            error: The class of the error it belongs to, which may have been made there.
        """
        frames: list[FrameInfo] = []
        above = error  # the function that a frame has called
        for text in stack.split("\n"):
            match = _FRAME.match(text)
            called, above = above, text[7:].partition(" (")[0]
            if match is None:
                continue
            line, column = int(match["line"]), int(match["column"])
            if match["file"] == "<input>":
                place = self.place(line, column)
            else:
                place = Place(match["file"] if self.named(match["file"]) else "", line, column)
            if place.file:
                place = self._call(place, called)
                function = match["function"] or ""
                name = "" if function in (MAIN_FUNCTION, "<eval>") else function[:200]
                frames.append(FrameInfo(LANGUAGE, place.file, place.line, place.column, name))
                if len(frames) == _MAX_FRAMES:
                    break
        return tuple(frames)
