"""What a person sees of an error, and the exit code that goes with it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from llmspell.cli.frames import Line, as_text, describe
from llmspell.cli.payload import dumps, run_payload
from llmspell.cli.streams import Stream
from llmspell.errors import (
    BridgeCallError,
    Cancelled,
    LlmspellError,
    PolicyDeniedError,
    ScriptExitError,
    UsageError,
)

if TYPE_CHECKING:
    from llmspell.engine import Source

_STYLES = {"error": "bold red", "place": "cyan", "number": "dim", "mark": "bold yellow", "hint": "bold green"}
_GENERAL, _IO = 1, 12


def fail(error: Exception, *, as_json: bool = False, source: Source | None = None) -> int:
    """Report an error that ended a command; return the exit code.

    Args:
        as_json: Standard output is still owed one JSON object.
        source: The spell it came from.
    """
    known = as_known(error)
    if as_json:
        Stream.out().line(dumps(run_payload(usage={}, seconds=0.0, error=known)))
    report(known, source)
    return exit_code(known)


def as_known(error: Exception) -> BaseException:
    """Turn click's complaints and the operating system's into errors of the tree; others stay what they are."""
    import click

    if isinstance(error, LlmspellError):
        return error
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx is not None else "llmspell"
        if command == "llmspell" and isinstance(error, click.exceptions.BadOptionUsage):
            command = "llmspell COMMAND"
        return _in_place_of(UsageError(error.format_message(), hint=f"try '{command} --help'"), error)
    if isinstance(error, click.ClickException):
        return _in_place_of(UsageError(error.format_message()), error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename!r}: " if error.filename else ""
        known = LlmspellError(f"{where}{error.strerror}")
        known.code, known.exit_code = "io", _IO  # type: ignore[misc]
        return _in_place_of(known, error)
    return error


def _in_place_of(known: LlmspellError, error: Exception) -> LlmspellError:
    known.__suppress_context__ = True
    return known.with_traceback(error.__traceback__)


def exit_code(error: BaseException) -> int:
    """Return the exit code for an error."""
    if isinstance(error, ScriptExitError):
        return error.status & 0xFF
    if isinstance(error, BridgeCallError) and error.fault_code == PolicyDeniedError.code:
        return PolicyDeniedError.exit_code
    return error.exit_code if isinstance(error, LlmspellError) else _GENERAL


def report(error: BaseException, source: Source | None = None) -> None:
    """Write an error to standard error: in colours on a terminal, plainly elsewhere.

    With ``LLMSPELL_DEBUG`` set, Python's own traceback comes first.
    """
    stream = Stream.err()
    if os.environ.get("LLMSPELL_DEBUG", "") not in ("", "0"):
        import traceback

        stream.line("".join(traceback.format_exception(error)).rstrip("\n"))
    elif not isinstance(error, LlmspellError):
        lines = describe(error)
        lines.append([("hint", "hint"), (": this is a fault of llmspell or of a plugin; ", "")])
        lines[-1].append(("LLMSPELL_DEBUG=1 shows where", ""))
        show(lines, stream)
        return
    if isinstance(error, Cancelled):
        stream.line(error.message)
        return
    show(describe(error, source), stream)


def show(lines: list[Line], stream: Stream) -> None:
    """Write laid-out lines."""
    if not stream.is_terminal:
        stream.line(as_text(lines))
        return
    from rich.console import Console
    from rich.text import Text

    if not stream.at_line_start:
        stream.line("")
    console = Console(file=sys.stderr, highlight=False)
    for line in lines:
        text = Text.assemble(*((part, _STYLES.get(style, "")) for part, style in line))
        console.print(text, soft_wrap=True)
