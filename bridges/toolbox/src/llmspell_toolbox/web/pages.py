"""``web_fetch`` and ``web_scrape``: what stands on pages."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from llmspell.plugin import Bridge, BridgeError, Call
from llmspell_toolbox.declare import tool
from llmspell_toolbox.web import html
from llmspell_toolbox.web.requests import Seconds, is_text, must_be_ok
from llmspell_toolbox.web.selectors import select, steps

Form = Literal["markdown", "text", "html"]
MAX_ITEMS = 5000


class Link(TypedDict):
    """A link on a page."""

    url: str
    text: str


class Page(TypedDict):
    """A page; ``truncated`` where its content was cut."""

    url: str
    title: str
    content: str
    content_type: str
    links: list[Link]
    truncated: bool


class Scraped(TypedDict):
    """What was taken from pages: a table by the patterns' names for each item, or each page."""

    results: list[dict[str, Any]]
    pages: list[str]


class PageTools(Bridge):
    """Tools for pages."""

    @tool(
        category="web",
        tags=("page", "fetch", "read"),
        permissions=("net",),
        resources={"network": "medium", "memory": "medium"},
        blocking=False,
        deterministic=False,
        constraints=("pages of at most 4 MB and 100,000 tags",),
        examples=({"description": "A page as Markdown", "parameters": {"url": "https://example.org/"}},),
    )
    async def web_fetch(
        self,
        call: Call,
        url: str,
        *,
        selector: str | None = None,
        format: Form = "markdown",
        user_agent: str | None = None,
        max_links: Annotated[int, Field(ge=0, le=1000)] = 100,
        max_length: Annotated[int, Field(ge=1)] = 100_000,
        timeout: Seconds = 30.0,
    ) -> Page:
        """Get a page as text that a model can read.

        Args:
            url: http or https.
            selector: A CSS selector: only these parts of the page.
            format: markdown, text or html.
            user_agent: Who to say that asks.
            max_links: Most links told.
            max_length: Most characters of content told.
            timeout: Seconds for the request.
        """
        if selector is not None:
            steps(selector)
        reply = await call.net.request("GET", url, headers=_agent(user_agent), timeout=timeout)
        must_be_ok(reply)
        kind = reply.headers.get("content-type", "")
        if not is_text(reply):
            raise BridgeError(f"there is no text at {url!r} but {kind or 'something unnamed'}", code="not_text")
        if "html" not in kind:
            if selector is not None:
                raise BridgeError(f"there is no page at {url!r} to select from but {kind}", code="not_html")
            return _page(reply.url, "", reply.text, kind, [], max_length)
        return await asyncio.to_thread(_read, reply.url, reply.text, kind, selector, format, max_links, max_length)

    @tool(
        category="web",
        tags=("page", "scrape", "extract"),
        permissions=("net",),
        resources={"network": "high", "memory": "medium"},
        blocking=False,
        deterministic=False,
        constraints=("pages of at most 4 MB and 100,000 tags", "selectors without :has() and :nth-child()"),
        examples=(
            {
                "description": "Titles and addresses, over several pages",
                "parameters": {
                    "url": "https://example.org/news",
                    "item": "article",
                    "patterns": {"title": "h2", "url": "a@href"},
                    "pagination": {"next": "a.next", "max_pages": 3},
                },
            },
        ),
    )
    async def web_scrape(
        self,
        call: Call,
        url: str,
        patterns: dict[str, str],
        *,
        item: str | None = None,
        pagination: dict[str, Any] | None = None,
        rate_limit: Annotated[float, Field(ge=0, le=60)] = 1.0,
        user_agent: str | None = None,
    ) -> Scraped:
        """Take parts of pages by CSS selectors.

        Args:
            url: The first page.
            patterns: By name a CSS selector, whose text is meant, or selector@attribute.
            item: A selector for what repeats: patterns then look in each, and give the first match instead of all.
            pagination: next, a selector for the link to the following page, and max_pages.
            rate_limit: Seconds to wait between two pages.
            user_agent: Who to say that asks.
        """
        wanted = {name: _pattern(pattern) for name, pattern in patterns.items()}
        if not wanted:
            raise BridgeError("web_scrape needs at least one pattern", code="invalid_argument")
        following, most = _pagination(pagination)
        for selector in filter(None, (item, following)):
            steps(selector)
        results: list[dict[str, Any]] = []
        pages: list[str] = []
        here: str | None = url
        while here is not None and here not in pages and len(pages) < most:
            if pages and rate_limit:
                await asyncio.sleep(rate_limit)
            reply = await call.net.request("GET", here, headers=_agent(user_agent))
            must_be_ok(reply)
            pages.append(here)
            found, here = await asyncio.to_thread(_scrape, reply.url, reply.text, wanted, item, following)
            results += found
            if len(results) > MAX_ITEMS:
                raise BridgeError(f"the pages hold more than {MAX_ITEMS:,} items", code="too_large")
        return {"results": results, "pages": pages}


def _agent(user_agent: str | None) -> dict[str, str]:
    return {} if user_agent is None else {"User-Agent": user_agent}


def _page(url: str, title: str, content: str, kind: str, links: list[Any], most: int) -> Page:
    return {
        "url": url,
        "title": title,
        "content": content[:most],
        "content_type": kind,
        "links": links,
        "truncated": len(content) > most,
    }


def _read(url: str, text: str, kind: str, selector: str | None, form: Form, max_links: int, most: int) -> Page:
    tree = html.parsed(text)
    title, links = html.title(tree), html.links(tree, url, max_links)
    parts = [tree.body] if selector is None else select(tree, selector, MAX_ITEMS)
    if form == "text":
        content = "\n\n".join(map(html.plain, parts))
    else:
        markup = "\n".join(part.html or "" for part in parts if part is not None)
        content = markup if form == "html" else html.markdown(markup)
    return _page(url, title, content, kind, links, most)


def _pattern(pattern: str) -> tuple[str, str]:
    """Split ``selector@attribute``; the attribute is ``""`` for the text."""
    selector, at, attribute = pattern.rpartition("@")
    if not at or "]" in attribute or '"' in attribute:
        selector, attribute = pattern, ""
    if selector:
        steps(selector)
    return selector, attribute


def _pagination(given: dict[str, Any] | None) -> tuple[str | None, int]:
    if given is None:
        return None, 1
    following, most = given.get("next"), given.get("max_pages", 10)
    unknown = sorted(set(given) - {"next", "max_pages"})
    if unknown or not isinstance(following, str) or not isinstance(most, int) or not 1 <= most <= 50:
        raise BridgeError("pagination is {next: a selector, max_pages: 1 to 50}", code="invalid_argument")
    return following, most


def _scrape(
    url: str, text: str, wanted: dict[str, tuple[str, str]], item: str | None, following: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    tree = html.parsed(text)

    def values(place: Any, selector: str, attribute: str, most: int) -> list[str | None]:
        nodes = select(place, selector, most) if selector else [place]
        return [_value(url, node, attribute) for node in nodes]

    found: list[dict[str, Any]]
    if item is None:
        found = [{name: values(tree, *pattern, MAX_ITEMS) for name, pattern in wanted.items()}]
    else:
        found = [
            {name: next(iter(values(node, *pattern, 1)), None) for name, pattern in wanted.items()}
            for node in select(tree, item, MAX_ITEMS)
        ]
    link = next(iter(select(tree, following, 1)), None) if following else None
    return found, None if link is None else html.absolute(url, link.attributes.get("href"))


def _value(url: str, node: Any, attribute: str) -> str | None:
    if not attribute:
        return html.plain(node)
    given: str | None = node.attributes.get(attribute)
    return html.absolute(url, given) or given if attribute in ("href", "src") else given
