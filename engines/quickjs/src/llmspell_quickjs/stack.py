"""Places: from the lines and columns the engine knows to those of the author's files."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

from llmspell.engine.messages import FrameInfo
from llmspell_quickjs.glue import FIRST_LINE
from llmspell_quickjs.source import MAIN_FUNCTION, Prepared

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

    __slots__ = ("_files", "_firsts", "_next")

    def __init__(self) -> None:
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

    def place(self, line: int, column: int = 1) -> Place:
        """Return the author's place of a line and byte column of the engine."""
        found = self.find(line)
        if found is None:
            return Place()
        prepared, own = found
        return Place(prepared.name, own, prepared.edits.original_column(own, column))

    def call_line(self, line: int, column: int, called: str) -> int:
        """Return the author's line of a call of ``called`` that is under way, 0 if it is nobody's."""
        found = self.find(line)
        if found is None:
            return 0
        prepared, own = found
        offset = prepared.edits.offset(own, prepared.edits.original_column(own, column))
        return prepared.edits.spot(prepared.places.of_call(offset, called))[0]

    def frames(self, stack: str, error: str = "", message: str = "") -> tuple[FrameInfo, ...]:
        """Read a stack as the engine writes it, or as the glue shows it to scripts.

        Frames of the glue and of the engine itself are left out.

        Args:
            stack: The text.
            error: The class of the error it belongs to, which may have been made there.
            message: What that error says.
        """
        frames: list[FrameInfo] = []
        above = error  # the function that a frame has called
        for number, text in enumerate(stack.split("\n")):
            match = _FRAME.match(text)
            called, above = above, text[7:].partition(" (")[0]
            if match is None:
                continue
            line, column = int(match["line"]), int(match["column"])
            place = self.place(line, column) if match["file"] == "<input>" else Place(match["file"], line, column)
            prepared = self.named(place.file)
            if prepared is not None:
                edits, places = prepared.edits, prepared.places
                offset = edits.offset(place.line, place.column)
                if number:
                    place = Place(place.file, *edits.place(places.of_call(offset, called)))
                else:
                    place = Place(place.file, *edits.place(places.of_error(offset, error, message)))
                function = match["function"] or ""
                name = "" if function in (MAIN_FUNCTION, "<eval>") else function[:200]
                frames.append(FrameInfo(LANGUAGE, place.file, place.line, place.column, name))
                if len(frames) == _MAX_FRAMES:
                    break
        return tuple(frames)
