"""Agents' memory and state kept on disk, in a directory that is granted, and brought back in another session."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmspell.errors import BridgeCallError
from llmspell.values import FunctionRef, HostRef, encode

SAVE = {
    "lua": """local a = agent.create("a")
        a:chat("My name is Ann.") a:set_state({mood = "fine", raw = params.raw})
        a:save_snapshot("evening", {directory = params.dir})
        agent.create_snapshot("a", "again", {directory = params.dir})
        return #a:list_snapshots({directory = params.dir})""",
    "javascript": """const a = await agent.create("a");
        await a.chat("My name is Ann."); await a.setState({mood: "fine", raw: params.raw});
        await a.saveSnapshot("evening", {directory: params.dir});
        await agent.createSnapshot("a", "again", {directory: params.dir});
        return (await a.listSnapshots({directory: params.dir})).length""",
}
LOAD = {
    "lua": """local a = agent.create("a")
        a:load_snapshot("evening", {directory = params.dir})
        return {#a:get_history(), a:get_state(), a:chat("Who am I?")}""",
    "javascript": """const a = await agent.create("a");
        await a.loadSnapshot("evening", {directory: params.dir});
        return [(await a.getHistory()).length, await a.getState(), await a.chat("Who am I?")]""",
}


def test_a_snapshot_on_disk_is_brought_back_in_another_session(spells: Any, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    spells.fake.on("Who am I", "Ann")
    params = {"dir": str(folder), "raw": b"\x00\xff"}
    assert spells.run(params=params, **SAVE).value == 2
    assert spells.run(params={"dir": str(folder)}, **LOAD).value == [2, {"mood": "fine", "raw": b"\x00\xff"}, "Ann"]
    assert spells.fake.requests[-1].messages[0]["content"] == "My name is Ann."
    names = spells.calls(
        ("agent.create", "a"),
        ("agent.list_snapshots", "a", {"directory": str(folder)}),
        ("agent.delete_snapshot", "a", "again", {"directory": str(folder)}),
        ("agent.delete_snapshot", "a", "again", {"directory": str(folder)}),
    )
    assert [each["name"] for each in names[1]] == ["evening", "again"]
    assert names[2:] == [True, False]
    assert [path.name for path in folder.iterdir()] == ["a+evening.snapshot"]


def test_snapshots_stay_inside_what_is_granted(spells: Any, tmp_path: Path) -> None:
    outside, granted = tmp_path / "outside", tmp_path / "granted"
    granted.mkdir()
    grants = replace(spells.policy.grants, read=frozenset({str(granted)}), write=frozenset({str(granted)}))
    policy = spells.policy.narrow(grants=grants)
    with pytest.raises(BridgeCallError, match="does not allow"):
        spells.run(params={"dir": str(outside), "raw": 1}, policy=policy, **SAVE)
    assert not outside.exists()
    (granted / "a+evening.snapshot.new").symlink_to(outside)
    with pytest.raises(BridgeCallError, match="leads out"):
        spells.run(params={"dir": str(granted), "raw": 1}, policy=policy, **SAVE)
    assert not outside.exists()


def test_names_do_not_lead_out(spells: Any, tmp_path: Path) -> None:
    spells.calls(
        ("agent.create", "../a"),
        ("agent.save_snapshot", "../a", "../../x", {"directory": str(tmp_path / "kept")}),
    )
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["..%2Fa+..%2F..%2Fx.snapshot"]


def forged(state: Any) -> bytes:
    return encode({"version": 1, "agent": "a", "memory": [], "state": state, "saved_at": 1.0})


@pytest.mark.parametrize(
    "content",
    [
        b"garbage",
        encode({"version": 1}),
        encode({"version": 1, "memory": ["x"], "state": {}, "saved_at": 1.0}),
        forged({"f": FunctionRef(1, "f")}),
        forged({"h": HostRef(1, "Agent", (), "object")}),
    ],
    ids=["garbage", "too little", "memory that is none", "a function", "a handle"],
)
def test_a_file_that_is_no_snapshot_is_refused(spells: Any, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a+evening.snapshot").write_bytes(content)
    with pytest.raises(BridgeCallError, match=r"damaged|no export|cannot be read"):
        spells.run(params={"dir": str(tmp_path)}, **LOAD)


def test_a_snapshot_that_is_not_there_is_told(spells: Any, tmp_path: Path) -> None:
    with pytest.raises(BridgeCallError, match="has no snapshot 'evening'") as caught:
        spells.run(params={"dir": str(tmp_path)}, **LOAD)
    assert caught.value.fault_code == "not_found"


def test_there_are_only_so_many_snapshots_in_memory(spells: Any) -> None:
    with pytest.raises(BridgeCallError, match="has 100 snapshots already"):
        spells.run(
            lua="""local a = agent.create("a") for i = 1, 101 do a:save_snapshot("s" .. i) end""",
            javascript="""const a = await agent.create("a");
                for (let i = 0; i < 101; i++) await a.saveSnapshot("s" + i)""",
        )
