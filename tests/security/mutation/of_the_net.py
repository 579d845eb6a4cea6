"""Servers on loopback that nobody should reach; everything else goes to a connector that connects to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpcore2
from defences import Defence, Edit

from llmspell.errors import LlmspellError
from llmspell.guards import NetGuard, http, net
from llmspell.guards import hosts as hosts_of
from llmspell.policy import Grants

EVERYTHING = frozenset({"*"})
MOVED = "HTTP/1.1 302 Moved\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n"


async def visits_after(
    fetch: Callable[[int], Any], reply: str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
) -> int:
    """Run ``fetch(port)`` beside a server on loopback and count who came."""
    visits = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply.encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        try:
            await fetch(server.sockets[0].getsockname()[1])
        except (LlmspellError, OSError):
            return visits
    return visits


async def loopback(host: str, port: int) -> list[str]:
    """Resolve every name to loopback."""
    return ["127.0.0.1"]


def reaches(url: str) -> Callable[[Path], bool]:
    """Tell whether a URL, ``{port}`` in it, leads to a server on loopback though only public hosts are granted."""

    def attempt(_: Path) -> bool:
        guard = NetGuard(Grants(net=EVERYTHING), resolver=loopback)
        return asyncio.run(visits_after(lambda port: guard.request("GET", url.format(port=port)))) > 0

    return attempt


def asked_for(url: str, granted: frozenset[str], reply: str | None = None) -> list[str]:
    """Request a URL and return what the connector was asked to connect to; one name may be a real server."""
    asked: list[str] = []

    async def public(host: str, port: int) -> list[str]:
        return ["93.184.215.14"]

    async def attempt() -> None:
        real = 0

        async def connector(address: str, port: int, timeout: float | None) -> Any:
            if port == real:
                return await net.connect(address, port, timeout)
            asked.append(address)
            raise httpcore2.ConnectError("recorded")

        async def fetch(port: int) -> None:
            nonlocal real
            real = port
            grants = Grants(net=granted | {f"127.0.0.1:{port}"})
            await NetGuard(grants, resolver=public, connector=connector).request("GET", url.format(port=port))

        await visits_after(fetch, reply or MOVED.format("http://elsewhere.example/"))

    asyncio.run(attempt())
    return asked


def follows_anywhere(_: Path) -> bool:
    return bool(asked_for("http://127.0.0.1:{port}/", frozenset()))


def connects_to_names(_: Path) -> bool:
    (asked,) = asked_for("http://public.example/", frozenset({"public.example"}))
    return asked == "public.example"


def injects_a_header(_: Path) -> bool:
    guard = NetGuard(Grants(net=EVERYTHING))
    try:
        http._check_headers({"x": "a\r\nHost: internal"})
        guard.check_url("http://public.example/")
    except LlmspellError:
        return False
    return True


def keeps_the_credentials(_: Path) -> bool:
    """Take a header along to another origin."""
    import httpx2

    before = httpx2.Request("GET", "http://one.example/")
    after = httpx2.Request("GET", "http://two.example/", headers={"Authorization": "Bearer x"})
    return "authorization" in http._elsewhere(before, after).headers


def readable(url: str) -> Callable[[Path], bool]:
    def attempt(_: Path) -> bool:
        try:
            net.read_url(url)
        except LlmspellError:
            return False
        return True

    return attempt


DEFENCES = [
    Defence("addresses that are not public", reaches("http://127.0.0.1:{port}/"),
            (Edit(NetGuard._check_address, "refused is None or", "True or"),)),
    Defence("names that stand for such addresses", reaches("http://public.example:{port}/"),
            (Edit(NetGuard.check, "self._check_address(name, address, port)", "pass"),)),
    Defence("redirects that are checked anew", follows_anywhere,
            (Edit(NetGuard._check_host, "if not self._hosts.covers(host, port)", "if False"),)),
    Defence("connecting to the checked address", connects_to_names,
            (Edit(NetGuard.connect, "for address in addresses", "for address in [host]"),)),
    Defence("user information in a URL", readable("http://public.example@127.0.0.1/"),
            (Edit(net.read_url, 'if "@" in parts.netloc', "if False"),
             Edit(net.read_url, "host = parts.netloc", "host = parts.hostname"))),
    Defence("one spelling of addresses", readable("http://0x7f.1/"),
            (Edit(hosts_of.read_host, "if _NUMBER.fullmatch(labels[-1]) or", "if False and"),)),
    Defence("schemes other than http", readable("gopher://public.example/"),
            (Edit(net.read_url, "if parts.scheme not in _DEFAULT_PORTS", "if False"),
             Edit(net.read_url, "_DEFAULT_PORTS[parts.scheme]", "70"))),
    Defence("line ends in headers", injects_a_header,
            (Edit(http._check_headers, "if not _HEADER_VALUE.fullmatch(value)", "if False"),)),
    Defence("secrets stay with their origin", keeps_the_credentials,
            (Edit(http._elsewhere, "if name.lower() not in _SAFE_ELSEWHERE", "if False"),)),
]  # fmt: skip
