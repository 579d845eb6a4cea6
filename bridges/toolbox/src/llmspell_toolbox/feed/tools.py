"""The tools for feeds."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from llmspell.plugin import Bridge, BridgeError, Call
from llmspell_toolbox.declare import tool
from llmspell_toolbox.feed import reading, writing
from llmspell_toolbox.feed.choosing import matching, merged
from llmspell_toolbox.feed.shapes import Feed, FeedEntry, feed_of
from llmspell_toolbox.web import html
from llmspell_toolbox.web.requests import Seconds, must_be_ok

_Most = Annotated[int, Field(ge=1, le=reading.MAX_ENTRIES)]
_ACCEPT = {"Accept": "application/rss+xml, application/atom+xml, application/feed+json, application/xml, text/xml, */*"}
_KINDS = {
    "application/rss+xml": "rss",
    "application/atom+xml": "atom",
    "application/feed+json": "json",
    "application/json": "json",
}
_BEES: dict[str, Any] = {
    "title": "Bees",
    "link": "https://example.org/",
    "entries": [
        {"id": "1", "title": "Honey", "link": "https://example.org/1", "published": "2026-01-01T00:00:00+00:00"},
        {"id": "2", "title": "Wax", "link": "https://example.org/2", "published": "2026-02-01T00:00:00+00:00"},
    ],
}


class Offered(TypedDict):
    """A feed that a page offers."""

    url: str
    title: str
    format: str


class Discovered(TypedDict):
    """The feeds that a page offers."""

    url: str
    feeds: list[Offered]


class Extracted(TypedDict):
    """Some fields of a feed's entries."""

    entries: list[dict[str, Any]]


class Converted(TypedDict):
    """A feed as text."""

    content: str
    format: str


class FeedTools(Bridge):
    """Tools for feeds."""

    @tool(
        category="feed",
        tags=("rss", "atom", "fetch"),
        permissions=("net",),
        resources={"network": "medium"},
        blocking=False,
        deterministic=False,
        constraints=("feeds of at most 8 MB, without entities",),
        examples=(
            {"description": "The newest entries", "parameters": {"url": "https://example.org/feed", "limit": 5}},
        ),
    )
    async def feed_fetch(
        self,
        call: Call,
        url: str,
        *,
        format: Literal["auto", "rss", "atom", "json"] = "auto",
        limit: _Most = 50,
        timeout: Seconds = 30.0,
    ) -> Feed:
        """Get a feed: RSS, Atom or JSON Feed.

        Args:
            url: Where it is.
            format: Refuse another than rss, atom or json; auto takes any.
            limit: Most entries.
            timeout: Seconds for the request.
        """
        reply = await call.net.request("GET", url, headers=_ACCEPT, timeout=timeout, max_bytes=reading.MAX_BYTES)
        must_be_ok(reply)
        found = await asyncio.to_thread(reading.read, reply.body, reply.headers.get("content-type", ""), limit)
        if format not in ("auto", found["format"]):
            raise BridgeError(f"the feed is {found['format']}, not {format}", code="invalid_feed")
        return found

    @tool(
        category="feed",
        tags=("filter",),
        examples=(
            {
                "description": "Entries since a day",
                "parameters": {"feed": _BEES, "criteria": {"after": "2026-01-15"}},
            },
        ),
    )
    def feed_filter(
        self, feed: dict[str, Any], criteria: dict[str, Any], *, mode: Literal["all", "any"] = "all"
    ) -> Feed:
        """Keep the entries of a feed that meet criteria.

        Args:
            feed: What feed_fetch returned.
            criteria: keywords, title, author, category, link (a text, or several of which one must occur), after,
                before.
            mode: all or any of the criteria.
        """
        found = feed_of(feed)
        found["entries"] = matching(found["entries"], criteria, mode)
        return found

    @tool(
        category="feed",
        tags=("merge", "aggregate"),
        examples=({"description": "Two feeds as one", "parameters": {"feeds": [_BEES, _BEES], "title": "All"}},),
    )
    def feed_aggregate(
        self,
        feeds: list[dict[str, Any]],
        *,
        title: str = "Aggregate",
        sort: Literal["newest", "oldest", "none"] = "newest",
        unique: bool = True,
        limit: _Most = 100,
    ) -> Feed:
        """Make one feed of several.

        Args:
            feeds: What feed_fetch returned, each.
            title: Of the new feed.
            sort: newest or oldest first, or none to keep the order.
            unique: Leave out entries that came before, by id or link.
            limit: Most entries.
        """
        made = feed_of({"title": title})
        made["entries"] = merged((feed_of(feed) for feed in feeds), unique=unique, sort=sort)[:limit]
        return made

    @tool(
        category="feed",
        tags=("extract",),
        examples=(
            {
                "description": "Titles and links",
                "parameters": {"feed": _BEES, "fields": ["title", "link"], "limit": 1},
                "result": {"entries": [{"title": "Honey", "link": "https://example.org/1"}]},
            },
        ),
    )
    def feed_extract(
        self, feed: dict[str, Any], fields: list[str] | None = None, *, limit: _Most = reading.MAX_ENTRIES
    ) -> Extracted:
        """Take some fields of a feed's entries.

        Args:
            feed: What feed_fetch returned.
            fields: id, title, link, summary, content, author, published, updated, categories; title, link and summary
                if not given.
            limit: Most entries.
        """
        wanted = fields or ["title", "link", "summary"]
        known = FeedEntry.__annotations__
        if unknown := sorted(set(wanted) - set(known)):
            raise BridgeError(
                f"an entry has no field {unknown[0]!r}; it has {', '.join(known)}", code="invalid_argument"
            )
        entries: list[Any] = list(feed_of(feed)["entries"][:limit])
        return {"entries": [{name: entry[name] for name in wanted} for entry in entries]}

    @tool(
        category="feed",
        tags=("rss", "atom", "discover"),
        permissions=("net",),
        resources={"network": "medium"},
        blocking=False,
        deterministic=False,
        examples=({"description": "The feeds of a page", "parameters": {"url": "https://example.org/"}},),
    )
    async def feed_discover(self, call: Call, url: str, *, timeout: Seconds = 30.0) -> Discovered:
        """Find the feeds that a page offers.

        Args:
            url: The page.
            timeout: Seconds for the request.
        """
        reply = await call.net.request("GET", url, timeout=timeout)
        must_be_ok(reply)
        return {"url": reply.url, "feeds": await asyncio.to_thread(_offered, reply.url, reply.text)}

    @tool(
        category="feed",
        tags=("convert", "rss", "atom"),
        examples=(
            {
                "description": "A feed as JSON Feed",
                "parameters": {"feed": {"title": "Bees", "entries": []}, "to_format": "json"},
                "result": {
                    "content": '{"version":"https://jsonfeed.org/version/1.1","title":"Bees","items":[]}',
                    "format": "json",
                },
            },
        ),
    )
    def feed_convert(self, feed: dict[str, Any], to_format: writing.Format) -> Converted:
        """Write a feed as RSS 2.0, Atom or JSON Feed.

        Args:
            feed: What feed_fetch returned.
            to_format: rss, atom or json.
        """
        return {"content": writing.write(feed_of(feed), to_format), "format": to_format}


def _offered(url: str, text: str) -> list[Offered]:
    found: dict[str, Offered] = {}
    for attributes in html.alternates(html.parsed(text)):
        kind = _KINDS.get((attributes.get("type") or "").split(";")[0].strip().lower())
        address = html.absolute(url, attributes.get("href"))
        if kind is not None and address is not None and attributes.get("href"):
            found.setdefault(address, {"url": address, "title": attributes.get("title") or "", "format": kind})
    return list(found.values())
