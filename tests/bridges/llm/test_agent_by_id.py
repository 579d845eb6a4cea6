"""The functions of the agent module, which take an agent by its id, do what its handle's methods do."""

from __future__ import annotations

from typing import Any

from llmspell.testing import FakeReply, FakeToolCall


def test_an_agent_is_talked_to_by_its_id(spells: Any) -> None:
    value = spells.value(
        lua="""agent.create("a") agent.create("b")
            local pieces = {}
            agent.chat("a", "one")
            local first = #agent.get_history("a")
            agent.reset("a")
            local streamed = agent.stream("a", "go", function(piece) pieces[#pieces + 1] = piece end)
            local talk = agent.conversation("a", "Be kind.")
            local said = talk:send("hello")
            return {first, #agent.get_history("a"), streamed, table.concat(pieces), said, #talk:get_history(),
                agent.delegate("a", "b", "do it"), agent.cancel("a")}""",
        javascript="""await agent.create("a"); await agent.create("b");
            const pieces = [];
            await agent.chat("a", "one");
            const first = (await agent.getHistory("a")).length;
            await agent.reset("a");
            const streamed = await agent.stream("a", "go", piece => { pieces.push(piece) });
            const talk = await agent.conversation("a", "Be kind.");
            const said = await talk.send("hello");
            return [first, (await agent.getHistory("a")).length, streamed, pieces.join(""), said,
                (await talk.getHistory()).length, await agent.delegate("a", "b", "do it"), await agent.cancel("a")]""",
    )
    assert value == [2, 0, "Fine.", "Fine.", "Fine.", 2, "Fine.", 0]


def test_an_agents_tools_hooks_and_state_are_set_by_its_id(spells: Any) -> None:
    spells.fake.on("go", FakeReply(tool_calls=(FakeToolCall("add", {}),)), "done")
    value = spells.value(
        lua="""tools.define("add", "Add", {}, function() return 1 end)
            agent.create("a")
            local added = agent.add_tools("a", {"add"}).total_tools
            local seen = {}
            agent.set_hook("a", "pre_tool", function(use) seen[#seen + 1] = use.tool end)
            agent.set_state("a", {n = 1})
            local named = agent.get_tools("a")[1].name
            agent.run("a", "go")
            local gone, again = agent.unregister_hook("a", "pre_tool"), agent.unregister_hook("a", "pre_tool")
            return {added, named, seen, gone, again, agent.get_state("a").n, agent.remove_tool("a", "add"),
                #agent.get_tools("a")}""",
        javascript="""await tools.define("add", "Add", {}, () => 1);
            await agent.create("a");
            const added = (await agent.addTools("a", ["add"])).total_tools;
            const seen = [];
            await agent.setHook("a", "pre_tool", use => { seen.push(use.tool) });
            await agent.setState("a", {n: 1});
            const named = (await agent.getTools("a"))[0].name;
            await agent.run("a", "go");
            const gone = await agent.unregisterHook("a", "pre_tool");
            const again = await agent.unregisterHook("a", "pre_tool");
            return [added, named, seen, gone, again, (await agent.getState("a")).n, await agent.removeTool("a", "add"),
                (await agent.getTools("a")).length]""",
    )
    assert value == [1, "add", ["add"], True, False, 1, True, 0]


def test_a_handle_changes_measures_and_removes_its_agent(spells: Any) -> None:
    value = spells.value(
        lua="""local a = agent.create("a")
            local changed = a:configure({system = "New"}).system
            a:run("hi")
            local counted = a:get_metrics().execution_count
            a:remove()
            local ok, e = pcall(a.run, a, "hi")
            return {changed, counted, e.code, #agent.list()}""",
        javascript="""const a = await agent.create("a");
            const changed = (await a.configure({system: "New"})).system;
            await a.run("hi");
            const counted = (await a.getMetrics()).execution_count;
            await a.remove();
            let e; try { await a.run("hi") } catch (error) { e = error }
            return [changed, counted, e.code, (await agent.list()).length]""",
    )
    assert value == ["New", 1, "agent_not_found", 0]


def test_a_run_of_a_workflow_is_stopped_by_its_handle(spells: Any) -> None:
    value = spells.value(
        lua="""workflow.create("w", {steps = {function() core.sleep(100) end}})
            local run = workflow.execute_async("w")
            run:stop()
            local ok, e = pcall(run.await, run)
            return {e.code, run:status()}""",
        javascript="""await workflow.create("w", {steps: [() => core.sleep(100)]});
            const run = await workflow.executeAsync("w");
            await run.stop();
            let e; try { await run.await() } catch (error) { e = error }
            return [e.code, await run.status()]""",
    )
    assert value == ["stopped", "stopped"]
