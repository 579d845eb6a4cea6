"""Asking a model over a real connection: what is sent, what comes back, and every way it can fail."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from llmspell.errors import BudgetExceeded
from llmspell_llm import errors
from llmspell_llm.conversation import Answer, Image, Message, Settings, Usage
from llmspell_llm.llm import Asking, Report
from llmspell_llm.structured import Choices, Schema, Shape

QUESTION = [Message("user", "How are you?")]
ONCE = Settings(retries=0)
AT_ONCE = {"retry-after-ms": "1"}


class Book:
    """An account that remembers."""

    bounds_cost = False

    def __init__(self, limit: int | None = None) -> None:
        self.reports: list[Report] = []
        self.limit = limit
        self.reserved = 0

    @property
    def bounded(self) -> bool:
        return self.limit is not None

    def reserve(self, tokens: int, cost: float = 0.0) -> int:
        if self.limit is not None and self.reserved + tokens > self.limit:
            raise BudgetExceeded("no more", limit="tokens")
        self.reserved += tokens
        return tokens

    def settle(self, report: Report, reservations: Sequence[Any]) -> None:
        self.reserved -= sum(reservations)
        self.reports.append(report)


def ask(scripted: Any, settings: Settings = ONCE, messages: Sequence[Message] = QUESTION, **more: Any) -> Answer:
    answer: Answer = scripted.run(lambda asking: asking.complete(messages, settings, **more))
    return answer


def test_an_answer_comes_with_its_usage(server: Any, scripted: Any) -> None:
    server.answer("Fine.", usage={"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14})
    answer = ask(scripted)
    assert (answer.text, answer.provider, answer.model, answer.finish_reason) == ("Fine.", "compatible", "m", "stop")
    assert answer.usage == Usage(12, 2, 1, cost=None)


def test_settings_reach_the_server(server: Any, scripted: Any) -> None:
    server.answer("x")
    ask(
        scripted,
        Settings(
            temperature=0.5,
            max_tokens=9,
            top_p=0.9,
            stop=("a", "b"),
            seed=7,
            presence_penalty=0.1,
            frequency_penalty=0.2,
            retries=0,
        ),
    )
    sent = server.requests[0].body
    expected = {
        "temperature": 0.5,
        "max_tokens": 9,
        "top_p": 0.9,
        "stop": ["a", "b"],
        "seed": 7,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "model": "m",
    }
    assert {key: sent[key] for key in expected} == expected
    assert server.requests[0].headers["authorization"] == "Bearer test-key"


def test_a_conversation_reaches_the_server_in_order(server: Any, scripted: Any) -> None:
    server.answer("x")
    turns = [
        Message("system", "Be kind."),
        Message("user", "Hi"),
        Message("assistant", "Hello"),
        Message("user", "Bye"),
    ]
    ask(scripted, messages=turns)
    sent = [(m["role"], m["content"]) for m in server.requests[0].body["messages"]]
    assert sent == [("system", "Be kind."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Bye")]


def test_pictures_go_with_their_message(server: Any, scripted: Any) -> None:
    server.answer("x")
    ask(scripted, messages=[Message("user", "What is it?", (Image(data=b"\x89PNG", media_type="image/png"),))])
    parts = server.requests[0].body["messages"][0]["content"]
    assert [part["type"] for part in parts] == ["text", "image_url"]
    assert parts[1]["image_url"]["url"].startswith("data:image/png;base64,")


def test_usage_that_is_not_told_is_estimated_and_says_so(server: Any, scripted: Any) -> None:
    server.answer("four", usage={})
    usage = ask(scripted, messages=[Message("user", "x" * 40)]).usage
    assert usage.estimated
    assert (usage.input_tokens, usage.output_tokens) == (10, 1)


def test_an_unknown_price_is_unknown_and_a_known_one_known(server: Any, models: Any) -> None:
    server.answer("x", usage={"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100})
    server.answer("x", usage={"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100})

    async def work(asking: Asking) -> tuple[float | None, float | None]:
        kind = asking.directory.kind("compatible")
        asking.directory.make("mine", kind, {"base_url": server.base_url})
        paid = asking.directory.make("paid", kind, {"base_url": server.base_url})
        paid.prices = "openai"
        unknown = await asking.complete(QUESTION, ONCE, model="mine:gpt-4o-mini")
        known = await asking.complete(QUESTION, ONCE, model="paid:gpt-4o-mini")
        return unknown.usage.cost, known.usage.cost

    unknown, known = models({}).run(work)
    assert unknown is None
    assert known == pytest.approx(0.00021)


# Failures


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, {}, errors.AuthenticationError, "authentication"),
        (403, {}, errors.AuthenticationError, "authentication"),
        (404, {"code": "model_not_found"}, errors.ModelUnknownError, "model_unknown"),
        (400, {}, errors.RequestRejectedError, "request_rejected"),
        (
            400,
            {"type": "exceed_context_size_error", "code": "context_length_exceeded"},
            errors.ContextTooLongError,
            "context_too_long",
        ),
        (429, {}, errors.RateLimitedError, "rate_limited"),
        (429, {"code": "insufficient_quota"}, errors.QuotaError, "quota"),
        (500, {}, errors.ProviderDownError, "provider_down"),
        (503, {}, errors.ProviderDownError, "provider_down"),
    ],
)
def test_each_refusal_is_its_own_error(
    server: Any, scripted: Any, status: int, body: dict[str, str], kind: type[errors.ModelError], code: str
) -> None:
    server.fail(status, "that will not do", **body)
    with pytest.raises(kind, match="that will not do") as caught:
        ask(scripted)
    assert type(caught.value) is kind
    assert caught.value.code == code
    assert (caught.value.provider, caught.value.model) == ("compatible", "m")


def test_the_key_is_not_in_what_a_provider_says_of_it(server: Any, scripted: Any) -> None:
    server.fail(401, "Incorrect API key provided: test-key")
    with pytest.raises(errors.AuthenticationError) as caught:
        ask(scripted)
    assert "test-key" not in str(caught.value)
    assert "***" in str(caught.value)


def test_a_request_is_sent_again_when_the_provider_says_so(server: Any, scripted: Any) -> None:
    server.fail(429, headers=AT_ONCE).fail(500, headers=AT_ONCE).answer("at last")
    book = Book()
    answer = ask(scripted, Settings(retries=2), account=book)
    assert answer.text == "at last"
    assert answer.usage.requests == 3
    assert [report.error.code if report.error else None for report in book.reports] == [
        "rate_limited",
        "provider_down",
        None,
    ]
    assert book.reserved == 0


def test_a_request_is_not_sent_more_often_than_asked(server: Any, scripted: Any) -> None:
    server.fail(500, headers=AT_ONCE).fail(500, headers=AT_ONCE).answer("too late")
    with pytest.raises(errors.ProviderDownError):
        ask(scripted, Settings(retries=1))
    assert len(server.requests) == 2


def test_what_will_not_pass_is_not_sent_again(server: Any, scripted: Any) -> None:
    server.fail(400).answer("never asked")
    with pytest.raises(errors.RequestRejectedError):
        ask(scripted, Settings(retries=5))
    assert len(server.requests) == 1


def test_a_provider_that_asks_for_too_long_a_wait_is_not_waited_for(server: Any, scripted: Any) -> None:
    server.fail(429, headers={"retry-after": "3600"}).answer("never asked")
    with pytest.raises(errors.RateLimitedError) as caught:
        ask(scripted, Settings(retries=5))
    assert caught.value.retry_after == 3600
    assert len(server.requests) == 1


def test_nobody_there_is_a_connection_error(models: Any) -> None:
    with pytest.raises(errors.ConnectionFailedError) as caught:
        models({"LLMSPELL_BASE_URL": "http://127.0.0.1:9/v1", "LLMSPELL_MODEL": "compatible:m"}).run(
            lambda asking: asking.complete(QUESTION, ONCE)
        )
    assert caught.value.exit_code == 7


def test_a_connection_that_breaks_is_a_connection_error(server: Any, scripted: Any) -> None:
    server.then(lambda exchange: exchange.cut())
    with pytest.raises(errors.ConnectionFailedError):
        ask(scripted)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>hello</html>",
        b"{",
        b"[]",
        b'{"choices": []}',
        b'{"object": "chat.completion"}',
        b"null",
        b"\xff\xfe\x00",
    ],
)
def test_garbage_is_a_bad_answer(server: Any, scripted: Any, body: bytes) -> None:
    server.then(lambda exchange: exchange.send(200, body))
    with pytest.raises((errors.BadAnswerError, errors.ConnectionFailedError)) as caught:
        ask(scripted)
    assert caught.value.__cause__ is not None


@pytest.mark.timeout(20)
def test_an_answer_that_does_not_come_in_time_is_given_up(server: Any, scripted: Any) -> None:
    release = threading.Event()
    server.then(lambda exchange: (release.wait(15), None)[1])
    with pytest.raises(errors.ModelTimeoutError) as caught:
        ask(scripted, Settings(timeout=0.2, retries=0))
    release.set()
    assert caught.value.code == "timeout"


def test_a_server_without_models_is_said_so(server: Any, models: Any) -> None:
    server.then(lambda exchange: exchange.send(200, b'{"data": []}'))
    with pytest.raises(errors.ModelUnknownError, match="serves no model"):
        models({"LLMSPELL_BASE_URL": server.base_url}).run(lambda asking: asking.complete(QUESTION, ONCE))


def test_without_a_model_named_the_servers_first_is_asked(server: Any, models: Any) -> None:
    server.then(lambda exchange: exchange.send(200, json.dumps({"data": [{"id": "first"}, {"id": "second"}]}).encode()))
    server.answer("x")
    answer = models({"LLMSPELL_BASE_URL": server.base_url}).run(lambda asking: asking.complete(QUESTION, ONCE))
    assert answer.model == "first"
    assert server.requests[1].body["model"] == "first"


# Constrained answers


def test_choices_are_asked_for_as_a_schema_and_checked(server: Any, scripted: Any) -> None:
    server.answer('{"choice": "negative"}')
    answer = ask(scripted, constraint=Choices(["positive", "negative"]))
    assert answer.value == "negative"
    sent = server.requests[0].body
    assert sent["response_format"]["json_schema"]["schema"]["properties"]["choice"]["enum"] == ["positive", "negative"]
    assert sent["temperature"] == 0


def test_an_answer_that_does_not_fit_is_sent_back_once_with_the_reason(server: Any, scripted: Any) -> None:
    server.answer('{"age": "old"}').answer('{"age": 44}')
    book = Book()
    shape = Shape(Schema({"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}))
    answer = ask(scripted, constraint=shape, account=book)
    assert answer.value == {"age": 44}
    assert answer.repaired
    assert answer.usage.requests == 2
    assert len(book.reports) == 2
    again = server.requests[1].body["messages"]
    assert again[-2] == {"role": "assistant", "content": '{"age": "old"}'}
    assert "'old' is not of type 'integer' (at $.age)" in again[-1]["content"]


def test_an_answer_that_still_does_not_fit_is_an_error_with_the_path(server: Any, scripted: Any) -> None:
    server.answer('{"age": "old"}').answer('{"age": "older"}').answer("never asked")
    shape = Shape(Schema({"type": "object", "properties": {"age": {"type": "integer"}}}))
    with pytest.raises(errors.InvalidAnswerError) as caught:
        ask(scripted, constraint=shape)
    assert (caught.value.path, caught.value.answer) == ("$.age", '{"age": "older"}')
    assert caught.value.details == {"path": "$.age", "answer": '{"age": "older"}'}
    assert len(server.requests) == 2


def test_an_answer_that_was_cut_off_is_not_asked_for_again(server: Any, scripted: Any) -> None:
    server.answer('{"names": ["Ann", "Be', finish="length").answer("never asked")
    with pytest.raises(errors.InvalidAnswerError, match="it was cut off") as caught:
        ask(scripted, constraint=Shape(Schema({"type": "object"})))
    assert caught.value.hint == "raise max_tokens"
    assert len(server.requests) == 1


# Streams


def stream(
    scripted: Any, book: Book | None = None, settings: Settings = ONCE, take: int | None = None
) -> tuple[list[str], Answer | None]:
    async def work(asking: Asking) -> tuple[list[str], Answer | None]:
        answer = await asking.stream(QUESTION, settings, account=book)
        got = []
        pieces = answer.pieces()
        async for piece in pieces:
            got.append(piece)
            if take is not None and len(got) == take:
                await pieces.aclose()
                break
        return got, answer.answer

    result: tuple[list[str], Answer | None] = scripted.run(work)
    return result


def test_a_stream_comes_in_pieces_and_ends_with_the_whole(server: Any, scripted: Any) -> None:
    server.stream("One ", "two ", "three.", usage={"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8})
    book = Book()
    pieces, answer = stream(scripted, book)
    assert pieces == ["One ", "two ", "three."]
    assert answer is not None
    assert answer.text == "One two three."
    assert answer.usage == Usage(5, 3, 1, cost=None)
    assert server.requests[0].body["stream_options"] == {"include_usage": True}
    assert [report.usage.output_tokens for report in book.reports] == [3]
    assert book.reserved == 0


def test_a_stream_that_is_left_early_says_so_and_is_paid_for(server: Any, scripted: Any) -> None:
    server.stream("One ", "two ", "three.")
    book = Book()
    pieces, answer = stream(scripted, book, take=2)
    assert pieces == ["One ", "two "]
    assert answer is not None
    assert (answer.text, answer.finish_reason) == ("One two ", "stopped")
    assert answer.usage.estimated
    assert len(book.reports) == 1
    assert book.reserved == 0


def test_a_stream_that_breaks_off_is_an_error_and_not_begun_again(server: Any, scripted: Any) -> None:
    def behave(exchange: Any) -> None:
        exchange.begin_stream()
        exchange.piece("One ")
        exchange.cut()

    server.then(behave).stream("again")
    book = Book()
    with pytest.raises(errors.ConnectionFailedError):
        stream(scripted, book, Settings(retries=3))
    assert len(server.requests) == 1
    assert book.reports[0].error is not None
    assert book.reserved == 0


def test_a_stream_that_fails_before_its_first_piece_is_begun_again(server: Any, scripted: Any) -> None:
    server.fail(503, headers=AT_ONCE).stream("fine")
    book = Book()
    pieces, _ = stream(scripted, book, Settings(retries=1))
    assert pieces == ["fine"]
    assert [report.error is None for report in book.reports] == [False, True]
    assert book.reserved == 0


def test_an_error_inside_a_stream_is_its_error(server: Any, scripted: Any) -> None:
    def behave(exchange: Any) -> None:
        exchange.begin_stream()
        exchange.piece("One ")
        exchange.event(json.dumps({"error": {"message": "overloaded", "code": 503}}))

    server.then(behave)
    with pytest.raises(errors.ModelError, match="overloaded"):
        stream(scripted)


def test_garbage_inside_a_stream_is_a_bad_answer(server: Any, scripted: Any) -> None:
    def behave(exchange: Any) -> None:
        exchange.begin_stream()
        exchange.piece("One ")
        exchange.event("{not json")

    server.then(behave)
    with pytest.raises(errors.BadAnswerError):
        stream(scripted)


def test_a_budget_stops_a_stream_in_the_middle(server: Any, scripted: Any) -> None:
    server.stream(*[f"{n} " for n in range(1000)])
    book = Book(limit=3 + 64 + 64)
    with pytest.raises(BudgetExceeded):
        stream(scripted, book)
    assert len(book.reports) == 1
    assert 64 <= book.reports[0].usage.output_tokens <= 140
    assert book.reserved == 0


def test_a_piece_counts_by_its_length(server: Any, scripted: Any) -> None:
    server.stream(*["x" * 4000] * 100)
    book = Book(limit=3 + 2500)
    with pytest.raises(BudgetExceeded):
        stream(scripted, book)
    assert book.reports[0].usage.output_tokens <= 3000


def test_an_answer_longer_than_asked_for_draws_on_the_budget(server: Any, scripted: Any) -> None:
    server.stream(*["x" * 4000] * 100)
    book = Book(limit=3 + 10 + 500)
    with pytest.raises(BudgetExceeded):
        stream(scripted, book, Settings(max_tokens=10, retries=0))
    assert book.reserved == 0


def test_a_request_the_budget_does_not_allow_is_not_sent(server: Any, scripted: Any) -> None:
    with pytest.raises(BudgetExceeded):
        ask(scripted, Settings(max_tokens=100), account=Book(limit=50))
    assert server.requests == []


# Many at once


def test_ten_questions_are_ten_requests_in_flight(server: Any, scripted: Any) -> None:
    together = threading.Barrier(10, timeout=20)

    def behave(exchange: Any) -> None:
        together.wait()  # nobody is answered before all ten are here
        exchange.send(
            200,
            json.dumps(
                {
                    "id": "c",
                    "object": "chat.completion",
                    "created": 1,
                    "model": "m",
                    "choices": [
                        {
                            "index": 0,
                            "message": {"role": "assistant", "content": exchange.body["messages"][0]["content"]},
                            "finish_reason": "stop",
                        }
                    ],
                }
            ).encode(),
        )

    server.then(*[behave] * 10)

    async def work(asking: Asking) -> list[Answer]:
        return await asyncio.gather(*(asking.complete([Message("user", str(n))], ONCE) for n in range(10)))

    assert [answer.text for answer in scripted.run(work)] == [str(n) for n in range(10)]


@pytest.mark.parametrize("streaming", [False, True])
def test_cancelling_closes_the_request(server: Any, scripted: Any, streaming: bool) -> None:
    arrived, left = threading.Event(), threading.Event()

    def behave(exchange: Any) -> None:
        if streaming:
            exchange.begin_stream()
            exchange.piece("One ")
        arrived.set()
        # A client that leaves makes the read end; one that stays would make it time out.
        exchange.handler.connection.settimeout(15)
        if exchange.handler.connection.recv(1) == b"":
            left.set()

    server.then(behave)
    book = Book()

    async def work(asking: Asking) -> None:
        async def asked() -> None:
            if streaming:
                async for _ in (await asking.stream(QUESTION, ONCE, account=book)).pieces():
                    pass
            else:
                await asking.complete(QUESTION, ONCE, account=book)

        task = asyncio.create_task(asked())
        await asyncio.to_thread(arrived.wait, 15)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(left.wait, 15)

    scripted.run(work)
    assert len(book.reports) == 1
    assert book.reserved == 0


# Counting


def count(models: Any, text: str, name: str | None = None) -> int | None:
    async def work(asking: Asking) -> int | None:
        from llmspell_llm.adapter.counting import count_tokens

        return await count_tokens(await asking.connect(name), text)

    counted: int | None = models.run(work)
    return counted


def test_a_provider_that_counts_is_asked(server: Any, models: Any) -> None:
    server.then(lambda e: e.json({"object": "response.input_tokens", "input_tokens": 42}))
    environ = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": server.base_url, "LLMSPELL_MODEL": "openai-responses:m"}
    assert count(models(environ), "How many?") == 42
    assert server.requests[0].path == "/v1/responses/input_tokens"
    assert server.requests[0].body == {"input": "How many?", "model": "m"}


def test_a_server_that_does_not_count_leaves_it_to_an_estimate(server: Any, models: Any) -> None:
    server.fail(404, "no such path")
    environ = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": server.base_url, "LLMSPELL_MODEL": "openai-responses:m"}
    assert count(models(environ), "How many?") is None


def test_a_count_that_fails_is_an_error(server: Any, models: Any) -> None:
    server.fail(500, "oh")
    environ = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": server.base_url, "LLMSPELL_MODEL": "openai-responses:m"}
    with pytest.raises(errors.ProviderDownError):
        count(models(environ), "How many?")
