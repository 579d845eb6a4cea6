"""Feeds written as RSS 2.0, Atom and JSON Feed 1.1."""

from __future__ import annotations

import datetime as dt
import re
from email.utils import format_datetime
from typing import Any, Literal
from xml.etree import ElementTree as Tree

from llmspell.plugin import BridgeError
from llmspell_std.data import jsontext
from llmspell_toolbox.dates.reading import read as read_time
from llmspell_toolbox.feed.shapes import Feed, FeedEntry

Format = Literal["rss", "atom", "json"]
_ATOM = "http://www.w3.org/2005/Atom"
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(feed: Feed, form: Format) -> str:
    """Write a feed."""
    return {"rss": _rss, "atom": _atom, "json": _json}[form](feed)


def _rss(feed: Feed) -> str:
    root = Tree.Element("rss", version="2.0")
    channel = Tree.SubElement(root, "channel")
    for name in ("title", "link", "description"):
        _put(channel, name, feed[name] or "-")
    for entry in feed["entries"]:
        item = Tree.SubElement(channel, "item")
        for name, text in (("title", entry["title"]), ("link", entry["link"]), ("author", entry["author"])):
            _put(item, name, text)
        _put(item, "description", entry["content"] or entry["summary"])
        _put(item, "guid", entry["id"], isPermaLink="false")
        when = _moment(entry["published"] or entry["updated"])
        _put(item, "pubDate", "" if when is None else format_datetime(when))
        for category in entry["categories"]:
            _put(item, "category", category)
    return _text(root)


def _atom(feed: Feed) -> str:
    root = Tree.Element("feed", xmlns=_ATOM)
    _put(root, "title", feed["title"] or "-")
    _put(root, "id", feed["link"] or "urn:llmspell:feed")
    _put(root, "updated", _latest(feed))
    _put(root, "subtitle", feed["description"])
    if feed["link"]:
        Tree.SubElement(root, "link", href=_clean(feed["link"]))
    for entry in feed["entries"]:
        item = Tree.SubElement(root, "entry")
        _put(item, "title", entry["title"] or "-")
        _put(item, "id", entry["id"] or entry["link"] or "urn:llmspell:entry")
        when = _moment(entry["updated"] or entry["published"])
        _put(item, "updated", _latest(feed) if when is None else when.isoformat())
        if entry["link"]:
            Tree.SubElement(item, "link", href=_clean(entry["link"]))
        if entry["author"]:
            _put(Tree.SubElement(item, "author"), "name", entry["author"])
        _put(item, "summary", entry["summary"])
        _put(item, "content", entry["content"])
        for category in entry["categories"]:
            Tree.SubElement(item, "category", term=_clean(category))
    return _text(root)


def _json(feed: Feed) -> str:
    items = [_json_item(entry) for entry in feed["entries"]]
    head = {"title": feed["title"], "home_page_url": feed["link"], "description": feed["description"]}
    said = {key: value for key, value in head.items() if value}
    return jsontext.write({"version": "https://jsonfeed.org/version/1.1", **said, "items": items})


def _json_item(entry: FeedEntry) -> dict[str, Any]:
    made = {
        "id": entry["id"] or entry["link"],
        "url": entry["link"],
        "title": entry["title"],
        "summary": entry["summary"],
        "content_text": entry["content"] or entry["summary"] or entry["title"],
        "date_published": entry["published"],
        "date_modified": entry["updated"],
        "authors": [{"name": entry["author"]}] if entry["author"] else None,
        "tags": entry["categories"] or None,
    }
    return {key: value for key, value in made.items() if value}


def _put(above: Tree.Element, name: str, text: str, **attributes: str) -> None:
    if text:
        Tree.SubElement(above, name, attributes).text = _clean(text)


def _clean(text: str) -> str:
    return _NO_XML.sub("", text)


def _text(root: Tree.Element) -> str:
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Tree.tostring(root, encoding="unicode")


def _moment(given: str | None) -> dt.datetime | None:
    if not given:
        return None
    try:
        return dt.datetime.fromtimestamp(read_time(given, "UTC"), dt.UTC)
    except BridgeError as error:
        raise BridgeError(f"an entry's date cannot be read: {error.message}", code="invalid_feed") from None


def _latest(feed: Feed) -> str:
    moments = [_moment(text) for entry in feed["entries"] for text in (entry["updated"], entry["published"])]
    known = [when for when in (_moment(feed["updated"]), *moments) if when is not None]
    return max(known, default=dt.datetime.fromtimestamp(0, dt.UTC)).isoformat()
