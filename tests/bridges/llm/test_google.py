"""Gemini and Vertex: Google's wire format, spoken by a server on loopback."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmspell_llm import errors
from llmspell_llm.conversation import Answer, Image, Message, Settings
from llmspell_llm.llm import Asking
from llmspell_llm.structured import Schema, Shape

pytest.importorskip("google.genai", reason="the extra llmspell-llm[google] is not installed")

HELLO = [Message("system", "Be short."), Message("user", "Hello?")]
ONCE = Settings(retries=0)
USAGE = {"promptTokenCount": 11, "candidatesTokenCount": 4, "totalTokenCount": 15, "cachedContentTokenCount": 2}
PNG = b"\x89PNG\r\n\x1a\n and so on"


def said(text: str, *, finish: str | None = "STOP", usage: bool = True) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    body: dict[str, Any] = {"candidates": [candidate], "modelVersion": "gemini-x", "responseId": "r"}
    return {**body, "usageMetadata": USAGE} if usage else body


def answer(text: str, **more: Any) -> Callable[[Any], None]:
    return lambda exchange: exchange.json(said(text, **more))


def streamed(*pieces: str) -> Callable[[Any], None]:
    def behave(exchange: Any) -> None:
        exchange.begin_stream()
        for piece in pieces[:-1]:
            exchange.event(json.dumps(said(piece, finish=None, usage=False)))
        exchange.event(json.dumps(said(pieces[-1])))

    return behave


def refused(status: int, message: str, reason: str, **headers: str) -> Callable[[Any], None]:
    body = {"error": {"code": status, "message": message, "status": reason}}
    return lambda exchange: exchange.json(body, status, headers)


@pytest.fixture
def gemini(server: Any, models: Any) -> Any:
    return models({"GEMINI_API_KEY": "g-key", "GOOGLE_GEMINI_BASE_URL": server.address, "LLMSPELL_MODEL": "gemini:g-1"})


def ask(models: Any, settings: Settings = ONCE, messages: list[Message] = HELLO, **more: Any) -> Answer:
    async def work(asking: Asking) -> Answer:
        return await asking.complete(messages, settings, **more)

    result: Answer = models.run(work)
    return result


def test_gemini_answers_and_counts(server: Any, gemini: Any) -> None:
    server.then(answer("Hello."))
    got = ask(gemini, Settings(temperature=0.5, max_tokens=9, stop=("X",), seed=3, retries=0))
    assert (got.text, got.provider, got.model, got.finish_reason) == ("Hello.", "google", "g-1", "stop")
    assert (got.usage.input_tokens, got.usage.output_tokens, got.usage.cached_tokens) == (11, 4, 2)
    assert not got.usage.estimated
    (request,) = server.requests
    assert request.path == "/v1beta/models/g-1:generateContent"
    assert request.headers["x-goog-api-key"] == "g-key"
    assert request.body["systemInstruction"]["parts"][0]["text"] == "Be short."
    assert request.body["contents"] == [{"role": "user", "parts": [{"text": "Hello?"}]}]
    config = request.body["generationConfig"]
    assert (config["temperature"], config["maxOutputTokens"], config["stopSequences"], config["seed"]) == (
        0.5, 9, ["X"], 3,
    )  # fmt: skip


def test_gemini_streams(server: Any, gemini: Any) -> None:
    server.then(streamed("One ", "two ", "three."))

    async def work(asking: Asking) -> tuple[list[str], Answer | None]:
        stream = await asking.stream(HELLO, ONCE)
        return [piece async for piece in stream.pieces()], stream.answer

    pieces, whole = gemini.run(work)
    assert pieces == ["One ", "two ", "three."]
    assert whole is not None
    assert (whole.text, whole.usage.output_tokens, whole.usage.estimated) == ("One two three.", 4, False)
    assert server.requests[0].path == "/v1beta/models/g-1:streamGenerateContent?alt=sse"


def test_a_gemini_stream_that_breaks_off_is_an_error(server: Any, gemini: Any) -> None:
    def behave(exchange: Any) -> None:
        exchange.begin_stream()
        exchange.event(json.dumps(said("One ", finish=None, usage=False)))
        exchange.cut()

    server.then(behave)

    async def work(asking: Asking) -> None:
        async for _ in (await asking.stream(HELLO, ONCE)).pieces():
            pass

    with pytest.raises(errors.ModelError):
        gemini.run(work)


def test_gemini_gets_pictures_and_schemas(server: Any, gemini: Any) -> None:
    server.then(answer('{"colour": "red"}'))
    schema = Schema(
        {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}
    )  # fmt: skip
    picture = [Message("user", "Which colour?", (Image(data=PNG, media_type="image/png"),))]
    assert ask(gemini, messages=picture, constraint=Shape(schema)).value == {"colour": "red"}
    body = server.requests[0].body
    assert "image/png" in body["contents"][0]["parts"][1]["inlineData"].values()
    assert body["generationConfig"]["responseMimeType"] == "application/json"


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        (refused(400, "API key not valid", "INVALID_ARGUMENT"), errors.ModelError),
        (refused(401, "no", "UNAUTHENTICATED"), errors.AuthenticationError),
        (refused(403, "no", "PERMISSION_DENIED"), errors.AuthenticationError),
        (refused(404, "no such model", "NOT_FOUND"), errors.ModelUnknownError),
        (refused(429, "slower", "RESOURCE_EXHAUSTED"), errors.RateLimitedError),
        (refused(500, "oh", "INTERNAL"), errors.ProviderDownError),
        (refused(503, "busy", "UNAVAILABLE"), errors.ProviderDownError),
        (lambda exchange: exchange.send(200, b"<html>"), errors.BadAnswerError),
        (lambda exchange: exchange.cut(), errors.ConnectionFailedError),
    ],
    ids=["400", "401", "403", "404", "429", "500", "503", "garbage", "cut"],
)
def test_each_refusal_of_gemini_is_its_own_error(server: Any, gemini: Any, behave: Any, error: Any) -> None:
    server.then(behave)
    with pytest.raises(error) as caught:
        ask(gemini)
    assert "g-key" not in str(caught.value)
    assert len(server.requests) == 1


def test_gemini_is_asked_again_as_often_as_configured(server: Any, gemini: Any) -> None:
    server.then(refused(429, "slower", "RESOURCE_EXHAUSTED", **{"Retry-After": "0"}), answer("now"))
    assert ask(gemini, Settings(retries=1)).text == "now"
    assert len(server.requests) == 2


def test_gemini_withholds_an_answer(server: Any, gemini: Any) -> None:
    server.then(lambda exchange: exchange.json({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": USAGE}))
    with pytest.raises(errors.ContentFilteredError):
        ask(gemini)


def test_cancelling_closes_the_request_to_gemini(server: Any, gemini: Any) -> None:
    arrived, left = threading.Event(), threading.Event()

    def behave(exchange: Any) -> None:
        arrived.set()
        exchange.handler.connection.settimeout(15)
        if exchange.handler.connection.recv(1) == b"":
            left.set()

    server.then(behave)

    async def work(asking: Asking) -> None:
        task = asyncio.create_task(asking.complete(HELLO, ONCE))
        await asyncio.to_thread(arrived.wait, 15)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(left.wait, 15)

    gemini.run(work)


def test_gemini_lists_its_models(server: Any, gemini: Any) -> None:
    server.then(lambda exchange: exchange.json({"models": [{"name": "models/g-1"}, {"name": "models/g-2"}]}))

    async def work(asking: Asking) -> list[str]:
        return await asking.connections.list_models(asking.directory.provider("gemini"))

    assert gemini.run(work) == ["g-1", "g-2"]


def test_gemini_counts_tokens(server: Any, gemini: Any) -> None:
    server.then(lambda exchange: exchange.json({"totalTokens": 17}))

    async def work(asking: Asking) -> int | None:
        from llmspell_llm.adapter.counting import count_tokens

        return await count_tokens(await asking.connect(), "How many?")

    assert gemini.run(work) == 17
    assert server.requests[0].path == "/v1beta/models/g-1:countTokens"


def test_gemini_gives_vectors(server: Any, gemini: Any) -> None:
    server.then(lambda exchange: exchange.json({"embeddings": [{"values": [0.5, 1]}, {"values": [0, 2]}]}))

    async def work(asking: Asking) -> list[list[float]]:
        from llmspell_llm.adapter.embeddings import embed

        connection = await asking.connections.connect(asking.directory.resolve("gemini:e-1"), embeddings=True)
        return (await embed(connection, ["a", "b"], asking.connections.client(connection.endpoint)))[0]

    assert gemini.run(work) == [[0.5, 1.0], [0.0, 2.0]]
    assert server.requests[0].path == "/v1beta/models/e-1:batchEmbedContents"


# Vertex


def service_account(path: Path, token_uri: str) -> Path:
    """A key file as Google hands out, with a key made here and a place to sign in on loopback."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    account = {
        "type": "service_account", "project_id": "p", "private_key_id": "1", "private_key": pem,
        "client_email": "spell@p.iam.gserviceaccount.com", "client_id": "1", "token_uri": token_uri,
    }  # fmt: skip
    path.write_text(json.dumps(account))
    return path


def test_vertex_signs_in_and_answers(server: Any, models: Any, tmp_path: Path) -> None:
    token = {"access_token": "signed-in", "token_type": "Bearer", "expires_in": 3600}
    server.then(lambda exchange: exchange.json(token), answer("Hello."), streamed("One ", "two."))
    found = models(
        {
            "GOOGLE_CLOUD_PROJECT": "bees", "GOOGLE_CLOUD_LOCATION": "europe-west1",
            "GOOGLE_APPLICATION_CREDENTIALS": str(service_account(tmp_path / "k.json", f"{server.address}/token")),
            "GOOGLE_VERTEX_BASE_URL": server.address, "LLMSPELL_MODEL": "vertex:g-1",
        }
    )  # fmt: skip

    async def work(asking: Asking) -> tuple[Answer, list[str]]:
        whole = await asking.complete(HELLO, ONCE)
        stream = await asking.stream(HELLO, ONCE)
        return whole, [piece async for piece in stream.pieces()]

    whole, pieces = found.run(work)
    assert (whole.text, whole.provider, whole.usage.output_tokens) == ("Hello.", "vertex", 4)
    assert pieces == ["One ", "two."]
    signing, asking, streaming = server.requests
    assert signing.path == "/token"
    assert "jwt-bearer" in signing.body
    path = "/v1beta1/projects/bees/locations/europe-west1/publishers/google/models/g-1"
    assert asking.path == f"{path}:generateContent"
    assert streaming.path == f"{path}:streamGenerateContent?alt=sse"
    assert {asking.headers["authorization"], streaming.headers["authorization"]} == {"Bearer signed-in"}


def test_vertex_takes_a_key_instead(server: Any, models: Any) -> None:
    server.then(
        answer("Hello."), lambda e: e.json({"publisherModels": [{"name": "publishers/google/models/g-1"}]})
    )  # fmt: skip
    found = models(
        {"VERTEX_API_KEY": "v-key", "GOOGLE_VERTEX_BASE_URL": server.address, "LLMSPELL_MODEL": "vertex:g-1"}
    )

    async def work(asking: Asking) -> tuple[Answer, list[str]]:
        return await asking.complete(HELLO, ONCE), await asking.connections.list_models(
            asking.directory.provider("vertex")
        )

    whole, names = found.run(work)
    assert (whole.text, names) == ("Hello.", ["g-1"])
    assert {request.headers["x-goog-api-key"] for request in server.requests} == {"v-key"}


def test_vertex_without_project_and_key_says_what_to_set(models: Any) -> None:
    with pytest.raises(errors.ModelUnknownError, match="not configured") as caught:
        ask(models({"LLMSPELL_MODEL": "vertex:g-1"}))
    assert caught.value.hint == "set VERTEX_API_KEY or GOOGLE_CLOUD_PROJECT"


@pytest.mark.parametrize("content", [None, "{}", "nothing"])
def test_credentials_that_cannot_be_used_are_said_so(models: Any, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "k.json"
    if content is not None:
        path.write_text(content)
    found = models(
        {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_APPLICATION_CREDENTIALS": str(path), "LLMSPELL_MODEL": "vertex:g-1"}
    )
    with pytest.raises(errors.AuthenticationError, match=r"k\.json cannot be used"):
        ask(found)


def test_a_sign_in_that_fails_is_an_error_of_the_key(server: Any, models: Any, tmp_path: Path) -> None:
    server.then(lambda exchange: exchange.json({"error": "invalid_grant", "error_description": "no"}, 400))
    found = models(
        {
            "GOOGLE_CLOUD_PROJECT": "bees", "GOOGLE_VERTEX_BASE_URL": server.address, "LLMSPELL_MODEL": "vertex:g-1",
            "GOOGLE_APPLICATION_CREDENTIALS": str(service_account(tmp_path / "k.json", f"{server.address}/token")),
        }
    )  # fmt: skip
    with pytest.raises(errors.AuthenticationError):
        ask(found)
