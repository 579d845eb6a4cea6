"""Entries chosen, merged and sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from llmspell.plugin import BridgeError
from llmspell_toolbox.dates.reading import read as read_time
from llmspell_toolbox.feed.shapes import Feed, FeedEntry

Test = Callable[[FeedEntry], bool]


def matching(entries: Iterable[FeedEntry], criteria: Mapping[str, Any], mode: Literal["all", "any"]) -> list[FeedEntry]:
    """Return the entries that meet all criteria, or any of them.

    Raises:
        BridgeError: ``invalid_argument``: a criterion is unknown or not what it should be.
    """
    tests = [_test(name, wanted) for name, wanted in criteria.items()]
    meets = all if mode == "all" else any
    return [entry for entry in entries if not tests or meets(test(entry) for test in tests)]


def _test(name: str, wanted: Any) -> Test:
    if name in ("after", "before"):
        if not isinstance(wanted, str | int | float) or isinstance(wanted, bool):
            raise BridgeError(f"criterion {name!r} should be a time", code="invalid_argument")
        limit = read_time(wanted, "UTC")
        return lambda entry: _in_time(entry, limit, later=name == "after")
    if name not in _TEXTS:
        known = ", ".join((*_TEXTS, "after", "before"))
        raise BridgeError(f"there is no criterion {name!r}; there are {known}", code="invalid_argument")
    words = wanted if isinstance(wanted, list) else [wanted]
    if not all(isinstance(word, str) for word in words):
        raise BridgeError(f"criterion {name!r} should be a text or a list of texts", code="invalid_argument")
    folded = [word.casefold() for word in words]
    read = _TEXTS[name]
    return lambda entry: any(word in read(entry).casefold() for word in folded)


_TEXTS: dict[str, Callable[[FeedEntry], str]] = {
    "keywords": lambda entry: "\n".join((entry["title"], entry["summary"], entry["content"])),
    "title": lambda entry: entry["title"],
    "author": lambda entry: entry["author"],
    "category": lambda entry: "\n".join(entry["categories"]),
    "link": lambda entry: entry["link"],
}


def moment(entry: FeedEntry) -> float | None:
    """Return when an entry came or changed, if it says so in a way that can be read."""
    for given in (entry["published"], entry["updated"]):
        if given:
            try:
                return read_time(given, "UTC")
            except BridgeError:
                continue
    return None


def _in_time(entry: FeedEntry, limit: float, *, later: bool) -> bool:
    when = moment(entry)
    return when is not None and (when > limit if later else when < limit)


def merged(feeds: Iterable[Feed], *, unique: bool, sort: Literal["newest", "oldest", "none"]) -> list[FeedEntry]:
    """Return the entries of several feeds; those without a date come last.

    Args:
        unique: Of entries with one id or link only the first.
        sort: By their dates.
    """
    entries: list[FeedEntry] = []
    known: set[str] = set()
    for feed in feeds:
        for entry in feed["entries"]:
            keys = {key for key in (entry["id"], entry["link"]) if key}
            if not (unique and keys & known):
                entries.append(entry)
                known |= keys
    if sort == "none":
        return entries
    sign = -1 if sort == "newest" else 1
    dated = [(moment(entry), entry) for entry in entries]
    dated.sort(key=lambda pair: (pair[0] is None, sign * (pair[0] or 0)))
    return [entry for _, entry in dated]
