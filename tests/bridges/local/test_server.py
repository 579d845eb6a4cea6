"""The server in this process: what it answers, whom it answers, and how it stops."""

from __future__ import annotations

import http.client
import json
import os
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from llmspell_local import LocalServer, ServerError, ServerOptions


def chat(server: LocalServer, prompt: str, **more: Any) -> str:
    body = {"messages": [{"role": "user", "content": prompt}], "temperature": 0, "max_tokens": 24, **more}
    return str(server.ask("POST", "/v1/chat/completions", body)["choices"][0]["message"]["content"])


def test_it_answers_a_question(server: LocalServer) -> None:
    assert "Paris" in chat(server, "What is the capital of France? Answer in one sentence.")


def test_a_grammar_constrains_the_answer(server: LocalServer) -> None:
    prompt = "The soup was cold and the waiter was rude. Is this review positive or negative?"
    assert chat(server, prompt, grammar='root ::= "positive" | "negative"') == "negative"


def test_it_counts_tokens_as_the_model_does(server: LocalServer) -> None:
    tokens = server.tokenise("hello world")
    assert len(tokens) == 2
    assert server.count("hello world, and much more of the same") > 2
    prompted = server.ask(
        "POST", "/v1/chat/completions",
        {"messages": [{"role": "user", "content": "hello world"}], "max_tokens": 1},
    )  # fmt: skip
    assert prompted["usage"]["prompt_tokens"] > 2


def test_it_listens_on_loopback_only_and_on_a_port_of_its_own(server: LocalServer) -> None:
    parts = urlsplit(server.address)
    assert parts.hostname == "127.0.0.1"
    assert parts.port not in (0, None, 8080)


@pytest.mark.parametrize("key", [None, "guessed"])
def test_without_the_key_it_refuses(server: LocalServer, key: str | None) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(f"{server.base_url}/chat/completions", b"{}", headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    with caught.value as answer:
        assert answer.code == 401


def test_two_servers_have_two_keys(weights: Path) -> None:
    assert LocalServer(weights).api_key != LocalServer(weights).api_key


def test_nothing_is_loaded_before_the_address_is_asked_for(weights: Path) -> None:
    server = LocalServer(weights)
    assert not server.running
    server.close()


def test_starting_from_many_threads_loads_once(weights: Path) -> None:
    server = LocalServer(weights, ServerOptions(context=512, slots=1))
    seen: list[str] = []
    threads = [threading.Thread(target=lambda: seen.append(server.address)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.close()
    assert len(seen) == 8
    assert len(set(seen)) == 1


def test_after_close_it_refuses_by_name_and_the_port_is_free(weights: Path) -> None:
    server = LocalServer(weights, ServerOptions(context=512, slots=1))
    port = urlsplit(server.address).port
    server.close()
    server.close()
    with pytest.raises(ServerError, match="stopped together with its host"):
        server.start()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with pytest.raises(ConnectionRefusedError):
        connection.request("GET", "/health")
    connection.close()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to see native threads")
def test_close_leaves_no_thread_behind(weights: Path) -> None:
    def threads() -> int:
        return len(os.listdir("/proc/self/task"))

    # The first load starts threads of llama.cpp's own that stay: measure from the second.
    with LocalServer(weights, ServerOptions(context=512, slots=1)) as warm:
        warm.count("x")
    before = threads()
    with LocalServer(weights, ServerOptions(context=512, slots=1)) as server:
        chat(server, "hi", max_tokens=2)
        assert threads() > before
    assert threads() <= before


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.timeout(30)
def test_close_does_not_wait_for_a_request_in_flight(weights: Path, streaming: bool) -> None:
    server = LocalServer(weights, ServerOptions(context=2048, slots=2))
    begun = threading.Event()
    ended: list[object] = []

    def ask() -> None:
        parts = urlsplit(server.address)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        body = {"messages": [{"role": "user", "content": "Tell a very long story."}], "max_tokens": 1500}
        connection.request(
            "POST", "/v1/chat/completions", json.dumps({**body, "stream": streaming}),
            {"Authorization": f"Bearer {server.api_key}"},
        )  # fmt: skip
        begun.set()
        try:
            ended.append(connection.getresponse().read())
        except (OSError, http.client.HTTPException) as error:
            ended.append(error)
        finally:
            connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    assert begun.wait(20)
    server.close()
    asking.join(20)
    assert not asking.is_alive()
    assert not server.running


@pytest.mark.parametrize("content", [None, b"", b"not a model at all"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.gguf"
    if content is not None:
        path.write_bytes(content)
    server = LocalServer(path)
    with pytest.raises(ServerError, match=r"cannot serve .*x\.gguf"):
        server.start()
    server.close()


def test_a_prompt_that_is_too_long_is_said_so(server: LocalServer) -> None:
    with pytest.raises(ServerError, match="exceed_context_size_error"):
        chat(server, "word " * 9000)
