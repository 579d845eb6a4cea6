"""Writing to the terminal or a pipe: at once, whole, and without Python's buffers in between."""

from __future__ import annotations

import os
import select
import sys
from typing import TextIO


class ReaderGone(Exception):
    """Nobody reads the output any more. Not an ``OSError``, which click would turn into an exit of its own."""


class Stream:
    """Standard output or error.

    Text goes to the descriptor itself: a thread stuck in a full pipe then holds no lock that the end of the
    process needs.

    Args:
        file: ``sys.stdout`` or ``sys.stderr``; None where the process has none, and nothing is written.
        optional: What cannot be written is dropped, since there is nowhere left to say so.
    """

    def __init__(self, file: TextIO | None, *, optional: bool = False) -> None:
        self._file = file
        self._optional = optional
        self.is_terminal = file is not None and file.isatty()
        self.at_line_start = True

    @classmethod
    def out(cls) -> Stream:
        return cls(sys.stdout)

    @classmethod
    def err(cls) -> Stream:
        return cls(sys.stderr, optional=True)

    def write(self, text: str) -> None:
        """Write all of ``text`` now.

        Raises:
            ReaderGone: Nobody reads any more.
            OSError: It cannot be written.
        """
        if not text or self._file is None:
            return
        self.at_line_start = text.endswith("\n")
        try:
            self._write(self._file, text)
        except BrokenPipeError:
            if not self._optional:
                raise ReaderGone from None
        except OSError:
            if not self._optional:
                raise

    @staticmethod
    def _write(file: TextIO, text: str) -> None:
        file.flush()
        try:
            descriptor = file.fileno()
        except (OSError, ValueError):
            file.write(text)
            return
        rest = memoryview(text.encode("utf-8", "backslashreplace"))
        while rest:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:
                select.select([], [descriptor], [])

    def line(self, text: str) -> None:
        """Write a line of its own."""
        self.write(f"{'' if self.at_line_start else chr(10)}{text}\n")
