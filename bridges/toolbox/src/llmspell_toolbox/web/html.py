"""HTML read by selectolax and markdownify, within bounds that hold for hostile pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from llmspell.plugin import BridgeError
from llmspell_toolbox.patience import patient
from llmspell_toolbox.web.tidy import tidied

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_TEXT = 4 * 1024 * 1024

_BLANKS = re.compile(r"[ \t\r\f\v]*\n\s*\n\s*")


def parsed(text: str) -> LexborHTMLParser:
    """Return a page's tree, without what no reader sees: scripts, styles and the like.

    Raises:
        BridgeError: ``too_large``: more than 4 MB or 100,000 tags.
    """
    from selectolax.lexbor import LexborHTMLParser

    if len(text) > MAX_TEXT:
        raise BridgeError(f"the page is longer than {MAX_TEXT:,} characters", code="too_large")
    return LexborHTMLParser(tidied(text))


def title(tree: LexborHTMLParser) -> str:
    """Return the page's title, or ``""``."""
    found = next(iter(tree.css("title")), None)
    return " ".join(found.text().split()) if found is not None else ""


def plain(node: LexborNode | None) -> str:
    """Return what a reader sees of a part of a page, without markup."""
    if node is None:
        return ""
    text = node.text(separator="\n", strip=True)
    return _BLANKS.sub("\n\n", text).strip()


def markdown(markup: str) -> str:
    """Return HTML as Markdown.

    Raises:
        BridgeError: ``too_slow``; ``too_deep``.
    """
    from markdownify import markdownify

    with patient("turning the page into Markdown"):
        made: str = markdownify(markup, heading_style="ATX", bullets="-")
    return _BLANKS.sub("\n\n", made).strip()


def links(tree: LexborHTMLParser, base: str, most: int) -> list[dict[str, str]]:
    """Return a page's links as ``{url, text}``, each address once, http and https only."""
    found: dict[str, dict[str, str]] = {}
    for node in tree.css("a[href]"):
        url = absolute(base, node.attributes.get("href"))
        if url is not None and url not in found:
            found[url] = {"url": url, "text": " ".join(node.text().split())[:200]}
            if len(found) >= most:
                break
    return list(found.values())


def absolute(base: str, href: str | None) -> str | None:
    """Return a link's whole address without its fragment, or None if it is none of http or https.

    Example:
        >>> absolute("https://example.org/a/b", "../c?d=1#e")
        'https://example.org/c?d=1'
        >>> absolute("https://example.org/", "javascript:alert(1)") is None
        True
    """
    try:
        url = urljoin(base, (href or "").strip())
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts._replace(fragment="").geturl() if parts.scheme in ("http", "https") and parts.netloc else None


def alternates(tree: LexborHTMLParser) -> Iterator[dict[str, Any]]:
    """Yield the attributes of a page's ``<link rel="alternate">``."""
    for node in tree.css("link"):
        attributes = node.attributes
        if "alternate" in (attributes.get("rel") or "").lower().split():
            yield dict(attributes)
