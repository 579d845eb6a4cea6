"""Limits: how much of everything a run may use."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Annotated, Any

from llmspell.fields import AtLeast, AtMost, Before, names_of, read, settle

_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(i?b?)\s*", re.IGNORECASE)
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|min|h|)\s*", re.IGNORECASE)
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def parse_size(text: str | int) -> int:
    """Read a number of bytes: ``"256MB"``, ``"64 KiB"``, ``1048576``. Units are powers of 1024.

    Raises:
        ValueError: If it is not a size.

    Example:
        >>> parse_size("256MB")
        268435456
    """
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a size; write e.g. 256MB or 1GB")
    return int(float(match[1]) * 1024 ** " kmgt".index(match[2].lower() or " "))


def parse_duration(text: str | float) -> float:
    """Read a number of seconds: ``"500ms"``, ``"30s"``, ``"2m"``, ``1.5``.

    Raises:
        ValueError: If it is not a duration.

    Example:
        >>> parse_duration("2m")
        120.0
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write e.g. 30s, 500ms or 2m")
    return float(match[1]) * _SECONDS[match[2].lower()]


Size = Annotated[int, Before(parse_size), AtLeast(0, open=True)]
Memory = Annotated[int, Before(parse_size), AtLeast(1024 * 1024)]
Seconds = Annotated[float, Before(parse_duration), AtLeast(0, open=True)]
Dollars = Annotated[float, AtLeast(0)]
Count = Annotated[int, AtLeast(0)]
Positive = Annotated[int, AtLeast(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a run may use. None means no limit of llmspell's own.

    Attributes:
        time: Wall-clock seconds, host calls included.
        steps: Engine steps. Costs speed, so only when asked for.
        memory: Bytes of the script's heap.
        output: Bytes a script may print.
        result: Bytes of the result value.
        error: Bytes of an error's text.
        recursion: Depth of script calls; None leaves the engine's own bound.
        calls: Host calls in one run.
        concurrent_calls: Host calls pending at once.
        tasks: Concurrent tasks inside one guest.
        channels: Channels inside one guest.
        depth: Depth of child spells and calls across languages.
        tokens: Model tokens, in and out.
        cost: Model spend in US dollars.
        value_depth: Nesting of one value that crosses.
        value_nodes: Parts of one value that crosses.
        value_bytes: Bytes of text of one value that crosses.
    """

    time: Seconds | None = 30.0
    steps: Positive | None = None
    memory: Memory | None = 64 * 1024 * 1024
    output: Size | None = 8 * 1024 * 1024
    result: Size | None = 16 * 1024 * 1024
    error: Size | None = 64 * 1024
    recursion: Positive | None = None
    calls: Count | None = 100_000
    concurrent_calls: Count | None = 1_000
    tasks: Count | None = 10_000
    channels: Count | None = 10_000
    depth: Count | None = 16
    tokens: Count | None = None
    cost: Dollars | None = None
    value_depth: Annotated[int, AtLeast(1), AtMost(200)] = 64
    value_nodes: Positive = 1_000_000
    value_bytes: Size = 64 * 1024 * 1024

    def __post_init__(self) -> None:
        settle(self)

    def narrow(self, **changes: Any) -> Limits:
        """Return limits that are as tight as both these and the given ones.

        Raises:
            ConfigError: For an unknown or impossible limit.
        """
        asked = read(Limits, {**dict.fromkeys(_OPTIONAL), **_UNBOUNDED, **changes})
        return self.intersect(asked, frozenset(changes))

    def intersect(self, other: Limits, names: frozenset[str] | None = None) -> Limits:
        """Return the tighter of both, limit by limit."""
        out = {}
        for name in names_of(Limits) if names is None else names:
            mine, theirs = getattr(self, name), getattr(other, name)
            out[name] = theirs if mine is None else mine if theirs is None else min(mine, theirs)
        return dataclasses.replace(self, **out)


_OPTIONAL = [name for name in names_of(Limits) if not name.startswith("value_")]
_UNBOUNDED = {"value_depth": 200, "value_nodes": 2**62, "value_bytes": 2**62}
