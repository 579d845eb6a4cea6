"""``NetGuard``: the one way to the network."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from llmspell.errors import BridgeError, PolicyDeniedError
from llmspell.guards.addresses import Address, is_local, refusal_of
from llmspell.guards.hosts import HostGrants, HostName, read_host
from llmspell.policy import Grants

if TYPE_CHECKING:
    import httpcore2
    import httpx2

    from llmspell.guards.http import Reply

NETWORK = 7
"""Exit code of errors of the network."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORBIDDEN_IN_URL = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff]")


class Resolver(Protocol):
    """Turns a host name into addresses; asked once per connection."""

    async def __call__(self, host: str, port: int, /) -> Sequence[str]: ...


class Connector(Protocol):
    """Opens a TCP connection to an address that was checked. It never sees a name."""

    async def __call__(self, address: str, port: int, timeout: float | None, /) -> httpcore2.AsyncNetworkStream: ...


@dataclass(frozen=True, slots=True)
class NetLimits:
    """Bounds of one request.

    Attributes:
        timeout: Seconds any single step (connect, read, write) may wait.
        total: Seconds of a whole request with its redirects and body; for :meth:`NetGuard.request` only.
        body: Bytes of a response's body, unpacked.
        redirects: How many are followed.
    """

    timeout: float = 30.0
    total: float = 120.0
    body: int = 16 * 1024 * 1024
    redirects: int = 5


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def connect(address: str, port: int, timeout: float | None) -> httpcore2.AsyncNetworkStream:
    """Open a real connection."""
    import httpcore2

    return await httpcore2.AnyIOBackend().connect_tcp(address, port, timeout=timeout)


class NetGuard:
    """Connect only to hosts that ``Grants.net`` covers, at addresses that were checked.

    A host must be granted. It is then resolved once, every address it has must be public (see
    :func:`~llmspell.guards.addresses.refusal_of`), and the connection goes to one of exactly these addresses, with
    the name kept for TLS and the Host header. Redirects start over. Addresses that are not public need a grant of
    their own, literally; ``localhost`` and names that only a private network can define stand for loopback and
    private addresses when they are granted literally. No proxy settings of the environment are followed.

    Args:
        grants: What is granted.
        limits: Bounds of one request.
        resolver: Tests put one here that lies.
        connector: Tests put one here that records.

    Example:
        >>> NetGuard(Grants(net=frozenset({"*.example.org"}))).allows("api.example.org", 443)
        True
    """

    def __init__(
        self,
        grants: Grants,
        *,
        limits: NetLimits = NetLimits(),
        resolver: Resolver = resolve,
        connector: Connector = connect,
    ) -> None:
        self.limits = limits
        self._hosts = HostGrants(grants.net)
        self._resolver = resolver
        self._connector = connector

    def allows(self, host: str, port: int) -> bool:
        """Tell whether a host is granted, by its name; its addresses are checked when it is connected to.

        Raises:
            BridgeError: ``invalid_url``: it is no host.
        """
        return self._hosts.covers(read_host(host), port)

    def check_url(self, url: str) -> None:
        """Check the text of a URL: one way to read it, http or https, no user information, a granted host.

        Raises:
            BridgeError: ``invalid_url``.
            PolicyDeniedError: The host is not granted, or its address is not public.
        """
        host, port = read_url(url)
        self._check_host(host, port)

    async def check(self, host: str, port: int) -> tuple[str, ...]:
        """Check a host and return the addresses that may be connected to in its place.

        Raises:
            PolicyDeniedError: The host is not granted, or one of its addresses is not public.
            BridgeError: ``invalid_url``; ``host_not_found``.
        """
        name = read_host(host)
        self._check_host(name, port)
        if name.address is not None:
            return (name.text,)
        try:
            found = await self._resolver(name.text, port)
            addresses = [ipaddress.ip_address(text) for text in found]
        except (OSError, UnicodeError) as error:
            raise BridgeError(
                f"there is no host named {name.text!r}", code="host_not_found", exit_code=NETWORK
            ) from error
        except ValueError as error:
            raise BridgeError(
                f"the resolver gave no address for {name.text!r}", code="host_not_found", exit_code=NETWORK
            ) from error
        if not addresses:
            raise BridgeError(f"{name.text!r} has no address", code="host_not_found", exit_code=NETWORK)
        for address in addresses:
            self._check_address(name, address, port)
        return tuple(map(str, addresses))

    async def connect(self, host: str, port: int, timeout: float | None = None) -> httpcore2.AsyncNetworkStream:
        """Connect to a granted host at one of its checked addresses, trying each in turn.

        Raises:
            PolicyDeniedError, BridgeError: As :meth:`check`.
            httpcore2.ConnectError, httpcore2.ConnectTimeout: None of them could be reached.
        """
        import httpcore2

        addresses = await self.check(host, port)
        timeout = self.limits.timeout if timeout is None else min(timeout, self.limits.timeout)
        share = timeout / len(addresses)
        failure: Exception | None = None
        for address in addresses:
            try:
                return await self._connector(address, port, share)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    def client(self, **options: Any) -> httpx2.AsyncClient:
        """Return an HTTP client, for libraries that take one, which can reach nothing but granted hosts.

        Close it. Its bodies are bounded by ``limits.body``, its steps by ``limits.timeout``.

        Args:
            options: Of ``httpx2.AsyncClient``; but ``transport``, ``proxy``, ``mounts`` and ``trust_env`` are ours.
        """
        client: httpx2.AsyncClient = _http().make_client(self, options)
        return client

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout: float | None = None,
        max_bytes: int | None = None,
        follow: bool = True,
    ) -> Reply:
        """Send one request and read its whole answer.

        Args:
            headers: Sent along, but on a redirect to another origin only the harmless ones.
            timeout: Seconds in all, at most ``limits.total``.
            max_bytes: Of the body, at most ``limits.body``.
            follow: Follow redirects, each checked like the first address.

        Raises:
            PolicyDeniedError: The host, or one it redirects to, is not allowed.
            BridgeError: ``invalid_url``, ``invalid_argument``, ``host_not_found``, ``connect_failed``, ``timeout``,
                ``too_large``, ``too_many_redirects``, ``bad_response``.
        """
        reply: Reply = await _http().send(self, method, url, headers or {}, params, content, timeout, max_bytes, follow)
        return reply

    def _check_host(self, host: HostName, port: int) -> None:
        if not 0 < port < 65536:
            raise BridgeError(f"{port} is no port", code="invalid_url", exit_code=NETWORK)
        if not self._hosts.covers(host, port):
            raise PolicyDeniedError(
                f"the policy does not allow connecting to {host.text!r}", hint=f"grant it: --allow-net {host.text}"
            )
        if host.address is not None:
            self._check_address(host, host.address, port)

    def _check_address(self, host: HostName, address: Address, port: int) -> None:
        refused = refusal_of(address)
        if refused is None or self._hosts.names(str(address), port):
            return
        if host.is_local_name and is_local(address) and self._hosts.names(host.text, port):
            return
        what = "is" if host.address is not None else "stands for"
        raise PolicyDeniedError(
            f"the policy does not allow connecting to {host.text!r}: it {what} no public address ({refused})",
            hint="grant the address itself with --allow-net, if that is meant",
        )


def _http() -> ModuleType:
    """Import the HTTP face, and with it the library that core does not require."""
    try:
        from llmspell.guards import http
    except ImportError as error:
        raise BridgeError(
            "requests need the package httpx2, which is not installed",
            code="unavailable",
            hint='pip install "llmspell[net]"',
            exit_code=11,
        ) from error
    return http


def read_url(url: str) -> tuple[HostName, int]:
    """Read the host and port of a URL in exactly one way.

    Raises:
        BridgeError: ``invalid_url``: another scheme than http and https, user information, blanks, control
            characters or backslashes, an unusual host, or no port that exists.
    """
    if found := _FORBIDDEN_IN_URL.search(url):
        raise _bad_url(url, f"it holds the character {found[0]!r}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad_url(url, "it cannot be read") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise _bad_url(url, "only http and https are possible")
    if "@" in parts.netloc:
        raise _bad_url(url, "it holds user information")
    host = parts.netloc
    if port is not None or host.endswith(":"):
        host = host.rpartition(":")[0]
    return read_host(host), _DEFAULT_PORTS[parts.scheme] if port is None else port


def _bad_url(url: str, reason: str) -> BridgeError:
    shown = url if len(url) <= 200 else url[:197] + "..."
    return BridgeError(f"the URL {shown!r} is refused: {reason}", code="invalid_url", exit_code=NETWORK)
