"""``Spell`` and how one is read from a file."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from llmspell.engine import Source
from llmspell.engine.source import decode_text
from llmspell.errors import SpellNotFoundError, UsageError
from llmspell.spell.front_matter import read_front_matter
from llmspell.spell.manifest import EMPTY, Manifest, read_manifest

MAX_SOURCE_BYTES = 16 * 1024 * 1024
"""A larger file is no spell; refused before it is read whole."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A script with what it says of itself.

    Attributes:
        path: The file it came from, if any.

    Example:
        >>> spell = Spell.from_source(Source('-- /// spell\\n-- name = "greet"\\n-- ///\\nreturn "hi"', language="lua"))
        >>> spell.name
        'greet'
    """

    source: Source
    manifest: Manifest = EMPTY
    path: Path | None = None

    @classmethod
    def from_source(cls, source: Source, path: Path | None = None) -> Spell:
        """Read the front matter of a source.

        Raises:
            ScriptSyntaxError: The front matter does not parse or fit, with its line.
        """
        block = read_front_matter(source.text, source.name)
        manifest = EMPTY if block is None else read_manifest(block, source.name)
        if manifest.engine and not source.language:
            source = Source(source.text, source.name, manifest.engine, source.root)
        return cls(source, manifest, path)

    @property
    def name(self) -> str:
        """Its declared name, else that of its file without ending."""
        if self.manifest.name:
            return self.manifest.name
        return self.path.stem if self.path is not None else self.source.name


def load_spell(path: str | os.PathLike[str], *, language: str = "") -> Spell:
    """Read a spell from a file. Local modules will be looked for in its directory and below.

    Args:
        path: Errors call the spell by it, as given.
        language: Engine name or alias; by default what the front matter says, else the file's ending tells.

    Raises:
        SpellNotFoundError: There is no such file, or it cannot be read.
        UsageError: It is larger than a spell may be.
        ScriptSyntaxError: It is not UTF-8, or its front matter is wrong; with the line.
    """
    return Spell.from_source(read_source(path, language=language), Path(os.path.realpath(path)))


def read_source(path: str | os.PathLike[str], *, language: str = "") -> Source:
    """Read a source from a file, without looking at its front matter; otherwise as :func:`load_spell`."""
    name = os.fspath(path)
    raw = _read(name)
    return Source(decode_source(raw, name), name, language, os.path.dirname(os.path.realpath(name)))


def _read(name: str) -> bytes:
    if "\0" in name:
        raise SpellNotFoundError(f"there is no spell at {name!r}", name=name)
    try:
        with open(name, "rb") as file:
            raw = file.read(MAX_SOURCE_BYTES + 1)
    except FileNotFoundError:
        raise SpellNotFoundError(f"there is no spell at {name!r}", name=name, hint=_near(name)) from None
    except IsADirectoryError:
        raise SpellNotFoundError(f"{name!r} is a directory, not a spell", name=name, hint=_inside(name)) from None
    except OSError as error:
        raise SpellNotFoundError(f"the spell {name!r} cannot be read: {error.strerror}", name=name) from None
    return raw


def _near(name: str) -> str | None:
    directory, wanted = os.path.split(name)
    try:
        there = os.listdir(directory or ".")
    except OSError:
        return None
    close = difflib.get_close_matches(wanted, there, 1)
    return f"did you mean {os.path.join(directory, close[0])!r}?" if close else None


def _inside(name: str) -> str | None:
    try:
        files = sorted(entry.name for entry in os.scandir(name) if entry.is_file())
    except OSError:
        return None
    return f"name one of its files, e.g. {os.path.join(name, files[0])!r}" if files else None


def decode_source(raw: bytes, name: str) -> str:
    """Decode a source. A byte-order mark is dropped; a ``#!`` line is emptied, so that lines keep their numbers.

    Raises:
        UsageError: It is larger than a spell may be.
        ScriptSyntaxError: It is not UTF-8, with line and column of the first wrong byte.
    """
    if len(raw) > MAX_SOURCE_BYTES:
        raise UsageError(f"{name!r} is larger than {MAX_SOURCE_BYTES // 1024 // 1024} MiB: that is no spell")
    return decode_text(raw, name)
