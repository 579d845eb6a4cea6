"""HTTP through a :class:`~llmspell.guards.NetGuard`: a transport whose every connection and body is checked.

Loaded on first use only, since it brings httpx2.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import httpcore2
import httpx2

from llmspell.errors import BridgeError, PolicyDeniedError
from llmspell.guards.net import NETWORK, read_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmspell.guards.net import NetGuard

_STEP = 64 * 1024
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "keep-alive",
     "accept-encoding", "expect"}
)  # fmt: skip
_SAFE_ELSEWHERE = frozenset({"accept", "accept-language", "user-agent", "content-type", "content-length", "host"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one request.

    Attributes:
        url: Where it came from, after redirects.
        headers: Names in lower case; values of one name joined by commas.
    """

    status: int
    reason: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, in the charset it declares, UTF-8 else; bytes that do not fit become U+FFFD."""
        declared = re.search(r"charset=[\"']?([\w.:-]+)", self.headers.get("content-type", ""), re.ASCII)
        try:
            return self.body.decode(declared[1] if declared else "utf-8", "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")


class _Backend(httpcore2.AsyncNetworkBackend):
    """Where httpcore2 asks for connections: it gets them from the guard."""

    def __init__(self, guard: NetGuard) -> None:
        self._guard = guard

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        return await self._guard.connect(host, port, timeout)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        raise PolicyDeniedError("the policy does not allow connecting to local sockets")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Checks each request's URL, connects through the guard, and bounds the body.

    Only gzip is offered and unpacked here, in steps, so that a small answer cannot unfold without bound.
    """

    def __init__(self, guard: NetGuard) -> None:
        self._guard = guard
        self._pool = httpcore2.AsyncConnectionPool(network_backend=_Backend(guard), http1=True, http2=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._guard.check_url(str(request.url))
        assert isinstance(request.stream, httpx2.AsyncByteStream)
        headers = [
            (name, value) for name, value in request.headers.raw if name.lower() not in (b"host", b"accept-encoding")
        ]
        extensions = {"timeout": request.extensions.get("timeout", {})}
        with _as_httpx():
            answer = await self._pool.handle_async_request(
                httpcore2.Request(
                    method=request.method,
                    url=httpcore2.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=[(b"Host", request.url.netloc), (b"Accept-Encoding", b"gzip"), *headers],
                    content=request.stream,
                    extensions=extensions,
                )
            )
        packed = b",".join(value for name, value in answer.headers if name.lower() == b"content-encoding")
        stream: Any = answer.stream
        body = BoundedBody(stream, packed.decode("ascii", "replace"), self._guard.limits.body)
        kept = [(n, v) for n, v in answer.headers if not (packed and n.lower() in _PACKED_HEADERS)]
        return httpx2.Response(answer.status, headers=kept, stream=body, extensions=answer.extensions)

    async def aclose(self) -> None:
        await self._pool.aclose()


_PACKED_HEADERS = (b"content-encoding", b"content-length")


class BoundedBody(httpx2.AsyncByteStream):
    """A response's body, unpacked and counted.

    Args:
        stream: As it comes from the network.
        packing: What the header ``Content-Encoding`` says; only gzip is unpacked.
        limit: Bytes of the unpacked body; one more is an error.
    """

    def __init__(self, stream: AsyncIterable[bytes], packing: str, limit: int) -> None:
        self._stream = stream
        self._packing = packing.strip().lower()
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._packing not in ("", "identity", "gzip", "x-gzip"):
            raise BridgeError(
                f"the answer is packed as {self._packing!r}, which was not asked for",
                code="bad_response",
                exit_code=NETWORK,
            )
        size = 0
        with _as_httpx():
            async for part in _unzip(self._stream) if "gzip" in self._packing else self._stream:
                size += len(part)
                if size > self._limit:
                    raise BridgeError(
                        f"the answer is larger than the {self._limit:,} bytes allowed",
                        code="too_large",
                        exit_code=NETWORK,
                    )
                yield part

    async def aclose(self) -> None:
        if hasattr(self._stream, "aclose"):
            await self._stream.aclose()


async def _unzip(stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    unpacker = zlib.decompressobj(31)
    started = False
    async for data in stream:
        rest = data
        while True:
            started = True
            try:
                out = unpacker.decompress(rest, _STEP)
            except zlib.error:
                raise _broken("the packed answer is damaged") from None
            if out:
                yield out
            if unpacker.eof:
                rest, unpacker, started = unpacker.unused_data, zlib.decompressobj(31), False
                if not rest:
                    break
            else:
                rest = unpacker.unconsumed_tail
                if not rest and len(out) < _STEP:
                    break
    if started:
        raise _broken("the packed answer ends early")


def _broken(message: str) -> BridgeError:
    return BridgeError(message, code="bad_response", exit_code=NETWORK)


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Turn httpcore2's errors into the httpx2 errors of the same name, which libraries expect of a transport."""
    try:
        yield
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        kind = getattr(httpx2, type(error).__name__, httpx2.TransportError)
        raise kind(str(error)) from error
    except (httpcore2.UnsupportedProtocol, httpcore2.ProxyError) as error:
        raise httpx2.UnsupportedProtocol(str(error)) from error


def make_client(guard: NetGuard, options: Mapping[str, Any]) -> httpx2.AsyncClient:
    """Make the client that :meth:`NetGuard.client` returns.

    Raises:
        TypeError: An option that would lead around the guard.
    """
    around = {"transport", "proxy", "mounts", "trust_env", "verify", "cert", "app"} & options.keys()
    if around:
        raise TypeError(f"a guarded client does not take {', '.join(sorted(around))}")
    return httpx2.AsyncClient(
        **{
            "timeout": guard.limits.timeout,
            "follow_redirects": True,
            "max_redirects": guard.limits.redirects,
            **options,
            "headers": {"User-Agent": "llmspell", **(options.get("headers") or {})},
            "transport": GuardedTransport(guard),
            "trust_env": False,
        }
    )


async def send(
    guard: NetGuard,
    method: str,
    url: str,
    headers: Mapping[str, str],
    params: Mapping[str, str] | None,
    content: bytes | None,
    timeout: float | None,
    max_bytes: int | None,
    follow: bool,
) -> Reply:
    """Do what :meth:`NetGuard.request` promises."""
    read_url(url)
    verb = method.upper()
    if verb not in _METHODS:
        raise BridgeError(f"{method!r} is no method that can be sent", code="invalid_argument")
    _check_headers(headers)
    seconds = guard.limits.total if timeout is None else min(timeout, guard.limits.total)
    most = guard.limits.body if max_bytes is None else min(max_bytes, guard.limits.body)
    try:
        async with asyncio.timeout(seconds), guard.client(follow_redirects=False) as client:
            request = client.build_request(verb, url, headers=dict(headers), params=params, content=content)
            for _ in range(guard.limits.redirects + 1):
                answer = await client.send(request, stream=True)
                try:
                    if not (follow and answer.next_request is not None):
                        return await _read(answer, most)
                    request = _elsewhere(request, answer.next_request)
                finally:
                    await answer.aclose()
            raise BridgeError(
                f"the answer redirects more than {guard.limits.redirects} times",
                code="too_many_redirects",
                exit_code=NETWORK,
            )
    except TimeoutError:
        raise BridgeError(f"no complete answer within {seconds:g} s", code="timeout", exit_code=NETWORK) from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        _raise_plain(error)


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise BridgeError(f"{name!r} is no header name", code="invalid_argument")
        if name.lower() in _OURS or name.lower().startswith("proxy-"):
            raise BridgeError(f"the header {name!r} is set by llmspell alone", code="invalid_argument")
        if not _HEADER_VALUE.fullmatch(value):
            raise BridgeError(f"the value of header {name!r} holds characters no header may hold",
                              code="invalid_argument")  # fmt: skip


def _elsewhere(before: httpx2.Request, after: httpx2.Request) -> httpx2.Request:
    """Take along to another origin only headers that cannot be a secret."""
    if (before.url.scheme, before.url.host, before.url.port) != (after.url.scheme, after.url.host, after.url.port):
        for name in [name for name in after.headers if name.lower() not in _SAFE_ELSEWHERE]:
            del after.headers[name]
    return after


async def _read(answer: httpx2.Response, most: int) -> Reply:
    body = bytearray()
    async for part in answer.aiter_raw():
        body += part
        if len(body) > most:
            raise BridgeError(
                f"the answer is larger than the {most:,} bytes allowed", code="too_large", exit_code=NETWORK
            )
    return Reply(answer.status_code, answer.reason_phrase, str(answer.url), dict(answer.headers.items()), bytes(body))


def _raise_plain(error: httpx2.HTTPError | httpx2.InvalidURL) -> NoReturn:
    """Say in plain words what went wrong, without addresses."""
    code, message = "bad_response", "the server's answer cannot be understood"
    if isinstance(error, httpx2.InvalidURL):
        code, message = "invalid_url", "the URL cannot be read"
    elif isinstance(error, httpx2.TimeoutException):
        code, message = "timeout", "the server did not answer in time"
    elif isinstance(error, httpx2.ConnectError):
        code, message = "connect_failed", "the server cannot be connected to"
    elif isinstance(error, httpx2.NetworkError):
        code, message = "connection_lost", "the connection broke off"
    elif isinstance(error, httpx2.LocalProtocolError):
        code, message = "invalid_argument", "the request is not valid HTTP"
    elif isinstance(error, httpx2.UnsupportedProtocol):
        code, message = "invalid_url", "only http and https are possible"
    raise BridgeError(message, code=code, exit_code=NETWORK) from error
