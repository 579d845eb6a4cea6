"""Regular expressions by RE2, the engine whose syntax Go's has: linear in the text, whatever the pattern.

Python's ``re`` would do for the syntax but backtracks, and a script could stop its host with a dozen characters.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from llmspell_tengo.stdlib.strings import RawText, raw, tengo
from llmspell_tengo.values import RawString

_MESSAGES = {
    "invalid escape sequence": "invalid escape sequence",
    "invalid character class": "invalid character class",
    "invalid character class range": "invalid character class range",
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "unexpected )": "unexpected )",
    "trailing \\": "trailing backslash at end of expression",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid UTF-8": "invalid UTF-8",
    "invalid named capture group": "invalid named capture",
}


class _Refused(Exception):
    """The pattern does not compile; the message is Go's."""


@lru_cache(maxsize=256)
def _compiled(pattern: bytes) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        detail = error.args[0]
        text = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        raise _Refused(_go_message(text, pattern)) from None


def _go_message(text: str, pattern: bytes) -> str:
    for ours, theirs in sorted(_MESSAGES.items(), key=lambda pair: -len(pair[0])):
        if text.startswith(ours):
            argument = text[len(ours) :].removeprefix(": ") or pattern.decode("utf-8", "replace")
            return f"error parsing regexp: {theirs}: `{argument}`"
    return f"error parsing regexp: {text}"


def regex_check(pattern: RawText) -> str | None:
    """Return why a pattern does not compile, or None."""
    try:
        _compiled(raw(pattern))
    except _Refused as refused:
        return str(refused)
    return None


def regex_match(pattern: RawText, text: RawText) -> bool | str:
    """Tell whether the pattern occurs; a str is the error's message."""
    try:
        return _compiled(raw(pattern)).search(raw(text)) is not None
    except _Refused as refused:
        return str(refused)


def _matches(pattern: Any, text: bytes, limit: int) -> list[list[tuple[int, int]]]:
    """Return the spans of all groups for up to ``limit`` matches, as Go finds them.

    An empty match right after another match does not count.
    """
    found: list[list[tuple[int, int]]] = []
    at, end, before = 0, len(text), -1
    size = pattern.groups + 1
    while at <= end and (limit < 0 or len(found) < limit):
        match = pattern.search(text, at)
        if match is None:
            break
        start, stop = match.span()
        accepted = True
        if stop == at:
            accepted = start != before
            at += _width(text, at)
        else:
            at = stop
        before = stop
        if accepted:
            found.append([match.span(group) for group in range(size)])
    return found


def _width(text: bytes, at: int) -> int:
    """Return the width of the rune at a position; 1 past the end and for what is not UTF-8."""
    if at >= len(text) or text[at] < 0x80:
        return 1
    for width in (2, 3, 4):
        try:
            text[at : at + width].decode()
        except UnicodeDecodeError:
            continue
        return width
    return 1


def regex_find(pattern: RawText, text: RawText, limit: int) -> list[int] | str:
    """Return for every match how many groups took part and their positions, in one flat list; a str is the error."""
    try:
        compiled = _compiled(raw(pattern))
    except _Refused as refused:
        return str(refused)
    flat = []
    for groups in _matches(compiled, raw(text), limit):
        spans = [span for span in groups if span[0] >= 0]
        flat.append(len(spans))
        for span in spans:
            flat.extend(span)
    return flat


_REFERENCE = re.compile(rb"\$(?:(\$)|\{([^}]*)\}|([0-9A-Za-z_]+))")


def _expanded(template: bytes, compiled: Any, text: bytes, groups: list[tuple[int, int]]) -> bytes:
    def value(match: re.Match[bytes]) -> bytes:
        if match[1]:
            return b"$"
        name = match[2] if match[2] is not None else match[3]
        if not re.fullmatch(rb"[0-9A-Za-z_]+", name):
            return match[0]
        index = int(name) if name.isdigit() else compiled.groupindex.get(name, -1)
        if not 0 <= index < len(groups):
            return b""
        start, stop = groups[index]
        return text[start:stop] if start >= 0 else b""

    return _REFERENCE.sub(value, template)


def regex_replace(pattern: RawText, text: RawText, template: RawText, limit: int) -> str | RawString | bool | list[str]:
    """Replace all matches; False if the result is longer than ``limit``, a list holds the error's message."""
    try:
        compiled = _compiled(raw(pattern))
    except _Refused as refused:
        return [str(refused)]
    source, form = raw(text), raw(template)
    out = []
    at = size = 0
    for groups in _matches(compiled, source, -1):
        start, stop = groups[0]
        piece = source[at:start] + _expanded(form, compiled, source, groups)
        size += len(piece)
        if size > limit:
            return False
        out.append(piece)
        at = stop
    if size + len(source) - at > limit:
        return False
    out.append(source[at:])
    return tengo(b"".join(out))


def regex_split(pattern: RawText, text: RawText, limit: int) -> list[str | RawString] | str:
    """Split around matches into up to ``limit`` pieces; a str is the error's message."""
    source = raw(text)
    try:
        compiled = _compiled(raw(pattern))
    except _Refused as refused:
        return str(refused)
    if limit == 0:
        return []
    if raw(pattern) and not source:
        return [""]
    pieces: list[str | RawString] = []
    begin = end = 0
    for groups in _matches(compiled, source, limit):
        if 0 < limit == len(pieces) + 1:
            break
        end, after = groups[0]
        if after != 0:
            pieces.append(tengo(source[begin:end]))
        begin = after
    if end != len(source):
        pieces.append(tengo(source[begin:]))
    return pieces
