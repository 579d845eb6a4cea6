"""What a feed is to every tool, whatever format it came in."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict


class FeedEntry(TypedDict):
    """An entry; times are ISO 8601 in UTC, or None; ``summary`` and ``content`` are text without markup."""

    id: str
    title: str
    link: str
    summary: str
    content: str
    author: str
    published: str | None
    updated: str | None
    categories: list[str]


class Feed(TypedDict):
    """A feed; ``format`` is rss, atom, json or unknown."""

    title: str
    link: str
    description: str
    format: str
    updated: str | None
    entries: list[FeedEntry]


_FEED: Feed = {"title": "", "link": "", "description": "", "format": "unknown", "updated": None, "entries": []}
_ENTRY: FeedEntry = {
    "id": "", "title": "", "link": "", "summary": "", "content": "", "author": "", "published": None, "updated": None,
    "categories": [],
}  # fmt: skip


def feed_of(given: dict[str, Any]) -> Feed:
    """Return a feed as scripts and models give it, with what it leaves out."""
    made: Any = {**_FEED, **{key: value for key, value in given.items() if key in _FEED and value is not None}}
    entries = made["entries"] if isinstance(made["entries"], list) else []
    made["entries"] = [entry_of(entry) for entry in entries if isinstance(entry, dict)]
    found: Feed = made
    return found


def entry_of(given: dict[str, Any]) -> FeedEntry:
    """Return an entry, with what it leaves out."""
    made: dict[str, Any] = {**_ENTRY, "categories": []}
    for key, default in _ENTRY.items():
        value = given.get(key)
        if key == "categories":
            made[key] = [str(one) for one in value] if isinstance(value, list) else []
        elif value is not None:
            made[key] = value if default is None and isinstance(value, int | float) else str(value)
    found: Any = made
    entry: FeedEntry = found
    return entry
