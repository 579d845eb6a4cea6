"""Configuration files: where they are, and in which line a key stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmspell.errors import ConfigError

PROJECT_FILE = "llmspell.toml"
USER_FILE = "config.toml"
MAX_BYTES = 1024 * 1024

_HEADER = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source of configuration says.

    Attributes:
        origin: How messages call it: a file's path, or the name of an environment variable.
        text: The file's text, to find lines in.
        directory: Where relative paths of a file start.
        trusted: The person who runs llmspell wrote it.
    """

    origin: str
    content: dict[str, Any]
    text: str = ""
    directory: Path | None = None
    trusted: bool = True

    def place(self, path: tuple[int | str, ...]) -> str:
        """Say where a key stands, as exactly as can be told."""
        line = line_of(self.text, tuple(str(part) for part in path)) if self.text else 0
        return f"{self.origin}:{line}" if line else self.origin


def user_file() -> Path:
    """Return where the user's own configuration is, whether or not there is one."""
    from platformdirs import user_config_path

    return user_config_path("llmspell") / USER_FILE


def project_file(directory: Path) -> Path | None:
    """Find the project's file: in ``directory`` or above it, not beyond a repository or the home directory."""
    home = Path.home()
    for place in (directory, *directory.parents):
        candidate = place / PROJECT_FILE
        if candidate.is_file():
            return candidate
        if place == home or (place / ".git").exists():
            return None
    return None


def read_layer(path: Path, *, trusted: bool) -> Layer:
    """Read a TOML file.

    Raises:
        ConfigError: It cannot be read or does not parse, with line and column.
    """
    import tomllib

    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"the configuration file {str(path)!r} cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"the configuration file {str(path)!r} is larger than {MAX_BYTES:,} bytes")
    try:
        text = raw.decode("utf-8-sig")
        return Layer(str(path), tomllib.loads(text), text, path.parent, trusted)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: the file is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        where = f"{path}:{place[1]}:{place[2]}" if place else f"{path}:{text.rstrip().count(chr(10)) + 1}"
        raise ConfigError(f"{where}: {_PLACE.sub('', str(error)).strip()}", hint="the file is TOML") from None


def line_of(text: str, path: tuple[str, ...]) -> int:
    """Return the line in which a key, or the nearest table around it, is written; 0 if none is.

    Example:
        >>> line_of('[plugins]\\nallow = []\\n', ("plugins", "allow"))
        2
    """
    table: tuple[str, ...] = ()
    best, found = 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            table = _parts(header[1])
            here = table
        elif key := _KEY.match(line):
            here = table + _parts(key[1])
        else:
            continue
        if len(here) > best and path[: len(here)] == here:
            best, found = len(here), number
    return found


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
