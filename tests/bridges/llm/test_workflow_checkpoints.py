"""Runs that are interrupted, killed, or find their checkpoints tampered with, and go on all the same."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sysconfig
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmspell.errors import BridgeCallError
from llmspell.values import FunctionRef, HostRef, encode
from llmspell_llm.workflow import SqliteJournal

LLMSPELL = str(Path(sysconfig.get_path("scripts")) / "llmspell")
SUFFIXES = {"lua": ".lua", "javascript": ".js"}


def test_a_run_goes_on_where_it_stopped(spells: Any, tmp_path: Path) -> None:
    sources = {
        "lua": """local calls = {}
            local function step(name, fail) return {id = name, ["function"] = function(x)
                calls[#calls + 1] = name if fail then error("power cut") end return x .. name end} end
            workflow.create("w", {steps = {step("a"), step("b"), step("c", params.fail)}})
            local ok, out = pcall(workflow.execute, "w", params.input, {run_id = "r1", checkpoint = params.dir})
            local states = {}
            for i, s in ipairs(workflow.history("w")[1].steps) do states[i] = s.status end
            return {ok, ok and out or out.message, calls, states}""",
        "javascript": """const calls = [];
            const step = (name, fail) => ({id: name, function: x => {
                calls.push(name); if (fail) throw new Error("power cut"); return x + name }});
            await workflow.create("w", {steps: [step("a"), step("b"), step("c", params.fail)]});
            let ok = true, out;
            try { out = await workflow.execute("w", params.input, {runId: "r1", checkpoint: params.dir}) }
            catch (e) { ok = false; out = e.message }
            const [run] = await workflow.history("w");
            return [ok, out, calls, run.steps.map(s => s.status)]""",
    }
    folder = str(tmp_path / "runs")

    def attempt(**params: Any) -> Any:
        return spells.run(params={"dir": folder, **params}, **sources).value

    assert attempt(fail=True, input=">")[2:] == [["a", "b", "c"], ["done", "done", "failed"]]
    ok, message, *_ = attempt(fail=False, input="other")
    assert (ok, "began with another input" in message) == (False, True)
    assert attempt(fail=False) == [True, ">abc", ["c"], ["restored", "restored", "done"]]
    assert attempt(fail=False, input="=") == [True, "=abc", ["a", "b", "c"], ["done", "done", "done"]]


def test_a_branch_once_chosen_stays_chosen(spells: Any, tmp_path: Path) -> None:
    """A run that goes on does not ask again which way it went."""
    value = spells.run(
        params={"dir": str(tmp_path / "runs")},
        lua="""local way, broken = 1, true
            workflow.create("fork", {type = "conditional", steps = {
                {id = "left", condition = function() return way == 1 end, ["function"] = function() return "left" end},
                {id = "right", ["function"] = function() return "right" end}}})
            workflow.create("w", {steps = {{id = "fork", workflow = "fork"},
                {id = "rest", ["function"] = function(x) if broken then error("no") end return x end}}})
            local options = {run_id = "r", checkpoint = params.dir}
            pcall(workflow.execute, "w", 1, options)
            way, broken = 2, false
            return workflow.execute("w", 1, options)""",
        javascript="""let way = 1, broken = true;
            await workflow.create("fork", {type: "conditional", steps: [
                {id: "left", condition: () => way == 1, function: () => "left"},
                {id: "right", function: () => "right"}]});
            await workflow.create("w", {steps: [{id: "fork", workflow: "fork"},
                {id: "rest", function: x => { if (broken) throw new Error("no"); return x }}]});
            const options = {runId: "r", checkpoint: params.dir};
            try { await workflow.execute("w", 1, options) } catch {}
            way = 2; broken = false;
            return await workflow.execute("w", 1, options)""",
    ).value
    assert value == "left"


def test_checkpoints_need_a_name_and_the_right_to_write(spells: Any, tmp_path: Path) -> None:
    sources = {
        "lua": """workflow.create("w", {steps = {function() return 1 end}})
            return workflow.execute("w", nil, {run_id = params.id, checkpoint = params.dir})""",
        "javascript": """await workflow.create("w", {steps: [() => 1]});
            return await workflow.execute("w", null, {runId: params.id, checkpoint: params.dir})""",
    }
    with pytest.raises(BridgeCallError, match="needs a run_id"):
        spells.run(params={"dir": str(tmp_path)}, **sources)
    grants = replace(spells.policy.grants, write=frozenset())
    with pytest.raises(BridgeCallError) as caught:
        spells.run(
            params={"dir": str(tmp_path / "runs"), "id": "r"}, policy=spells.policy.narrow(grants=grants), **sources
        )
    assert caught.value.fault_code == "denied"
    assert not (tmp_path / "runs").exists()


KILLED = {
    "lua": """
        workflow.create("each", {type = "map", concurrency = 1, steps = {
            function(x) print("item " .. x) if x == 3 then core.sleep(params.hold) end return x * x end}})
        workflow.create("w", {steps = {
            {id = "first", ["function"] = function(x) print("first") return x end},
            {id = "squares", workflow = "each"},
            {id = "last", ["function"] = function(x) return table.concat(x, " ") end}}})
        return workflow.execute("w", {1, 2, 3, 4}, {run_id = "night", checkpoint = params.dir})""",
    "javascript": """
        await workflow.create("each", {type: "map", concurrency: 1, steps: [
            async x => { console.log("item " + x); if (x == 3) await core.sleep(params.hold); return x * x }]});
        await workflow.create("w", {steps: [
            {id: "first", function: x => { console.log("first"); return x }},
            {id: "squares", workflow: "each"},
            {id: "last", function: x => x.join(" ")}]});
        return await workflow.execute("w", [1, 2, 3, 4], {runId: "night", checkpoint: params.dir})""",
    "tengo": """
        workflow := import("workflow")
        core := import("core")
        fmt := import("fmt")
        workflow.create("each", {type: "map", concurrency: 1, steps: [func(x, c) {
            fmt.println("item ", x)
            if x == 3 { core.sleep(params.hold) }
            return x * x
        }]})
        workflow.create("w", {steps: [
            {id: "first", function: func(x, c) { fmt.println("first"); return x }},
            {id: "squares", workflow: "each"},
            {id: "last", function: func(x, c) { return string(x[0]) + " " + x[1] + " " + x[2] + " " + x[3] }}]})
        export workflow.execute("w", [1, 2, 3, 4], {run_id: "night", checkpoint: params.dir})
        """,
}


@pytest.mark.parametrize("language", ["lua", "javascript", "tengo"])
def test_a_killed_process_goes_on_after_its_last_step(language: str, tmp_path: Path) -> None:
    """The command line is killed with the third item of an inner workflow under way; run again, it begins there."""
    spell = tmp_path / f"spell{({**SUFFIXES, 'tengo': '.tengo'})[language]}"
    spell.write_text(KILLED[language])
    runs = tmp_path / "runs"

    def command(hold: int) -> list[str]:
        given = tmp_path / "params.json"
        given.write_text(json.dumps({"dir": str(runs), "hold": hold}))
        granted = ["--allow-read", str(runs), "--allow-write", str(runs)]
        return [LLMSPELL, "run", str(spell), "--params", str(given), *granted]

    with subprocess.Popen(command(100), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        begun = []
        for line in process.stdout:
            begun.append(line.strip())
            if line.strip() == "item 3":
                process.kill()
    assert begun == ["first", "item 1", "item 2", "item 3"]
    assert process.returncode == -9
    assert [path.name for path in runs.iterdir() if path.suffix == ".sqlite3"] == ["w+night.run.sqlite3"]

    again = subprocess.run(command(0), capture_output=True, text=True, timeout=120, check=False)
    assert again.stdout.split("\n") == ["item 3", "item 4", "1 4 9 16", ""], again.stderr
    assert list(runs.iterdir()) == []


def sources_of(lua: str, javascript: str) -> dict[str, str]:
    return {"lua": lua, "javascript": javascript}


SIMPLE = sources_of(
    """workflow.create("w", {steps = {function(x) return x end, function(x)
        if params.fail then error("no") end return x end}})
        return workflow.execute("w", params.input, {run_id = "r", checkpoint = params.dir})""",
    """await workflow.create("w", {steps: [x => x, x => { if (params.fail) throw new Error("no"); return x }]});
        return await workflow.execute("w", params.input, {runId: "r", checkpoint: params.dir})""",
)
NAME = "w+r.run.sqlite3"


def simple(spells: Any, folder: Path, *, fail: bool = False, **params: Any) -> Any:
    return spells.run(params={"dir": str(folder), "fail": fail, **params}, **SIMPLE).value


def interrupted(spells: Any, folder: Path, **params: Any) -> Path:
    with pytest.raises(BridgeCallError):
        simple(spells, folder, fail=True, **params)
    return folder / NAME


def test_what_is_kept_comes_back_as_it_was(spells: Any, tmp_path: Path) -> None:
    input = {"n": 2**62, "whole": 3.0, "f": 0.1, "list": [], "table": {}, "text": "é", "bytes": b"\x00\xff"}
    interrupted(spells, tmp_path, input=input)
    assert simple(spells, tmp_path, input=None) == input


@pytest.mark.parametrize("garbage", [b"garbage " * 1000, b"SQLite format 3\x00" + b"\x00" * 4000])
def test_garbage_in_place_of_checkpoints_is_refused_and_left_alone(spells: Any, tmp_path: Path, garbage: bytes) -> None:
    (tmp_path / NAME).write_bytes(garbage)
    with pytest.raises(BridgeCallError, match="damaged") as caught:
        simple(spells, tmp_path)
    assert (caught.value.fault_code, (tmp_path / NAME).read_bytes()) == ("checkpoint_broken", garbage)
    status = spells.call("workflow.list_checkpoints", str(tmp_path))[0]["status"]
    discarded = spells.call("workflow.discard_checkpoint", str(tmp_path), "w", "r")
    assert (status, discarded, list(tmp_path.iterdir())) == ("broken", True, [])


def test_a_database_with_more_in_it_than_checkpoints_is_refused(spells: Any, tmp_path: Path) -> None:
    path = interrupted(spells, tmp_path, input=1)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TRIGGER evil AFTER INSERT ON steps BEGIN DELETE FROM steps; END")
    with pytest.raises(BridgeCallError) as caught:
        simple(spells, tmp_path)
    assert caught.value.fault_code == "checkpoint_broken"


@pytest.mark.parametrize(
    "written",
    [
        b"\xc1",
        b"\x81\x01\x02",
        encode(FunctionRef(1, "f")),
        encode([HostRef(1, "Agent", (), "object")]),
        b"\x91" * 5000,
    ],
)
def test_forged_outputs_are_refused(spells: Any, tmp_path: Path, written: bytes) -> None:
    """Whoever can write the file cannot hand the script a function, a handle, or what is no value at all."""
    path = interrupted(spells, tmp_path, input=1)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE steps SET output = ? WHERE place = 'step1'", (written,))
    with pytest.raises(BridgeCallError) as caught:
        simple(spells, tmp_path)
    assert caught.value.fault_code == "checkpoint_broken"


def test_a_link_that_leads_out_is_not_followed(spells: Any, tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "runs"
    folder.mkdir()
    (folder / NAME).symlink_to(outside)
    grants = replace(spells.policy.grants, read=frozenset({str(folder)}), write=frozenset({str(folder)}))
    with pytest.raises(BridgeCallError, match="a symbolic link leads out") as caught:
        spells.run(params={"dir": str(folder)}, policy=spells.policy.narrow(grants=grants), **SIMPLE)
    assert (caught.value.fault_code, outside.exists()) == ("denied", False)


def test_names_stay_inside_the_directory(spells: Any, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    with pytest.raises(BridgeCallError, match="no"):
        spells.run(
            params={"dir": str(folder)},
            lua="""workflow.create("../w", {steps = {function() error("no") end}})
                workflow.execute("../w", 1, {run_id = "../../r", checkpoint = params.dir})""",
            javascript="""await workflow.create("../w", {steps: [() => { throw new Error("no") }]});
                await workflow.execute("../w", 1, {runId: "../../r", checkpoint: params.dir})""",
        )
    assert [path.name for path in folder.iterdir()] == ["..%2Fw+..%2F..%2Fr.run.sqlite3"]
    assert [path.name for path in tmp_path.iterdir() if "w" in path.name] == []
    listed = spells.call("workflow.list_checkpoints", str(folder))
    assert [(each["workflow"], each["run"]) for each in listed] == [("../w", "../../r")]


def test_a_run_goes_on_in_one_place_at_a_time(spells: Any, tmp_path: Path) -> None:
    """A second host, as another process would be, is told that the run is going on, and leaves it alone."""
    journal = SqliteJournal(str(tmp_path / NAME), "r")
    asyncio.run(journal.open())
    with pytest.raises(BridgeCallError, match="is going on elsewhere") as caught:
        simple(spells, tmp_path, input=1)
    assert caught.value.fault_code == "checkpoint_busy"
    assert spells.call("workflow.list_checkpoints", str(tmp_path))[0]["status"] == "running"
    with pytest.raises(BridgeCallError, match="is going on elsewhere"):
        spells.call("workflow.discard_checkpoint", str(tmp_path), "w", "r")
    asyncio.run(journal.close())
    assert simple(spells, tmp_path, input=1) == 1


def test_unfinished_runs_are_listed_and_discarded(spells: Any, tmp_path: Path) -> None:
    interrupted(spells, tmp_path, input=1)
    [listed] = spells.call("workflow.list_checkpoints", str(tmp_path))
    assert (listed["workflow"], listed["run"], listed["status"], listed["steps"]) == ("w", "r", "resumable", 1)
    assert listed["began"] <= listed["last"]
    discarded = [spells.call("workflow.discard_checkpoint", str(tmp_path), "w", "r") for _ in range(2)]
    assert discarded == [True, False]
    assert simple(spells, tmp_path, input=2) == 2
    assert spells.call("workflow.list_checkpoints", str(tmp_path)) == []


def test_what_cannot_be_written_down_is_told(spells: Any, tmp_path: Path) -> None:
    with pytest.raises(BridgeCallError, match="of step 'step1' cannot be written down: it holds a function") as caught:
        spells.run(
            params={"dir": str(tmp_path)},
            lua="""workflow.create("w", {steps = {function() return {f = function() end} end}})
                workflow.execute("w", 1, {run_id = "r", checkpoint = params.dir})""",
            javascript="""await workflow.create("w", {steps: [() => ({f: () => 1})]});
                await workflow.execute("w", 1, {runId: "r", checkpoint: params.dir})""",
        )
    assert caught.value.fault_code == "not_data"


def test_what_was_undone_is_not_found_done(spells: Any, tmp_path: Path) -> None:
    sources = sources_of(
        """local calls = {}
            workflow.create("w", {on_error = "compensate", steps = {
                {id = "a", ["function"] = function() calls[#calls + 1] = "a" return 1 end,
                    compensation = function() calls[#calls + 1] = "undo a" end},
                function() if params.fail then error("no") end return calls end}})
            local ok = pcall(workflow.execute, "w", 1, {run_id = "r", checkpoint = params.dir})
            return calls""",
        """const calls = [];
            await workflow.create("w", {onError: "compensate", steps: [
                {id: "a", function: () => { calls.push("a"); return 1 }, compensation: () => { calls.push("undo a") }},
                () => { if (params.fail) throw new Error("no"); return calls }]});
            try { await workflow.execute("w", 1, {runId: "r", checkpoint: params.dir}) } catch {}
            return calls""",
    )
    made = [spells.run(params={"dir": str(tmp_path), "fail": fail}, **sources).value for fail in (True, False)]
    assert made == [["a", "undo a"], ["a"]]
