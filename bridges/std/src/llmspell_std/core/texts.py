"""Texts: templates, cases, cutting."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from llmspell.plugin import BridgeError, Value, instants_as_text
from llmspell_std.data import jsontext, paths

_HOLE = re.compile(r"\{\{\s*([\w.-]{1,200})\s*\}\}")
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_CASE_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MAX_TEXT = 16 * 1024 * 1024


def template(text: str, values: Mapping[str, Value], base: int = 0) -> str:
    """Fill ``{{name}}`` and ``{{a.b}}``; what has no value stays as it is."""
    grown = 0

    def fill(match: re.Match[str]) -> str:
        nonlocal grown
        found = paths.look_up(values, match[1].split("."), base)
        if found is paths.MISSING:
            return match[0]
        found = instants_as_text(found)
        filled = found if isinstance(found, str) else jsontext.write(found)
        grown += len(filled)
        if grown > _MAX_TEXT:
            raise BridgeError(f"the filled template is longer than {_MAX_TEXT:,} characters", code="too_large")
        return filled

    return _HOLE.sub(fill, text)


def slugify(text: str, separator: str = "-") -> str:
    """Return a text fit for a URL or file name.

    Example:
        >>> slugify("Crème brûlée, twice!")
        'creme-brulee-twice'
    """
    plain = unicodedata.normalize("NFKD", text)
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter)).lower()
    return separator.join(_WORD.findall(letters))


def truncate(text: str, length: int, suffix: str = "...") -> str:
    """Cut a text to ``length`` characters, ``suffix`` included."""
    if length < 0:
        raise BridgeError("length should not be negative", code="invalid_argument")
    if len(text) <= length:
        return text
    return text[: length - len(suffix)] + suffix if length > len(suffix) else text[:length]


def words(text: str) -> list[str]:
    """Split an identifier or phrase into its words: at blanks, punctuation and changes of case."""
    return [part for word in _WORD.findall(text) for part in _CASE_BREAK.split(word)]


def camel_case(text: str) -> str:
    """Example:
    >>> camel_case("quick_prompt now")
    'quickPromptNow'
    """
    head, *rest = [word.lower() for word in words(text)] or [""]
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def snake_case(text: str) -> str:
    """Example:
    >>> snake_case("HTTPServer error")
    'http_server_error'
    """
    return "_".join(word.lower() for word in words(text))
