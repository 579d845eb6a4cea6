"""From source text to a program: words with the lines they stand in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from llmspell.errors import Location, ScriptSyntaxError
from llmspell.plugin import Source

_TOKEN = re.compile(r'\s+|#[^\n]*|("(?:[^"\\]|\\.)*")|(")|([^\s"#]+)', re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+(?:\.\d*)?[eE][+-]?\d+|(\d+))")
_CONSTANTS = {"true": True, "false": False, "null": None}
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "0": "\0"}
_CLOSING = {"[": "]", "(": ")"}
MAX_NESTING = 100


@dataclass(frozen=True, slots=True)
class Word:
    """One word. ``value`` is what it pushes: for a quotation the words inside, for a list the words of its items.

    Attributes:
        kind: ``push``, ``quote``, ``list`` or ``do``.
    """

    kind: str
    value: Any
    line: int


@dataclass(frozen=True, slots=True)
class RpnProgram:
    """A source that compiled."""

    source: Source
    words: tuple[Word, ...]


def parse(source: Source) -> RpnProgram:
    """Parse a source.

    Raises:
        ScriptSyntaxError: With the line; ``incomplete`` if a text, list or quotation is not closed yet.
    """
    opened: list[tuple[str, int, list[Word]]] = [("", 0, [])]
    line = 1
    for match in _TOKEN.finditer(source.text):
        text, unclosed, word = match.groups()
        words = opened[-1][2]
        if unclosed:
            raise _wrong(source, line, "this text is not closed", incomplete=True)
        if text:
            words.append(Word("push", re.sub(r"\\(.)", _unescape, text[1:-1], flags=re.DOTALL), line))
        elif word in _CLOSING:
            if len(opened) > MAX_NESTING:
                raise _wrong(source, line, f"nested deeper than {MAX_NESTING} levels")
            opened.append((word, line, []))
        elif word in ("]", ")"):
            opener, begun, inside = opened.pop()
            if not opener or _CLOSING[opener] != word:
                raise _wrong(source, line, f"nothing is opened that {word!r} closes")
            kind = "quote" if opener == "[" else "list"
            opened[-1][2].append(Word(kind, tuple(inside), begun))
        elif word:
            words.append(_plain(word, line))
        line += match[0].count("\n")
    if len(opened) > 1:
        opener, begun, _ = opened[-1]
        raise _wrong(source, begun, f"this {opener!r} is not closed", incomplete=True)
    return RpnProgram(source, tuple(opened[0][2]))


def _plain(word: str, line: int) -> Word:
    if word in _CONSTANTS:
        return Word("push", _CONSTANTS[word], line)
    if number := _NUMBER.fullmatch(word):
        return Word("push", int(word) if number[2] else float(word), line)
    return Word("do", word, line)


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[1])


def _wrong(source: Source, line: int, message: str, *, incomplete: bool = False) -> ScriptSyntaxError:
    return ScriptSyntaxError(message, language="rpn", location=Location(source.name, line), incomplete=incomplete)
