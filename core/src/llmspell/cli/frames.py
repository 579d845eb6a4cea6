"""An error as a person reads it: message, the script's own lines, stack, chain, hint."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from llmspell.cli.payload import code_of, message_of
from llmspell.engine import Source
from llmspell.errors import Frame, Location

Line: TypeAlias = list[tuple[str, str]]
"""Pieces of text, each with the name of its style: ``error``, ``place``, ``number``, ``mark``, ``hint`` or ``""``."""

Sources: TypeAlias = Callable[[str], Sequence[str] | None]
"""Returns the lines of a script file, or None if they may not or cannot be shown."""

_CONTEXT = 2
_MOST_FRAMES = 8
_MOST_LOCALS = 6
_MOST_CHAIN = 5
_WIDTH = 200


def sources_of(source: Source | None) -> Sources:
    """Return what finds script lines: those of ``source`` itself and of files below its root, and no others.

    The name of a file comes from the script's side and is not believed further than that.
    """

    def lines(name: str) -> Sequence[str] | None:
        if source is None:
            return None
        if name == source.name:
            return source.text.split("\n")
        if not source.root or "\0" in name:
            return None
        path = os.path.realpath(os.path.join(source.root, name))
        if not path.startswith(source.root.rstrip(os.sep) + os.sep):
            path = os.path.realpath(name)
        if not path.startswith(source.root.rstrip(os.sep) + os.sep) or not os.path.isfile(path):
            return None
        try:
            with open(path, encoding="utf-8") as file:
                return file.read(1_000_000).split("\n")
        except (OSError, UnicodeDecodeError):
            return None

    return lines


def describe(error: BaseException, source: Source | None = None) -> list[Line]:
    """Lay out an error; ``source`` is the spell it came from."""
    sources = sources_of(source)
    lines: list[Line] = [[(f"error[{code_of(error)}]", "error"), (f": {clean(message_of(error))}", "")]]
    location = getattr(error, "location", None)
    frames: Sequence[Frame] = getattr(error, "frames", ())
    if location is None and frames:
        location = frames[0].location
    if location is not None:
        lines += _excerpt(location, sources)
    lines += _stack(frames, location)
    lines += _chain(error)
    hint = getattr(error, "hint", None)
    if hint and hint not in message_of(error):
        lines.append([("hint", "hint"), (f": {clean(hint)}", "")])
    return lines


def clean(text: str) -> str:
    """Return text without control characters: a script's message must not steer the terminal."""
    return "".join(
        char if char in "\n\t" or char.isprintable() or char == "\xa0" else f"\\x{ord(char):02x}" for char in text
    )


def _excerpt(location: Location, sources: Sources) -> Iterator[Line]:
    yield [("  --> ", "number"), (clean(str(location)), "place")]
    lines = sources(location.file) if location.line else None
    if lines is None or location.line > len(lines):
        return
    first = max(1, location.line - _CONTEXT)
    last = min(len(lines), location.line + _CONTEXT)
    if last == len(lines) and not lines[-1].strip() and last > location.line:
        last -= 1
    width = len(str(last))
    for number in range(first, last + 1):
        marked = number == location.line
        text, cut = _fit(lines[number - 1].rstrip("\r"), location.column if marked else 0)
        yield [
            ("> " if marked else "  ", "mark"),
            (f"{number:>{width}} | ", "number"),
            (text, "mark" if marked and not location.column else ""),
        ]
        if marked and location.column:
            blank = "".join("\t" if char == "\t" else " " for char in text[: location.column - 1 - cut])
            yield [(f"  {'':>{width}} | ", "number"), (f"{blank}^", "mark")]


def _fit(text: str, column: int) -> tuple[str, int]:
    """Cut a long line to a readable piece around ``column``; return it and how much was cut before it."""
    if len(text) <= _WIDTH:
        return clean(text), 0
    start = max(0, column - _WIDTH // 2)
    return clean(text[start : start + _WIDTH]), start


def _stack(frames: Sequence[Frame], location: Location | None) -> Iterator[Line]:
    if not frames:
        return
    if frames[0].locals:
        shown = [f"{name} = {clean(value)}" for name, value in list(frames[0].locals.items())[:_MOST_LOCALS]]
        more = len(frames[0].locals) - len(shown)
        yield [("  with ", "number"), (", ".join(shown) + (f", and {more} more" if more else ""), "")]
    if len(frames) == 1 and not frames[0].function and frames[0].location == location:
        return
    languages = {frame.language for frame in frames}
    for index, frame in enumerate(frames):
        if len(frames) > _MOST_FRAMES + 2 and index == _MOST_FRAMES - 1:
            yield [(f"  ... {len(frames) - _MOST_FRAMES:,} more ...", "number")]
        if len(frames) > _MOST_FRAMES + 2 and _MOST_FRAMES - 1 <= index < len(frames) - 1:
            continue
        name = f"function '{clean(frame.function)}'" if frame.function else "the main chunk"
        language = f" ({frame.language})" if len(languages) > 1 else ""
        yield [("  in ", "number"), (f"{name}{language} at ", ""), (clean(str(frame.location)), "place")]


def _chain(error: BaseException) -> Iterator[Line]:
    told = message_of(error)
    cause = error.__cause__
    for _ in range(_MOST_CHAIN):
        if cause is None:
            return
        text = message_of(cause)
        if text not in told:
            told += f"\n{text}"
            yield [("caused by", "error"), (f": {clean(_first_paragraph(text))}", "")]
        cause = cause.__cause__


def _first_paragraph(text: str) -> str:
    return text.strip().split("\n\n")[0][:2000]


def as_text(lines: Sequence[Line]) -> str:
    """Return laid-out lines without styles."""
    return "\n".join("".join(text for text, _ in line) for line in lines)
