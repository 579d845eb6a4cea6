"""Addresses a hostile script or server may ask to be connected to, each with the code of its refusal.

Nothing leaves the machine even if the guard is broken: forms of loopback go to a live listener on loopback, which
must see no connection; everything else goes to a connector that records the attempt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpcore2
import pytest

from llmspell.errors import BridgeError, LlmspellError, PolicyDeniedError
from llmspell.guards import NetGuard
from llmspell.policy import Grants

PUBLIC = "93.184.215.14"
EVERYTHING = frozenset({"*"})


@dataclass
class Recorder:
    """A connector that connects to nothing."""

    attempts: list[tuple[str, int]] = field(default_factory=list)

    async def __call__(self, address: str, port: int, timeout: float | None) -> httpcore2.AsyncNetworkStream:
        self.attempts.append((address, port))
        raise httpcore2.ConnectError("recorded")


@dataclass
class Names:
    """A resolver that says what it is told to, each answer once and the last for ever."""

    answers: dict[str, list[Sequence[str]]]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        known = self.answers.get(host)
        if known is None:
            raise OSError("no such host")
        return known.pop(0) if len(known) > 1 else known[0]


@dataclass
class Listener:
    """A server on loopback that counts who comes."""

    port: int = 0
    visits: list[bytes] = field(default_factory=list)
    reply: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits.append(b"")
        self.visits[-1] = await reader.readuntil(b"\r\n\r\n")
        writer.write(self.reply)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening(reply: bytes | None = None) -> AsyncIterator[Listener]:
    listener = Listener()
    if reply is not None:
        listener.reply = reply
    hosts = ["127.0.0.1"]
    server = await asyncio.start_server(listener.serve, hosts, 0)
    listener.port = server.sockets[0].getsockname()[1]
    async with server:
        yield listener


LOOPBACK_FORMS = {
    "http://127.0.0.1:{port}/": "denied",
    "http://127.0.0.2:{port}/": "denied",
    "http://127.255.255.254:{port}/": "denied",
    "http://0.0.0.0:{port}/": "denied",
    "http://localhost:{port}/": "denied",
    "http://LOCALHOST:{port}/": "denied",
    "http://LocalHost:{port}/": "denied",
    "http://localhost.:{port}/": "invalid_url",
    "http://foo.localhost:{port}/": "denied",
    "http://127.0.0.1.:{port}/": "invalid_url",
    "http://2130706433:{port}/": "invalid_url",
    "http://017700000001:{port}/": "invalid_url",
    "http://0x7f000001:{port}/": "invalid_url",
    "http://0X7F000001:{port}/": "invalid_url",
    "http://0x7f.0.0.1:{port}/": "invalid_url",
    "http://0x7f.1:{port}/": "invalid_url",
    "http://0177.0.0.1:{port}/": "invalid_url",
    "http://0177.1:{port}/": "invalid_url",
    "http://127.1:{port}/": "invalid_url",
    "http://127.0.1:{port}/": "invalid_url",
    "http://127.0.0.01:{port}/": "invalid_url",
    "http://127.0.0.0x1:{port}/": "invalid_url",
    "http://127.000.000.001:{port}/": "invalid_url",
    "http://0:{port}/": "invalid_url",
    "http://0x:{port}/": "invalid_url",
    "http://127.0.0.1%00.example.org:{port}/": "invalid_url",
    "http://%31%32%37.0.0.1:{port}/": "invalid_url",
    "http://127%2e0%2e0%2e1:{port}/": "invalid_url",
    "http://127。0。0。1:{port}/": "invalid_url",
    "http://127．0．0．1:{port}/": "invalid_url",
    "http://１２７.0.0.1:{port}/": "invalid_url",
    "http://①②⑦.⓪.⓪.①:{port}/": "invalid_url",
    "http://ⓛocalhost:{port}/": "invalid_url",
    "http://ｌocalhost:{port}/": "invalid_url",
    "http://loc\u00adalhost:{port}/": "invalid_url",
    "http://loc\u200balhost:{port}/": "invalid_url",
    "http://[::1]:{port}/": "denied",
    "http://[0:0:0:0:0:0:0:1]:{port}/": "denied",
    "http://[0000::0001]:{port}/": "denied",
    "http://[::]:{port}/": "denied",
    "http://[::ffff:127.0.0.1]:{port}/": "denied",
    "http://[::ffff:7f00:1]:{port}/": "denied",
    "http://[0:0:0:0:0:ffff:7f00:0001]:{port}/": "denied",
    "http://[::127.0.0.1]:{port}/": "denied",
    "http://[::ffff:0:127.0.0.1]:{port}/": "denied",
    "http://[64:ff9b::127.0.0.1]:{port}/": "denied",
    "http://[64:ff9b::7f00:1]:{port}/": "denied",
    "http://[64:ff9b:1::7f00:1]:{port}/": "denied",
    "http://[2002:7f00:1::]:{port}/": "denied",
    "http://[2002:7f00:0001::7f00:1]:{port}/": "denied",
    "http://[2001:0:7f00:1::]:{port}/": "denied",
    "http://[2001::80ff:fffe]:{port}/": "denied",
    "http://[2001:db8::5efe:7f00:1]:{port}/": "denied",
    "http://[2a00:1450::5efe:127.0.0.1]:{port}/": "denied",
    "http://[::1%25lo]:{port}/": "invalid_url",
    "http://[fe80::1%25lo]:{port}/": "invalid_url",
    "http://[::1:{port}/": "invalid_url",
    "http://::1:{port}/": "invalid_url",
    "http://api.example.org@127.0.0.1:{port}/": "invalid_url",
    "http://api.example.org:80@127.0.0.1:{port}/": "invalid_url",
    "http://@127.0.0.1:{port}/": "invalid_url",
    "http://127.0.0.1:{port}@api.example.org/": "invalid_url",
    "http://api.example.org\\@127.0.0.1:{port}/": "invalid_url",
    "http://127.0.0.1:{port}\\@api.example.org/": "invalid_url",
    "http://api.example.org%40127.0.0.1:{port}/": "invalid_url",
    "http://127.0.0.1:{port}#@api.example.org/": "denied",
    "http://127.0.0.1:{port}?@api.example.org/": "denied",
    "http://127.0.0.1:{port}/@api.example.org/": "denied",
    "http:127.0.0.1:{port}/": "invalid_url",
    "http:/127.0.0.1:{port}/": "invalid_url",
    "http:///127.0.0.1:{port}/": "invalid_url",
    "//127.0.0.1:{port}/": "invalid_url",
    "127.0.0.1:{port}/": "invalid_url",
    " http://127.0.0.1:{port}/": "invalid_url",
    "http://127.0.0.1 :{port}/": "invalid_url",
    "http://127.0.0.1\t:{port}/": "invalid_url",
    "http://127.0\n.0.1:{port}/": "invalid_url",
    "http://127.0.0.1\r\nHost: api.example.org:{port}/": "invalid_url",
    "http://127.0.0.1\x00:{port}/": "invalid_url",
    "https://127.0.0.1:{port}/": "denied",
    "ftp://127.0.0.1:{port}/": "invalid_url",
    "file://127.0.0.1:{port}/etc/passwd": "invalid_url",
    "gopher://127.0.0.1:{port}/_x": "invalid_url",
    "ws://127.0.0.1:{port}/": "invalid_url",
    "unix://127.0.0.1:{port}/": "invalid_url",
    "jar:http://127.0.0.1:{port}/!/": "invalid_url",
}
LYING_ANSWERS = (
    "127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "127.8.8.8", "64:ff9b::7f00:1", "2002:7f00:1::", "::",
)  # fmt: skip
ELSEWHERE = {
    "http://10.0.0.1/": "denied",
    "http://10.255.255.255/": "denied",
    "http://172.16.0.1/": "denied",
    "http://172.31.255.254/": "denied",
    "http://192.168.1.1/": "denied",
    "http://100.64.0.1/": "denied",
    "http://100.127.255.254/": "denied",
    "http://169.254.0.1/": "denied",
    "http://169.254.169.254/latest/meta-data/": "denied",
    "http://169.254.170.2/v2/credentials": "denied",
    "http://2852039166/latest/meta-data/": "invalid_url",
    "http://0xa9fea9fe/": "invalid_url",
    "http://0251.0376.0251.0376/": "invalid_url",
    "http://[::ffff:169.254.169.254]/": "denied",
    "http://[::ffff:a9fe:a9fe]/": "denied",
    "http://[64:ff9b::a9fe:a9fe]/": "denied",
    "http://[2002:a9fe:a9fe::1]/": "denied",
    "http://[fd00:ec2::254]/": "denied",
    "http://100.100.100.200/": "denied",
    "http://168.63.129.16/": "denied",
    "http://192.0.0.170/": "denied",
    "http://192.0.2.1/": "denied",
    "http://192.88.99.1/": "denied",
    "http://198.18.0.1/": "denied",
    "http://198.51.100.1/": "denied",
    "http://203.0.113.1/": "denied",
    "http://224.0.0.1/": "denied",
    "http://239.255.255.250/": "denied",
    "http://240.0.0.1/": "denied",
    "http://255.255.255.255/": "denied",
    "http://0.0.0.1/": "denied",
    "http://[fe80::1]/": "denied",
    "http://[fec0::1]/": "denied",
    "http://[fc00::1]/": "denied",
    "http://[fdff::1]/": "denied",
    "http://[ff02::1]/": "denied",
    "http://[100::1]/": "denied",
    "http://[2001:db8::1]/": "denied",
    "http://[2001:10::1]/": "denied",
    "http://[3fff::1]/": "denied",
    "http://[5f00::1]/": "denied",
    "http://[4000::1]/": "denied",
    "http://[::8.8.8.8]/": "denied",
    "http://[::ffff:8.8.8.8]/": "denied",
    "http://api.example.org:0/": "invalid_url",
    "http://api.example.org:65536/": "invalid_url",
    "http://api.example.org:-80/": "invalid_url",
    "http://api.example.org:８０/": "invalid_url",
    "http://api.example.org:80:80/": "invalid_url",
    "http://-api.example.org/": "invalid_url",
    "http://api..example.org/": "invalid_url",
    "http://.example.org/": "invalid_url",
    "http://api example.org/": "invalid_url",
    "http://" + "a" * 64 + ".org/": "invalid_url",
    "http://" + "a." * 130 + "org/": "invalid_url",
    "http:///": "invalid_url",
    "http://": "invalid_url",
    "": "invalid_url",
    "javascript:alert(1)": "invalid_url",
    "data:text/html,x": "invalid_url",
    "http://absent.example.org/": "host_not_found",
}


def shown(url: str) -> str:
    return ascii(url)[:60]


def refused(caught: pytest.ExceptionInfo[LlmspellError], code: str) -> None:
    assert caught.value.code == code
    assert isinstance(caught.value, PolicyDeniedError if code == "denied" else BridgeError)


@pytest.mark.parametrize(("url", "code"), LOOPBACK_FORMS.items(), ids=map(shown, LOOPBACK_FORMS))
def test_no_form_of_loopback_reaches_a_listener(url: str, code: str) -> None:
    async def attempt() -> None:
        # What the system's resolver would make of the names among the forms.
        names = Names({"localhost": [["127.0.0.1"]], "foo.localhost": [["127.0.0.1"]]})
        async with listening() as listener:
            guard = NetGuard(Grants(net=EVERYTHING), resolver=names)
            with pytest.raises(LlmspellError) as caught:
                await guard.request("GET", url.replace("{port}", str(listener.port)))
            refused(caught, code)
            async with guard.client() as client:
                with pytest.raises(Exception):  # noqa: B017 - a library may refuse the URL in its own words first
                    await client.get(url.replace("{port}", str(listener.port)))
            assert listener.visits == []

    asyncio.run(attempt())


@pytest.mark.parametrize("answer", LYING_ANSWERS)
@pytest.mark.parametrize("granted", ["*", "api.example.org", "*.example.org", "api.example.org:{port}"])
def test_a_resolver_that_lies_reaches_no_listener(answer: str, granted: str) -> None:
    async def attempt() -> None:
        async with listening() as listener:
            guard = NetGuard(
                Grants(net=frozenset({granted.replace("{port}", str(listener.port))})),
                resolver=Names({"api.example.org": [[answer]]}),
            )
            with pytest.raises(PolicyDeniedError) as caught:
                await guard.request("GET", f"http://api.example.org:{listener.port}/")
            assert listener.visits == []
            assert answer not in f"{caught.value.message} {caught.value.hint}", "the script learns an inner address"

    asyncio.run(attempt())


@pytest.mark.parametrize(("url", "code"), ELSEWHERE.items(), ids=map(shown, ELSEWHERE))
def test_no_connection_is_tried_to_what_is_not_public(url: str, code: str) -> None:
    async def attempt() -> None:
        recorder = Recorder()
        guard = NetGuard(Grants(net=EVERYTHING), resolver=Names({"api.example.org": [[PUBLIC]]}), connector=recorder)
        with pytest.raises(LlmspellError) as caught:
            await guard.request("GET", url)
        refused(caught, code)
        assert recorder.attempts == []

    asyncio.run(attempt())


@pytest.mark.parametrize("answer", ["10.0.0.1", "169.254.169.254", "fd00:ec2::254", "fe80::1", "100.64.0.1", "fc00::1"])
@pytest.mark.parametrize("answers", [1, 2], ids=["alone", "beside-a-public-one"])
def test_one_address_that_is_not_public_spoils_the_host(answer: str, answers: int) -> None:
    async def attempt() -> None:
        recorder = Recorder()
        names = Names({"api.example.org": [[PUBLIC, answer][-answers:]]})
        guard = NetGuard(Grants(net=EVERYTHING), resolver=names, connector=recorder)
        with pytest.raises(PolicyDeniedError):
            await guard.request("GET", "http://api.example.org/")
        assert recorder.attempts == []

    asyncio.run(attempt())


def test_a_name_that_changes_its_address_is_asked_once_and_the_checked_address_is_used() -> None:
    async def attempt() -> None:
        recorder = Recorder()
        names = Names({"api.example.org": [[PUBLIC], ["127.0.0.1"]]})
        guard = NetGuard(Grants(net=EVERYTHING), resolver=names, connector=recorder)
        with pytest.raises(BridgeError):
            await guard.request("GET", "http://api.example.org/")
        assert recorder.attempts == [(PUBLIC, 80)]
        assert names.asked == ["api.example.org"]

    asyncio.run(attempt())


REDIRECTS = {
    "http://127.0.0.1:{other}/": "denied",
    "http://localhost:{other}/": "denied",
    "//127.0.0.1:{other}/": "denied",
    "http://[::ffff:127.0.0.1]:{other}/": "denied",
    "http://2130706433:{other}/": "invalid_url",
    "http://user@127.0.0.1:{other}/": "invalid_url",
    "http://api.example.org:{other}/": "denied",
    "http://169.254.169.254/": "denied",
    "file:///etc/passwd": "invalid_url",
    "gopher://127.0.0.1:{other}/": "invalid_url",
    "https://127.0.0.1:{other}/": "denied",
}


@pytest.mark.parametrize(("target", "code"), REDIRECTS.items(), ids=map(shown, REDIRECTS))
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_redirect_is_checked_anew(target: str, code: str, status: int) -> None:
    async def attempt() -> None:
        async with listening() as other:
            location = target.replace("{other}", str(other.port))
            reply = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
            async with listening(reply.encode()) as first:
                guard = NetGuard(
                    Grants(net=frozenset({"*", f"127.0.0.1:{first.port}"})),
                    resolver=Names({"localhost": [["127.0.0.1"]], "api.example.org": [["127.0.0.1"]]}),
                )
                with pytest.raises(LlmspellError) as caught:
                    await guard.request("GET", f"http://127.0.0.1:{first.port}/")
                refused(caught, code)
                assert len(first.visits) == 1
                assert other.visits == []

    asyncio.run(attempt())


def test_a_client_for_libraries_checks_redirects_too() -> None:
    async def attempt() -> None:
        async with listening() as other:
            reply = f"HTTP/1.1 302 F\r\nLocation: http://127.0.0.1:{other.port}/\r\nContent-Length: 0\r\n\r\n"
            async with listening(reply.encode()) as first:
                guard = NetGuard(Grants(net=frozenset({f"127.0.0.1:{first.port}"})))
                async with guard.client() as client:
                    with pytest.raises(PolicyDeniedError):
                        await client.get(f"http://127.0.0.1:{first.port}/")
                assert other.visits == []

    asyncio.run(attempt())


NOT_GRANTED = {
    "http://other.org/": {"api.example.org"},
    "http://example.org/": {"*.example.org"},
    "http://api.example.org.evil.net/": {"api.example.org", "*.example.org"},
    "http://evilexample.org/": {"*.example.org"},
    "http://api.example.org:8080/": {"api.example.org:443"},
    "https://api.example.org/": {"api.example.org:80"},
    "http://xn--pi-wmc.example.org/": {"api.example.org"},
    "http://аpi.example.org/": {"api.example.org"},
    "http://anything.org/": set(),
    "http://8.8.8.8/": {"8.8.4.4"},
}


@pytest.mark.parametrize(("url", "granted"), NOT_GRANTED.items(), ids=map(shown, NOT_GRANTED))
def test_a_host_that_is_not_granted_is_not_even_resolved(url: str, granted: set[str]) -> None:
    async def attempt() -> None:
        recorder, names = Recorder(), Names({})
        guard = NetGuard(Grants(net=frozenset(granted)), resolver=names, connector=recorder)
        with pytest.raises(PolicyDeniedError):
            await guard.request("GET", url)
        assert (recorder.attempts, names.asked) == ([], [])

    asyncio.run(attempt())


LITERAL_GRANTS: dict[str, tuple[set[str], dict[str, list[str]], bool]] = {
    "http://127.0.0.1/": ({"127.0.0.1"}, {}, True),
    "http://10.1.2.3/": ({"10.1.2.3:80"}, {}, True),
    "http://10.1.2.3:81/": ({"10.1.2.3:80", "*"}, {}, False),
    "http://10.1.2.4/": ({"10.1.2.*", "*"}, {}, False),
    "http://[::1]/": ({"[::1]"}, {}, True),
    "http://[0::1]/": ({"::1"}, {}, True),
    "http://[::1]:80/": ({"[::1]:80"}, {}, True),
    "http://169.254.169.254/": ({"169.254.169.254"}, {}, True),
    "http://localhost/": ({"localhost"}, {"localhost": ["127.0.0.1", "::1"]}, True),
    "http://LOCALHOST/": ({"localhost"}, {"localhost": ["127.0.0.1"]}, True),
    "http://db.internal/": ({"db.internal"}, {"db.internal": ["10.0.0.7"]}, True),
    "http://printer/": ({"printer"}, {"printer": ["192.168.0.9"]}, True),
    "http://printer.lan/": ({"*.lan"}, {"printer.lan": ["192.168.0.9"]}, False),
    "http://metadata.internal/": ({"metadata.internal"}, {"metadata.internal": ["169.254.169.254"]}, False),
    "http://printer2/": ({"printer2"}, {"printer2": ["fe80::9"]}, False),
    "http://db.example.org/": ({"db.example.org"}, {"db.example.org": ["10.0.0.7"]}, False),
    "http://db2.example.org/": ({"db2.example.org", "10.0.0.7"}, {"db2.example.org": ["10.0.0.7"]}, True),
    "http://mapped.example.org/": ({"*", "127.0.0.1"}, {"mapped.example.org": ["::ffff:127.0.0.1"]}, False),
}


@pytest.mark.parametrize(("url", "case"), LITERAL_GRANTS.items(), ids=map(shown, LITERAL_GRANTS))
def test_what_is_not_public_needs_its_own_name_among_the_grants(
    url: str, case: tuple[set[str], dict[str, list[str]], bool]
) -> None:
    async def attempt() -> None:
        granted, known, allowed = case
        recorder = Recorder()
        names = Names({host: [answer] for host, answer in known.items()})
        guard = NetGuard(Grants(net=frozenset(granted)), resolver=names, connector=recorder)
        with pytest.raises(LlmspellError) as caught:
            await guard.request("GET", url)
        assert caught.value.code == ("connect_failed" if allowed else "denied")
        assert bool(recorder.attempts) is allowed

    asyncio.run(attempt())


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        ({"Host": "internal"}, "GET"),
        ({"host": "internal"}, "GET"),
        ({"Content-Length": "5"}, "POST"),
        ({"Transfer-Encoding": "chunked"}, "POST"),
        ({"Connection": "upgrade"}, "GET"),
        ({"Proxy-Authorization": "x"}, "GET"),
        ({"X": "a\r\nHost: internal"}, "GET"),
        ({"X": "a\nb"}, "GET"),
        ({"X\r\nY": "a"}, "GET"),
        ({"X: y": "a"}, "GET"),
        ({"": "a"}, "GET"),
        ({"X": "\u0100"}, "GET"),
        ({"X": "a\0"}, "GET"),
        ({}, "CONNECT"),
        ({}, "TRACE"),
        ({}, "GET / HTTP/1.1\r\nX: y\r\n\r\nGET"),
    ],
)
def test_headers_and_methods_that_reach_further_are_refused(headers: dict[str, str], method: str) -> None:
    async def attempt() -> None:
        recorder = Recorder()
        guard = NetGuard(Grants(net=EVERYTHING), resolver=Names({"api.example.org": [[PUBLIC]]}), connector=recorder)
        with pytest.raises(BridgeError) as caught:
            await guard.request(method, "http://api.example.org/", headers=headers)
        assert caught.value.code == "invalid_argument"
        assert recorder.attempts == []

    asyncio.run(attempt())


def test_a_client_cannot_be_led_around_the_guard() -> None:
    async def attempt() -> None:
        guard = NetGuard(Grants(net=EVERYTHING), connector=Recorder())
        for option in ("transport", "proxy", "mounts", "trust_env", "verify"):
            with pytest.raises(TypeError, match=option):
                guard.client(**{option: None})
        async with guard.client() as client:
            request: Any = client.build_request("GET", "http://10.0.0.1/", extensions={"sni_hostname": "x"})
            with pytest.raises(PolicyDeniedError):
                await client.send(request)

    asyncio.run(attempt())


def test_the_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def attempt() -> None:
        async with listening() as proxy:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            recorder = Recorder()
            guard = NetGuard(
                Grants(net=EVERYTHING), resolver=Names({"api.example.org": [[PUBLIC]]}), connector=recorder
            )
            with pytest.raises(BridgeError):
                await guard.request("GET", "http://api.example.org/")
            assert recorder.attempts == [(PUBLIC, 80)]
            assert proxy.visits == []

    asyncio.run(attempt())


def test_there_are_enough_vectors() -> None:
    assert len(LOOPBACK_FORMS) + len(LYING_ANSWERS) + len(ELSEWHERE) + len(REDIRECTS) + len(NOT_GRANTED) >= 150
