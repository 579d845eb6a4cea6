"""What an operator is told of a plugin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["loaded", "failed", "blocked", "conflict"]


@dataclass(frozen=True, slots=True)
class PluginReport:
    """What became of one plugin.

    Attributes:
        name: Its entry point, or the name it was registered by.
        distribution, version: ``""`` for a registered object.
        status: ``conflict``: it works, but another plugin offers one of its names and nobody settled it.
        error: Why it failed, or what the conflict is.
        load_seconds: What its import took.
        engines, bridges: Names it offers.
        warnings: What else an operator should know, e.g. a slow import.
    """

    name: str
    distribution: str = ""
    version: str = ""
    status: Status = "loaded"
    error: str = ""
    load_seconds: float = 0.0
    engines: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
