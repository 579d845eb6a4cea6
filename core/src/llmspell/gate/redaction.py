"""Take secrets out of an exception, and out of those behind it, before anybody shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from llmspell.errors import Frame, LlmspellError
from llmspell.gate.record import scrub_value

_MOST = 32


def scrub_error(error: BaseException, scrub: Callable[[str], str]) -> None:
    """Redact what an error says of itself, in place: texts, values, local variables, and the same of its causes."""
    todo: list[BaseException | None] = [error]
    for _ in range(_MOST):
        if not todo:
            return
        each = todo.pop()
        if each is None:
            continue
        _scrub_one(each, scrub)
        todo += [each.__cause__, each.__context__]


def _scrub_one(error: BaseException, scrub: Callable[[str], str]) -> None:
    error.args = tuple(scrub_value(part, scrub) for part in error.args)
    notes = getattr(error, "__notes__", None)
    if notes is not None:
        error.__notes__ = [scrub(note) for note in notes]
    if not isinstance(error, LlmspellError):
        return
    for name, part in vars(error).items():
        if name != "result":
            setattr(error, name, _scrubbed(part, scrub))


def _scrubbed(part: Any, scrub: Callable[[str], str]) -> Any:
    if type(part) is tuple:
        return tuple(_scrubbed(each, scrub) for each in part)
    if type(part) is Frame:
        return replace(part, function=scrub(part.function), locals=scrub_value(part.locals, scrub))
    return scrub_value(part, scrub)
