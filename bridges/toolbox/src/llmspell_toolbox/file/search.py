"""Files found by name, age, size and content; contents are searched by RE2, which takes no longer than its text."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from typing_extensions import TypedDict

from llmspell.guards import FileInfo
from llmspell.plugin import BridgeError, Call

MAX_FILE = 4 * 1024 * 1024
MAX_SHOWN = 300
_MAX_PATTERN = 1000


class Match(TypedDict):
    """A file that was found; ``line`` (from 1) and ``text`` where its content was searched, else None."""

    path: str
    size: int
    modified: float
    line: int | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for."""

    pattern: str
    content: str | None
    modified_after: float | None
    size_greater_than: int | None
    case_sensitive: bool


def fits(name: str, pattern: str) -> bool:
    """Tell whether a file's name, or its path below the place looked at, fits a shell pattern."""
    return fnmatch.fnmatchcase(posixpath.basename(name), pattern) or fnmatch.fnmatchcase(name, pattern)


def search(call: Call, place: str, wanted: Wanted) -> Iterator[Match]:
    """Yield what fits below a directory, sorted by path; files that are no text are passed over."""
    expression = None if wanted.content is None else _compiled(wanted.content, wanted.case_sensitive)
    for found in call.files.list(place, recursive=True):
        call.checkpoint()
        if found.kind != "file" or not _plainly_fits(found, wanted):
            continue
        path = posixpath.join(place, found.name)
        if expression is None:
            yield _match(path, found)
            continue
        for number, line in enumerate(_lines(call, path, found), 1):
            if expression.search(line):
                yield _match(path, found, number, line.strip()[:MAX_SHOWN])


def _match(path: str, found: FileInfo, line: int | None = None, text: str | None = None) -> Match:
    return {"path": path, "size": found.size, "modified": found.modified, "line": line, "text": text}


def _plainly_fits(found: FileInfo, wanted: Wanted) -> bool:
    if wanted.modified_after is not None and found.modified <= wanted.modified_after:
        return False
    if wanted.size_greater_than is not None and found.size <= wanted.size_greater_than:
        return False
    return fits(found.name, wanted.pattern)


def _lines(call: Call, path: str, found: FileInfo) -> list[str]:
    if found.size > MAX_FILE:
        return []
    try:
        return call.files.read_text(path).splitlines()
    except BridgeError as error:
        if error.code in ("not_text", "not_found", "no_permission", "too_large", "special_file", "link_loop"):
            return []
        raise


def _compiled(pattern: str, case_sensitive: bool) -> Any:
    import re2

    if len(pattern) > _MAX_PATTERN:
        raise BridgeError(f"a pattern has at most {_MAX_PATTERN} characters", code="invalid_pattern")
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = case_sensitive
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise BridgeError(f"{pattern[:60]!r} is no pattern: {reason}", code="invalid_pattern") from None
