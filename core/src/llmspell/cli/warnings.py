"""Warnings of llmspell and its plugins, as lines on standard error."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from llmspell.cli.frames import clean
from llmspell.cli.streams import Stream


class _ToStandardError(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        Stream.err().line(f"{record.levelname.lower()}: {clean(record.getMessage())}")


def show_warnings(wanted: bool) -> None:
    """Show what llmspell and its plugins log as warnings, or only their errors."""
    logger = logging.getLogger("llmspell")
    logger.handlers = [_ToStandardError(logging.WARNING if wanted else logging.ERROR)]
    logger.propagate = False


def warn_of(texts: Iterable[str]) -> None:
    """Show warnings that are texts already."""
    for text in texts:
        Stream.err().line(f"warning: {clean(text)}")


def told(warning: Mapping[str, Any]) -> str:
    """Put a run's warning into words: a message of its own, or a limit that it came near to."""
    limit, value, used = (warning.get(key) for key in ("limit", "value", "used"))
    if limit is None or not isinstance(value, int | float) or not isinstance(used, int | float):
        return str(warning.get("message", dict(warning)))
    return f"the run came near its limit of {limit}: {_amount(limit, used)} of {_amount(limit, value)}"


def _amount(limit: str, value: float) -> str:
    if limit == "time":
        return f"{value:g} s"
    return f"{value / 1024 / 1024:.1f} MB" if limit == "memory" else f"{value:,g}"
