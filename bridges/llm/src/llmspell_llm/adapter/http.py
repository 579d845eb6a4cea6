"""The HTTP clients that carry requests to models."""

from __future__ import annotations

import httpx2

READ_SECONDS = 600.0
CONNECT_SECONDS = 5.0


def make_client(*, direct: bool) -> httpx2.AsyncClient:
    """Make a client.

    Args:
        direct: Ignore the proxies of the environment; for servers on this machine.
    """
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx2.Limits(max_connections=1000, max_keepalive_connections=100),
        trust_env=not direct,
    )
