"""What people come for, in each of the three languages."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from llmspell import Host, Policy
from llmspell.testing import FakeModel, FakeReply, FakeToolCall
from llmspell.testing.fake_model import FakeFailure

TEN = {
    "lua": """
        local asked = {}
        for n = 1, 10 do asked[n] = promise.async(function() return llm.complete("number " .. n) end)() end
        return promise.await(promise.all(asked))""",
    "javascript": """
        const numbers = Array.from({length: 10}, (_, n) => n + 1);
        return await Promise.all(numbers.map(n => llm.complete(`number ${n}`)));""",
    "tengo": """
        llm := import("llm")
        promise := import("promise")
        asked := []
        for n := 1; n <= 10; n++ {
          ask := promise.async(func(text) { return llm.complete(text) })
          asked = append(asked, ask("number " + string(n)))
        }
        export promise.await(promise.all(asked))""",
}


def spoken(text: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


def use(everywhere: Any, server: Any) -> None:
    everywhere.config = {}
    everywhere.environ |= {"LLMSPELL_BASE_URL": server.base_url, "LLMSPELL_MODEL": "compatible:m"}


@pytest.mark.parametrize("level", ["minimal", "standard"])
def test_ten_prompts_are_ten_requests_in_flight(everywhere: Any, server: Any, level: str) -> None:
    use(everywhere, server)
    together = threading.Barrier(10, timeout=60)

    def behave(exchange: Any) -> None:
        together.wait()  # nobody is answered before all ten are here
        exchange.json(spoken(f"answer to {exchange.body['messages'][-1]['content']}"))

    server.then(*[behave] * 10)
    everywhere.policy = Policy(level=level).grant(bridges={"llm", "promise", "async"}).narrow(time=90)
    result = everywhere.run(**TEN)
    assert result.value == [f"answer to number {n}" for n in range(1, 11)]
    assert result.usage.requests == 10


def test_cancelling_a_spell_closes_its_ten_requests(everywhere: Any, server: Any) -> None:
    use(everywhere, server)
    arrived, left = threading.Semaphore(0), threading.Semaphore(0)

    def behave(exchange: Any) -> None:
        arrived.release()
        exchange.handler.connection.settimeout(60)
        if exchange.handler.connection.recv(1) == b"":
            left.release()

    server.then(*[behave] * 10)

    async def work() -> None:
        async with everywhere.host() as host, host.session(policy=everywhere.policy) as session:
            running = asyncio.create_task(session.aeval(everywhere.language, TEN[everywhere.language]))
            for _ in range(10):
                assert await asyncio.to_thread(arrived.acquire, True, 60)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            for _ in range(10):
                assert await asyncio.to_thread(left.acquire, True, 60), "the server saw each of them leave"

    asyncio.run(work())


def test_complete_takes_one_table(everywhere: Any) -> None:
    everywhere.fake.say("Hello, Ann.")
    result = everywhere.run(
        lua="""return llm.complete{model = "fake", temperature = 0, max_tokens = 9, stop = {"X"}, seed = 3,
            details = true,
            messages = {{role = "system", content = "Be kind."}, {role = "user", content = "I am Ann."}}}.content""",
        javascript="""return (await llm.complete({model: "fake", temperature: 0, maxTokens: 9, stop: ["X"], seed: 3,
            details: true, messages: [{role: "system", content: "Be kind."}, {role: "user", content: "I am Ann."}]})
            ).content""",
        tengo="""llm := import("llm")
            export llm.complete({model: "fake", temperature: 0, max_tokens: 9, stop: ["X"], seed: 3, details: true,
            messages: [{role: "system", content: "Be kind."}, {role: "user", content: "I am Ann."}]}).content""",
    )
    assert result.value == "Hello, Ann."
    (request,) = everywhere.fake.requests
    assert [message["content"] for message in request.messages] == ["Be kind.", "I am Ann."]
    assert request.options == {"temperature": 0, "max_tokens": 9, "stop_sequences": ["X"], "seed": 3}


def test_an_answer_is_drawn_piece_by_piece(everywhere: Any) -> None:
    everywhere.fake.say("one two three", "four five six")
    result = everywhere.run(
        lua="""local got = {}
            for piece in llm.chunks("Count") do got[#got + 1] = piece end
            for piece in llm.chunks("Count") do got[#got + 1] = piece break end
            return got""",
        javascript="""const got = [];
            for await (const piece of llm.chunks("Count")) got.push(piece);
            for await (const piece of llm.chunks("Count")) { got.push(piece); break; }
            return got""",
        tengo="""llm := import("llm")
            stream := import("stream")
            got := []
            stream.each(llm.chunks("Count"), func(piece) { got = append(got, piece) })
            stream.each(llm.chunks("Count"), func(piece) { got = append(got, piece); return false })
            export got""",
    )
    assert result.value == ["one ", "two ", "three", "four "]
    assert result.usage.requests == 2


def test_an_answer_is_handed_over_piece_by_piece(everywhere: Any) -> None:
    everywhere.fake.say("one two three")
    result = everywhere.run(
        lua="""local got = {}
            local whole = llm.stream("Count", function(piece) got[#got + 1] = piece end)
            return {got = got, whole = whole}""",
        javascript="""const got = [];
            const whole = await llm.stream("Count", piece => { got.push(piece) });
            return {got, whole}""",
        tengo="""llm := import("llm")
            got := []
            whole := llm.stream("Count", func(piece) { got = append(got, piece) })
            export {got: got, whole: whole}""",
    )
    assert result.value == {"got": ["one ", "two ", "three"], "whole": "one two three"}


def test_a_function_that_returns_false_ends_what_a_model_and_what_an_agent_says(everywhere: Any) -> None:
    everywhere.fake.say("one two three", "four five six")
    value = everywhere.value(
        lua="""local got = {}
            local function receive(piece) got[#got + 1] = piece return #got % 2 == 1 end
            local model = llm.stream("Count", receive, {details = true})
            local all = agent.create("a"):stream("Count", receive, {details = true})
            return {got, {model.content, model.finish_reason}, {all.content, all.finish_reason}}""",
        javascript="""const got = [];
            const receive = piece => { got.push(piece); return got.length % 2 === 1 };
            const model = await llm.stream("Count", receive, {details: true});
            const all = await (await agent.create("a")).stream("Count", receive, {details: true});
            return [got, [model.content, model.finish_reason], [all.content, all.finish_reason]]""",
        tengo="""llm := import("llm")
            agent := import("agent")
            got := []
            receive := func(piece) { got = append(got, piece); return len(got) % 2 == 1 }
            model := llm.stream("Count", receive, {details: true})
            all := agent.create("a").stream("Count", receive, {details: true})
            export [got, [model.content, model.finish_reason], [all.content, all.finish_reason]]""",
    )
    assert value == [["one ", "two ", "four ", "five "], ["one two ", "stopped"], ["four five ", "stopped"]]


def test_ending_what_an_agent_says_closes_its_request(everywhere: Any, server: Any) -> None:
    use(everywhere, server)
    left = threading.Event()

    def behave(exchange: Any) -> None:
        exchange.begin_stream()
        exchange.piece("One ")
        # A client that leaves makes the read end; one that stays would make it time out.
        exchange.handler.connection.settimeout(30)
        if exchange.handler.connection.recv(1) == b"":
            left.set()

    server.then(behave)
    value = everywhere.value(
        lua="""return agent.create("a"):stream("Count", function() return false end)""",
        javascript="""return (await agent.create("a")).stream("Count", () => false)""",
        tengo="""agent := import("agent"); export agent.create("a").stream("Count", func(_) { return false })""",
    )
    assert value == "One "
    assert left.wait(30)


def test_an_agent_whose_stream_was_ended_uses_no_further_tool(everywhere: Any) -> None:
    everywhere.fake.say(FakeReply("let me see", tool_calls=(FakeToolCall("look", {}),)), "never asked for")
    result = everywhere.run(
        lua="""local looked = 0
            tools.define("look", "Look", {}, function() looked = looked + 1 end)
            local told = agent.create("a", {tools = {"look"}, schema = {seen = "string"}}):stream("What is there?",
                function(piece) return piece ~= "me " end)
            return {told, looked}""",
        javascript="""let looked = 0;
            await tools.define("look", "Look", {}, () => { looked++ });
            const told = await (await agent.create("a", {tools: ["look"], schema: {seen: "string"}}))
                .stream("What is there?", piece => piece !== "me ");
            return [told, looked]""",
        tengo="""tools := import("tools")
            agent := import("agent")
            looked := 0
            tools.define("look", "Look", {}, func(_) { looked += 1 })
            told := agent.create("a", {tools: ["look"], schema: {seen: "string"}}).stream("What is there?",
                func(piece) { return piece != "me " })
            export [told, looked]""",
    )
    assert result.value == ["let me ", 0]
    assert result.usage.requests == 1
    assert result.usage.output_tokens > 0


def test_a_stream_tells_how_it_ended(everywhere: Any) -> None:
    everywhere.fake.say("one two", FakeFailure("too busy", status=400))
    result = everywhere.run(
        lua="""local seen = {}
            local function ask()
              return llm.stream{messages = {{role = "user", content = "Count"}},
                on_content = function(piece) seen[#seen + 1] = piece end,
                on_complete = function(answer) seen[#seen + 1] = answer.content end,
                on_error = function(e) seen[#seen + 1] = e.code end}
            end
            local first, second = ask(), ask()
            return {seen = seen, first = first, none = second == nil or second == null}""",
        javascript="""const seen = [];
            const ask = () => llm.stream({messages: [{role: "user", content: "Count"}],
              onContent: piece => { seen.push(piece) },
              onComplete: answer => { seen.push(answer.content) },
              onError: e => { seen.push(e.code) }});
            const first = await ask();
            const second = await ask();
            return {seen, first, none: second === null}""",
        tengo="""llm := import("llm")
            seen := []
            ask := func() {
              return llm.stream({messages: [{role: "user", content: "Count"}],
                on_content: func(piece) { seen = append(seen, piece) },
                on_complete: func(answer) { seen = append(seen, answer.content) },
                on_error: func(e) { seen = append(seen, e.code) }})
            }
            first := ask()
            second := ask()
            export {seen: seen, first: first, none: is_undefined(second)}""",
    )
    assert result.value == {"seen": ["one ", "two", "one two", "request_rejected"], "first": "one two", "none": True}


def test_an_answer_that_never_fits_tells_the_script_where(everywhere: Any) -> None:
    everywhere.fake.say('{"age": "old"}', '{"age": "older"}')
    result = everywhere.run(
        lua="""local ok, e = pcall(llm.complete, "Who?", {schema = {type = "object",
              properties = {age = {type = "integer"}}, required = {"age"}}})
            return {e.code, e.details.path}""",
        javascript="""try { await llm.complete("Who?", {schema: {type: "object",
              properties: {age: {type: "integer"}}, required: ["age"]}}) }
            catch (e) { return [e.code, e.details.path] }""",
        tengo="""llm := import("llm")
            e := llm.complete("Who?", {schema: {type: "object",
              properties: {age: {type: "integer"}}, required: ["age"]}})
            export [e.value.code, e.value.details.path]""",
    )
    assert result.value == ["invalid_answer", "$.age"]
    assert "does not fit" in everywhere.fake.requests[1].messages[-1]["content"]


def test_a_conversation_remembers_exports_and_clears(everywhere: Any) -> None:
    everywhere.fake.say("Hello.", "Bye.")
    result = everywhere.run(
        lua="""local chat = llm.chat_session("Be kind.")
            local first = chat:send("Hi")
            local second = chat:send("So long", {max_tokens = 5})
            local exported, before = chat:export(), #chat:get_history()
            chat:clear()
            return {first, second, #exported.messages, before, #chat:get_history()}""",
        javascript="""const chat = await llm.chatSession("Be kind.");
            const first = await chat.send("Hi");
            const second = await chat.send("So long", {maxTokens: 5});
            const exported = chat.export(), before = chat.getHistory().length;
            chat.clear();
            return [first, second, exported.messages.length, before, chat.getHistory().length]""",
        tengo="""llm := import("llm")
            chat := llm.chat_session("Be kind.")
            first := chat.send("Hi")
            second := chat.send("So long", {max_tokens: 5})
            exported := chat["export"]()
            before := len(chat.get_history())
            chat.clear()
            export [first, second, len(exported.messages), before, len(chat.get_history())]""",
    )
    assert result.value == ["Hello.", "Bye.", 4, 5, 1]
    assert [request.options.get("max_tokens") for request in everywhere.fake.requests] == [None, 5]


def test_a_batch_a_template_and_a_count(everywhere: Any) -> None:
    everywhere.fake.on("a", "A").on("b", "B")
    result = everywhere.run(
        lua="""return {llm.batch_process({"a", "b"}, {concurrency = 2}),
            llm.prompt("Dear {{ name }}", {name = "Ann"}), llm.count_tokens("12345678"), llm.embed == nil}""",
        javascript="""return [await llm.batchProcess(["a", "b"], {concurrency: 2}),
            llm.prompt("Dear {{ name }}", {name: "Ann"}), await llm.countTokens("12345678"), !llm.embed]""",
        tengo="""llm := import("llm")
            export [llm.batch_process(["a", "b"], {concurrency: 2}),
            llm.prompt("Dear {{ name }}", {name: "Ann"}), llm.count_tokens("12345678"), llm.embed == undefined]""",
    )
    assert result.value == [["A", "B"], "Dear Ann", {"tokens": 2, "exact": False, "model": "fake:fake"}, False]


def test_providers_and_pools_are_made_and_asked(everywhere: Any) -> None:
    result = everywhere.run(
        lua="""local providers, pool = require("providers"), require("pool")
            providers.fake("one", {{error = "down", status = 500}})
            providers.fake("two", {"from two"})
            pool.create("both", {"one", "two"}, "failover")
            local answer = llm.complete("Hi", {model = "both"})
            return {answer, pool.metrics("both").provider_metrics.one.failures}""",
        javascript="""const providers = require("providers"), pool = require("pool");
            providers.fake("one", [{error: "down", status: 500}]);
            providers.fake("two", ["from two"]);
            await pool.create("both", ["one", "two"], "failover");
            const answer = await llm.complete("Hi", {model: "both"});
            return [answer, pool.metrics("both").provider_metrics.one.failures]""",
        tengo="""llm := import("llm")
            providers := import("providers")
            pool := import("pool")
            providers.fake("one", [{"error": "down", status: 500}])
            providers.fake("two", ["from two"])
            pool.create("both", ["one", "two"], "failover")
            answer := llm.complete("Hi", {model: "both"})
            export [answer, pool.metrics("both").provider_metrics.one.failures]""",
    )
    assert result.value == ["from two", 1]


def test_what_a_model_costs_is_known_or_unknown(everywhere: Any) -> None:
    result = everywhere.run(
        lua="""local info = require("modelinfo")
            local known = info.estimate_cost("openai:gpt-4o", {input_tokens = 1000, output_tokens = 10})
            local unknown = info.estimate_cost("openai:no-such-model", {input_tokens = 1000})
            return {known.cost > 0, unknown.known, info.get("openai:gpt-4o").context_window}""",
        javascript="""const info = require("modelinfo");
            const known = await info.estimateCost("openai:gpt-4o", {inputTokens: 1000, outputTokens: 10});
            const unknown = await info.estimateCost("openai:no-such-model", {inputTokens: 1000});
            return [known.cost > 0, unknown.known, (await info.get("openai:gpt-4o")).context_window]""",
        tengo="""info := import("modelinfo")
            known := info.estimate_cost("openai:gpt-4o", {input_tokens: 1000, output_tokens: 10})
            unknown := info.estimate_cost("openai:no-such-model", {input_tokens: 1000})
            export [known.cost > 0, unknown.known, info.get("openai:gpt-4o").context_window]""",
    )
    assert result.value == [True, False, 128000]


def test_pictures_come_through_the_guard(everywhere: Any, server: Any) -> None:
    use(everywhere, server)
    sources = {
        "lua": 'return llm.complete("What is it?", {images = {{url = params.url}}})',
        "javascript": 'return await llm.complete("What is it?", {images: [{url: params.url}]})',
        "tengo": 'export import("llm").complete("What is it?", {images: [{url: params.url}]})',
    }
    url = f"{server.address}/bee.png"
    everywhere.policy = Policy.standard().narrow(time=60)
    with pytest.raises(Exception, match="does not allow connecting"):
        everywhere.run(params={"url": url}, **sources)
    assert server.requests == []

    server.then(
        lambda e: e.send(200, b"a bee", {"Content-Type": "image/png"}),
        lambda e: e.send(200, json.dumps(spoken("A bee.")).encode()),
    )
    everywhere.policy = Policy.standard().narrow(time=60).grant(net={server.address.removeprefix("http://")})
    assert everywhere.run(params={"url": url}, **sources).value == "A bee."
    picture = server.requests[1].body["messages"][0]["content"][1]
    assert picture == {"type": "image_url", "image_url": {"url": "data:image/png;base64,YSBiZWU="}}


@pytest.mark.parametrize("level", ["minimal", "standard"])
def test_a_function_of_another_language_hears_an_answer(tmp_path: Path, level: Any) -> None:
    model = FakeModel(default="One two three.")
    config = {"models": {"default": "fake", "providers": {"fake": {"model": model}}}}
    (tmp_path / "ears.js").write_text(
        "const got = []; module.exports = {hear: piece => { got.push(piece) }, heard: () => got, "
        "drain: async s => { const out = []; for await (const piece of s) out.push(piece); return out }};"
    )
    (tmp_path / "main.lua").write_text(
        """
        local ears = require("./ears.js")
        llm.stream("Hi", ears.hear)
        tools.register({name = "ear", description = "Hears", execute = ears.hear})
        tools.execute("ear", {a = 1})
        return {ears.heard(), ears.drain(llm.chunks("Hi"))}"""
    )
    with Host(config=config) as host:
        if not {"lua", "javascript"} <= set(host.plugins.engines):
            pytest.skip("the engines lua and javascript are not both installed")
        with host.session(Policy.at_level(level).narrow(time=20)) as session:
            heard, drained = session.run(tmp_path / "main.lua").value
    assert heard == ["One ", "two ", "three.", {"a": 1}]
    assert drained == ["One ", "two ", "three."]
