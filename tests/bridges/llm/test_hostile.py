"""A provider's server that means harm: what it sends is an error that says so, and nothing hangs or leaks."""

from __future__ import annotations

import gzip
import json
import threading
from typing import Any

import pytest

from llmspell import BridgeCallError, Policy
from llmspell_llm import errors
from llmspell_llm.adapter import http
from llmspell_llm.conversation import Answer, Message, Settings
from llmspell_llm.llm import Asking

QUESTION = [Message("user", "Hello?")]
ONCE = Settings(retries=0)
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def ask(models: Any, settings: Settings = ONCE) -> Answer:
    async def work(asking: Asking) -> Answer:
        return await asking.complete(QUESTION, settings)

    result: Answer = models.run(work)
    return result


def stream(models: Any, settings: Settings = ONCE) -> list[str]:
    async def work(asking: Asking) -> list[str]:
        return [piece async for piece in (await asking.stream(QUESTION, settings)).pieces()]

    result: list[str] = models.run(work)
    return result


def forever(exchange: Any, piece: bytes) -> None:
    """Send until the client leaves; then writing raises, which ends the request."""
    while True:
        exchange.handler.wfile.write(piece)
        exchange.handler.wfile.flush()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_BODY", 1024 * 1024)


@pytest.mark.usefixtures("small")
def test_an_answer_without_end_is_given_up(server: Any, scripted: Any) -> None:
    def behave(exchange: Any) -> None:
        exchange.handler.send_response(200)
        exchange.handler.send_header("Content-Type", "application/json")
        exchange.handler.send_header("Connection", "close")
        exchange.handler.end_headers()
        forever(exchange, b" " * 65536)

    server.then(behave)
    with pytest.raises(errors.BadAnswerError, match="larger than the 1,048,576 bytes allowed"):
        ask(scripted, Settings(retries=3))
    assert len(server.requests) == 1, "what is too large is not asked for again"


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("event", [b": ping\n\n", b"data: " + json.dumps({**CHUNK, "choices": []}).encode() + b"\n\n"])
def test_a_stream_without_end_is_given_up(server: Any, scripted: Any, event: bytes) -> None:
    def behave(exchange: Any) -> None:
        exchange.begin_stream()
        forever(exchange, event * 1000)

    server.then(behave)
    with pytest.raises(errors.BadAnswerError, match="larger than"):
        stream(scripted)


@pytest.mark.usefixtures("small")
def test_a_compressed_answer_does_not_unfold_without_bound(server: Any, scripted: Any) -> None:
    bomb = gzip.compress(b" " * 200 * 1024 * 1024, 1)
    server.then(lambda exchange: exchange.send(200, bomb, {"Content-Encoding": "gzip"}))
    with pytest.raises(errors.BadAnswerError, match="larger than"):
        ask(scripted)


@pytest.mark.parametrize("packing", ["br", "zstd", "deflate", "gzip, gzip"])
def test_a_packing_that_was_not_asked_for_is_refused(server: Any, scripted: Any, packing: str) -> None:
    server.then(lambda exchange: exchange.send(200, b"x", {"Content-Encoding": packing}))
    with pytest.raises(errors.BadAnswerError):
        ask(scripted)
    assert server.requests[0].headers["accept-encoding"] == "gzip"


def test_gzip_is_understood(server: Any, scripted: Any) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "packed"}, "finish_reason": "stop"}
    body = json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})
    server.then(lambda exchange: exchange.send(200, gzip.compress(body.encode()), {"Content-Encoding": "gzip"}))
    assert ask(scripted).text == "packed"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_is_sent_where_a_redirect_leads(server: Any, scripted: Any, status: int) -> None:
    server.then(lambda exchange: exchange.send(status, b"", {"Location": f"{server.address}/latest/meta-data/"}))
    with pytest.raises(errors.ModelError):
        ask(scripted)
    assert [request.path for request in server.requests] == ["/v1/chat/completions"]


def test_a_redirect_of_a_scripts_own_server_is_not_followed(spells: Any, server: Any) -> None:
    server.then(lambda exchange: exchange.send(307, b"", {"Location": "http://169.254.169.254/latest/meta-data/"}))
    spells.policy = Policy.minimal().narrow(time=60).grant(net={server.address.removeprefix("http://")})
    config = {"kind": "compatible", "base_url": server.base_url, "model": "m", "api_key": "k"}
    with pytest.raises(BridgeCallError):
        spells.calls(("providers.create", "mine", config), ("llm.complete", "Hi", {"model": "mine", "retries": 0}))
    assert len(server.requests) == 1


@pytest.mark.parametrize("streaming", [False, True])
def test_an_answer_that_drips_is_given_up_in_time(server: Any, scripted: Any, streaming: bool) -> None:
    leaving = threading.Event()

    def behave(exchange: Any) -> None:
        exchange.handler.send_response(200)
        exchange.handler.send_header("Content-Type", "text/event-stream" if streaming else "application/json")
        exchange.handler.send_header("Connection", "close")
        exchange.handler.end_headers()
        try:
            while not leaving.wait(0.02):  # every byte is in time, but never the last one
                exchange.handler.wfile.write(b": p\n\n" if streaming else b" ")
                exchange.handler.wfile.flush()
        finally:
            leaving.set()

    server.then(behave)
    with pytest.raises(errors.ModelTimeoutError, match=r"did not answer within 0\.3 s"):
        (stream if streaming else ask)(scripted, Settings(timeout=0.3, retries=0))
    assert leaving.wait(15), "the request was closed"


@pytest.mark.parametrize(
    "event",
    [
        '{"choices": "none"}',
        '{"id": 1, "choices": [{"delta": 7}]}',
        '[1, 2]',
        '"text"',
        'null',
        '{"choices": [{"index": 0, "delta": {"content": {"a": 1}}, "finish_reason": null}]}',
        '{"choices": [{"index": -1, "delta": {"tool_calls": [{"index": 99}]}}]}',
        "{" * 20_000,
        "\x00\ud7ff",
    ],
)  # fmt: skip
def test_a_malformed_stream_is_an_error_of_the_model(server: Any, scripted: Any, event: str) -> None:
    def behave(exchange: Any) -> None:
        exchange.begin_stream()
        exchange.piece("One ")
        exchange.event(event)

    server.then(behave)
    with pytest.raises(errors.ModelError):
        stream(scripted)


@pytest.mark.parametrize(
    "body",
    [
        [], 7, "x", {"choices": []}, {"choices": [None]}, {"choices": [{"message": None}]}, {"error": "x"},
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m",
         "choices": [{"index": 0, "message": {"role": "assistant", "content": 7}, "finish_reason": "stop"}]},
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": "much",
         "choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "nonsense"}]},
    ],
)  # fmt: skip
def test_a_malformed_answer_is_an_error_of_the_model(server: Any, scripted: Any, body: Any) -> None:
    server.then(lambda exchange: exchange.json(body))
    with pytest.raises(errors.ModelError):
        ask(scripted)


@pytest.mark.filterwarnings("ignore:Failed to extract usage")
@pytest.mark.parametrize("usage", [
    {"prompt_tokens": -5, "completion_tokens": -1000, "total_tokens": -1005},
    {"prompt_tokens": 10**30, "completion_tokens": 1, "total_tokens": 1},
])  # fmt: skip
def test_counts_that_cannot_be_do_not_make_a_budget_grow(server: Any, spells: Any, usage: dict[str, int]) -> None:
    spells.config = {}
    spells.environ |= {"LLMSPELL_BASE_URL": server.base_url, "LLMSPELL_MODEL": "compatible:m"}
    server.answer("x" * 40, usage=usage)
    result = spells.run(
        lua='return require("llm").complete("Hello?", {details = true}).usage',
        javascript='return (await require("llm").complete("Hello?", {details: true})).usage',
    )
    assert result.value["estimated"] is True
    assert (result.usage.input_tokens, result.usage.output_tokens) == (2, 10)


@pytest.mark.parametrize("wait", ["-5", "nan", "inf", "1e400", "soon", "99999999999999999999", "Sun, 99 Foo 2026"])
def test_a_strange_wait_does_not_hang(server: Any, scripted: Any, wait: str) -> None:
    # An answer to what is sent again, if it is; never a wait without end.
    server.fail(429, headers={"Retry-After": wait}).answer("fine")
    try:
        assert ask(scripted, Settings(retries=1)).text == "fine"
    except errors.RateLimitedError:
        assert len(server.requests) == 1


def test_headers_without_end_are_an_error(server: Any, scripted: Any) -> None:
    def behave(exchange: Any) -> None:
        exchange.handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        forever(exchange, b"X-Filler: " + b"x" * 8000 + b"\r\n")

    server.then(behave)
    with pytest.raises(errors.ModelError):
        ask(scripted)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nabcdefg",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"\x16\x03\x01 no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n c: d\x00\r\n\r\n{}",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
)
def test_tricks_with_headers_are_errors(server: Any, scripted: Any, head: bytes) -> None:
    def behave(exchange: Any) -> None:
        exchange.handler.wfile.write(head)
        exchange.handler.close_connection = True

    server.then(behave)
    with pytest.raises(errors.ModelError):
        ask(scripted)


def test_no_credentials_of_this_process_go_to_a_scripts_server(
    spells: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN",
        "GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENROUTER_API_KEY", "OPENROUTER_APP_TITLE", "OLLAMA_API_KEY",
    ):  # fmt: skip
        monkeypatch.setenv(name, "of-the-process")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Secret: of-the-process")
    spells.environ |= {"OPENAI_API_KEY": "of-the-host", "ANTHROPIC_API_KEY": "of-the-host"}
    spells.policy = Policy.minimal().narrow(time=60).grant(net={server.address.removeprefix("http://")})
    kinds = ("openai", "openai-responses", "anthropic", "gemini", "openrouter", "ollama", "compatible")
    for kind in kinds:
        pytest.importorskip("anthropic" if kind == "anthropic" else "google.genai" if kind == "gemini" else "openai")
        config = {"kind": kind, "base_url": server.base_url, "model": "a/m", "api_key": "of-the-script"}
        made = ("providers.create", f"my-{kind}", config)
        with pytest.raises(BridgeCallError):
            spells.calls(made, ("llm.complete", "Hi", {"model": f"my-{kind}", "retries": 0}))
    assert len(server.requests) == len(kinds)
    for request in server.requests:
        assert "of-the-script" in str(request.headers)
        assert "of-the-process" not in str(request.headers)
        assert "of-the-host" not in str(request.headers)
