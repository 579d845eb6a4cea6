"""``web_search``: by a SearXNG instance of the operator's, or by the engines that ddgs knows."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from llmspell.plugin import Bridge, BridgeContext, BridgeError, Call
from llmspell_std.data import jsontext
from llmspell_toolbox.declare import tool
from llmspell_toolbox.web.engines import GuardedClient, engine_of
from llmspell_toolbox.web.requests import must_be_ok

SearchType = Literal["text", "news"]
_LANGUAGE = re.compile("([a-z]{2}-)?[a-z]{2}")


class Hit(TypedDict):
    """One result of a search."""

    title: str
    url: str
    snippet: str


class Hits(TypedDict):
    """What a search engine found."""

    query: str
    engine: str
    results: list[Hit]


class SearchTools(Bridge):
    """The tool that searches the web.

    The operator may name a SearXNG instance: ``search: {url: https://search.example.org/search}`` in the section
    ``toolbox`` of the configuration. Its host has to be granted like any other.
    """

    _instance: str | None = None

    async def open(self, context: BridgeContext) -> None:
        """Read which search engine the operator wants."""
        given = context.config.get("search") or {}
        url = given.get("url") if isinstance(given, dict) else None
        if url is not None and not isinstance(url, str):
            raise BridgeError("search.url in the section toolbox should be a text", code="invalid_config", exit_code=3)
        self._instance = url

    @tool(
        category="web",
        tags=("search",),
        permissions=("net",),
        resources={"network": "medium"},
        blocking=False,
        deterministic=False,
        constraints=("needs llmspell-toolbox[search], or a SearXNG instance in the configuration",),
        examples=({"description": "What the web says of bees", "parameters": {"query": "bees", "num_results": 3}},),
    )
    async def web_search(
        self,
        call: Call,
        query: str,
        *,
        num_results: Annotated[int, Field(ge=1, le=50)] = 10,
        search_type: SearchType = "text",
        language: str = "en",
        engine: str = "duckduckgo",
    ) -> Hits:
        """Search the web.

        Args:
            query: What to look for.
            num_results: Most results.
            search_type: text or news.
            language: Such as en, or us-en with a country.
            engine: Which one, where the operator has not chosen: duckduckgo, brave, mojeek, wikipedia, ...
        """
        if not query.strip() or len(query) > 500:
            raise BridgeError("a query has 1 to 500 characters", code="invalid_argument")
        if self._instance is not None:
            found = await _searxng(call, self._instance, query, search_type, language)
            return {"query": query, "engine": "searxng", "results": found[:num_results]}
        if not _LANGUAGE.fullmatch(language):
            raise BridgeError(
                "a language is two letters, with a country before them or not: 'en', 'us-en'", code="invalid_argument"
            )
        searching = engine_of(engine, search_type)
        client = GuardedClient(call.net, asyncio.get_running_loop())
        region = language if "-" in language else f"us-{language}"
        results = await asyncio.to_thread(searching, client, query, region)
        return {"query": query, "engine": engine, "results": [_hit(result) for result in results[:num_results]]}


async def _searxng(call: Call, url: str, query: str, search_type: str, language: str) -> list[Hit]:
    category = "news" if search_type == "news" else "general"
    params = {"q": query, "format": "json", "language": language, "categories": category}
    reply = await call.net.request("GET", url, params=params)
    must_be_ok(reply)
    found = jsontext.parse(reply.text)
    if not isinstance(found, dict) or not isinstance(found.get("results"), list):
        raise BridgeError("the search engine's answer holds no results", code="bad_response", exit_code=7)
    return [_hit(result) for result in found["results"] if isinstance(result, dict)]


def _hit(result: dict[str, Any]) -> Hit:
    def text(*names: str) -> str:
        return next((str(result[name]) for name in names if result.get(name)), "")

    return {"title": text("title"), "url": text("href", "url"), "snippet": text("body", "content", "excerpt")}
