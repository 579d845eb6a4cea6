"""Workflows whose steps fail."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell import Policy
from llmspell.errors import BudgetExceeded


def test_a_failed_step_stops_the_workflow_and_says_where(spells: Any) -> None:
    value = spells.value(
        lua="""workflow.create("w", {steps = {{id = "one", ["function"] = function() return 1 end},
                {id = "two", ["function"] = function() error("broken pipe") end},
                {id = "three", ["function"] = function() return 3 end}}})
            local ok, e = pcall(workflow.execute, "w")
            return {e.code, e.message, e.details.step, e.details.completed, workflow.status("w"),
                workflow.errors("w")[1].step, workflow.clear_errors("w"), #workflow.errors("w")}""",
        javascript="""await workflow.create("w", {steps: [{id: "one", function: () => 1},
                {id: "two", function: () => { throw new Error("broken pipe") }},
                {id: "three", function: () => 3}]});
            let e; try { await workflow.execute("w") } catch (error) { e = error }
            const errors = await workflow.errors("w");
            return [e.code, e.message, e.details.step, e.details.completed, await workflow.status("w"),
                errors[0].step, await workflow.clearErrors("w"), (await workflow.errors("w")).length]""",
    )
    code, message, *rest = value
    assert code == "step_failed"
    assert "broken pipe" in message
    assert rest == ["two", ["one"], "failed", "two", 1, 0]


def test_a_workflow_continues_or_compensates(spells: Any) -> None:
    value = spells.value(
        lua="""local undone = {}
            workflow.create("on", {on_error = "continue", steps = {
                function(x) return x + 1 end, function() error("no") end, function(x) return x * 10 end}})
            local function undo(name) return function(output) undone[#undone + 1] = name .. output end end
            workflow.create("back", {on_error = "compensate", steps = {
                {id = "a", ["function"] = function() return 1 end, compensation = undo("a")},
                {id = "b", ["function"] = function() return 2 end, compensate = function() error("stuck") end},
                {id = "c", ["function"] = function() return 3 end, compensation = undo("c")},
                {id = "d", ["function"] = function() error("no") end, compensation = undo("d")}}})
            local on = workflow.execute("on", 1)
            local ok = pcall(workflow.execute, "back")
            local states = {}
            for i, step in ipairs(workflow.history("back")[1].steps) do states[i] = step.step .. " " .. step.status end
            return {on, ok, undone, states}""",
        javascript="""const undone = [];
            await workflow.create("on", {onError: "continue", steps: [
                x => x + 1, () => { throw new Error("no") }, x => x * 10]});
            const undo = name => output => { undone.push(name + output) };
            await workflow.create("back", {on_error: "compensate", steps: [
                {id: "a", function: () => 1, compensation: undo("a")},
                {id: "b", function: () => 2, compensate: () => { throw new Error("stuck") }},
                {id: "c", function: () => 3, compensation: undo("c")},
                {id: "d", function: () => { throw new Error("no") }, compensation: undo("d")}]});
            const on = await workflow.execute("on", 1);
            let ok = true; try { await workflow.execute("back") } catch { ok = false }
            const [run] = await workflow.history("back");
            return [on, ok, undone, run.steps.map(step => `${step.step} ${step.status}`)]""",
    )
    states = ["a done", "b done", "c done", "d failed", "c compensated", "b compensation_failed", "a compensated"]
    assert value == [20, False, ["c3", "a1"], states]


def test_steps_are_tried_again(spells: Any) -> None:
    value = spells.value(
        lua="""local tries = 0
            workflow.create("w", {steps = {{retry = {attempts = 3, delay = 0.01}, ["function"] = function(x)
                tries = tries + 1 if tries < 3 then error("not yet") end return x end}}})
            workflow.create("never", {steps = {
                {retry = 2, ["function"] = function() tries = tries + 1 error("no") end}}})
            local out = workflow.execute("w", "ok")
            pcall(workflow.execute, "never")
            return {out, tries}""",
        javascript="""let tries = 0;
            await workflow.create("w", {steps: [{retry: {attempts: 3, delay: 0.01}, function: x => {
                if (++tries < 3) throw new Error("not yet"); return x }}]});
            await workflow.create("never", {steps: [{retry: 2, function: () => { tries++; throw new Error("no") }}]});
            const out = await workflow.execute("w", "ok");
            try { await workflow.execute("never") } catch {}
            return [out, tries]""",
    )
    assert value == ["ok", 5]


def test_a_slow_step_is_cut_off(spells: Any) -> None:
    error = spells.failure(
        lua="""workflow.create("w", {steps = {
                {id = "slow", timeout = 0.05, ["function"] = function() core.sleep(5) end}}})
            workflow.execute("w")""",
        javascript="""await workflow.create("w", {steps: [{id: "slow", timeout: 0.05, function: () => core.sleep(5)}]});
            await workflow.execute("w")""",
    )
    assert "step 'slow' of workflow 'w' failed: it took longer than 0.05 s" in str(error)


def test_one_failing_branch_ends_the_others(spells: Any) -> None:
    value = spells.value(
        lua="""local late = false
            workflow.create("w", {type = "parallel", steps = {
                {id = "bad", ["function"] = function() core.sleep(0.002) error("no") end},
                {id = "slow", ["function"] = function() core.sleep(100) late = true end}}})
            local ok, e = pcall(workflow.execute, "w")
            return {ok, e.details.step, late}""",
        javascript="""let late = false;
            await workflow.create("w", {type: "parallel", steps: [
                {id: "bad", function: async () => { await core.sleep(0.002); throw new Error("no") }},
                {id: "slow", function: async () => { await core.sleep(100); late = true }}]});
            let e; try { await workflow.execute("w") } catch (error) { e = error }
            return [e === undefined, e.details.step, late]""",
    )
    assert value == [False, "bad", False]


def test_a_budget_that_is_spent_in_a_branch_is_not_hidden_by_what_fails_beside_it(spells: Any) -> None:
    with pytest.raises(BudgetExceeded):
        spells.run(
            policy=Policy.minimal().narrow(tokens=5),
            lua="""workflow.create("w", {type = "parallel", on_error = "continue", steps = {
                {["function"] = function() error("no") end},
                {prompt = "A rather long prompt, for so small a budget as five tokens"}}})
                workflow.execute("w")""",
            javascript="""await workflow.create("w", {type: "parallel", onError: "continue", steps: [
                {function: () => { throw new Error("no") }},
                {prompt: "A rather long prompt, for so small a budget as five tokens"}]});
                await workflow.execute("w")""",
        )


def test_retry_as_a_strategy_tries_three_times(spells: Any) -> None:
    value = spells.value(
        lua="""local tries = 0
            workflow.create("w", {on_error = "retry", steps = {
                {retry = {delay = 0.001}, ["function"] = function() tries = tries + 1 error("no") end}}})
            local ok, e = pcall(workflow.execute, "w")
            return {ok, e.code, tries}""",
        javascript="""let tries = 0, e;
            await workflow.create("w", {onError: "retry", steps: [
                {retry: {delay: 0.001}, function: () => { tries++; throw new Error("no") }}]});
            try { await workflow.execute("w") } catch (error) { e = error }
            return [e === undefined, e.code, tries]""",
    )
    assert value == [False, "step_failed", 3]


def test_a_workflow_that_takes_too_long_is_ended(spells: Any) -> None:
    error = spells.failure(
        lua="""workflow.create("w", {timeout = 0.05, steps = {function() core.sleep(100) end}})
            workflow.execute("w")""",
        javascript="""await workflow.create("w", {timeout: 0.05, steps: [() => core.sleep(100)]});
            await workflow.execute("w")""",
    )
    assert (error.fault_code, "took longer than 0.05 s" in str(error)) == ("timeout", True)


def test_a_budget_that_is_spent_ends_a_workflow_that_would_continue(spells: Any) -> None:
    with pytest.raises(BudgetExceeded):
        spells.run(
            policy=Policy.minimal().narrow(tokens=5),
            lua="""workflow.create("w", {on_error = "continue", steps = {
                {prompt = "A rather long prompt, for so small a budget as five tokens"}}})
                workflow.execute("w")""",
            javascript="""await workflow.create("w", {onError: "continue", steps: [
                {prompt: "A rather long prompt, for so small a budget as five tokens"}]});
                await workflow.execute("w")""",
        )
