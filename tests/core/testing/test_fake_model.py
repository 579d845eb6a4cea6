"""The scripted model says what it was told, in order, by pattern, in pieces, or not at all."""

from __future__ import annotations

import asyncio

import pytest

from llmspell.errors import UsageError
from llmspell.testing import FakeFailure, FakeModel, FakeReply, FakeToolCall


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "be brief"}, {"role": "user", "content": text}]


def ask(model: FakeModel, text: str = "hello", **options: object) -> FakeReply:
    return asyncio.run(model.complete(user(text), **options))


def stream(model: FakeModel, text: str = "hello") -> list[object]:
    async def collect() -> list[object]:
        return [piece async for piece in model.stream(user(text))]

    return asyncio.run(collect())


def test_replies_come_in_order() -> None:
    model = FakeModel(["one", FakeReply("two")]).say("three")
    assert [ask(model).text for _ in range(3)] == ["one", "two", "three"]
    assert model.remaining == 0


def test_no_reply_left_is_an_error_that_quotes_the_prompt() -> None:
    with pytest.raises(UsageError, match="no answer left for 'anything more'") as caught:
        ask(FakeModel(), "anything more")
    assert "default" in caught.value.hint


def test_a_default_answers_for_good() -> None:
    model = FakeModel(["first"], default="again")
    assert [ask(model).text for _ in range(3)] == ["first", "again", "again"]


def test_a_pattern_answers_before_the_order_and_keeps_it() -> None:
    model = FakeModel(["in order"]).on(r"capital\s+of france", "Paris")
    assert ask(model, "The CAPITAL of France?").text == "Paris"
    assert ask(model, "something else").text == "in order"


def test_the_answers_of_a_pattern_come_in_turn_and_the_last_one_stays() -> None:
    model = FakeModel().on("x", "first", "then")
    assert [ask(model, "x").text for _ in range(3)] == ["first", "then", "then"]


def test_a_pattern_without_an_answer_is_refused() -> None:
    with pytest.raises(UsageError, match="pattern 'x'"):
        FakeModel().on("x")


def test_a_function_answers_from_the_request() -> None:
    model = FakeModel(default=lambda request: f"{request.prompt} at {request.options['temperature']}")
    assert ask(model, "warm", temperature=0.5).text == "warm at 0.5"


def test_requests_are_kept() -> None:
    model = FakeModel(["a", "b"])
    ask(model, "first", tools=["tool"], seed=7)
    stream(model, "second")
    first, second = model.requests
    assert (first.prompt, first.tools, first.options, first.streamed) == ("first", ("tool",), {"seed": 7}, False)
    assert (second.prompt, second.streamed) == ("second", True)
    assert first.messages[0]["content"] == "be brief"


def test_a_failure_is_raised_with_what_a_provider_would_say() -> None:
    model = FakeModel([FakeFailure("slow down", status=429, retry_after=2.0), "fine"])
    with pytest.raises(FakeFailure) as caught:
        ask(model)
    assert (caught.value.status, caught.value.retry_after) == (429, 2.0)
    assert ask(model).text == "fine"


def test_any_exception_can_be_scripted() -> None:
    with pytest.raises(TimeoutError):
        ask(FakeModel([TimeoutError()]))


def test_a_reply_has_usage_and_a_reason_to_end() -> None:
    reply = ask(FakeModel(["three words here"]), "two words")
    assert (reply.input_tokens, reply.output_tokens, reply.finish_reason) == (4, 3, "stop")
    fixed = ask(FakeModel([FakeReply("x", input_tokens=10, output_tokens=20, finish_reason="length")]))
    assert (fixed.input_tokens, fixed.output_tokens, fixed.finish_reason) == (10, 20, "length")


def test_tool_calls_get_ids_and_end_the_turn() -> None:
    reply = ask(FakeModel([FakeReply(tool_calls=(FakeToolCall("add", {"a": 1}), FakeToolCall("sub", id="mine")))]))
    assert [call.id for call in reply.tool_calls] == ["call-1", "mine"]
    assert reply.finish_reason == "tool_calls"


def test_a_stream_gives_pieces_then_tool_calls_then_the_reply() -> None:
    call = FakeToolCall("add", {"a": 1}, "id")
    *pieces, tool, reply = stream(FakeModel([FakeReply("one two  three", tool_calls=(call,))]))
    assert pieces == ["one ", "two  ", "three"]
    assert tool == call
    assert reply.text == "one two  three"


def test_a_stream_is_cut_as_told() -> None:
    *pieces, reply = stream(FakeModel([FakeReply(chunks=("a", "", "bc"))]))
    assert pieces == ["a", "", "bc"]
    assert reply.text == "abc"


@pytest.mark.parametrize(("cut", "said"), [(0, []), (1, ["one "]), (5, ["one ", "two"])])
def test_a_stream_breaks_where_told(cut, said) -> None:
    model = FakeModel([FakeReply("one two", cut_after=cut)])
    got: list[object] = []

    async def collect() -> None:
        async for piece in model.stream(user("x")):
            got.append(piece)

    with pytest.raises(FakeFailure, match="connection broke"):
        asyncio.run(collect())
    assert got == said


def test_a_stream_that_fails_at_once_says_nothing() -> None:
    with pytest.raises(FakeFailure, match="no"):
        stream(FakeModel([FakeFailure("no")]))


def test_a_test_can_hold_the_model_back_and_cancel_it() -> None:
    async def scenario() -> bool:
        reached = asyncio.Event()

        async def hold() -> None:
            reached.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(FakeModel([FakeReply("never", before=hold)]).complete(user("x")))
        await reached.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert asyncio.run(scenario())


def test_plain_data_makes_a_model() -> None:
    model = FakeModel.from_config(
        {
            "name": "scripted",
            "replies": ["plain", {"text": "table", "finish_reason": "length"}, {"error": "busy", "status": 503}],
            "patterns": {"weather": {"tool_calls": [{"name": "weather", "arguments": {"city": "Oslo"}}]}},
            "default": "else",
        }
    )
    assert model.name == "scripted"
    assert ask(model, "the weather?").tool_calls[0].arguments == {"city": "Oslo"}
    assert ask(model).text == "plain"
    assert ask(model).finish_reason == "length"
    with pytest.raises(FakeFailure, match="busy") as caught:
        ask(model)
    assert caught.value.status == 503
    assert ask(model).text == "else"


@pytest.mark.parametrize("reply", [{"txt": "x"}, 3, ["x"]])
def test_plain_data_that_is_no_reply_is_refused(reply) -> None:
    with pytest.raises(UsageError, match="is no reply"):
        FakeModel.from_config({"replies": [reply]})
