"""Installed plugins: found by their entry points, filtered, and loaded one by one so that none can harm another."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

from llmspell.host.installed import EntryPoint, entry_points, normalize

GROUP = "llmspell"


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
    entry_point: EntryPoint

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
    found = [Found(Owner(point.name, point.distribution, point.version), point) for point in entry_points(GROUP)]
    return sorted(found, key=lambda item: (normalize(item.owner.distribution), item.owner.plugin))
