"""The agent bridge: agents that really ask their models, use tools, remember, work together and can be stopped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell import Policy
from llmspell.errors import BridgeCallError, BudgetExceeded
from llmspell.testing import FakeFailure, FakeReply, FakeToolCall


def asks(name: str, **arguments: Any) -> FakeReply:
    return FakeReply(tool_calls=(FakeToolCall(name, arguments),))


ADD_LUA = """
tools.define("add", "Add two numbers", {parameters = {a = "number", b = "number"}}, function(p) return p.a + p.b end)
"""
ADD_JAVASCRIPT = """
tools.define("add", "Add two numbers", {parameters: {a: "number", b: "number"}}, p => p.a + p.b);
"""


def test_an_agent_is_made_in_both_forms_and_answers(spells: Any) -> None:
    spells.fake.on("Who", lambda request: "I am brief." if request.options["max_tokens"] == 9 else "I am kind.")
    value = spells.value(
        lua="""local a = agent.create("brief", {system = "Be brief.", temperature = 0, max_tokens = 9})
            local b = agent.create{name = "kind", system_prompt = "Be kind."}
            return {a:run("Who are you?"), b:run({prompt = "Who are you?", max_tokens = 5}), a:id(), b:name()}""",
        javascript="""const a = await agent.create("brief", {system: "Be brief.", temperature: 0, maxTokens: 9});
            const b = await agent.create({name: "kind", systemPrompt: "Be kind."});
            const kind = await b.run({prompt: "Who are you?", maxTokens: 5});
            return [await a.run("Who are you?"), kind, a.id(), b.name()]""",
    )
    assert value == ["I am brief.", "I am kind.", "brief", "kind"]
    brief = next(request for request in spells.fake.requests if request.options["max_tokens"] == 9)
    assert [message["content"] for message in brief.messages] == ["Be brief.", "Who are you?"]


def test_an_agent_uses_tools_until_it_has_an_answer(spells: Any) -> None:
    spells.fake.say(asks("add", a=1, b=2), asks("add", a=3, b=4), "The sum is 7.")
    value = spells.value(
        lua=ADD_LUA + """return agent.create("calc", {tools = {"add"}}):run("1 + 2 + 4?", {details = true})""",
        javascript=ADD_JAVASCRIPT
        + """return await (await agent.create("calc", {tools: ["add"]})).run("1 + 2 + 4?", {details: true})""",
    )
    assert (value["content"], value["steps"]) == ("The sum is 7.", 3)
    assert [(call["name"], call["result"]) for call in value["tool_calls"]] == [("add", 3), ("add", 7)]
    assert value["usage"]["requests"] == 3
    offered = spells.fake.requests[0].tools[0]
    assert (offered["name"], offered["parameters"]["required"]) in (("add", ["a", "b"]), ("add", ["b", "a"]))
    assert spells.fake.requests[1].messages[-1]["content"] == "3"


def test_tools_are_given_with_their_functions(spells: Any) -> None:
    spells.fake.say(asks("shout", s="hey"), "done")
    value = spells.value(
        lua="""local seen
            local a = agent.create{name = "loud", tools = {{name = "shout", description = "Shout",
                parameters = {s = "string"}, execute = function(p) seen = p.s:upper() return seen end}}}
            a:run("go") return seen""",
        javascript="""let seen;
            const a = await agent.create({name: "loud", tools: [{name: "shout", description: "Shout",
                parameters: {s: "string"}, execute: p => { seen = p.s.toUpperCase(); return seen }}]});
            await a.run("go"); return seen""",
    )
    assert value == "HEY"


def test_tools_asked_for_together_run_together(spells: Any) -> None:
    both = FakeReply(tool_calls=(FakeToolCall("wait", {"n": 1}), FakeToolCall("wait", {"n": 2})))
    spells.fake.say(both, "done")
    value = spells.value(
        lua="""local running, most = 0, 0
            tools.define("wait", "Wait", {parameters = {n = "number"}}, function(p)
                running = running + 1 most = math.max(most, running)
                core.sleep(0.02) running = running - 1 return p.n end)
            agent.create("a", {tools = {"wait"}}):run("go") return most""",
        javascript="""let running = 0, most = 0;
            tools.define("wait", "Wait", {parameters: {n: "number"}}, async p => {
                running++; most = Math.max(most, running); await core.sleep(0.02); running--; return p.n });
            await (await agent.create("a", {tools: ["wait"]})).run("go"); return most""",
    )
    assert value == 2


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (FakeToolCall("nope", {}), "there is no tool 'nope'; tools: add"),
        (FakeToolCall("add", {"a": "x", "b": 1}), "do not fit"),
        (FakeToolCall("add", {}), "do not fit"),
    ],
)
def test_a_wrong_use_of_a_tool_is_told_to_the_model(spells: Any, call: FakeToolCall, said: str) -> None:
    spells.fake.say(FakeReply(tool_calls=(call,)), "sorry")
    spells.value(
        lua=ADD_LUA + """return agent.create("a", {tools = {"add"}}):run("go")""",
        javascript=ADD_JAVASCRIPT + """return await (await agent.create("a", {tools: ["add"]})).run("go")""",
    )
    assert said in spells.fake.requests[1].messages[-1]["content"]


def test_a_failing_tool_is_told_to_the_model(spells: Any) -> None:
    spells.fake.say(asks("broken"), "it is broken")
    value = spells.value(
        lua="""tools.define("broken", "Fail", function() error("out of order") end)
            return agent.create("a", {tools = {"broken"}}):run("go", {details = true})""",
        javascript="""tools.define("broken", "Fail", () => { throw new Error("out of order") });
            return await (await agent.create("a", {tools: ["broken"]})).run("go", {details: true})""",
    )
    assert value["content"] == "it is broken"
    assert "out of order" in value["tool_calls"][0]["error"]
    assert "out of order" in spells.fake.requests[1].messages[-1]["content"]


def test_an_agent_that_never_comes_to_an_end_is_ended(spells: Any) -> None:
    spells.fake.say(*[asks("add", a=1, b=1)] * 20)
    with pytest.raises(BridgeCallError, match="no answer after asking its model 3 times") as caught:
        spells.run(
            lua=ADD_LUA + """return agent.create("a", {tools = {"add"}, max_iterations = 3}):run("go")""",
            javascript=ADD_JAVASCRIPT
            + """return await (await agent.create("a", {tools: ["add"], maxIterations: 3})).run("go")""",
        )
    assert caught.value.fault_code == "iteration_limit"
    assert len(spells.fake.requests) == 3


def test_an_agent_uses_tools_no_more_often_than_it_may(spells: Any) -> None:
    spells.fake.say(*[asks("add", a=1, b=1)] * 20)
    with pytest.raises(BridgeCallError, match="more than 2 times"):
        spells.run(
            lua=ADD_LUA + """return agent.create("a", {tools = {"add"}}):run("go", {max_tool_calls = 2})""",
            javascript=ADD_JAVASCRIPT
            + """return await (await agent.create("a", {tools: ["add"]})).run("go", {maxToolCalls: 2})""",
        )


def test_an_agent_may_have_to_answer_in_a_shape(spells: Any) -> None:
    spells.fake.say(asks("add", a=1, b=2), '{"sum": "three"}', '{"sum": 3}', '{"choice": "yes"}')
    value = spells.value(
        lua=ADD_LUA
        + """local a = agent.create("a", {tools = {"add"}, schema = {sum = "integer"}})
            return {a:run("1 + 2?", {details = true}), a:run("Is it?", {choices = {"yes", "no"}})}""",
        javascript=ADD_JAVASCRIPT
        + """const a = await agent.create("a", {tools: ["add"], schema: {sum: "integer"}});
            return [await a.run("1 + 2?", {details: true}), await a.run("Is it?", {choices: ["yes", "no"]})]""",
    )
    told, chosen = value
    assert (told["value"], told["repaired"], told["steps"], chosen) == ({"sum": 3}, True, 3, "yes")


def test_a_shape_that_is_never_met_is_an_error_with_the_path(spells: Any) -> None:
    spells.fake.say('{"sum": "x"}', '{"sum": "y"}')
    with pytest.raises(BridgeCallError, match=r"\$\.sum"):
        spells.run(
            lua="""return agent.create("a", {schema = {sum = "integer"}}):run("go")""",
            javascript="""return await (await agent.create("a", {schema: {sum: "integer"}})).run("go")""",
        )


def test_an_agent_streams_what_it_says(spells: Any) -> None:
    spells.fake.say(asks("add", a=1, b=2), "The sum is three")
    value = spells.value(
        lua=ADD_LUA
        + """local got = {}
            local all = agent.create("a", {tools = {"add"}}):stream("1 + 2?", function(p) got[#got + 1] = p end)
            return {all, got}""",
        javascript=ADD_JAVASCRIPT
        + """const got = [];
            const all = await (await agent.create("a", {tools: ["add"]})).stream("1 + 2?", p => { got.push(p) });
            return [all, got]""",
    )
    assert value == ["The sum is three", ["The ", "sum ", "is ", "three"]]


def test_run_forgets_and_chat_remembers(spells: Any) -> None:
    spells.fake.say("a", "b", "c", "d", "e")
    value = spells.value(
        lua="""local a = agent.create("a")
            a:run("one") a:run("two") a:chat("three") a:chat("four")
            local history = a:get_history() a:reset() a:chat("five") return history""",
        javascript="""const a = await agent.create("a");
            await a.run("one"); await a.run("two"); await a.chat("three"); await a.chat("four");
            const history = a.getHistory(); a.reset(); await a.chat("five"); return history""",
    )
    assert [message["content"] for message in value] == ["three", "c", "four", "d"]
    assert [len(request.messages) for request in spells.fake.requests] == [1, 1, 1, 3, 1]


def test_tools_in_a_remembered_conversation_are_remembered(spells: Any) -> None:
    spells.fake.say(asks("add", a=1, b=2), "three", "as I said")
    spells.value(
        lua=ADD_LUA + """local a = agent.create("a", {tools = {"add"}}) a:chat("1 + 2?") a:chat("sure?")""",
        javascript=ADD_JAVASCRIPT
        + """const a = await agent.create("a", {tools: ["add"]}); await a.chat("1 + 2?"); await a.chat("sure?")""",
    )
    assert [message["role"] for message in spells.fake.requests[2].messages] == [
        "user", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip


def test_a_conversation_is_apart_from_the_agents_memory(spells: Any) -> None:
    spells.fake.say("a", "b")
    value = spells.value(
        lua="""local a = agent.create("a", {system = "S"})
            local c = a:conversation("T")
            c:send("one") c:send("two")
            local history, exported = c:get_history(), c:export() c:clear()
            return {history, exported, #c:get_history(), #a:get_history()}""",
        javascript="""const a = await agent.create("a", {system: "S"});
            const c = await a.conversation("T");
            await c.send("one"); await c.send("two");
            const history = c.getHistory(), exported = c.export(); c.clear();
            return [history, exported, c.getHistory().length, a.getHistory().length]""",
    )
    history, exported, cleared, own = value
    assert [message["content"] for message in history] == ["one", "a", "two", "b"]
    assert (exported["agent"], exported["system_prompt"], cleared, own) == ("a", "T", 0, 0)
    assert spells.fake.requests[1].messages[0]["content"] == "T"


def test_input_may_be_data_messages_and_context(spells: Any) -> None:
    _inputs(spells)
    data, messages, context = spells.fake.requests
    assert data.prompt == '{"city": "Bern"}'
    assert [message["content"] for message in messages.messages] == ["x", "y", "z"]
    assert context.prompt == 'hello\n\nContext:\n{"n": 3}'


def _inputs(spells: Any) -> None:
    turns = [("user", "x"), ("assistant", "y"), ("user", "z")]
    spells.calls(
        ("agent.run", "a", {"city": "Bern"}),
        ("agent.run", "a", {"messages": [{"role": role, "content": content} for role, content in turns]}),
        ("agent.run", "a", "hello", {"context": {"n": 3}}),
        prelude={"lua": 'agent.create("a")\n', "javascript": 'await agent.create("a");\n'}[spells.language],
    )


@pytest.fixture
def one(spells: Any) -> Any:
    """Spells with one agent named ``a``."""

    class One:
        fake = spells.fake
        language = spells.language

        def calls(self, *calls: tuple[Any, ...]) -> list[Any]:
            prelude = {"lua": 'agent.create("a")\n', "javascript": 'await agent.create("a");\n'}[spells.language]
            return list(spells.calls(*calls, prelude=prelude))

    return One()


def test_agents_are_listed_told_changed_cloned_and_removed(one: Any) -> None:
    listed, status, changed, active, _, left = one.calls(
        ("agent.list",),
        ("agent.get_status", "a"),
        ("agent.configure", "a", {"system": "New", "max_iterations": 3}),
        ("agent.list_active",),
        ("agent.remove", "a"),
        ("agent.list",),
    )
    assert [agent["id"] for agent in listed] == ["a"]
    assert (status["status"], status["max_iterations"]) == ("idle", 10)
    assert (changed["system"], changed["max_iterations"]) == ("New", 3)
    assert not active
    assert not left


def test_a_clone_may_answer_otherwise(spells: Any) -> None:
    spells.calls(
        ("agent.create", "a", {"temperature": 0, "max_tokens": 9}),
        ("agent.clone", "a", "b", {"temperature": 0.5}),
        ("agent.run", "b", "Hi"),
    )
    assert {**spells.fake.requests[0].options, "temperature": 0.5, "max_tokens": 9} == spells.fake.requests[0].options


def test_a_clone_is_another_agent(spells: Any) -> None:
    value = spells.value(
        lua="""local a = agent.create("a", {system = "S", max_iterations = 4})
            local b = a:clone("b", {system = "T"})
            return {b:get_status().system, b:get_status().max_iterations, agent.get("a"):id(), #agent.list()}""",
        javascript="""const a = await agent.create("a", {system: "S", maxIterations: 4});
            const b = a.clone("b", {system: "T"});
            return [b.getStatus().system, b.getStatus().max_iterations, agent.get("a").id(), agent.list().length]""",
    )
    assert value == ["T", 4, "a", 2]


def test_agents_live_as_long_as_their_session(spells: Any) -> None:
    create = {
        "lua": 'agent.create("a") agent.get("a"):chat("hi")',
        "javascript": 'await (await agent.create("a")).chat("hi")',
    }
    ask = {"lua": 'return #agent.get("a"):get_history()', "javascript": 'return agent.get("a").getHistory().length'}
    with spells.host() as host:
        with host.session(policy=spells.policy) as session:
            session.eval(spells.language, create[spells.language])
            assert session.eval(spells.language, ask[spells.language]).value == 2
        with host.session(policy=spells.policy) as other, pytest.raises(BridgeCallError, match="no agent 'a'"):
            other.eval(spells.language, ask[spells.language])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"colour": "red"}, "has no 'colour'"),
        ({"model": "nope:x"}, "no provider 'nope'"),
        ({"tools": ["nope"]}, "no tool 'nope'"),
        ({"system": 3}, "should be a text"),
        ({"max_iterations": 0}, "1 or more"),
        ({"schema": "unkept"}, "no schema 'unkept'"),
        ({"stop": [""]}, "empty text"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(spells: Any, config: dict[str, Any], message: str) -> None:
    with pytest.raises(BridgeCallError, match=message):
        spells.value(
            lua=f"return agent.create('x', {_lua(config)})",
            javascript=f"return await agent.create('x', {_json(config)})",
        )
    told = spells.call("agent.validate_config", config)
    assert told["valid"] is False


def test_a_configuration_that_makes_sense_is_valid(spells: Any) -> None:
    told = spells.call("agent.validate_config", {"system": "S", "max_iterations": 2})
    assert told["valid"] is True
    assert not told["errors"]


def _json(value: Any) -> str:
    import json

    return json.dumps(value)


def _lua(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_lua(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(_lua, value)) + "}"
    return _json(value)


def test_names_are_given_once_and_unknown_ones_refused(one: Any) -> None:
    for call, message in (
        (("agent.create", "a"), "already"),
        (("agent.create", ""), "needs a name"),
        (("agent.run", "nope", "x"), "no agent 'nope'"),
        (("agent.run", "a", ""), "asked nothing"),
        (("agent.run", "a", "x", {"colour": 1}), "no option 'colour'"),
        (("agent.configure", "a", {"name": "b"}), "keeps its name"),
        (("agent.clone", "a", "a"), "already"),
        (("agent.clone", "a", "b", {"tools": []}), "cannot be overridden"),
    ):
        with pytest.raises(BridgeCallError, match=message):
            one.calls(call)


def test_tools_are_given_and_taken_away(spells: Any) -> None:
    value = spells.value(
        lua=ADD_LUA
        + """local a = agent.create("a")
            local told = a:add_tools({"add", "nope"}) a:add_tool("add")
            agent.register_tool("a", "add")
            local names = a:get_tools()
            return {told, names, agent.list_tools("a"), a:remove_tool("add"), agent.unregister_tool("a", "add")}""",
        javascript=ADD_JAVASCRIPT
        + """const a = await agent.create("a");
            const told = await a.addTools(["add", "nope"]); await a.addTool("add");
            await agent.registerTool("a", "add");
            const names = await a.getTools();
            return [told, names, await agent.listTools("a"), a.removeTool("add"), agent.unregisterTool("a", "add")]""",
    )
    told, names, also, taken, again = value
    assert (told["total_tools"], told["successful_registrations"], told["success"]) == (1, 1, False)
    assert [tool["name"] for tool in names] == [tool["name"] for tool in also] == ["add"]
    assert (taken, again) == (True, False)


def test_create_tool_and_other_names(spells: Any) -> None:
    value = spells.value(
        lua="""agent.create_tool("one", function() return 1 end, {description = "One"})
            local a = agent.create_llm_agent("a", "fake", {tools = {"one"}})
            local b = agent.create_agent("b")
            agent.destroy("b")
            return {a:get_status().model, tools.execute("one"), #agent.list()}""",
        javascript="""agent.createTool("one", () => 1, {description: "One"});
            const a = await agent.createLlmAgent("a", "fake", {tools: ["one"]});
            const b = await agent.createAgent("b");
            await agent.destroy("b");
            return [a.getStatus().model, await tools.execute("one"), agent.list().length]""",
    )
    assert value == ["fake", 1, 1]


# Together


def test_one_agent_asks_another_as_a_tool_and_usage_is_shared(spells: Any) -> None:
    spells.fake.on("translate", FakeReply("Guten Tag", input_tokens=100, output_tokens=10))
    spells.fake.say(
        FakeReply(
            tool_calls=(FakeToolCall("ask_german", {"task": "translate: Good day"}),), input_tokens=5, output_tokens=5
        ),
        FakeReply("It is: Guten Tag", input_tokens=7, output_tokens=7),
    )
    result = spells.run(
        lua="""agent.create("german", {system = "Translate.", description = "Translates to German"})
            local boss = agent.create("boss")
            agent.add_sub_agent("boss", "german")
            return boss:run("How do Germans greet?", {details = true})""",
        javascript="""await agent.create("german", {system: "Translate.", description: "Translates to German"});
            const boss = await agent.create("boss");
            agent.addSubAgent("boss", "german");
            return await boss.run("How do Germans greet?", {details: true})""",
    )
    value = result.value
    assert value["content"] == "It is: Guten Tag"
    assert value["tool_calls"][0]["result"] == "Guten Tag"
    assert (value["usage"]["input_tokens"], value["usage"]["output_tokens"]) == (112, 22)
    assert (result.usage.input_tokens, result.usage.requests) == (112, 3)
    assert spells.fake.requests[0].tools[0]["description"] == "Translates to German"


def test_agents_do_not_ask_each_other_in_a_circle(spells: Any) -> None:
    with pytest.raises(BridgeCallError, match="in a circle"):
        spells.run(
            lua="""agent.create("a") agent.create("b")
                agent.add_sub_agent("a", "b") agent.add_sub_agent("b", "a")""",
            javascript="""await agent.create("a"); await agent.create("b");
                agent.addSubAgent("a", "b"); agent.addSubAgent("b", "a")""",
        )


def test_an_agent_as_a_tool_can_be_called_by_anybody(spells: Any) -> None:
    spells.fake.say("I helped", "again")
    value = spells.value(
        lua="""local a = agent.create("helper") local t = a:as_tool("Helps")
            local b = agent.create("boss", {tools = {a}})
            return {t.name, t.description, tools.execute(t, {task = "help"}), b:get_tools()[1].name,
                agent.as_tool("helper").name}""",
        javascript="""const a = await agent.create("helper"), t = a.asTool("Helps");
            const b = await agent.create("boss", {tools: [a]});
            return [t.name, t.description, await tools.execute(t, {task: "help"}), (await b.getTools())[0].name,
                agent.asTool("helper").name]""",
    )
    assert value == ["ask_helper", "Helps", "I helped", "ask_helper", "ask_helper"]


def test_a_task_is_delegated_with_and_without_a_word_to_the_first(spells: Any) -> None:
    spells.fake.say("done", "done", "well done")
    value = spells.value(
        lua="""local boss, worker = agent.create("boss"), agent.create("worker")
            return {boss:delegate(worker, "dig"), boss:delegate("worker", "dig", {callback_to_source = true})}""",
        javascript="""const boss = await agent.create("boss"), worker = await agent.create("worker");
            const first = await boss.delegate(worker, "dig");
            return [first, await boss.delegate("worker", "dig", {callbackToSource: true})]""",
    )
    assert value == ["done", "well done"]
    assert "worker did the task you delegated" in spells.fake.requests[2].prompt


def test_a_conversation_is_handed_over(spells: Any) -> None:
    spells.fake.say("I am the first", "I am the second")
    value = spells.value(
        lua="""local a, b = agent.create("a"), agent.create("b")
            a:chat("my name is Ann") return {a:handoff(b, "who am I?"), agent.handoff("b", "a")}""",
        javascript="""const a = await agent.create("a"), b = await agent.create("b");
            await a.chat("my name is Ann"); return [await a.handoff(b, "who am I?"), await agent.handoff("b", "a")]""",
    )
    assert value[0] == "I am the second"
    assert [m["content"] for m in spells.fake.requests[1].messages] == ["my name is Ann", "I am the first", "who am I?"]


def test_agents_work_one_after_the_other_side_by_side_or_led(spells: Any) -> None:
    spells.fake.say("A1", "B1", "x", "y", asks("ask_b", task="help me"), "B helped", "led")
    value = spells.value(
        lua="""local a, b = agent.create("a"), agent.create("b")
            return {agent.collaborate({"a", b}, "task"),
                agent.collaborate({a, b}, "task", {coordination_method = "parallel"}),
                agent.collaborate({a, b}, "task", {coordination_method = "leader"}),
                #a:get_tools()}""",
        javascript="""const a = await agent.create("a"), b = await agent.create("b");
            return [await agent.collaborate(["a", b], "task"),
                await agent.collaborate([a, b], "task", {coordinationMethod: "parallel"}),
                await agent.collaborate([a, b], "task", {coordinationMethod: "leader"}),
                (await a.getTools()).length]""",
    )
    one_by_one, together, led, tools_left = value
    assert (one_by_one["results"], one_by_one["final"]) == ({"a": "A1", "b": "B1"}, "B1")
    assert "a said: A1" in spells.fake.requests[1].prompt
    assert set(together["results"].values()) == {"x", "y"}
    assert (led["final"], tools_left) == ("led", 0)


@pytest.mark.parametrize(("agents", "method"), [([], "sequential"), (["a"], "nope"), (["nope"], "parallel")])
def test_work_together_that_makes_no_sense_is_refused(one: Any, agents: list[str], method: str) -> None:
    with pytest.raises(BridgeCallError):
        one.calls(("agent.collaborate", agents, "task", {"coordination_method": method}))


# Hooks, events, counts


def test_hooks_change_and_forbid(spells: Any) -> None:
    spells.fake.say(asks("add", a=1, b=2), "three", asks("add", a=1, b=2), "no sum")
    value = spells.value(
        lua=ADD_LUA
        + """local a = agent.create("a", {tools = {"add"}})
            a:set_hook("pre_run", function(input) if input == "never" then return false end return input .. "!" end)
            a:set_hook("post_run", function(result) return result:upper() end)
            a:set_hook("pre_tool", function(c) return {params = {a = c.params.a * 10, b = c.params.b}} end)
            a:set_hook("post_tool", function(c) return {result = c.result + 1000} end)
            local first = a:run("go", {details = true})
            local ok, e = pcall(a.run, a, "never")
            agent.register_hook("a", "pre_tool", function(c) return false end)
            local second = a:run("go", {details = true})
            local refused = second.tool_calls[1].error
            return {first, e.code, refused, agent.remove_hook("a", "pre_run"), agent.clear_hooks("a")}""",
        javascript=ADD_JAVASCRIPT
        + """const a = await agent.create("a", {tools: ["add"]});
            a.setHook("pre_run", input => input === "never" ? false : input + "!");
            a.setHook("post_run", result => result.toUpperCase());
            a.setHook("pre_tool", c => ({params: {a: c.params.a * 10, b: c.params.b}}));
            a.setHook("post_tool", c => ({result: c.result + 1000}));
            const first = await a.run("go", {details: true});
            let code; try { await a.run("never") } catch (e) { code = e.code }
            agent.registerHook("a", "pre_tool", c => false);
            const second = await a.run("go", {details: true});
            const refused = second.tool_calls[0].error;
            return [first, code, refused, agent.removeHook("a", "pre_run"), agent.clearHooks("a")]""",
    )
    first, code, refused, removed, cleared = value
    assert (first["content"], first["tool_calls"][0]["result"], code) == ("THREE", 1012, "vetoed")
    assert "does not allow tool 'add'" in refused
    assert (removed, cleared) == (True, 3)
    assert spells.fake.requests[0].prompt == "go!"


def test_a_hook_may_answer_for_a_tool_and_for_a_failure(spells: Any) -> None:
    spells.fake.say(asks("add", a=1, b=2), "thanks", FakeFailure("down", status=400))
    value = spells.value(
        lua=ADD_LUA
        + """local a = agent.create("a", {tools = {"add"}})
            a:set_hook("pre_tool", function() return {result = "cached"} end)
            a:set_hook("error", function(e) return "sorry: " .. e.code end)
            return {a:run("go", {details = true}).tool_calls[1].result, a:run("go")}""",
        javascript=ADD_JAVASCRIPT
        + """const a = await agent.create("a", {tools: ["add"]});
            a.setHook("pre_tool", () => ({result: "cached"}));
            a.setHook("error", e => "sorry: " + e.code);
            return [(await a.run("go", {details: true})).tool_calls[0].result, await a.run("go")]""",
    )
    assert value == ["cached", "sorry: request_rejected"]


def test_an_unknown_hook_is_refused(spells: Any) -> None:
    with pytest.raises(BridgeCallError, match="no hook 'nope'"):
        spells.run(
            lua='agent.create("a"):set_hook("nope", function() end)',
            javascript='(await agent.create("a")).setHook("nope", () => {})',
        )


def test_events_are_told_kept_and_replayed(spells: Any) -> None:
    spells.fake.say(asks("add", a=1, b=2), "three")
    value = spells.value(
        lua=ADD_LUA
        + """local a, seen, only = agent.create("a", {tools = {"add"}}), {}, {}
            local id = agent.subscribe(function(e) seen[#seen + 1] = e.type end)
            agent.subscribe(function(e) only[#only + 1] = e.data.tool end, {agent = "a", type = "tool_called"})
            a:run("go") agent.emit_event("a", "mine", {n = 1})
            agent.unsubscribe(id) agent.emit_event("a", "unseen")
            local replayed = {}
            local count = agent.replay_events("a", function(e) replayed[#replayed + 1] = e.type end, {type = "mine"})
            local all, last = agent.get_event_history("a"), agent.get_event_history("a", 1)
            local kept = agent.stop_event_recording("a") agent.emit_event("a", "lost") agent.start_event_recording("a")
            agent.clear_event_history("a")
            return {seen, only, count, replayed, #all, last[1].type, kept, #agent.get_event_history("a")}""",
        javascript=ADD_JAVASCRIPT
        + """const a = await agent.create("a", {tools: ["add"]}), seen = [], only = [];
            const id = agent.subscribe(e => { seen.push(e.type) });
            agent.subscribe(e => { only.push(e.data.tool) }, {agent: "a", type: "tool_called"});
            await a.run("go"); await agent.emitEvent("a", "mine", {n: 1});
            agent.unsubscribe(id); await agent.emitEvent("a", "unseen");
            const replayed = [];
            const count = await agent.replayEvents("a", e => { replayed.push(e.type) }, {type: "mine"});
            const all = agent.getEventHistory("a"), last = agent.getEventHistory("a", 1);
            const kept = agent.stopEventRecording("a");
            await agent.emitEvent("a", "lost"); agent.startEventRecording("a");
            agent.clearEventHistory("a");
            return [seen, only, count, replayed, all.length, last[0].type, kept, agent.getEventHistory("a").length]""",
    )
    seen, only, count, replayed, all_, last, kept, left = value
    assert seen == ["started", "step", "tool_called", "tool_finished", "step", "completed", "mine"]
    assert (only, count, replayed, last, left) == (["add"], 1, ["mine"], "unseen", 0)
    assert all_ == kept == 9


def test_events_reach_the_sessions_event_bus_and_hooks(spells: Any) -> None:
    value = spells.value(
        lua="""local seen = {}
            events.subscribe("agent.*", function(e) seen[#seen + 1] = e.type end)
            hooks.register_hook{type = "before_run", handler = function(c) return {input = c.input .. "?"} end}
            agent.create("a"):run("go") return seen""",
        javascript="""const seen = [];
            events.subscribe("agent.*", e => { seen.push(e.type) });
            hooks.registerHook({type: "before_run", handler: c => ({input: c.input + "?"})});
            await (await agent.create("a")).run("go"); return seen""",
    )
    assert value == ["agent.created", "agent.started", "agent.step", "agent.completed"]
    assert spells.fake.requests[0].prompt == "go?"


def test_metrics_tell_how_an_agent_did(one: Any) -> None:
    one.fake.say("x", FakeFailure("down", status=400))
    with pytest.raises(BridgeCallError):
        one.calls(("agent.run", "a", "x"), ("agent.run", "a", "y"))
    one.fake.say("x")
    _, metrics, report, _, empty = one.calls(
        ("agent.run", "a", "x"),
        ("agent.get_metrics", "a"),
        ("agent.get_performance_report", "a"),
        ("agent.reset_metrics", "a"),
        ("agent.get_metrics", "a"),
    )
    assert (metrics["execution_count"], metrics["success_count"], metrics["steps"]) == (1, 1, 1)
    assert metrics["avg_duration_ms"] > 0
    assert report == metrics
    assert empty["execution_count"] == 0


# State and snapshots


def test_memory_and_state_are_kept_and_brought_back(spells: Any) -> None:
    value = spells.value(
        lua="""local a = agent.create("a")
            a:chat("one") a:set_state({n = 1}) a:save_snapshot("s")
            agent.create_snapshot("a", "t")
            a:chat("two") a:set_state({n = 2})
            local before = {#a:get_history(), a:get_state().n}
            a:load_snapshot("s") agent.restore_snapshot("a", "s")
            local exported = agent.export_state("a")
            local b = agent.create("b") agent.import_state("b", exported)
            return {before, #a:get_history(), a:get_state().n, #a:list_snapshots(), agent.delete_snapshot("a", "t"),
                agent.delete_snapshot("a", "t"), #agent.get_history("b"), agent.get_state("b").n}""",
        javascript="""const a = await agent.create("a");
            await a.chat("one"); a.setState({n: 1}); a.saveSnapshot("s");
            agent.createSnapshot("a", "t");
            await a.chat("two"); a.setState({n: 2});
            const before = [a.getHistory().length, a.getState().n];
            a.loadSnapshot("s"); agent.restoreSnapshot("a", "s");
            const exported = agent.exportState("a");
            const b = await agent.create("b"); agent.importState("b", exported);
            return [before, a.getHistory().length, a.getState().n, a.listSnapshots().length,
                agent.deleteSnapshot("a", "t"), agent.deleteSnapshot("a", "t"),
                agent.getHistory("b").length, agent.getState("b").n]""",
    )
    assert value == [[4, 2], 2, 1, 2, True, False, 2, 1]


def test_a_snapshot_or_export_that_is_none_is_refused(one: Any) -> None:
    with pytest.raises(BridgeCallError, match="no snapshot 'nope'"):
        one.calls(("agent.load_snapshot", "a", "nope"))
    for data in ({}, {"version": 1, "memory": [1], "state": {}}, {"version": 2, "memory": [], "state": {}}):
        with pytest.raises(BridgeCallError, match=r"no export|cannot be read"):
            one.calls(("agent.import_state", "a", data))


# Limits, approval, cancellation


def test_a_budget_ends_an_agent_and_all_it_asks(spells: Any) -> None:
    spells.fake.say(
        *[FakeReply(tool_calls=(FakeToolCall("add", {"a": 1, "b": 1}),), input_tokens=50, output_tokens=50)] * 20
    )
    with pytest.raises(BudgetExceeded):
        spells.run(
            policy=Policy.minimal().narrow(tokens=250),
            lua=ADD_LUA + """return agent.create("a", {tools = {"add"}}):run("go")""",
            javascript=ADD_JAVASCRIPT + """return await (await agent.create("a", {tools: ["add"]})).run("go")""",
        )
    assert len(spells.fake.requests) == 3


APPROVE_LUA = """
tools.define("launch", "Launch", {requires_approval = true}, function() return "launched" end)
return agent.create("a", {tools = {"launch"}}):run("go", {details = true}).tool_calls[1]
"""
APPROVE_JAVASCRIPT = """
tools.define("launch", "Launch", {requiresApproval: true}, () => "launched");
return (await (await agent.create("a", {tools: ["launch"]})).run("go", {details: true})).tool_calls[0]
"""


@pytest.mark.parametrize("answer", [None, False, True])
def test_a_person_has_to_agree_where_a_tool_asks_for_it(spells: Any, answer: bool | None) -> None:
    spells.fake.say(asks("launch"), "ok")
    asked: list[dict[str, Any]] = []

    async def approve(request: dict[str, Any]) -> bool:
        asked.append(request)
        return bool(answer)

    with spells.host() as host:
        if answer is not None:
            host.approve = approve
        with host.session(policy=spells.policy) as session:
            source = {"lua": APPROVE_LUA, "javascript": APPROVE_JAVASCRIPT}[spells.language]
            used = session.eval(spells.language, source).value
    if answer:
        assert used["result"] == "launched"
    else:
        assert "nobody to ask" in used["error"] if answer is None else "was not approved" in used["error"]
    assert [request["tool"] for request in asked] == ([] if answer is None else ["launch"])


def test_an_agent_can_be_stopped_by_name(spells: Any) -> None:
    spells.fake.on("forever", FakeReply("never", before=asyncio.Event().wait))
    value = spells.value(
        lua="""local a = agent.create("a")
            local task = a:run_async("forever")
            while #agent.list_active() == 0 do core.sleep(0.001) end
            local stopped = a:cancel()
            local ok, e = pcall(task["await"], task)
            return {stopped, e.code, task:done(), a:run("hello")}""",
        javascript="""const a = await agent.create("a");
            const task = await a.runAsync("forever");
            while (agent.listActive().length === 0) await core.sleep(0.001);
            const stopped = await a.cancel();
            let code; try { await task.await() } catch (e) { code = e.code }
            return [stopped, code, task.done(), await a.run("hello")]""",
    )
    assert value == [1, "agent_cancelled", True, "Fine."]


def test_a_run_in_the_background_is_awaited_or_cancelled(spells: Any) -> None:
    spells.fake.on("forever", FakeReply("never", before=asyncio.Event().wait))
    value = spells.value(
        lua="""agent.create("a")
            local quick, slow = agent.run_async("a", "hi"), agent.run_async("a", "forever")
            local answer = quick["await"](quick)
            local ok, e = pcall(slow["await"], slow, 0.01)
            return {answer, quick:done(), slow:done(), e.code, slow:cancel(), slow:cancel()}""",
        javascript="""await agent.create("a");
            const quick = await agent.runAsync("a", "hi"), slow = await agent.runAsync("a", "forever");
            const answer = await quick.await();
            let code; try { await slow.await(0.01) } catch (e) { code = e.code }
            return [answer, quick.done(), slow.done(), code, await slow.cancel(), await slow.cancel()]""",
    )
    assert value == ["Fine.", True, False, "timeout", True, False]


def test_cancelling_the_spell_stops_its_agents(spells: Any) -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def before() -> None:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    spells.fake.say(FakeReply("never", before=before))
    source = {
        "lua": 'return agent.create("a"):run("go")',
        "javascript": 'return await (await agent.create("a")).run("go")',
    }

    async def main() -> None:
        async with spells.host() as host, host.session(policy=spells.policy) as session:
            task = asyncio.ensure_future(session.aeval(spells.language, source[spells.language]))
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(ended.wait(), 10)

    asyncio.run(main())


def test_five_hundred_agents_work_at_once(spells: Any) -> None:
    import time

    began = time.perf_counter()
    value = spells.value(
        lua="""local tasks = {}
            for i = 1, 500 do tasks[i] = agent.create("a" .. i):run_async("hi") end
            local n = 0 for i = 1, 500 do if tasks[i]["await"](tasks[i]) == "Fine." then n = n + 1 end end return n""",
        javascript="""const all = [];
            for (let i = 0; i < 500; i++) all.push((async () => (await agent.create("a" + i)).run("hi"))());
            return (await Promise.all(all)).filter(a => a === "Fine.").length""",
    )
    assert value == 500
    assert time.perf_counter() - began < 60, "a loaded machine; the bench measures the budget"
