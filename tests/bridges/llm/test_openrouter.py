"""OpenRouter: its additions to chat completions, spoken by a server on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from llmspell import BridgeCallError
from llmspell_llm import errors
from llmspell_llm.conversation import Answer, Message, Settings
from llmspell_llm.llm import Asking

HELLO = [Message("user", "Hello?")]
ONCE = Settings(retries=0)
USAGE = {"prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15, "cost": 0.00003}
MODEL = "openai/gpt-4o-mini"


def said(text: str, **more: Any) -> dict[str, Any]:
    choice = {
        "index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop",
        "native_finish_reason": "stop",
    }  # fmt: skip
    head = {"id": "gen-1", "object": "chat.completion", "created": 1, "model": MODEL, "provider": "OpenAI"}
    return {**head, "choices": [choice], "usage": USAGE, **more}


def streamed(*pieces: str) -> Callable[[Any], None]:
    head = {"id": "gen-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "provider": "OpenAI"}

    def chunk(content: str, finish: str | None = None) -> dict[str, Any]:
        delta = {"role": "assistant", "content": content}
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    def behave(exchange: Any) -> None:
        exchange.begin_stream()
        exchange.handler.wfile.write(b": OPENROUTER PROCESSING\n\n")
        for piece in pieces:
            exchange.event(json.dumps(chunk(piece)))
        exchange.event(json.dumps(chunk("", "stop")))
        exchange.event(json.dumps({**head, "choices": [], "usage": USAGE}))
        exchange.event("[DONE]")

    return behave


@pytest.fixture
def router(server: Any, models: Any) -> Any:
    return models(
        {
            "OPENROUTER_API_KEY": "or-key", "OPENROUTER_BASE_URL": server.base_url,
            "LLMSPELL_MODEL": f"openrouter:{MODEL}",
        }
    )  # fmt: skip


def ask(models: Any, settings: Settings = ONCE) -> Answer:
    async def work(asking: Asking) -> Answer:
        return await asking.complete(HELLO, settings)

    result: Answer = models.run(work)
    return result


def test_it_answers_counts_and_knows_the_price(server: Any, router: Any) -> None:
    server.then(lambda exchange: exchange.json(said("Hello.")))
    got = ask(router)
    assert (got.text, got.provider, got.model) == ("Hello.", "openrouter", MODEL)
    assert (got.usage.input_tokens, got.usage.output_tokens, got.usage.estimated) == (11, 4, False)
    assert got.usage.cost is not None
    assert got.usage.cost > 0
    (request,) = server.requests
    assert (request.path, request.headers["authorization"]) == ("/v1/chat/completions", "Bearer or-key")
    assert request.body["model"] == MODEL


def test_it_streams_past_its_comments(server: Any, router: Any) -> None:
    server.then(streamed("One ", "two."))

    async def work(asking: Asking) -> tuple[list[str], Answer | None]:
        stream = await asking.stream(HELLO, ONCE)
        return [piece async for piece in stream.pieces()], stream.answer

    pieces, whole = router.run(work)
    assert pieces == ["One ", "two."]
    assert whole is not None
    assert (whole.usage.output_tokens, whole.usage.estimated) == (4, False)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"error": {"code": 401, "message": "no key"}}, 401, errors.AuthenticationError),
        ({"error": {"code": 402, "message": "no credit"}}, 402, errors.QuotaError),
        ({"error": {"code": 429, "message": "slower"}}, 429, errors.RateLimitedError),
        ({"error": {"code": 502, "message": "the provider is down"}}, 502, errors.ProviderDownError),
        # OpenRouter says some failures in an answer that succeeded.
        ({"error": {"code": 503, "message": "nobody serves it"}, "user_id": "u"}, 200, errors.ProviderDownError),
        ({"error": {"code": 429, "message": "slower"}}, 200, errors.RateLimitedError),
        ({"id": "gen-1", "choices": None}, 200, errors.BadAnswerError),
    ],
)
def test_each_refusal_is_its_own_error(server: Any, router: Any, body: Any, status: int, error: Any) -> None:
    server.then(lambda exchange: exchange.json(body, status))
    with pytest.raises(error):
        ask(router)


def test_an_error_inside_a_stream_is_its_error(server: Any, router: Any) -> None:
    def behave(exchange: Any) -> None:
        exchange.begin_stream()
        choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
        exchange.event(
            json.dumps(
                {
                    "id": "g", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "provider": "OpenAI",
                    "error": {"code": 502, "message": "the provider broke off"}, "choices": [choice],
                }
            )
        )  # fmt: skip

    server.then(behave)

    async def work(asking: Asking) -> None:
        async for _ in (await asking.stream(HELLO, ONCE)).pieces():
            pass

    with pytest.raises(errors.ModelError, match="broke off"):
        router.run(work)


def test_a_name_that_cannot_be_a_model_there_is_told(spells: Any) -> None:
    spells.environ |= {"OPENROUTER_API_KEY": "k"}
    with pytest.raises(BridgeCallError, match=r"openrouter:gpt-4o cannot be asked: .*'openai/gpt-4o'") as caught:
        spells.calls(("llm.complete", "Hello?", {"model": "openrouter:gpt-4o"}))
    assert isinstance(caught.value.__cause__, errors.ModelUnknownError)
