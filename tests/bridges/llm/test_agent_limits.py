"""What ends an agent that would go on: its own budget and time, and how deep agents may ask each other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell import Policy
from llmspell.errors import BridgeCallError, BudgetExceeded
from llmspell.testing import FakeReply, FakeToolCall


def asks(tool: str, **arguments: Any) -> FakeReply:
    return FakeReply(tool_calls=(FakeToolCall(tool, arguments),), input_tokens=50, output_tokens=50)


def test_an_agents_own_budget_ends_it_and_the_script_goes_on(spells: Any) -> None:
    spells.fake.on("go", *[asks("add")] * 20)
    result = spells.run(
        lua="""tools.define("add", "Add", {}, function() return 1 end)
            local a = agent.create("a", {tools = {"add"}, max_iterations = 50, budget = {tokens = 350}})
            local ok, e = pcall(a.run, a, "go")
            return {e.code, e.details.limit, e.details.spent.requests, llm.complete("still here?")}""",
        javascript="""await tools.define("add", "Add", {}, () => 1);
            const a = await agent.create("a", {tools: ["add"], maxIterations: 50, budget: {tokens: 350}});
            let e; try { await a.run("go") } catch (error) { e = error }
            return [e.code, e.details.limit, e.details.spent.requests, await llm.complete("still here?")]""",
    )
    assert result.value == ["agent_budget", "tokens", 4, "Fine."]
    assert result.usage.tokens > 400


def test_agents_that_are_asked_draw_on_the_budget_of_who_asks(spells: Any) -> None:
    spells.fake.on("help me", *[asks("think")] * 20)
    spells.fake.on("go", *[asks("ask_helper", task="help me")] * 20)
    value = spells.value(
        lua="""tools.define("think", "Think", {}, function() return 1 end)
            agent.create("helper", {tools = {"think"}, max_iterations = 100})
            local a = agent.create("boss", {sub_agents = {"helper"}, budget = {tokens = 500}})
            local ok, e = pcall(a.run, a, "go")
            return {e.code, e.message}""",
        javascript="""await tools.define("think", "Think", {}, () => 1);
            await agent.create("helper", {tools: ["think"], maxIterations: 100});
            const a = await agent.create("boss", {subAgents: ["helper"], budget: {tokens: 500}});
            let e; try { await a.run("go") } catch (error) { e = error }
            return [e.code, e.message]""",
    )
    code, message = value
    assert code == "agent_budget"
    assert "agent 'boss''s budget of 500 tokens" in message
    assert len(spells.fake.requests) <= 6


def test_the_runs_budget_is_above_an_agents(spells: Any) -> None:
    spells.fake.on("go", *[asks("add")] * 20)
    with pytest.raises(BudgetExceeded) as caught:
        spells.run(
            policy=Policy.minimal().narrow(tokens=250),
            lua="""tools.define("add", "Add", {}, function() return 1 end)
                local a = agent.create("a", {tools = {"add"}, budget = {tokens = 100000}})
                pcall(a.run, a, "go") return "not reached" """,
            javascript="""await tools.define("add", "Add", {}, () => 1);
                const a = await agent.create("a", {tools: ["add"], budget: {tokens: 100000}});
                try { await a.run("go") } catch {} return "not reached" """,
        )
    assert caught.value.spent["requests"] == 3


def test_a_hook_that_never_returns_ends_with_the_agents_time(spells: Any) -> None:
    value = spells.value(
        lua="""local a = agent.create("a", {max_time = 0.05})
            a:set_hook("pre_run", function() core.sleep(1000) end)
            local ok, e = pcall(a.run, a, "go")
            return {e.code, a:get_status().status}""",
        javascript="""const a = await agent.create("a", {maxTime: 0.05});
            await a.setHook("pre_run", () => core.sleep(1000));
            let e; try { await a.run("go") } catch (error) { e = error }
            return [e.code, (await a.getStatus()).status]""",
    )
    assert value == ["time_limit", "idle"]


def test_a_model_that_never_answers_ends_with_the_time_of_this_run(spells: Any) -> None:
    spells.fake.on("forever", FakeReply("never", before=asyncio.Event().wait))
    value = spells.value(
        lua="""local a = agent.create("a")
            local ok, e = pcall(a.run, a, "forever", {max_time = 0.05})
            return {e.code, a:run("hello")}""",
        javascript="""const a = await agent.create("a");
            let e; try { await a.run("forever", {maxTime: 0.05}) } catch (error) { e = error }
            return [e.code, await a.run("hello")]""",
    )
    assert value == ["time_limit", "Fine."]


def test_agents_that_ask_each_other_for_ever_are_ended(spells: Any) -> None:
    """The circle is made where nobody looks: the tools are named, not added as agents."""
    spells.fake.on("ping", asks("ask_b", task="pong"))
    spells.fake.on("pong", asks("ask_a", task="ping"))
    spells.fake.on(".", "gave up")
    value = spells.value(
        lua="""local a, b = agent.create("a"), agent.create("b")
            a:as_tool() b:as_tool()
            agent.configure("a", {tools = {"ask_b"}, max_iterations = 2})
            agent.configure("b", {tools = {"ask_a"}, max_iterations = 2})
            local ok, e = pcall(a.run, a, "ping")
            return e.code""",
        javascript="""const a = await agent.create("a"), b = await agent.create("b");
            await a.asTool(); await b.asTool();
            await agent.configure("a", {tools: ["ask_b"], maxIterations: 2});
            await agent.configure("b", {tools: ["ask_a"], maxIterations: 2});
            let e; try { await a.run("ping") } catch (error) { e = error }
            return e.code""",
        policy=Policy.minimal().narrow(time=60, depth=4),
    )
    assert value == "iteration_limit"
    assert len(spells.fake.requests) < 2**6
    errors = [m["content"] for request in spells.fake.requests for m in request.messages if m["role"] == "tool"]
    assert any("agents ask agents more than 4 deep" in error for error in errors)


def test_an_agent_whose_tool_runs_the_agent_is_ended(spells: Any) -> None:
    """Through the script's own function, where no agent sees another: the run's own limits hold."""
    spells.fake.on(".", asks("again"))
    with pytest.raises(BridgeCallError):
        spells.run(
            policy=Policy.minimal().narrow(time=60, concurrent_calls=8),
            lua="""local a
                tools.define("again", "Again", {}, function() return a:run("go") end)
                a = agent.create("a", {tools = {"again"}, max_iterations = 1})
                a:run("go")""",
            javascript="""let a;
                await tools.define("again", "Again", {}, () => a.run("go"));
                a = await agent.create("a", {tools: ["again"], maxIterations: 1});
                await a.run("go")""",
        )
    assert len(spells.fake.requests) < 20


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"budget": {"tokens": -1}}, "0 or more"),
        ({"budget": {"euros": 1}}, "tokens, cost"),
        ({"budget": {}}, "tokens, cost"),
        ({"max_time": 0}, "number of seconds"),
        ({"max_tool_calls": 0}, "1 or more"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(spells: Any, config: dict[str, Any], problem: str) -> None:
    told = spells.call("agent.validate_config", config)
    assert (told["valid"], problem in told["errors"][0]) == (False, True)


class Boom(Exception):
    pass


@pytest.mark.parametrize("wrong", ["raises", "truth", "nothing"])
def test_an_approval_that_fails_or_says_anything_but_true_is_a_refusal(spells: Any, wrong: str) -> None:
    spells.fake.on("go", asks("launch"), "ok")

    def approve(request: dict[str, Any]) -> Any:
        if wrong == "raises":
            raise Boom("secret of the host")
        return {"truth": "yes", "nothing": None}[wrong]

    source = {
        "lua": """tools.define("launch", "Launch", {requires_approval = true}, function() return "launched" end)
            return agent.create("a", {tools = {"launch"}}):run("go", {details = true}).tool_calls[1].error""",
        "javascript": """await tools.define("launch", "Launch", {requiresApproval: true}, () => "launched");
            return (await (await agent.create("a", {tools: ["launch"]})).run("go", {details: true})).tool_calls[0].error
            """,
    }[spells.language]
    with spells.host() as host:
        host.approve = approve
        with host.session(policy=spells.policy) as session:
            error = session.eval(spells.language, source).value
    assert "approve" in error
    assert "secret" not in error


def test_the_host_says_who_approves(spells: Any) -> None:
    from llmspell import Host

    with Host(config={}, plugins=(), approve=lambda request: True) as host:
        assert host.approve is not None


def test_pieces_are_drawn_in_a_loop_which_may_be_left(spells: Any) -> None:
    spells.fake.on("count", "one two three four")
    value = spells.value(
        lua="""local a, all, some = agent.create("a"), {}, {}
            for piece in a:chunks("count") do all[#all + 1] = piece end
            for piece in agent.chunks("a", "count") do some[#some + 1] = piece if #some == 2 then break end end
            while a:get_status().status ~= "idle" do core.sleep(0.002) end
            return {table.concat(all), #some}""",
        javascript="""const a = await agent.create("a"), all = [], some = [];
            for await (const piece of a.chunks("count")) all.push(piece);
            for await (const piece of agent.chunks("a", "count")) { some.push(piece); if (some.length == 2) break }
            while ((await a.getStatus()).status != "idle") await core.sleep(0.002);
            return [all.join(""), some.length]""",
    )
    assert value == ["one two three four", 2]


def test_what_goes_wrong_in_a_loop_over_pieces_is_told(spells: Any) -> None:
    spells.fake.on("count", FakeReply("one two three", cut_after=1))
    value = spells.value(
        lua="""local a, seen = agent.create("a"), {}
            local ok, e = pcall(function() for piece in a:chunks("count") do seen[#seen + 1] = piece end end)
            return {ok, seen}""",
        javascript="""const a = await agent.create("a"), seen = []; let ok = true;
            try { for await (const piece of a.chunks("count")) seen.push(piece) } catch { ok = false }
            return [ok, seen]""",
    )
    assert value == [False, ["one "]]


def test_a_spell_with_agents_runs_again_and_many_times_at_once_in_one_session(spells: Any) -> None:
    spells.fake.on("who", "me")
    source = {
        "lua": """local a = agent.create("a", {system = params.n}) a:run("who") return a:get_status().system""",
        "javascript": """const a = await agent.create("a", {system: params.n}); await a.run("who");
            return (await a.getStatus()).system""",
    }[spells.language]

    async def all_at_once(session: Any) -> list[Any]:
        runs = (session.aeval(spells.language, source, {"n": str(n)}) for n in range(5))
        return [result.value for result in await asyncio.gather(*runs)]

    with spells.host() as host, host.session(policy=spells.policy) as session:
        assert asyncio.run(all_at_once(session)) == ["0", "1", "2", "3", "4"]
