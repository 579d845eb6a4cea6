"""Workflows that are paused, resumed, stopped and scheduled."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell.errors import BridgeCallError


def test_a_run_is_paused_resumed_and_awaited(spells: Any) -> None:
    value = spells.value(
        lua="""local done, go, held = {}, false, 0
            local function step(name) return function()
                while not go do core.sleep(0.002) end
                done[#done + 1] = name return name end end
            workflow.create("w", {steps = {step("a"), step("b"), step("c")}})
            local run = workflow.execute_async("w", nil, {run_id = "mine"})
            local before, active = run:status(), workflow.list_active()
            run:pause() go = true
            repeat core.sleep(0.002) until #workflow.history("w")[1].steps == 1
            local paused, state = run:status(), workflow.status("w")
            local waited, e = pcall(run.await, run, 0.05)
            held = #done
            run:resume()
            return {before, active, paused, held, state, e.code, run:await(), run:status(), run:id()}""",
        javascript="""const done = []; let go = false;
            const step = name => async () => {
                while (!go) await core.sleep(0.002); done.push(name); return name };
            await workflow.create("w", {steps: [step("a"), step("b"), step("c")]});
            const run = await workflow.executeAsync("w", null, {runId: "mine"});
            const before = await run.status(), active = await workflow.listActive();
            await run.pause(); go = true;
            do await core.sleep(0.002); while ((await workflow.history("w"))[0].steps.length != 1);
            const paused = await run.status(), state = await workflow.status("w");
            let e; try { await run.await(0.05) } catch (error) { e = error }
            const held = done.length;
            await run.resume();
            return [before, active, paused, held, state, e.code, await run.await(), await run.status(), await run.id()]
            """,
    )
    assert value == ["running", ["w"], "paused", 1, "paused", "timeout", "c", "completed", "mine"]


def test_all_runs_of_a_workflow_are_paused_and_stopped(spells: Any) -> None:
    value = spells.value(
        lua="""local first, second, go = 0, 0, false
            workflow.create("w", {steps = {
                function() first = first + 1 while not go do core.sleep(0.002) end end,
                function() second = second + 1 core.sleep(100) end}})
            local a, b = workflow.execute_async("w"), workflow.execute_async("w")
            while first < 2 do core.sleep(0.002) end
            local paused = workflow.pause("w")
            go = true
            local states = {a:status(), b:status()}
            local resumed = workflow.resume("w")
            while second < 2 do core.sleep(0.002) end
            local stopped = workflow.stop("w")
            local ok, e = pcall(a.await, a) pcall(b.await, b)
            return {paused, states, resumed, stopped, e.code, b:status(), workflow.stop("w"), workflow.list_active()}
            """,
        javascript="""let first = 0, second = 0, go = false;
            await workflow.create("w", {steps: [
                async () => { first++; while (!go) await core.sleep(0.002) },
                async () => { second++; await core.sleep(100) }]});
            const a = await workflow.executeAsync("w"), b = await workflow.executeAsync("w");
            while (first < 2) await core.sleep(0.002);
            const paused = await workflow.pause("w");
            go = true;
            const states = [await a.status(), await b.status()];
            const resumed = await workflow.resume("w");
            while (second < 2) await core.sleep(0.002);
            const stopped = await workflow.stop("w");
            let e; try { await a.await() } catch (error) { e = error }
            try { await b.await() } catch {}
            return [paused, states, resumed, stopped, e.code, await b.status(), await workflow.stop("w"),
                await workflow.listActive()]""",
    )
    assert value == [True, ["paused", "paused"], True, True, "stopped", "stopped", False, []]


def test_a_workflow_within_a_paused_one_waits_too(spells: Any) -> None:
    value = spells.value(
        lua="""local go, late = false, false
            workflow.create("inner", {steps = {
                {id = "x", ["function"] = function() while not go do core.sleep(0.002) end end},
                {id = "y", ["function"] = function() late = true end}}})
            workflow.create("outer", {steps = {{workflow = "inner"}}})
            local run = workflow.execute_async("outer")
            while workflow.status("inner") ~= "running" do core.sleep(0.002) end
            run:pause() go = true
            repeat core.sleep(0.002) until #workflow.history("inner")[1].steps == 1
            local waited, e = pcall(run.await, run, 0.05)
            local held = late
            run:resume() run:await()
            return {e.code, held, late}""",
        javascript="""let go = false, late = false;
            await workflow.create("inner", {steps: [
                {id: "x", function: async () => { while (!go) await core.sleep(0.002) }},
                {id: "y", function: () => { late = true }}]});
            await workflow.create("outer", {steps: [{workflow: "inner"}]});
            const run = await workflow.executeAsync("outer");
            while (await workflow.status("inner") != "running") await core.sleep(0.002);
            await run.pause(); go = true;
            do await core.sleep(0.002); while ((await workflow.history("inner"))[0].steps.length != 1);
            let e; try { await run.await(0.05) } catch (error) { e = error }
            const held = late;
            await run.resume(); await run.await();
            return [e.code, held, late]""",
    )
    assert value == ["timeout", False, True]


def test_one_run_id_is_under_way_once(spells: Any) -> None:
    error = spells.failure(
        lua="""workflow.create("w", {steps = {function() core.sleep(100) end}})
            workflow.execute_async("w", nil, {run_id = "r"}) workflow.execute("w", nil, {run_id = "r"})""",
        javascript="""await workflow.create("w", {steps: [() => core.sleep(100)]});
            await workflow.executeAsync("w", null, {runId: "r"}); await workflow.execute("w", null, {runId: "r"})""",
    )
    assert error.fault_code == "already_running"


def test_a_step_stops_its_own_workflow(spells: Any) -> None:
    error = spells.failure(
        lua="""workflow.create("w", {steps = {function() workflow.stop("w") core.sleep(5) end}}) workflow.run("w")""",
        javascript="""await workflow.create("w", {steps: [
                async () => { await workflow.stop("w"); await core.sleep(5) }]});
            await workflow.run("w")""",
    )
    assert error.fault_code == "stopped"


def test_what_was_begun_and_not_awaited_ends_with_the_spell(spells: Any) -> None:
    result = spells.run(
        lua="""workflow.create("w", {steps = {function() core.sleep(60) end}}) workflow.execute_async("w") return 1""",
        javascript="""await workflow.create("w", {steps: [() => core.sleep(60)]});
            await workflow.executeAsync("w"); return 1""",
    )
    assert (result.value, result.duration < 50) == (1, True)


def test_schedules_run_later_and_again(spells: Any) -> None:
    value = spells.value(
        lua="""local seen = {}
            workflow.create("w", {steps = {function(x) seen[#seen + 1] = x if #seen == 2 then error("no") end end}})
            local s = workflow.schedule("w", {delay = 0.01, every = 0.02, times = 3, input = "tick"})
            local listed = workflow.list_scheduled()
            local ended = workflow.wait_scheduled(s)
            local far = workflow.schedule("w", {delay = 1000})
            local cancelled, again = workflow.cancel_scheduled(far), workflow.cancel_scheduled(far)
            return {seen, listed[1].workflow, ended.runs, ended.failures, cancelled, again}""",
        javascript="""const seen = [];
            await workflow.create("w", {steps: [x => { seen.push(x); if (seen.length == 2) throw new Error("no") }]});
            const s = await workflow.schedule("w", {delay: 0.01, every: 0.02, times: 3, input: "tick"});
            const listed = await workflow.listScheduled();
            const ended = await workflow.waitScheduled(s);
            const far = await workflow.schedule("w", {delay: 1000});
            const cancelled = await workflow.cancelScheduled(far), again = await workflow.cancelScheduled(far);
            return [seen, listed[0].workflow, ended.runs, ended.failures, cancelled, again]""",
    )
    assert value == [["tick", "tick", "tick"], "w", 3, 1, True, False]


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ({"every": 0}, "every should be a number of seconds, 0.01 or more"),
        ({"times": 3}, "several times needs every"),
        ({"times": 0, "every": 1}, "times should be 1 or more"),
        ({"at": "noon"}, "at should be a number of seconds"),
        ({"cron": "* * * * *"}, "a schedule has no 'cron'"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(spells: Any, schedule: dict[str, Any], problem: str) -> None:
    with pytest.raises(BridgeCallError, match=problem):
        spells.calls(("workflow.create", "w", {}), ("workflow.schedule", "w", schedule))
