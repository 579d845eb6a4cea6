"""Front matter: a TOML block inside comments, in the manner of Python's inline script metadata.

    -- /// spell
    -- name = "reviews"
    -- [parameters.file]
    -- type = "file"
    -- ///

The comment mark is the language's own (``--``, ``//``, ``#``, ``;``), the same on every line of the block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from llmspell.errors import Location, ScriptSyntaxError

_OPEN = re.compile(r"(--|//|#|;) /// spell[ \t]*")
_HEADER = re.compile(r"\s*(\[\[?[^\[\]]+\]\]?)\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_TOML_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The block of one source.

    Attributes:
        data: What its TOML says.
        first: Line of the source that holds the block's first line of TOML.
    """

    data: dict[str, Any]
    first: int
    lines: tuple[str, ...]

    def line_of(self, path: tuple[str | int, ...]) -> int:
        """Return the line of the source that sets ``path``, or the nearest table around it."""
        wanted = tuple(str(part) for part in path)
        table: tuple[str, ...] = ()
        best, found = 0, self.first - 1
        for number, line in enumerate(self.lines, self.first):
            if match := _HEADER.fullmatch(line):
                here = table = _path_of(match[1])
            elif match := _KEY.match(line):
                here = (*table, *_path_of(f"{match[1]} = 0"))
            else:
                continue
            common = min(len(here), len(wanted))
            if common > best and here[:common] == wanted[:common]:
                best, found = common, number
        return found


def _path_of(toml: str) -> tuple[str, ...]:
    """Return the keys on the way to the one thing that a line of TOML names."""
    import tomllib

    try:
        item: Any = tomllib.loads(toml)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(item, dict | list) and item:
        if isinstance(item, list):
            item = item[0]
            continue
        key, item = next(iter(item.items()))
        path.append(key)
    return tuple(path)


def read_front_matter(text: str, name: str) -> FrontMatter | None:
    """Find and read the front matter of a source.

    Args:
        text: The source.
        name: What errors call it.

    Raises:
        ScriptSyntaxError: A block that does not end, a second one, or TOML that does not parse; with its line.

    Example:
        >>> block = read_front_matter('-- /// spell\\n-- name = "x"\\n-- ///\\nreturn 1', "x.lua")
        >>> block.data
        {'name': 'x'}
        >>> read_front_matter("return 1", "x.lua") is None
        True
    """
    if "/// spell" not in text:
        return None
    lines = [line.rstrip("\r") for line in text.split("\n")]
    found: tuple[int, list[str]] | None = None
    number = 0
    while number < len(lines):
        match = _OPEN.fullmatch(lines[number])
        number += 1
        if match is None:
            continue
        if found is not None:
            raise _error("a second front-matter block; a spell has one", name, number)
        block = _block(lines, number, match[1], name)
        found = (number + 1, block)
        number += len(block) + 1
    if found is None:
        return None
    first, block = found
    return FrontMatter(_parse(block, first, name), first, tuple(block))


def _block(lines: list[str], start: int, mark: str, name: str) -> list[str]:
    """Return the TOML lines from ``lines[start]`` to the closing mark."""
    end = re.compile(re.escape(mark) + r" ///[ \t]*")
    block: list[str] = []
    for line in lines[start:]:
        if end.fullmatch(line):
            return block
        if line.rstrip() == mark:
            block.append("")
        elif line.startswith(f"{mark} "):
            block.append(line[len(mark) + 1 :])
        else:
            break
    raise _error(
        "the front matter does not end",
        name,
        start,
        hint=f"every line of it begins with '{mark} ', and it ends with a line '{mark} ///'",
    )


def _parse(block: list[str], first: int, name: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads("\n".join(block))
    except tomllib.TOMLDecodeError as error:
        text = str(error)
        place = _TOML_PLACE.search(text)
        line, column = (int(place[1]), int(place[2])) if place and place[1] else (max(len(block), 1), 0)
        reason = text[: place.start()] if place else text
        raise _error(
            f"the front matter is not TOML: {reason[:1].lower()}{reason[1:]}", name, first + line - 1, column
        ) from None


def _error(message: str, name: str, line: int, column: int = 0, hint: str | None = None) -> ScriptSyntaxError:
    return ScriptSyntaxError(message, language="toml", location=Location(name, line, column), hint=hint)
