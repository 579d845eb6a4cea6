"""Installed plugins: found by their entry points, filtered, and loaded one by one so that none can harm another."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

GROUP = "llmspell"


def normalize(name: str) -> str:
    """Spell a distribution's name as the packaging specification compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True, slots=True)
class Owner:
    """Who offers something: a plugin and the distribution it came with.

    Attributes:
        plugin: Name of the entry point, or the name given at registration.
        distribution: ``""`` for an object registered by the host's own program.
    """

    plugin: str
    distribution: str = ""
    version: str = ""

    def __str__(self) -> str:
        if not self.distribution:
            return f"registered plugin {self.plugin!r}"
        return f"{self.distribution} {self.version or '(unknown version)'} (plugin {self.plugin!r})"

    def is_named(self, names: Collection[str]) -> bool:
        """Tell whether the plugin's or the distribution's name is among ``names``."""
        wanted = {normalize(name) for name in names}
        return normalize(self.plugin) in wanted or (bool(self.distribution) and normalize(self.distribution) in wanted)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of loading one plugin: ``target`` or ``error``, and how long its import took (seconds)."""

    owner: Owner
    target: object = None
    error: BaseException | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """An installed plugin that is not loaded yet."""

    owner: Owner
    entry_point: Any

    def load(self) -> Loaded:
        """Import its module, and nothing else. Whatever that raises is kept, an exit included."""
        started = time.perf_counter()
        try:
            target = self.entry_point.load()
            if isinstance(target, type):
                target = target()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a broken plugin, even one that exits, must not break the host
            return Loaded(self.owner, error=error, seconds=time.perf_counter() - started)
        return Loaded(self.owner, target, seconds=time.perf_counter() - started)


def find() -> list[Found]:
    """List the installed plugins, by distribution and name; nothing of them is imported."""
    found = [Found(_owner(entry_point), entry_point) for entry_point in _entry_points()]
    return sorted(found, key=lambda item: (normalize(item.owner.distribution), item.owner.plugin))


def _entry_points() -> Iterator[Any]:
    from importlib_metadata import distributions, entry_points

    try:
        yield from list(entry_points(group=GROUP))
        return
    except Exception:  # noqa: BLE001 - one distribution's broken metadata; found below, one by one
        seen: set[str] = set()
    for distribution in distributions():
        try:
            name = normalize(distribution.name)
            if name not in seen:
                seen.add(name)
                yield from list(distribution.entry_points.select(group=GROUP))
        except Exception:  # noqa: BLE001, S112 - not ours to report: it cannot even be named
            continue


def _owner(entry_point: Any) -> Owner:
    distribution = entry_point.dist
    try:
        name, version = str(distribution.name), str(distribution.version or "")
    except Exception:  # noqa: BLE001 - metadata without a name or version; the plugin is still worth a try
        name, version = "", ""
    return Owner(str(entry_point.name), name, version)
