"""Asking the person at the terminal before something is done that needs a person's agreement."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llmspell.cli.frames import clean
from llmspell.cli.streams import Stream

if TYPE_CHECKING:
    from llmspell.cli.progress import ProgressLine

_LONGEST = 4000
_LINE = 4096


class TerminalApproval:
    """Asks at the terminal whether an agent may use a tool; only ``y`` or ``yes`` says so.

    What was typed before the question was shown is no answer to it. Questions come one at a time.

    Args:
        err: The terminal.
        progress: Makes room for the question.
    """

    def __init__(self, err: Stream, progress: ProgressLine | None = None) -> None:
        self._err = err
        self._progress = progress
        self._turn = asyncio.Lock()

    async def __call__(self, request: Mapping[str, Any]) -> bool:
        """Ask, and wait for the answer. The run's deadline goes on meanwhile."""
        async with self._turn:
            if self._progress is not None:
                self._progress.clear()
            if not self._err.at_line_start:
                self._err.line("")
            _forget_typed()
            self._err.write(_question(request))
            said = await _line()
            self._err.at_line_start = True
            return said.strip().casefold() in ("y", "yes")


def at_terminal(err: Stream) -> bool:
    """Tell whether a person can be asked: both the question and the answer are at a terminal."""
    return err.is_terminal and sys.stdin is not None and sys.stdin.isatty()


def _question(request: Mapping[str, Any]) -> str:
    arguments = json.dumps(request.get("arguments"), ensure_ascii=False, indent=2, default=str)
    if len(arguments) > _LONGEST:
        rest = len(arguments) - _LONGEST
        arguments = f"{arguments[:_LONGEST]}\n... and {rest:,} characters more that are not shown"
    agent, tool = request.get("agent", ""), request.get("tool", "")
    told = f"agent {agent!r} wants to use the tool {tool!r}: {request.get('description', '')}\n{arguments}\n"
    return clean(told) + "allow it? [y/N] "


def _forget_typed() -> None:
    try:
        import termios
    except ImportError:
        return
    termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


async def _line() -> str:
    """Return the next line that is typed, or nothing at the end of input."""
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()
    answer: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        try:
            typed = os.read(descriptor, _LINE)
        except OSError:
            typed = b""
        if not answer.done():
            answer.set_result(typed.decode(errors="replace"))

    loop.add_reader(descriptor, read)
    try:
        return await answer
    finally:
        loop.remove_reader(descriptor)
