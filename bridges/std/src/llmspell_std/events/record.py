"""What happened: events as data, the history of a session, and questions to it."""

from __future__ import annotations

import fnmatch
import itertools
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmspell.plugin import BridgeError, ScriptFunction
from llmspell_std.data import jsontext, paths
from llmspell_std.sizes import weight

KEPT = 1_000
MAX_DATA = 64 * 1024


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``timestamp`` is seconds since 1970, ``source`` the run it came from."""

    id: int
    type: str
    data: Any
    timestamp: float
    source: str

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("id", "type", "data", "timestamp", "source")}


class History:
    """The last thousand events of a session; data beyond 64 KiB, functions and handles are not kept."""

    def __init__(self) -> None:
        self.events: deque[Event] = deque(maxlen=KEPT)
        self._ids = itertools.count(1)

    def add(self, kind: str, data: Any, source: str) -> Event:
        kept = jsontext.plain(data)
        if weight(kept) > MAX_DATA:
            kept = f"<more than {MAX_DATA:,} bytes>"
        event = Event(next(self._ids), kind, kept, time.time(), source)
        self.events.append(event)
        return event


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are meant; what is not set does not count.

    Attributes:
        pattern: Of the type, with ``*`` and ``?``.
        where: Values that have to stand at paths of the data.
        predicate: A function of the script over the event.
    """

    pattern: str = "*"
    since: float | None = None
    until: float | None = None
    where: Mapping[str, Any] | None = None
    source: str | None = None
    predicate: ScriptFunction | None = None

    async def matches(self, event: Event) -> bool:
        if not fnmatch.fnmatchcase(event.type, self.pattern):
            return False
        if self.since is not None and event.timestamp < self.since:
            return False
        if self.until is not None and event.timestamp > self.until:
            return False
        if self.source is not None and event.source != self.source:
            return False
        for path, wanted in (self.where or {}).items():
            if paths.look_up(event.data, path.split("."), 0) != wanted:
                return False
        return self.predicate is None or await self.predicate(event.as_dict()) not in (None, False)


@dataclass(frozen=True, slots=True)
class Composite:
    """Several filters, all or any of which have to match."""

    filters: tuple[Filter | Composite, ...]
    every: bool

    async def matches(self, event: Event) -> bool:
        for each in self.filters:
            if await each.matches(event) is not self.every:
                return not self.every
        return self.every


AnyFilter = Filter | Composite


def read_filter(config: Mapping[str, Any]) -> Filter:
    """Read a filter as a script writes it: ``{pattern | type, since, until, where, source, predicate}``.

    Raises:
        BridgeError: ``invalid_argument``.
    """
    known = {"pattern", "type", "types", "since", "until", "start", "end", "where", "source", "predicate", "limit"}
    unknown = sorted(config.keys() - known)
    if unknown:
        raise BridgeError(
            f"a filter has no {unknown[0]!r}; there are {', '.join(sorted(known))}", code="invalid_argument"
        )
    pattern = config.get("pattern", config.get("type", "*"))
    since, until = config.get("since", config.get("start")), config.get("until", config.get("end"))
    where, source, predicate = config.get("where"), config.get("source"), config.get("predicate")
    for name, value, kind in (
        ("pattern", pattern, str), ("since", since, (int, float)), ("until", until, (int, float)),
        ("where", where, dict), ("source", source, str), ("predicate", predicate, ScriptFunction),
    ):  # fmt: skip
        if value is not None and not isinstance(value, kind):
            raise BridgeError(f"{name} of a filter is of the wrong kind", code="invalid_argument")
    return Filter(pattern, since, until, where, source, predicate)


@dataclass(slots=True)
class Aggregator:
    """Counts, sums, averages or rates the events of a window of seconds."""

    kind: str
    pattern: str
    field: str
    window: float

    def over(self, events: deque[Event]) -> dict[str, Any]:
        """Return ``{type, event_count, value, last_update}``."""
        oldest = time.time() - self.window
        found = [e for e in events if e.timestamp >= oldest and fnmatch.fnmatchcase(e.type, self.pattern)]
        numbers = [number for event in found if (number := self._number(event)) is not None]
        value: float | None = float(len(found))
        if self.kind == "sum":
            value = sum(numbers)
        elif self.kind == "average":
            value = sum(numbers) / len(numbers) if numbers else None
        elif self.kind in ("min", "max"):
            value = (min if self.kind == "min" else max)(numbers) if numbers else None
        elif self.kind == "rate":
            value = len(found) / self.window
        last = found[-1].timestamp if found else None
        return {"type": self.kind, "event_count": len(found), "value": value, "last_update": last}

    def _number(self, event: Event) -> float | None:
        value = paths.look_up(event.data, self.field.split("."), 0) if self.field else event.data
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None


KINDS = ("count", "sum", "average", "rate", "min", "max")
