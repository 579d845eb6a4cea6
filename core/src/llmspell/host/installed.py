"""The entry points of installed distributions, read straight from the directories on the import path.

importlib-metadata knows all ways in which a distribution can be installed, and takes a quarter of a cold start to
be imported and to read everybody's headers. So it is asked only if there may be one that does not lie in a
directory: in an archive, or behind an importer of its own.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_INFO = (".dist-info", ".egg-info")
_SECTION = re.compile(r"\s*\[(.*)\]\s*")
_VALUE = re.compile(r"(?P<module>[\w.]+)\s*(?::\s*(?P<attr>[\w.]+)\s*)?(?:\[.*\]\s*)?")


def normalize(name: str) -> str:
    """Spell a distribution's name as the packaging specification compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """What a distribution offers under a name: an object of one of its modules.

    Attributes:
        value: ``"package.module"`` or ``"package.module:attribute"``.
        distribution: Its name; ``""`` if its metadata does not tell.
    """

    name: str
    value: str
    distribution: str = ""
    version: str = ""

    def load(self) -> Any:
        """Import the module and return what is meant of it.

        Raises:
            ValueError: The value is not of that form; besides, whatever the import raises.
        """
        match = _VALUE.fullmatch(self.value)
        if match is None:
            raise ValueError(f"the entry point {self.value!r} is not of the form module:attribute")
        found: Any = importlib.import_module(match["module"])
        for part in (match["attr"] or "").split("."):
            found = getattr(found, part) if part else found
        return found


def entry_points(group: str) -> list[EntryPoint]:
    """List the entry points of a group. One distribution in two places counts once: the first on the path."""
    if any(_is_elsewhere(entry) for entry in sys.path) or any(map(_finds_distributions, sys.meta_path)):
        return list(_asked_of_the_library(group))
    found: list[EntryPoint] = []
    seen: set[str] = set()
    for directory in sys.path:
        for info in _infos(directory or os.curdir):
            name = normalize(os.path.basename(info).partition("-")[0].removesuffix(".egg"))
            if name not in seen:
                seen.add(name)
                found += _read(info, group)
    return found


def _is_elsewhere(entry: str) -> bool:
    """Tell whether a place on the path is not a directory of plain files."""
    return entry.endswith(".egg") or os.path.isfile(entry)


def _finds_distributions(finder: Any) -> bool:
    """Tell whether an importer knows distributions of its own; those of the standard library and the library do not."""
    module = getattr(finder, "__module__", "") or ""
    return hasattr(finder, "find_distributions") and not module.startswith(("importlib", "_frozen_importlib"))


def _infos(directory: str) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            return [entry.path for entry in entries if entry.name.endswith(_INFO)]
    except OSError:
        return []


def _read(info: str, group: str) -> Iterator[EntryPoint]:
    lines = list(_lines(os.path.join(info, "entry_points.txt")))
    if any((match := _SECTION.fullmatch(line)) and match[1] == group for line in lines):
        name, version = _headers(info)
        for key, value in _section(lines, group):
            yield EntryPoint(key, value, name, version)


def _lines(path: str) -> Iterator[str]:
    with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        yield from file


def _section(lines: list[str], group: str) -> Iterator[tuple[str, str]]:
    here = False
    for line in lines:
        if match := _SECTION.fullmatch(line):
            here = match[1] == group
        elif here and not line.lstrip().startswith(("#", ";")):
            name, equals, value = (part.strip() for part in line.partition("="))
            if name and equals and value:
                yield name, value


def _headers(info: str) -> tuple[str, str]:
    """Return name and version as a distribution's metadata has them, or nothing where that is damaged."""
    told: dict[str, str] = {}
    for name in ("METADATA", "PKG-INFO"):
        for line in _lines(os.path.join(info, name)):
            if not line.strip():
                break
            key, _, value = line.partition(":")
            told.setdefault(key.strip().lower(), value.strip())
    return told.get("name", ""), told.get("version", "")


def _asked_of_the_library(group: str) -> Iterator[EntryPoint]:
    from importlib_metadata import distributions

    seen: set[str] = set()
    for distribution in distributions():
        try:
            name = str(distribution.name)
            if normalize(name) in seen:
                continue
            seen.add(normalize(name))
            version = str(distribution.version or "")
            for point in distribution.entry_points.select(group=group):
                yield EntryPoint(str(point.name), str(point.value), name, version)
        except Exception:  # noqa: BLE001, S112 - damaged metadata, which cannot even be named
            continue
