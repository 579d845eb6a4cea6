"""What the network guard does when it lets a request through. Real servers, on loopback, granted by name."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

httpx2 = pytest.importorskip("httpx2", reason="httpx2 is missing, which llmspell[net] brings")
import httpcore2  # noqa: E402

from llmspell.errors import BridgeError, ConfigError  # noqa: E402
from llmspell.guards import NetGuard, NetLimits  # noqa: E402
from llmspell.policy import Grants  # noqa: E402

Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    """Answer each request by ``handler(head and body, writer)``; yield the port."""

    serving_tasks: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving_tasks.add(asyncio.current_task())
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
                )
                await handler(head + await reader.readexactly(size), writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            for each in serving_tasks:  # one may wait for ever, and the server for it
                if each is not None:
                    each.cancel()


def answering(reply: bytes, seen: list[bytes] | None = None) -> Handler:
    async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
        if seen is not None:
            seen.append(request)
        writer.write(reply)

    return handle


def whole(body: bytes, *headers: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in ("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers))
    return head.encode() + b"\r\n" + body


def guard_for(port: int, **limits: float) -> NetGuard:
    return NetGuard(Grants(net=frozenset({f"127.0.0.1:{port}"})), limits=NetLimits(**limits))  # type: ignore[arg-type]


def code_of(handler: Handler, **limits: float) -> str:
    """Return the code of the failure of a request to such a server."""

    async def attempt() -> str:
        async with serving(handler) as port:
            with pytest.raises(BridgeError) as caught:
                await guard_for(port, **limits).request("GET", f"http://127.0.0.1:{port}/")
            assert caught.value.exit_code == 7
            return caught.value.code

    return asyncio.run(attempt())


def test_an_answer_comes_whole() -> None:
    async def attempt() -> None:
        seen: list[bytes] = []
        async with serving(answering(whole(b'{"a": 1}', "Content-Type: application/json", "X-Y: 1"), seen)) as port:
            reply = await guard_for(port).request(
                "post", f"http://127.0.0.1:{port}/p?x=1", headers={"X-Key": "k"}, params={"y": "2"}, content=b"body"
            )
        assert (reply.status, reply.reason, reply.body, reply.text) == (200, "OK", b'{"a": 1}', '{"a": 1}')
        assert reply.headers["x-y"] == "1"
        head = seen[0].decode()
        assert head.startswith("POST /p?")
        assert f"Host: 127.0.0.1:{port}\r\n" in head
        assert "x-key: k\r\n" in head.lower()
        assert "User-Agent: llmspell\r\n" in head
        assert head.endswith("body")

    asyncio.run(attempt())


def test_the_name_is_kept_for_the_host_header_while_the_checked_address_is_connected_to() -> None:
    async def attempt() -> None:
        seen: list[bytes] = []
        async with serving(answering(whole(b"x"), seen)) as port:

            async def resolver(host: str, asked: int) -> Sequence[str]:
                assert (host, asked) == ("db.internal", port)
                return ["127.0.0.1"]

            guard = NetGuard(Grants(net=frozenset({"db.internal"})), resolver=resolver)
            await guard.request("GET", f"http://DB.internal:{port}/")
        assert f"Host: db.internal:{port}".encode() in seen[0]

    asyncio.run(attempt())


def test_the_name_is_kept_for_tls() -> None:
    """The server notes the name its client asks for and refuses the handshake: nothing else is needed."""

    async def attempt() -> None:
        asked: list[str | None] = []

        def note(connection: object, name: str | None, context: object) -> int:
            asked.append(name)
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = note  # type: ignore[assignment]

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async def resolver(host: str, asked: int) -> Sequence[str]:
            return ["127.0.0.1"]

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            guard = NetGuard(Grants(net=frozenset({"db.internal"})), resolver=resolver)
            with pytest.raises(BridgeError) as caught:
                await guard.request("GET", f"https://db.internal:{port}/")
        assert caught.value.code == "connect_failed"
        assert asked == ["db.internal"]

    asyncio.run(attempt())


def test_the_next_address_is_tried_when_one_cannot_be_reached() -> None:
    async def attempt() -> None:
        tried: list[str] = []

        async def resolver(host: str, port: int) -> Sequence[str]:
            return ["93.184.215.14", "93.184.215.15"]

        async def connector(address: str, port: int, timeout: float | None) -> httpcore2.AsyncNetworkStream:
            tried.append(address)
            assert timeout is not None
            assert timeout <= 15
            if len(tried) == 1:
                raise httpcore2.ConnectError("unreachable")
            return httpcore2.AsyncMockStream([whole(b"hello")])

        guard = NetGuard(Grants(net=frozenset({"*"})), resolver=resolver, connector=connector)
        reply = await guard.request("GET", "http://example.org/")
        assert reply.body == b"hello"
        assert tried == ["93.184.215.14", "93.184.215.15"]

    asyncio.run(attempt())


def test_packed_answers_are_unpacked() -> None:
    async def attempt() -> None:
        packed = gzip.compress(b"one " * 50_000) + gzip.compress(b"two")
        async with serving(answering(whole(packed, "Content-Encoding: gzip"))) as port:
            guard = guard_for(port)
            reply = await guard.request("GET", f"http://127.0.0.1:{port}/")
            assert reply.body == b"one " * 50_000 + b"two"
            assert "content-encoding" not in reply.headers
            async with guard.client() as client:
                assert (await client.get(f"http://127.0.0.1:{port}/")).content == reply.body

    asyncio.run(attempt())


def test_a_small_answer_that_unfolds_without_bound_is_cut_off() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    tracemalloc.start()
    try:
        assert code_of(answering(whole(bomb, "Content-Encoding: gzip")), body=1_000_000) == "too_large"
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("body", "packing"),
    [(b"not gzip", "gzip"), (gzip.compress(b"x" * 1000)[:-9], "gzip"), (b"x", "br"), (b"x", "gzip, gzip, br")],
)
def test_damaged_and_unasked_packing_is_told(body: bytes, packing: str) -> None:
    assert code_of(answering(whole(body, f"Content-Encoding: {packing}"))) == "bad_response"


def test_a_body_over_the_limit_is_refused() -> None:
    assert code_of(answering(whole(b"x" * 1001)), body=1000) == "too_large"


def test_an_endless_body_is_refused() -> None:
    async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
            await writer.drain()

    assert code_of(handle, body=100_000) == "too_large"


@pytest.mark.parametrize(("size", "asked", "limit"), [(40, 10, 10), (100, 1000, 50), (100, None, 50)])
def test_a_smaller_limit_of_the_call_wins_and_a_larger_one_does_not(size: int, asked: int | None, limit: int) -> None:
    async def attempt() -> None:
        async with serving(answering(whole(b"x" * size))) as port:
            with pytest.raises(BridgeError, match=f"the {limit} bytes"):
                await guard_for(port, body=50).request("GET", f"http://127.0.0.1:{port}/", max_bytes=asked)

    asyncio.run(attempt())


def test_a_server_that_drips_is_given_up() -> None:
    async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    assert code_of(handle, total=0.2) == "timeout"


def test_a_server_that_says_nothing_is_given_up() -> None:
    async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    assert code_of(handle, timeout=0.1) == "timeout"


@pytest.mark.parametrize(
    "reply",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nxxxxx",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 60_000 + b"\r\n",
    ],
)
def test_what_is_not_http_is_told(reply: bytes) -> None:
    assert code_of(answering(reply)) == "bad_response"


def test_an_answer_that_breaks_off_is_told() -> None:
    async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")
        writer.close()

    assert code_of(handle) == "bad_response"


def test_a_server_that_is_not_there_is_told() -> None:
    async def attempt() -> None:
        async with serving(answering(b"")) as port:
            pass
        with pytest.raises(BridgeError) as caught:
            await guard_for(port).request("GET", f"http://127.0.0.1:{port}/")
        assert caught.value.code == "connect_failed"

    asyncio.run(attempt())


def test_redirects_are_followed_up_to_a_limit() -> None:
    async def attempt() -> None:
        paths: list[str] = []

        async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
            path = request.split()[1].decode()
            paths.append(path)
            left = int(path[1:])
            writer.write(
                f"HTTP/1.1 302 Found\r\nLocation: /{left - 1}\r\nContent-Length: 0\r\n\r\n".encode()
                if left
                else whole(b"there")
            )

        async with serving(handle) as port:
            guard = guard_for(port, redirects=3)
            reply = await guard.request("GET", f"http://127.0.0.1:{port}/3")
            assert (reply.body, reply.url) == (b"there", f"http://127.0.0.1:{port}/0")
            with pytest.raises(BridgeError) as caught:
                await guard.request("GET", f"http://127.0.0.1:{port}/4")
            assert caught.value.code == "too_many_redirects"
            paths.clear()
            unfollowed = await guard.request("GET", f"http://127.0.0.1:{port}/4", follow=False)
            assert (unfollowed.status, paths) == (302, ["/4"])

    asyncio.run(attempt())


def test_secrets_do_not_go_along_to_another_origin() -> None:
    async def attempt() -> None:
        seen: list[bytes] = []
        async with serving(answering(whole(b"x"), seen)) as other:
            moved = f"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{other}/\r\nContent-Length: 0\r\n\r\n"
            async with serving(answering(moved.encode())) as port:
                guard = NetGuard(Grants(net=frozenset({f"127.0.0.1:{port}", f"127.0.0.1:{other}"})))
                await guard.request(
                    "POST",
                    f"http://127.0.0.1:{port}/",
                    headers={"Authorization": "canary", "X-Api-Key": "canary", "Cookie": "canary", "Accept": "text/x"},
                    content=b"body",
                )
        assert b"canary" not in seen[0]
        assert b"text/x" in seen[0]

    asyncio.run(attempt())


def test_a_text_is_read_in_its_charset() -> None:
    async def text(body: bytes, kind: str) -> str:
        async with serving(answering(whole(body, f"Content-Type: {kind}"))) as port:
            return (await guard_for(port).request("GET", f"http://127.0.0.1:{port}/")).text

    assert asyncio.run(text(b"\xfc", "text/plain; charset=latin-1")) == "ü"
    assert asyncio.run(text("ü".encode(), "text/plain")) == "ü"
    assert asyncio.run(text(b"\xff", "text/plain")) == "\ufffd"
    assert asyncio.run(text(b"x", "text/plain; charset=nonsense")) == "x"


def test_a_client_raises_the_errors_a_library_expects_of_httpx() -> None:
    async def attempt() -> None:
        async with serving(answering(b"")) as port:
            pass
        async with guard_for(port).client() as client:
            with pytest.raises(httpx2.ConnectError):
                await client.get(f"http://127.0.0.1:{port}/")

    asyncio.run(attempt())


def test_a_client_streams() -> None:
    async def attempt() -> None:
        async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for part in (b"data: 1\n\n", b"data: 2\n\n"):
                writer.write(b"%x\r\n%s\r\n" % (len(part), part))
                await writer.drain()
            writer.write(b"0\r\n\r\n")

        async with serving(handle) as port, guard_for(port).client() as client:
            async with client.stream("GET", f"http://127.0.0.1:{port}/") as answer:
                assert [line async for line in answer.aiter_lines() if line] == ["data: 1", "data: 2"]

    asyncio.run(attempt())


def test_a_grant_that_is_no_host_is_told_to_its_owner() -> None:
    guard = NetGuard(Grants(net=frozenset({"http://example.org/"})))
    with pytest.raises(ConfigError, match=r"http://example\.org/"):
        guard.allows("example.org", 80)


def test_importing_the_guards_brings_no_http_library() -> None:
    import subprocess
    import sys

    code = (
        "import llmspell.guards, sys; print([m for m in ('httpx2', 'httpcore2', 'anyio', 'ssl') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() in ("[]", "['ssl']")


def test_without_the_library_a_request_says_what_is_missing() -> None:
    import subprocess
    import sys

    code = (
        "import asyncio, sys\n"
        "sys.modules['httpx2'] = None\n"
        "from llmspell.guards import NetGuard\n"
        "from llmspell.policy import Grants\n"
        "try: asyncio.run(NetGuard(Grants()).request('GET', 'http://x/'))\n"
        "except Exception as error: print(type(error).__name__, error.code, error.hint)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == 'BridgeError unavailable pip install "llmspell[net]"'
