"""One line at the bottom of a terminal that says how far the work is."""

from __future__ import annotations

import threading
import time

from llmspell.cli.frames import clean
from llmspell.cli.streams import Stream
from llmspell.host.hookspecs import Event, hookimpl

_BAR = 24
_PAUSE = 0.05
"""Seconds between two states of the bar: a bridge may tell of progress far more often than an eye can follow."""


class ProgressLine:
    """Shows the progress that bridges report, and makes room when something else is to be written.

    A plugin object: register it with the host. It is told of progress in one thread, and asked to make room in
    another.

    Args:
        stream: A terminal.
        output: Where the script prints, most often the same terminal: the bar keeps off a line it has begun.
    """

    def __init__(self, stream: Stream, output: Stream | None = None) -> None:
        self._stream = stream
        self._output = output
        self._lock = threading.Lock()
        self._shown = False
        self._again = 0.0

    @hookimpl
    def llmspell_on_event(self, event: Event) -> None:
        """Show an event of progress."""
        if event.kind == "progress":
            self.show(float(event.data.get("fraction", 0.0)), str(event.data.get("message", "")))

    def show(self, fraction: float, message: str) -> None:
        """Show how far the work is, 0 to 1."""
        part = min(max(fraction, 0.0), 1.0)
        filled = round(part * _BAR)
        output = self._output
        with self._lock:
            now = time.monotonic()
            if now < self._again and part < 1:
                return
            if output is not None and output.is_terminal and not output.at_line_start:
                return
            self._shown = True
            self._again = now + _PAUSE
            text = clean(message).replace("\n", " ")[:60]
            self._stream.write(f"\r\x1b[2K[{'#' * filled}{' ' * (_BAR - filled)}] {part:4.0%} {text}")

    def clear(self) -> None:
        """Take the line away."""
        with self._lock:
            if self._shown:
                self._shown = False
                self._again = 0.0
                self._stream.write("\r\x1b[2K")
                self._stream.at_line_start = True
