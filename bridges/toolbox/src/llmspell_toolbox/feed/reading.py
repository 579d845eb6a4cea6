"""Feeds read: RSS and Atom by feedparser, JSON Feed as it is."""

from __future__ import annotations

import calendar
import codecs
import datetime as dt
import io
import re
from typing import Any

from llmspell.plugin import BridgeError
from llmspell_std.data import jsontext
from llmspell_toolbox.dates.reading import read as read_time
from llmspell_toolbox.feed.shapes import Feed, FeedEntry, entry_of, feed_of
from llmspell_toolbox.patience import patient
from llmspell_toolbox.web import html

MAX_BYTES = 8 * 1024 * 1024
MAX_ENTRIES = 1000
_DECLARATION = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_ANY_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,300}\?>")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def read(body: bytes, content_type: str, most: int) -> Feed:
    """Read a feed.

    Args:
        body: As the server sent it.
        content_type: What the server says it is.
        most: Entries kept.

    Raises:
        BridgeError: ``invalid_feed``; also for entities, which bombs are made of; ``too_large``; ``too_slow``.
    """
    if len(body) > MAX_BYTES:
        raise BridgeError(f"the feed is larger than {MAX_BYTES:,} bytes", code="too_large")
    text = decoded(body, content_type)
    if text.lstrip()[:1] == "{":
        return _json_feed(text, most)
    if "<!ENTITY" in text.upper():
        raise BridgeError("the feed declares entities, which are refused", code="invalid_feed")
    return _parsed(_ANY_DECLARATION.sub("", text), most)


def decoded(body: bytes, content_type: str) -> str:
    """Return a feed's text: by its byte order mark, its declaration, or what the server says."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    told = _DECLARATION.match(body)
    said = re.search(r"charset=[\"']?([\w.:-]{1,40})", content_type, re.ASCII)
    name = told[1].decode("ascii") if told else said[1] if said else "utf-8"
    try:
        return body.decode(name, "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def _parsed(text: str, most: int) -> Feed:
    import feedparser

    with patient("reading the feed"):
        # A stream: of a text feedparser would take the first line for an address or a file name.
        found = feedparser.parse(
            io.BytesIO(text.encode("utf-8")),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    version = str(found.get("version") or "")
    if not version and not found.entries:
        raise BridgeError("that is no RSS, Atom or JSON feed", code="invalid_feed")
    return {
        "title": plain(found.feed.get("title")),
        "link": str(found.feed.get("link") or ""),
        "description": plain(found.feed.get("subtitle") or found.feed.get("description")),
        "format": "atom" if version.startswith("atom") else "rss" if version else "unknown",
        "updated": _iso(_own(found.feed, "updated_parsed") or _own(found.feed, "published_parsed")),
        "entries": [_entry(entry) for entry in found.entries[:most]],
    }


def _entry(found: Any) -> FeedEntry:
    content = next((part.get("value") for part in found.get("content") or () if part.get("value")), "")
    return {
        "id": str(found.get("id") or found.get("link") or ""),
        "title": plain(found.get("title")),
        "link": str(found.get("link") or ""),
        "summary": plain(found.get("summary")),
        "content": plain(content),
        "author": plain(found.get("author")),
        "published": _iso(_own(found, "published_parsed")),
        "updated": _iso(_own(found, "updated_parsed")),
        "categories": [str(tag.get("term")) for tag in found.get("tags") or () if tag.get("term")],
    }


def _own(found: Any, key: str) -> Any:
    """Return what stands under a key itself: feedparser's ``get`` takes one date for another, and warns of it."""
    return dict.get(found, key)


def plain(markup: Any) -> str:
    """Return a text without markup."""
    text = str(markup or "")
    if "<" not in text and "&" not in text:
        return text.strip()
    return html.plain(html.parsed(text).body)


def _iso(parts: Any) -> str | None:
    if parts is None:
        return None
    try:
        return dt.datetime.fromtimestamp(calendar.timegm(parts), dt.UTC).isoformat()
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _json_feed(text: str, most: int) -> Feed:
    found = jsontext.parse(text)
    if not isinstance(found, dict) or not isinstance(found.get("items"), list):
        raise BridgeError("that is no JSON feed: it has no items", code="invalid_feed")
    entries = [_json_entry(item) for item in found["items"][:most] if isinstance(item, dict)]
    head = {
        "title": found.get("title"), "link": found.get("home_page_url"), "description": found.get("description"),
        "format": "json",
    }  # fmt: skip
    made = feed_of(head)
    made["entries"] = entries
    return made


def _json_entry(item: dict[str, Any]) -> FeedEntry:
    authors = item.get("authors")
    named = [item.get("author"), *(authors if isinstance(authors, list) else [])]
    author = next((one.get("name") for one in named if isinstance(one, dict) and one.get("name")), "")
    return entry_of(
        {
            "id": item.get("id"),
            "title": item.get("title"),
            "link": item.get("url"),
            "summary": item.get("summary"),
            "content": item.get("content_text") or plain(item.get("content_html")),
            "author": author,
            "published": _moment(item.get("date_published")),
            "updated": _moment(item.get("date_modified")),
            "categories": item.get("tags"),
        }
    )


def _moment(given: Any) -> str | None:
    try:
        seconds = read_time(str(given), "UTC") if given else None
    except BridgeError:  # one entry with a broken date does not spoil the feed
        return None
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()
