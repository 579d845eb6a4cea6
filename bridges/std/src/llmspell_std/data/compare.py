"""What differs between two values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmspell.plugin import Value
from llmspell_std.data.paths import MISSING


@dataclass(frozen=True, slots=True)
class Change:
    """A value that is another now."""

    old: Value
    new: Value


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs; keys are dotted paths where it lies deeper than one level."""

    added: dict[str, Value]
    removed: dict[str, Value]
    modified: dict[str, Change]


def difference(before: Any, after: Any) -> Difference:
    """Compare two dicts or lists in depth."""
    found = Difference({}, {}, {})
    _compare(before, after, "", found)
    return found


def _compare(before: Any, after: Any, path: str, found: Difference) -> None:
    old, new = _parts(before), _parts(after)
    for key in dict.fromkeys((*old, *new)):
        where = f"{path}.{key}" if path else key
        was, now = old.get(key, MISSING), new.get(key, MISSING)
        if was is MISSING:
            found.added[where] = now
        elif now is MISSING:
            found.removed[where] = was
        elif type(was) is type(now) and isinstance(was, dict | list):
            _compare(was, now, where, found)
        elif was != now or isinstance(was, bool) is not isinstance(now, bool):
            found.modified[where] = Change(was, now)


def _parts(value: Any) -> dict[str, Any]:
    return {str(index): part for index, part in enumerate(value)} if isinstance(value, list) else value
