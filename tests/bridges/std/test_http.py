"""``http``: requests through the guard. Forms of addresses and hostile servers are in the guard's own tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from llmspell.policy import Policy


@pytest.fixture
def online(spells: Any, session: Any) -> Any:
    """Run ``work(spell, url)`` against a server that tells what it was asked, or answers ``reply(head, body)``."""

    def run(
        work: Callable[[Any, str], Any], reply: Callable[[str, bytes], bytes] | None = None, **grants: list[str]
    ) -> Any:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = head.split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            if reply is not None:
                writer.write(reply(head, body))
            else:
                told = {"line": lines[0], "headers": headers, "body": body.decode()}
                answer = json.dumps(told).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(answer) + (b"" if head.startswith("HEAD") else answer)
                )
            await writer.drain()
            writer.close()

        async def main() -> Any:
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            async with server:
                port = server.sockets[0].getsockname()[1]
                policy = Policy.standard().grant(bridges=["http", "auth"], net=[f"127.0.0.1:{port}"], **grants)
                return await work(spells(policy=policy), f"http://127.0.0.1:{port}/p")

        return session.runner.run(main())

    return run


def test_answers_are_tables(online: Any) -> None:
    async def work(spell: Any, url: str) -> Any:
        return await spell.acall("http.get", url, {"X-A": "1"}), url

    answer, url = online(work)
    told = json.loads(answer["body"])
    assert (answer["status"], answer["ok"], answer["url"]) == (200, True, url)
    assert answer["headers"]["content-type"] == "application/json"
    assert told["line"] == "GET /p HTTP/1.1"
    assert told["headers"]["x-a"] == "1"


@pytest.mark.parametrize(
    ("options", "body", "kind"),
    [
        ({"body": "text"}, "text", "text/plain; charset=utf-8"),
        ({"body": b"bytes"}, "bytes", None),
        ({"json": {"a": [1]}}, '{"a":[1]}', "application/json"),
        ({"form": {"a": "x y", "b": True, "c": 2}}, "a=x+y&b=true&c=2", "application/x-www-form-urlencoded"),
        ({"body": "{}", "headers": {"content-type": "application/x"}}, "{}", "application/x"),
    ],
)
def test_content_is_sent_in_its_kind(online: Any, options: Any, body: str, kind: str | None) -> None:
    async def work(spell: Any, url: str) -> Any:
        return await spell.acall("http.request", url, {"method": "POST", "params": {"q": 1}, **options})

    told = json.loads(online(work)["body"])
    assert told["line"] == "POST /p?q=1 HTTP/1.1"
    assert (told["body"], told["headers"].get("content-type")) == (body, kind)


def test_short_forms(online: Any) -> None:
    async def work(spell: Any, url: str) -> Any:
        found = {}
        for method, args in (("post", ({"a": 1},)), ("put", ("x",)), ("patch", (b"y",)), ("delete", ()), ("head", ())):
            found[method] = await spell.acall(f"http.{method}", url, *args)
        found["json"] = await spell.acall("http.get_json", url)
        return found

    found = online(work)
    told = {method: json.loads(answer["body"] or "null") for method, answer in found.items() if method != "json"}
    assert [told[method]["line"].split()[0] for method in ("post", "put", "patch", "delete")] == [
        "POST", "PUT", "PATCH", "DELETE",
    ]  # fmt: skip
    assert [told[method]["body"] for method in ("post", "put", "patch")] == ['{"a":1}', "x", "y"]
    assert (found["head"]["status"], told["head"]) == (200, None)
    assert found["json"]["headers"]["accept"] == "application/json"


def test_a_status_is_an_answer_but_for_get_json(online: Any) -> None:
    def reply(head: str, body: bytes) -> bytes:
        return b"HTTP/1.1 404 No\r\nContent-Type: image/png\r\nContent-Length: 2\r\nConnection: close\r\n\r\n\xff\x00"

    async def work(spell: Any, url: str) -> Any:
        answer = await spell.acall("http.get", url)
        with pytest.raises(Exception, match="http_status") as caught:
            await spell.acall("http.get_json", url)
        return answer, caught.value

    answer, fault = online(work, reply)
    assert (answer["status"], answer["ok"], answer["body"]) == (404, False, b"\xff\x00")
    assert fault.details == {"status": 404}


def test_the_hosts_secrets_go_to_the_server_and_not_to_the_script(online: Any, session: Any) -> None:
    session.environ["OPENAI_API_KEY"] = "canary"

    async def work(spell: Any, url: str) -> Any:
        config = await spell.acall("auth.from_env", "openai")
        return await spell.acall("http.request", url, {"auth": config})

    heads: list[str] = []

    def reply(head: str, body: bytes) -> bytes:
        heads.append(head)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    answer = online(work, reply, secrets=["OPENAI_API_KEY"])
    assert "Authorization: Bearer canary" in heads[0]
    assert "canary" not in repr(answer)


def test_what_is_not_granted_is_refused(spells: Any) -> None:
    spell = spells(policy=Policy.standard().grant(bridges=["http"], net=["example.org"]))
    assert spell.fails("http.get", "http://127.0.0.1:1/").code == "denied"
    assert spell.call("http.allows", "example.org") is True
    assert spell.call("http.allows", "example.com", 80) is False
    assert spells(policy=Policy.standard()).fails("http.get", "http://example.org/").code == "denied"


@pytest.mark.parametrize(
    "options", [{"body": "x", "json": 1}, {"method": "BREW"}, {"headers": {"Host": "x"}}, {"auth": "token"}]
)
def test_requests_that_are_none_are_refused(spells: Any, options: Any) -> None:
    spell = spells(policy=Policy.standard().grant(bridges=["http"], net=["*"]))
    assert spell.fails("http.request", "http://127.0.0.1:1/", options).code == "invalid_argument"


def test_limits_of_the_call_hold(online: Any) -> None:
    async def work(spell: Any, url: str) -> Any:
        with pytest.raises(Exception, match="too_large"):
            await spell.acall("http.request", url, {"max_bytes": 5})

    online(work)


def test_requests_overlap(online: Any) -> None:
    waiting: list[int] = []

    def reply(head: str, body: bytes) -> bytes:
        waiting.append(1)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    async def work(spell: Any, url: str) -> Any:
        return await asyncio.gather(*(spell.acall("http.get", url) for _ in range(10)))

    assert [answer["status"] for answer in online(work, reply)] == [200] * 10
    assert len(waiting) == 10
