"""The llm bridge, as spells in two languages use it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from llmspell import Policy
from llmspell.errors import BridgeCallError, BudgetExceeded
from llmspell.testing import FakeFailure, FakeReply


def test_complete_returns_the_text(spells: Any) -> None:
    spells.fake.say("Paris.")
    value = spells.value(
        lua='return llm.complete("What is the capital of France?", {temperature = 0})',
        javascript='return await llm.complete("What is the capital of France?", {temperature: 0})',
    )
    assert value == "Paris."
    request = spells.fake.requests[0]
    assert request.prompt == "What is the capital of France?"
    assert request.options["temperature"] == 0


def test_complete_takes_everything_in_one_table(spells: Any) -> None:
    value = spells.value(
        lua='return llm.complete{prompt = "Hi", system = "Be kind.", max_tokens = 5, stop = {"x"}, seed = 3}',
        javascript='return llm.complete({prompt: "Hi", system: "Be kind.", maxTokens: 5, stop: ["x"], seed: 3})',
    )
    assert value == "Fine."
    request = spells.fake.requests[0]
    assert request.messages == ({"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"})
    assert (request.options["max_tokens"], request.options["stop_sequences"], request.options["seed"]) == (5, ["x"], 3)


def test_complete_takes_messages(spells: Any) -> None:
    spells.value(
        lua="""return llm.complete{messages = {
            {role = "user", content = "a"}, {role = "assistant", content = "b"}, {role = "user", content = "c"}}}""",
        javascript="""return llm.complete({messages: [
            {role: "user", content: "a"}, {role: "assistant", content: "b"}, {role: "user", content: "c"}]})""",
    )
    assert [message["content"] for message in spells.fake.requests[0].messages] == ["a", "b", "c"]


def test_details_tell_usage_and_price(spells: Any) -> None:
    spells.fake.say(FakeReply("Hello there", input_tokens=11, output_tokens=2))
    result = spells.run(
        lua='return llm.complete("Hi", {details = true})',
        javascript='return llm.complete("Hi", {details: true})',
    )
    assert result.value["content"] == "Hello there"
    assert (result.value["provider"], result.value["model"], result.value["finish_reason"]) == ("fake", "fake", "stop")
    usage = result.value["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"], usage["requests"]) == (11, 2, 13, 1)
    assert usage["cost_known"] is True
    assert (result.usage.input_tokens, result.usage.output_tokens, result.usage.requests) == (11, 2, 1)


def test_choices_return_one_of_them(spells: Any) -> None:
    spells.fake.say('{"choice": "negative"}')
    value = spells.value(
        lua='return llm.complete("Review: cold soup", {choices = {"positive", "negative"}})',
        javascript='return llm.complete("Review: cold soup", {choices: ["positive", "negative"]})',
    )
    assert value == "negative"


def test_a_schema_returns_data(spells: Any) -> None:
    spells.fake.say('{"name": "Ann", "tags": ["a", "b"]}')
    value = spells.value(
        lua="""return llm.complete("Who?", {schema = {type = "object", required = {"name"},
            properties = {name = {type = "string"}, tags = {type = "array", items = {type = "string"}}}}})""",
        javascript="""return llm.complete("Who?", {schema: {type: "object", required: ["name"],
            properties: {name: {type: "string"}, tags: {type: "array", items: {type: "string"}}}}})""",
    )
    assert value == {"name": "Ann", "tags": ["a", "b"]}


def test_an_answer_that_never_fits_tells_the_script_where(spells: Any) -> None:
    spells.fake.say('{"n": "x"}', '{"n": "y"}')
    value = spells.value(
        lua="""local schema = {type = "object", properties = {n = {type = "integer"}}}
            local ok, e = pcall(llm.complete, "?", {schema = schema})
            return {ok, e.code, e.details.path}""",
        javascript="""const schema = {type: "object", properties: {n: {type: "integer"}}};
            try { await llm.complete("?", {schema}) }
            catch (e) { return [false, e.code, e.details.path] }""",
    )
    assert value == [False, "invalid_answer", "$.n"]


USER = {"role": "user", "content": "b"}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "prompt is empty"),
        (["  "], "prompt is empty"),
        ([None], "prompt"),
        ([3], "prompt"),
        (["a", {"temperature": 3}], "temperature"),
        (["a", {"max_tokens": 0}], "max_?[tT]okens"),
        (["a", {"temprature": 1}], "did you mean 'temperature'"),
        (["a", {"stop": [""]}], "empty text"),
        (["a", {"messages": [USER]}], "not both"),
        ([{"messages": [{**USER, "role": "robot"}]}], "role should be one of"),
        ([{"messages": [{**USER, "role": "assistant"}]}], "the last message should be the user's"),
        ([{"messages": [{**USER, "extra": 1}]}], "has no 'extra'"),
        (["a", {"choices": ["x"], "schema": {"type": "object"}}], "exclude each other"),
        (["a", {"choices": ["x", "x"]}], "two choices are the same"),
        (["a", {"schema": {"type": "nope"}}], "no type 'nope'"),
        (["a", {"schema": {"type": "object", "required": 3}}], "no JSON Schema"),
        (["a", {"schema": "unkept"}], "no schema 'unkept'"),
        (["a", {"images": [{"url": "file:///etc/passwd"}]}], "an image is"),
        (["a", {"model": "opnai:x"}], "did you mean 'openai'"),
        (["a", {"model": "openai:x"}], "set OPENAI_API_KEY"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_request(spells: Any, args: list[Any], message: str) -> None:
    with pytest.raises(BridgeCallError, match=message):
        spells.call("llm.complete", *args)
    assert spells.fake.requests == []


def test_chat_returns_a_message_that_can_be_appended(spells: Any) -> None:
    spells.fake.say("Hello!", "Bye!")
    value = spells.value(
        lua="""local m = {{role = "user", content = "Hi"}}
            m[2] = llm.chat(m) ; m[2] = {role = m[2].role, content = m[2].content}
            m[3] = {role = "user", content = "I go"}
            return llm.chat(m, {system = "Be brief."}).content""",
        javascript="""const m = [{role: "user", content: "Hi"}];
            const a = await llm.chat(m); m.push({role: a.role, content: a.content}, {role: "user", content: "I go"});
            return (await llm.chat(m, {system: "Be brief."})).content""",
    )
    assert value == "Bye!"
    assert [message["role"] for message in spells.fake.requests[1].messages] == ["system", "user", "assistant", "user"]


def test_stream_calls_the_scripts_function_with_every_piece(spells: Any) -> None:
    spells.fake.say("one two three")
    value = spells.value(
        lua="""local got = {}
            local all = llm.stream("Count", function(piece) got[#got + 1] = piece end)
            return {all, got}""",
        javascript="""const got = [];
            const all = await llm.stream("Count", p => { got.push(p) });
            return [all, got]""",
    )
    assert value == ["one two three", ["one ", "two ", "three"]]
    assert spells.fake.requests[0].streamed


def test_a_stream_ends_where_the_function_says_false(spells: Any) -> None:
    spells.fake.say("one two three")
    value = spells.value(
        lua="""return llm.stream("Count", function(p) return p ~= "two " end, {details = true})""",
        javascript="""return llm.stream("Count", p => p !== "two ", {details: true})""",
    )
    assert (value["content"], value["finish_reason"]) == ("one two ", "stopped")


def test_an_error_of_the_function_ends_the_stream(spells: Any) -> None:
    with pytest.raises(Exception, match="enough"):
        spells.run(
            lua="""return llm.stream("Count", function(p) error("enough") end)""",
            javascript="""return await llm.stream("Count", p => { throw new Error("enough") })""",
        )


def test_chunks_are_drawn_one_by_one(spells: Any) -> None:
    spells.fake.say("one two three")
    value = spells.value(
        lua="""local got = {} for piece in llm.chunks("Count") do got[#got + 1] = piece end return got""",
        javascript="""const got = []; for await (const piece of llm.chunks("Count")) got.push(piece); return got""",
    )
    assert value == ["one ", "two ", "three"]


def test_leaving_the_loop_over_chunks_is_paid_for(spells: Any) -> None:
    spells.fake.say("one two three four five")
    result = spells.run(
        lua="""for piece in llm.chunks("Count") do return piece end""",
        javascript="""for await (const piece of llm.chunks("Count")) return piece""",
    )
    assert result.value == "one "
    assert result.usage.requests == 1


def test_models_lists_what_can_be_asked(spells: Any) -> None:
    found = spells.value(lua="return llm.models()", javascript="return llm.models()")
    assert {"name": "fake:fake", "provider": "fake", "model": "fake", "default": True} in found


def test_models_of_one_provider(spells: Any) -> None:
    spells.environ["OPENAI_API_KEY"] = "k"
    found = spells.value(
        lua='return llm.models{provider = "openai"}',
        javascript='return llm.models({provider: "openai"})',
    )
    assert {model["provider"] for model in found} == {"openai"}
    assert "openai:gpt-4o" in {model["name"] for model in found}


def test_failures_have_codes_scripts_can_branch_on(spells: Any) -> None:
    spells.fake.say(FakeFailure("slow down", status=429, retry_after=120))
    value = spells.value(
        lua='local ok, e = pcall(llm.complete, "Hi", {retries = 0}) return e.code',
        javascript='try { await llm.complete("Hi", {retries: 0}) } catch (e) { return e.code }',
    )
    assert value == "rate_limited"


def test_every_request_counts_against_the_budget(spells: Any) -> None:
    spells.fake.say(*[FakeReply("x", input_tokens=40, output_tokens=10)] * 10)
    with pytest.raises(BudgetExceeded):
        spells.run(
            policy=Policy.minimal().narrow(tokens=120),
            lua='local n = 0 while true do llm.complete("Hi") n = n + 1 end',
            javascript='while (true) await llm.complete("Hi")',
        )
    assert len(spells.fake.requests) == 3


def test_a_budget_stops_a_stream_in_the_middle(spells: Any) -> None:
    spells.fake.say("word " * 2000)
    with pytest.raises(BudgetExceeded) as caught:
        spells.run(
            policy=Policy.minimal().narrow(tokens=300),
            lua='return llm.stream("Hi", function() end)',
            javascript='return await llm.stream("Hi", () => {})',
        )
    usage = caught.value.result.usage
    assert usage.requests == 1
    assert 0 < usage.output_tokens < 700


def test_questions_and_answers_are_in_the_record(spells: Any) -> None:
    spells.run(
        lua='return llm.complete("Hi", {seed = 1})',
        javascript='return llm.complete("Hi", {seed: 1})',
    )
    record = next(record for record in spells.recorder.records if record.target == "llm")
    assert (record.method, record.args, record.result) == ("complete", ["Hi", {"seed": 1}], "Fine.")


def test_a_spell_without_a_model_loads_no_model_library() -> None:
    script = """
import sys
from llmspell import Host, Policy
import llmspell_llm.plugin, llmspell_local.plugin
with Host(environ={}) as host, host.session(policy=Policy.minimal()) as session:
    assert session.eval("lua", "return 1 + 1").value == 2
heavy = {"pydantic_ai", "openai", "httpx2", "httpx", "anthropic", "google.genai", "genai_prices", "xllamacpp",
         "jsonschema", "json_repair", "tenacity", "jinja2", "llmspell_llm.llm", "llmspell_llm.adapter"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
