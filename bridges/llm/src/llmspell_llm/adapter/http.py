"""The HTTP clients that carry requests to models. Whoever answers them may be hostile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import httpx2

from llmspell.guards.http import BoundedBody

if TYPE_CHECKING:
    from llmspell.guards import NetGuard

READ_SECONDS = 600.0
CONNECT_SECONDS = 5.0
MAX_BODY = 64 * 1024 * 1024
"""Bytes of an answer, unpacked; a thousand times the longest text a model writes."""

_KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key")
_PLAIN_HEADERS = frozenset(
    {"accept", "accept-encoding", "anthropic-beta", "anthropic-version", "connection", "content-length",
     "content-type", "host", "transfer-encoding", "user-agent"}
)  # fmt: skip


def make_client(*, direct: bool) -> httpx2.AsyncClient:
    """Make the host's own client.

    It follows no redirects: a prompt goes where the configuration says, and nowhere else. Answers are unpacked in
    steps and counted, so that a small one cannot unfold without bound.

    Args:
        direct: Ignore the proxies of the environment; for servers on this machine.
    """
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx2.Limits(max_connections=1000, max_keepalive_connections=100),
        headers={"Accept-Encoding": "gzip"},
        follow_redirects=False,
        event_hooks={"response": [_bound]},
        trust_env=not direct,
    )


def make_guarded_client(guard: NetGuard, key: str | None) -> httpx2.AsyncClient:
    """Make a client for a server that a script named: the policy decides where it may connect.

    Args:
        guard: Asks the policy.
        key: The script's key. No other credentials leave, whatever the model libraries find in the environment of
            this process.
    """
    return guard.client(follow_redirects=False, event_hooks={"request": [_only_with(key)]})


async def _bound(answer: httpx2.Response) -> None:
    assert isinstance(answer.stream, httpx2.AsyncByteStream)
    packing = answer.headers.get("content-encoding", "")
    answer.stream = BoundedBody(answer.stream, packing, MAX_BODY)
    if packing:
        for name in ("content-encoding", "content-length"):
            if name in answer.headers:
                del answer.headers[name]


def _only_with(key: str | None) -> Callable[[httpx2.Request], Awaitable[None]]:
    async def strip(request: httpx2.Request) -> None:
        for name in list(request.headers):
            if name in _KEY_HEADERS:
                if key is None or request.headers[name].removeprefix("Bearer ") != key:
                    del request.headers[name]
            elif name not in _PLAIN_HEADERS and not name.startswith("x-stainless-"):
                del request.headers[name]

    return strip
