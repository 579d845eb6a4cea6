"""Warnings of llmspell and its plugins, as lines on standard error."""

from __future__ import annotations

import logging
from collections.abc import Iterable

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
