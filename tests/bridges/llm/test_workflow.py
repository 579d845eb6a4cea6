"""The workflow bridge: steps of every kind in every order."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmspell import Host
from llmspell.errors import BridgeCallError
from llmspell.testing import FakeReply, FakeToolCall

SUFFIXES = {"lua": ".lua", "javascript": ".js"}


def test_steps_follow_each_other(spells: Any) -> None:
    value = spells.value(
        lua="""workflow.create("w", {steps = {
                function(x) return x + 1 end,
                {id = "twice", ["function"] = function(x) return x * 2 end},
                {kind = "function", target = function(x, context)
                    return {x = x, first = context.steps.step1, input = context.input} end},
            }})
            return workflow.execute("w", 20)""",
        javascript="""await workflow.create("w", {steps: [
                x => x + 1,
                {id: "twice", function: x => x * 2},
                {kind: "function", target: (x, context) => ({x, first: context.steps.step1, input: context.input})},
            ]});
            return await workflow.execute("w", 20)""",
    )
    assert value == {"x": 42, "first": 21, "input": 20}


def test_branches_run_side_by_side(spells: Any) -> None:
    """Each branch waits for the two others: one after the other they would wait for ever."""
    value = spells.value(
        lua="""local begun = 0
            local function meet(name) return function(x)
                begun = begun + 1
                while begun < 3 do core.sleep(0.002) end
                return name .. x end end
            workflow.create("w", {type = "parallel", steps = {
                {id = "a", ["function"] = meet("a")}, {id = "b", ["function"] = meet("b")},
                {id = "c", ["function"] = meet("c")}}})
            return workflow.execute("w", "!")""",
        javascript="""let begun = 0;
            const meet = name => async x => {
                begun++; while (begun < 3) await core.sleep(0.002); return name + x };
            await workflow.create("w", {type: "parallel", steps: [
                {id: "a", function: meet("a")}, {id: "b", function: meet("b")}, {id: "c", function: meet("c")}]});
            return await workflow.execute("w", "!")""",
    )
    assert value == {"a": "a!", "b": "b!", "c": "c!"}


def test_no_more_branches_run_than_may(spells: Any) -> None:
    value = spells.value(
        lua="""local now, most = 0, 0
            local function busy() now = now + 1 most = math.max(most, now) core.sleep(0.002) now = now - 1 end
            local steps = {}
            for i = 1, 7 do steps[i] = busy end
            workflow.create("w", {type = "parallel", concurrency = 2, steps = steps})
            workflow.execute("w")
            return most <= 2""",
        javascript="""let now = 0, most = 0;
            const busy = async () => { most = Math.max(most, ++now); await core.sleep(0.002); now-- };
            await workflow.create("w", {type: "parallel", concurrency: 2, steps: Array(7).fill(busy)});
            await workflow.execute("w");
            return most <= 2""",
    )
    assert value is True


def test_items_of_a_map_do_not_see_each_other(spells: Any) -> None:
    value = spells.value(
        lua="""workflow.create("w", {type = "map", steps = {
                {id = "first", ["function"] = function(x) core.sleep(0.001 * (4 - x)) return x * 10 end},
                {id = "second", ["function"] = function(x, c) return c.steps.first + c.item end}}})
            return workflow.execute("w", {1, 2, 3})""",
        javascript="""await workflow.create("w", {type: "map", steps: [
                {id: "first", function: async x => { await core.sleep(0.001 * (4 - x)); return x * 10 }},
                {id: "second", function: (x, c) => c.steps.first + c.item}]});
            return await workflow.execute("w", [1, 2, 3])""",
    )
    assert value == [11, 22, 33]


def test_the_first_branch_whose_condition_holds_is_taken(spells: Any) -> None:
    value = spells.value(
        lua="""workflow.create("w", {type = "conditional", steps = {
                {id = "small", condition = function(c) return c.input < 10 end,
                    ["function"] = function(x) return "small" end},
                {id = "big", condition = function(c) return c.input > 100 end,
                    ["function"] = function(x) return "big" end}},
                otherwise = function(x) return "middling " .. x end})
            return {workflow.execute("w", 1), workflow.execute("w", 101), workflow.execute("w", 50)}""",
        javascript="""await workflow.create("w", {type: "conditional", steps: [
                {id: "small", condition: c => c.input < 10, function: x => "small"},
                {id: "big", condition: c => c.input > 100, function: x => "big"}],
                otherwise: x => "middling " + x});
            const made = [];
            for (const n of [1, 101, 50]) made.push(await workflow.execute("w", n));
            return made""",
    )
    assert value == ["small", "big", "middling 50"]


def test_no_branch_is_an_error(spells: Any) -> None:
    error = spells.failure(
        lua="""workflow.create("w", {type = "conditional", steps = {
            {condition = function() return false end, ["function"] = function() return 1 end}}})
            workflow.execute("w")""",
        javascript="""await workflow.create("w", {type: "conditional", steps: [
            {condition: () => false, function: () => 1}]});
            await workflow.execute("w")""",
    )
    assert error.fault_code == "no_match"


def test_loops_end_by_condition_or_count(spells: Any) -> None:
    value = spells.value(
        lua="""workflow.create("double", {type = "loop", steps = {function(x) return x * 2 end},
                condition = function(c) return c.previous < 100 end})
            workflow.create("count", {type = "loop", times = 4, steps = {
                function(x, c) return x .. c.iteration end}})
            return {workflow.execute("double", 3), workflow.execute("count", "")}""",
        javascript="""await workflow.create("double", {type: "loop", steps: [x => x * 2],
                condition: c => c.previous < 100});
            await workflow.create("count", {type: "loop", times: 4, steps: [(x, c) => x + c.iteration]});
            return [await workflow.execute("double", 3), await workflow.execute("count", "")]""",
    )
    assert value == [192, "1234"]


def test_a_loop_without_an_end_is_ended(spells: Any) -> None:
    error = spells.failure(
        lua="""workflow.create("w", {type = "loop", steps = {function(x) return x end},
            condition = function() return true end})
            workflow.execute("w", 1)""",
        javascript="""await workflow.create("w", {type: "loop", steps: [x => x], condition: () => true});
            await workflow.execute("w", 1)""",
    )
    assert (error.fault_code, "1,000 times" in str(error)) == ("too_many_rounds", True)


def test_lists_are_mapped_and_reduced(spells: Any) -> None:
    value = spells.value(
        lua="""workflow.create("m", {type = "map", concurrency = 2, steps = {
                function(x) return x * x end, function(x, c) return {c.index, x} end}})
            workflow.create("r", {type = "reduce", initial = 100, steps = {
                function(g) return g.accumulator + g.item end}})
            return {workflow.execute("m", {3, 4, 5}), workflow.execute("r", {1, 2, 3}), workflow.execute("r", {})}""",
        javascript="""await workflow.create("m", {type: "map", concurrency: 2, steps: [
                x => x * x, (x, c) => [c.index, x]]});
            await workflow.create("r", {type: "reduce", initial: 100, steps: [g => g.accumulator + g.item]});
            return [await workflow.execute("m", [3, 4, 5]), await workflow.execute("r", [1, 2, 3]),
                await workflow.execute("r", [])]""",
    )
    assert value == [[[1, 9], [2, 16], [3, 25]], 106, 100]


def test_steps_are_prompts_agents_tools_and_workflows(spells: Any) -> None:
    spells.fake.on("Name a colour", "blue")
    spells.fake.on("Praise blue", "Blue is fine.")
    spells.fake.on("Is this kind", '"yes"')
    value = spells.value(
        lua="""tools.define("shout", "Shout", {parameters = {text = "string"}}, function(p) return p.text:upper() end)
            agent.create("poet", {system = "You praise."})
            workflow.create("praise", {steps = {{agent = "poet", input = "Praise {{ previous }}"}}})
            workflow.create("w", {steps = {
                {id = "colour", prompt = "Name a colour for {{ input }}"},
                {id = "praised", workflow = "praise"},
                {id = "loud", tool = "shout", input = {text = "{{ steps.colour }}: {{ previous }}"}},
                {id = "kind", prompt = "Is this kind? {{ steps.praised }}", options = {choices = {"yes", "no"}}},
                {id = "all", ["function"] = function(_, c) return c.steps end}}})
            return workflow.execute("w", "the sky")""",
        javascript="""await tools.define("shout", "Shout", {parameters: {text: "string"}}, p => p.text.toUpperCase());
            await agent.create("poet", {system: "You praise."});
            await workflow.create("praise", {steps: [{agent: "poet", input: "Praise {{ previous }}"}]});
            await workflow.create("w", {steps: [
                {id: "colour", prompt: "Name a colour for {{ input }}"},
                {id: "praised", workflow: "praise"},
                {id: "loud", tool: "shout", input: {text: "{{ steps.colour }}: {{ previous }}"}},
                {id: "kind", prompt: "Is this kind? {{ steps.praised }}", options: {choices: ["yes", "no"]}},
                {id: "all", function: (_, c) => c.steps}]});
            return await workflow.execute("w", "the sky")""",
    )
    assert value == {
        "colour": "blue",
        "praised": "Blue is fine.",
        "loud": "BLUE: BLUE IS FINE.",
        "kind": "yes",
    }


def test_an_agent_in_a_workflow_uses_its_tools(spells: Any) -> None:
    spells.fake.say(FakeReply(tool_calls=(FakeToolCall("add", {"a": 2, "b": 3}),)), "It is 5.")
    value = spells.value(
        lua="""tools.define("add", "Add", {parameters = {a = "number", b = "number"}},
                function(p) return p.a + p.b end)
            local a = agent.create("calc", {tools = {"add"}})
            workflow.create("w", {steps = {{agent = a}}})
            return workflow.execute("w", "2 + 3?")""",
        javascript="""await tools.define("add", "Add", {parameters: {a: "number", b: "number"}}, p => p.a + p.b);
            const a = await agent.create("calc", {tools: ["add"]});
            await workflow.create("w", {steps: [{agent: a}]});
            return await workflow.execute("w", "2 + 3?")""",
    )
    assert value == "It is 5."


def test_a_step_is_a_spell_of_another_language(spells: Any, tmp_path: Path) -> None:
    home = tmp_path / "spells"
    home.mkdir()
    (home / "child.lua").write_text("return params.n * 2")
    (home / "child.js").write_text("return params.n * 2")
    other = "child.js" if spells.language == "lua" else "child.lua"
    spell = home / f"parent{SUFFIXES[spells.language]}"
    spell.write_text(
        {
            "lua": f"""workflow.create("w", {{steps = {{{{spell = "{other}", input = {{n = "{{{{ input }}}}"}}}}}}}})
                return workflow.execute("w", 21)""",
            "javascript": f"""await workflow.create("w", {{steps: [
                {{spell: "{other}", input: {{n: "{{{{ input }}}}"}}}}]}});
                return await workflow.execute("w", 21)""",
        }[spells.language]
    )
    plugins = ("llmspell-llm", "llmspell-std", "llmspell-lua", "llmspell-quickjs")
    with (
        Host(plugins=plugins, config=spells.config, environ=spells.environ) as host,
        host.session(policy=spells.policy) as session,
    ):
        assert session.run(spell).value == 42
        grants = replace(spells.policy.grants, bridges=frozenset({"workflow"}))
        with pytest.raises(BridgeCallError, match=r"spell\.run, which is not granted"):
            session.run(spell, policy=spells.policy.narrow(grants=grants))


def test_a_spell_runs_again_in_its_session(spells: Any) -> None:
    """What a run names is its own: the same spell makes it anew, and many may do so at once."""
    source = {
        "lua": """workflow.create("w", {steps = {function(x) core.sleep(0.01) return x + 1 end}})
            return workflow.execute("w", params.n)""",
        "javascript": """await workflow.create("w", {steps: [async x => { await core.sleep(0.01); return x + 1 }]});
            return await workflow.execute("w", params.n)""",
    }[spells.language]

    async def all_at_once(session: Any) -> list[Any]:
        runs = (session.aeval(spells.language, source, {"n": n}) for n in range(5))
        return [result.value for result in await asyncio.gather(*runs)]

    with spells.host() as host, host.session(policy=spells.policy) as session:
        assert session.eval(spells.language, source, {"n": 1}).value == 2
        assert session.eval(spells.language, source, {"n": 2}).value == 3
    with spells.host() as host, host.session(policy=spells.policy) as session:
        assert asyncio.run(all_at_once(session)) == [1, 2, 3, 4, 5]


def test_a_later_run_finds_what_an_earlier_one_made(spells: Any) -> None:
    make = {
        "lua": """workflow.create("w", {steps = {{prompt = "Hi"}}})""",
        "javascript": """await workflow.create("w", {steps: [{prompt: "Hi"}]})""",
    }[spells.language]
    use = {"lua": """return workflow.execute("w")""", "javascript": """return await workflow.execute("w")"""}
    with spells.host() as host, host.session(policy=spells.policy) as session:
        session.eval(spells.language, make)
        assert session.eval(spells.language, use[spells.language]).value == "Fine."


def test_workflows_do_not_run_themselves_for_ever(spells: Any) -> None:
    error = spells.failure(
        lua="""workflow.create("w", {steps = {{workflow = "w"}}}) workflow.execute("w", 1)""",
        javascript="""await workflow.create("w", {steps: [{workflow: "w"}]}); await workflow.execute("w", 1)""",
    )
    assert "more than 16 deep" in str(error)


def test_variables_and_what_steps_save(spells: Any) -> None:
    value = spells.value(
        lua="""workflow.create("w", {variables = {greeting = "Hello", result = ""}, steps = {
                {["function"] = function(x, c) return c.vars.greeting .. ", " .. x end, save = "result"},
                {["function"] = function(x, c) return c.vars.result .. "!" end, save = "loose"}}})
            workflow.set_variable("w", "extra", 5)
            local first = workflow.execute("w", "Ann")
            local second = workflow.execute("w", "Bob", {variables = {greeting = "Bye"}})
            local vars = workflow.list_variables("w")
            return {first, second, workflow.get_variable("w", "result"), vars, workflow.remove_variable("w", "extra"),
                workflow.remove_variable("w", "extra"), workflow.get_variable("w", "extra") == nil}""",
        javascript="""await workflow.create("w", {variables: {greeting: "Hello", result: ""}, steps: [
                {function: (x, c) => c.vars.greeting + ", " + x, save: "result"},
                {function: (x, c) => c.vars.result + "!", save: "loose"}]});
            await workflow.setVariable("w", "extra", 5);
            const first = await workflow.execute("w", "Ann");
            const second = await workflow.execute("w", "Bob", {variables: {greeting: "Bye"}});
            const vars = await workflow.listVariables("w");
            return [first, second, await workflow.getVariable("w", "result"), vars,
                await workflow.removeVariable("w", "extra"), await workflow.removeVariable("w", "extra"),
                (await workflow.getVariable("w", "extra")) == null]""",
    )
    kept = {"greeting": "Bye", "result": "Bye, Bob", "extra": 5}
    assert value == ["Hello, Ann!", "Bye, Bob!", "Bye, Bob", kept, True, False, True]


def test_inputs_are_templates_data_or_functions(spells: Any) -> None:
    value = spells.value(
        lua="""local function same(x) return x end
            workflow.create("w", {steps = {
                {id = "first", ["function"] = function() return {list = {10, 20}, name = "N"} end},
                {id = "whole", ["function"] = same, input = "{{ steps.first.list }}"},
                {id = "data", ["function"] = same,
                    input = {n = "{{ steps.first.list.2 }}", t = "is {{ input }}", k = 7}},
                {id = "computed", ["function"] = same, input = function(c) return c.steps.data.n + 1 end}}})
            workflow.create("bad", {steps = {{["function"] = same, input = "{{ steps.none }}"}}})
            workflow.execute("w", "I")
            local ok, e = pcall(workflow.execute, "bad")
            workflow.add_step("w", function(_, c) return c.steps end)
            return {workflow.execute("w", "I"), e.message}""",
        javascript="""const same = x => x;
            await workflow.create("w", {steps: [
                {id: "first", function: () => ({list: [10, 20], name: "N"})},
                {id: "whole", function: same, input: "{{ steps.first.list }}"},
                {id: "data", function: same, input: {n: "{{ steps.first.list.2 }}", t: "is {{ input }}", k: 7}},
                {id: "computed", function: same, input: c => c.steps.data.n + 1}]});
            await workflow.create("bad", {steps: [{function: same, input: "{{ steps.none }}"}]});
            await workflow.execute("w", "I");
            let e; try { await workflow.execute("bad") } catch (error) { e = error }
            await workflow.addStep("w", (_, c) => c.steps);
            return [await workflow.execute("w", "I"), e.message]""",
    )
    steps, message = value
    assert steps["whole"] == [10, 20]
    assert steps["data"] == {"n": 20, "t": "is I", "k": 7}
    assert steps["computed"] == 21
    assert "there is no 'steps.none' here" in message


def test_a_step_is_left_out_where_its_condition_does_not_hold(spells: Any) -> None:
    value = spells.value(
        lua="""workflow.create("w", {steps = {function(x) return x + 1 end,
                {id = "maybe", condition = function(c) return c.previous > 5 end,
                    ["function"] = function(x) return x * 100 end}}})
            return {workflow.execute("w", 1), workflow.execute("w", 9)}""",
        javascript="""await workflow.create("w", {steps: [x => x + 1,
                {id: "maybe", condition: c => c.previous > 5, function: x => x * 100}]});
            return [await workflow.execute("w", 1), await workflow.execute("w", 9)]""",
    )
    assert value == [2, 1000]


def test_events_and_spending_are_seen_from_outside(spells: Any) -> None:
    spells.run(
        lua="""workflow.create("w", {steps = {{id = "p", prompt = "Hi"}}}) workflow.execute("w")""",
        javascript="""await workflow.create("w", {steps: [{id: "p", prompt: "Hi"}]}); await workflow.execute("w")""",
    )
    result = spells.run(
        lua="""local seen = {}
            events.subscribe("workflow.*", function(e) seen[#seen + 1] = e.type end)
            workflow.create("w", {steps = {{id = "p", prompt = "Hi"}}}) workflow.execute("w")
            while #seen < 4 do core.sleep(0.002) end
            return seen""",
        javascript="""const seen = [];
            await events.subscribe("workflow.*", e => { seen.push(e.type) });
            await workflow.create("w", {steps: [{id: "p", prompt: "Hi"}]}); await workflow.execute("w");
            while (seen.length < 4) await core.sleep(0.002);
            return seen""",
    )
    assert result.value == ["workflow.started", "workflow.step_started", "workflow.step_done", "workflow.completed"]
    assert result.usage.tokens > 0
