"""The search engines of ddgs, with a client of ours: theirs would go around the guard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from llmspell.errors import LlmspellError
from llmspell.plugin import BridgeError

if TYPE_CHECKING:
    from llmspell.guards import NetGuard
    from llmspell.guards.http import Reply

Searching = Callable[["GuardedClient", str, str], list[dict[str, Any]]]


class GuardedClient:
    """What ddgs' engines take for their client: it sends every request through the guard.

    Args:
        net: The guard.
        loop: Where the guard works; the engine itself works in a thread.
    """

    def __init__(self, net: NetGuard, loop: asyncio.AbstractEventLoop) -> None:
        self._net = net
        self._loop = loop
        self._headers: dict[str, str] = {"User-Agent": "Mozilla/5.0 (compatible; llmspell)"}
        self._cookies: dict[str, str] = {}
        self.client = SimpleNamespace(
            headers_update=self._headers.update, set_cookies=lambda url, cookies: self._cookies.update(cookies)
        )

    def request(
        self, method: str, url: str, *, params: dict[str, Any] | None = None, data: Any = None, **_: Any
    ) -> SimpleNamespace:
        """Send a request, as ddgs' own client does."""
        headers = dict(self._headers)
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        content = None
        if data is not None:
            content = urlencode(data).encode("ascii")
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        query = {name: str(value) for name, value in (params or {}).items()} or None
        sending = self._net.request(method, url, headers=headers, params=query, content=content)
        reply: Reply = asyncio.run_coroutine_threadsafe(sending, self._loop).result()
        return SimpleNamespace(status_code=reply.status, content=reply.body, text=reply.text)

    def get(self, url: str, **options: Any) -> SimpleNamespace:
        """Get a URL."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> SimpleNamespace:
        """Post to a URL."""
        return self.request("POST", url, **options)


def engine_of(name: str, search_type: str) -> Searching:
    """Return what searches with an engine.

    Raises:
        BridgeError: ``unavailable``: ddgs is not installed; ``invalid_argument``: it has no such engine.
    """
    try:
        from ddgs.engines import ENGINES
    except ImportError as error:
        raise BridgeError(
            "searching needs the package ddgs, which is not installed",
            code="unavailable",
            hint='pip install "llmspell-toolbox[search]", or configure a SearXNG instance',
            exit_code=11,
        ) from error
    engines = ENGINES[search_type]
    if name not in engines:
        known = ", ".join(sorted(engines))
        raise BridgeError(f"there is no engine {name!r} for {search_type}; there are {known}", code="invalid_argument")
    kind: Any = engines[name]

    def searching(client: GuardedClient, query: str, region: str) -> list[dict[str, Any]]:
        engine = kind.__new__(kind)  # its __init__ would make a client that knows no guard
        engine.http_client = client
        engine.results = []
        client.client.headers_update(dict(kind.headers_update))
        try:
            found = engine.search(query, region=region)
        except LlmspellError:
            raise
        except Exception as error:
            raise BridgeError(f"{name} cannot be searched now: {error}", code="bad_response", exit_code=7) from error
        if found is None:
            raise BridgeError(f"{name} did not answer the search", code="bad_response", exit_code=7)
        return [vars(result) for result in found]

    return searching
