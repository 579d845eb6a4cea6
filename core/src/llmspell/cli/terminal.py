"""Where a spell can ask the person who started it."""

from __future__ import annotations

import asyncio
import codecs
import os
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from llmspell.cli.frames import clean
from llmspell.cli.streams import Stream
from llmspell.errors import BridgeError

MAX_LINE = 1024 * 1024
_PART = 64 * 1024


def _forget_typed(descriptor: int) -> None:
    try:
        import termios
    except ImportError:  # Windows
        return
    termios.tcflush(descriptor, termios.TCIFLUSH)


class Terminal:
    """Asks on the terminal, or reads what was piped in, line by line.

    It reads when it is asked and not before, so that what a spell does not read stays for whoever reads next. Bytes
    come from the descriptor itself while the event loop watches it: no thread sits in a read that nothing can end.

    Args:
        file: Standard input.
        out: Standard output: questions go there if it is a terminal.
        err: Standard error: else they go there.
        clear: Makes room on the line that progress is shown on.

    Attributes:
        interactive: A person sits at it.
    """

    def __init__(self, file: TextIO, out: Stream, err: Stream, clear: Callable[[], None] = lambda: None) -> None:
        self._descriptor = file.fileno()
        self._out, self._err = out, err
        self._clear = clear
        self.interactive = file.isatty()
        self._waiting = b""
        self._ended = False
        self._turn = asyncio.Lock()

    @classmethod
    def of_process(cls, out: Stream, err: Stream, clear: Callable[[], None] = lambda: None) -> Terminal | None:
        """Return the terminal of this process, or None if it has no standard input."""
        try:
            return cls(sys.stdin, out, err, clear) if sys.stdin is not None else None
        except (OSError, ValueError):
            return None

    async def read_line(self, prompt: str = "") -> str | None:
        """Show a prompt, if a person is there to see it, and return the next line without its end.

        Returns:
            None when nothing more comes: the end of a file or pipe, or Ctrl-D.

        Raises:
            BridgeError: The line is longer than :data:`MAX_LINE` bytes, or cannot be read.
        """
        async with self._turn:
            if prompt and self.interactive:
                self._clear()
                (self._out if self._out.is_terminal else self._err).write(clean(prompt))
            line = await self._line()
            if self.interactive and line is not None:  # the person's own Enter has begun a new line
                for stream in (self._out, self._err):
                    stream.at_line_start = stream.at_line_start or stream.is_terminal
            return line

    async def answer(self, show: Callable[[], None]) -> str | None:
        """Ask what only somebody who has seen the question may answer, and return the line that is typed after it.

        It waits for its turn, as every question does. What was typed before is no answer: what nobody was asked for is
        forgotten, and what was read for the spell already is kept for it.

        Args:
            show: Shows the question.

        Returns:
            None at Ctrl-D.

        Raises:
            BridgeError: As :meth:`read_line`.
        """
        async with self._turn:
            kept, self._waiting = self._waiting, b""
            _forget_typed(self._descriptor)
            self._clear()
            show()
            try:
                return await self._line()
            finally:
                self._waiting = kept + self._waiting

    async def _line(self) -> str | None:
        while b"\n" not in self._waiting:
            if self._ended:
                break
            part = await self._part()
            if not part:
                self._ended = not self.interactive  # a person may go on after Ctrl-D
                break
            self._waiting += part
            if len(self._waiting) > MAX_LINE and b"\n" not in self._waiting:
                self._waiting = b""
                raise BridgeError(f"a line of input is longer than {MAX_LINE:,} bytes", code="too_large")
        if not self._waiting:
            return None
        line, _, self._waiting = self._waiting.partition(b"\n")
        return codecs.decode(line.removesuffix(b"\r"), "utf-8", "replace")

    async def _part(self) -> bytes:
        """Return the next bytes, ``b""`` at the end; waits without holding a thread where the platform can."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()

        def readable() -> None:
            if not ready.done():
                ready.set_result(None)

        try:
            loop.add_reader(self._descriptor, readable)
        except PermissionError:  # a regular file, which never keeps anybody waiting
            return self._read()
        except NotImplementedError:  # Windows
            return await self._in_thread(loop)
        try:
            await ready
        finally:
            loop.remove_reader(self._descriptor)
        return self._read()

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, _PART)
        except OSError as error:
            raise BridgeError(f"the terminal cannot be read: {error.strerror or error}", code="unavailable") from error

    async def _in_thread(self, loop: asyncio.AbstractEventLoop) -> bytes:
        answer: asyncio.Future[bytes] = loop.create_future()

        def told(outcome: bytes | BridgeError) -> None:
            if answer.done():
                return
            if isinstance(outcome, BridgeError):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)

        def read() -> None:
            try:
                outcome: bytes | BridgeError = self._read()
            except BridgeError as error:
                outcome = error
            try:
                loop.call_soon_threadsafe(told, outcome)
            except RuntimeError:  # the run has ended meanwhile
                return

        threading.Thread(target=read, daemon=True, name="llmspell-terminal").start()
        return await answer
