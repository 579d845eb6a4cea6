"""``state``: values that outlive a run."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from llmspell.policy import Policy


def test_values_stand_at_dotted_paths(spell: Any) -> None:
    spell.call("state.set", "user.name", "Ann")
    spell.call("state.set", "user.tags", ["a", "b"])
    assert spell.call("state.get", "user.name") == "Ann"
    assert spell.call("state.get", "user.tags.1") == "a"
    assert spell.call("state.get", "user.age", 3) == 3
    assert spell.call("state.get", "user") == {"name": "Ann", "tags": ["a", "b"]}
    assert spell.call("state.has", "user.name") is True
    assert spell.call("state.has", "user.age") is False
    assert spell.call("state.keys") == ["user"]
    assert spell.call("state.keys", "user") == ["name", "tags"]
    assert spell.call("state.values", "user.tags") == ["a", "b"]
    assert spell.call("state.delete", "user.name") is True
    assert spell.call("state.delete", "user.name") is False
    spell.call("state.set", "user.tags", None)
    assert spell.call("state.to_table") == {"user": {}}
    spell.call("state.batch_set", {"a": 1, "b.c": 2})
    spell.call("state.clear")
    assert spell.call("state.to_table") == {}


def test_a_state_outlives_its_run_and_not_its_session(spells: Any) -> None:
    spells().call("state.set", "a", 1)
    assert spells().call("state.get", "a") == 1


def test_what_is_stored_is_copied(spell: Any) -> None:
    spell.call("state.set", "a", {"n": [1]})
    spell.call("state.append", "a.n", 2)
    assert spell.call("state.get", "a.n") == [1, 2]


def test_numbers_and_lists_grow(spell: Any) -> None:
    assert [spell.call("state.increment", "n") for _ in range(3)] == [1, 2, 3]
    assert spell.call("state.increment", "n", -1.5) == 1.5
    assert [spell.call("state.append", "l", item) for item in "ab"] == [1, 2]
    spell.call("state.set", "text", "x")
    assert spell.fails("state.increment", "text").code == "invalid_argument"
    assert spell.fails("state.append", "text", 1).code == "invalid_argument"


def test_an_update_is_repeated_when_somebody_else_was_quicker(spell: Any) -> None:
    seen: list[Any] = []

    async def add(value: Any) -> Any:
        seen.append(value)
        await asyncio.sleep(0)
        return (value or 0) + 1

    spell.parallel(*[("state.update", "n", spell.fn(add))] * 5)
    assert spell.call("state.get", "n") == 5
    assert len(seen) > 5


def test_an_update_that_never_settles_is_told(spell: Any) -> None:
    async def meddle(value: Any) -> Any:
        await spell.acall("state.increment", "n")
        return 0

    assert spell.fails("state.update", "n", spell.fn(meddle)).code == "conflict"


def test_a_transaction_is_undone_when_it_fails(spell: Any, raised: Any) -> None:
    spell.call("state.set", "a", 1)

    async def work() -> None:
        await spell.acall("state.set", "a", 2)
        await spell.acall("state.set", "b", 3)
        raise raised("no")

    assert "no" in spell.fails("state.transaction", spell.fn(work)).message
    assert spell.call("state.to_table") == {"a": 1}

    async def well() -> str:
        await spell.acall("state.set", "a", 2)
        return "fine"

    assert spell.call("state.transaction", spell.fn(well)) == "fine"
    assert spell.call("state.get", "a") == 2


def test_functions_and_handles_cannot_be_kept(spell: Any) -> None:
    for value in (spell.fn(lambda: 1), {"a": [spell.fn(lambda: 1)]}, spell.call("state.create")):
        assert spell.fails("state.set", "f", value).code == "not_data"


def test_a_session_keeps_a_bounded_amount(spell: Any) -> None:
    spell.call("state.set", "a", "x" * 40_000_000)
    assert spell.fails("state.set", "b", "x" * 40_000_000).code == "too_large"
    assert spell.call("state.has", "b") is False
    spell.call("state.delete", "a")
    spell.call("state.set", "b", "x" * 40_000_000)
    spell.call("state.clear")
    for _ in range(3):
        spell.call("state.set", "c", "x" * 40_000_000)


def test_states_without_a_name_give_their_room_back(spells: Any) -> None:
    for _ in range(3):
        spell = spells()
        spell.call("state.create", {"a": "x" * 40_000_000})
        spell.end()


def test_a_locked_state_refuses_changes(spell: Any) -> None:
    spell.call("state.lock")
    assert spell.call("state.is_locked") is True
    for name, args in (("set", ("a", 1)), ("delete", ("a",)), ("clear", ()), ("increment", ("n",))):
        assert spell.fails(f"state.{name}", *args).code == "locked"
    spell.call("state.unlock")
    spell.call("state.set", "a", 1)


def test_metadata_artifacts_and_messages_stand_beside(spell: Any) -> None:
    spell.call("state.set_metadata", "author", "Ann")
    spell.call("state.add_artifact", "report", {"text": "x"}, {"kind": "draft"})
    assert spell.call("state.add_message", "user", "hello") == 1
    assert spell.call("state.add_message", {"role": "assistant", "content": "hi"}) == 2
    assert spell.call("state.get_metadata", "author") == "Ann"
    assert spell.call("state.get_metadata") == spell.call("state.get_all_metadata") == {"author": "Ann"}
    assert spell.call("state.get_metadata", "x") is None
    artifact = {"name": "report", "data": {"text": "x"}, "metadata": {"kind": "draft"}}
    assert spell.call("state.get_artifact", "report") == artifact
    assert spell.call("state.get_artifact", "x") is None
    assert spell.call("state.artifacts") == [artifact]
    assert spell.call("state.messages")[1] == {"role": "assistant", "content": "hi"}
    assert spell.call("state.stats") == {"keys": 0, "artifacts": 1, "messages": 2, "metadata": 1}
    assert spell.call("state.to_table") == {}


def test_snapshots_bring_everything_back(spell: Any) -> None:
    spell.call("state.set", "a", 1)
    spell.call("state.set_metadata", "m", 1)
    snapshot = spell.call("state.snapshot")
    assert spell.call("state.export") == snapshot
    spell.call("state.clear")
    spell.call("state.restore", snapshot)
    assert spell.call("state.get", "a") == spell.call("state.get_metadata", "m") == 1
    spell.call("state.import", {"data": {"b": 2}})
    assert spell.call("state.snapshot") == {"data": {"b": 2}, "metadata": {}, "artifacts": {}, "messages": []}


def test_schemas_are_checked(spell: Any) -> None:
    spell.call("state.set", "n", "x")
    assert spell.call("state.validate")["valid"] is True
    schema = {"properties": {"n": {"type": "integer"}}}
    assert spell.call("state.validate", schema)["errors"][0]["path"] == "n"
    spell.call("state.set_schema", schema)
    assert spell.call("state.validate")["valid"] is False


def test_named_states_are_shared_and_others_end(spells: Any) -> None:
    first, second = spells(), spells()
    mine = first.call("state.create", "users", {"defaults": {"count": 0}})
    first.call((mine, "increment"), "count")
    yours = second.call("state.create", "users", {"defaults": {"count": 100, "new": 1}})
    assert second.call((yours, "to_table")) == {"count": 1, "new": 1}
    assert second.call((yours, "name")) == "users"
    assert second.call("state.list_states") == ["users"]
    assert second.call("state.delete_state", "users") is True
    assert second.call("state.delete_state", "users") is False


def test_state_objects_work_like_the_module(spell: Any) -> None:
    state = spell.call("state.create", {"a": {"b": 1}})
    other = spell.call("state.from_table", {"a": {"c": 2}})
    assert spell.call((state, "get"), "a.b") == 1
    assert spell.call((state, "equals"), {"a": {"b": 1}}) is True
    assert spell.call((state, "diff"), other) == {"added": {"a.c": 2}, "removed": {"a.b": 1}, "modified": {}}
    spell.call((state, "merge"), other)
    assert spell.call((state, "to_table")) == {"a": {"b": 1, "c": 2}}
    clone = spell.call((state, "clone"))
    spell.call((clone, "set"), "x", 1)
    assert spell.call((state, "has"), "x") is False
    kept = spell.call((clone, "filter"), spell.fn(lambda key, value: key == "x"))
    assert spell.call((kept, "to_table")) == {"x": 1}
    changed = spell.call((kept, "transform"), spell.fn(lambda data: {**data, "y": 2}))
    assert spell.call((changed, "to_table")) == {"x": 1, "y": 2}
    assert spell.call((kept, "transform"), spell.fn(lambda data: 5)) == 5


def test_states_are_merged_by_strategy(spell: Any) -> None:
    one = spell.call("state.create", {"a": {"x": 1}, "b": 1})
    two = {"a": {"y": 2}, "b": 2}
    results = {
        strategy: spell.call((spell.call("state.merge_states", [one, two], strategy), "to_table"))
        for strategy in ("merge_all", "union", "last")
    }
    assert results == {"merge_all": {"a": {"x": 1, "y": 2}, "b": 2}, "union": {"a": {"x": 1}, "b": 1}, "last": two}
    assert spell.call((spell.call("state.merge", one, two), "to_table")) == results["merge_all"]
    assert spell.call("state.equals", one, {"a": {"x": 1}, "b": 1}) is True


def test_transforms_change_data(spell: Any) -> None:
    data = {"a": {"b": 1, "api_key": "k"}, "e": "", "n": None, "l": []}

    def apply(name: str, *options: Any) -> Any:
        return spell.call((spell.call("state.apply_transform", name, data, *options), "to_table"))

    assert apply("flatten") == {"a.b": 1, "a.api_key": "k", "e": "", "n": None, "l": []}
    assert apply("sanitize") == {"a": {"b": 1, "api_key": "****"}}
    assert apply("filter", {"keys": ["a", "l"]}) == {"a": {"b": 1, "api_key": "k"}, "l": []}
    assert apply("filter", {"drop": ["?"]}) == {}
    spell.call("state.register_transform", "count", spell.fn(lambda data, options: {"count": len(data)}))
    assert apply("count") == {"count": 4}
    assert spell.call("state.list_transforms") == ["count", "filter", "flatten", "sanitize"]
    chained = spell.call("state.chain_transforms", ["sanitize", "flatten", "count"], data)
    assert spell.call((chained, "to_table")) == {"count": 2}
    assert spell.fails("state.apply_transform", "absent", data).code == "not_found"
    assert spell.fails("state.register_transform", "flatten", spell.fn(lambda: 1)).code == "exists"
    assert spell.fails("state.apply_transform", "filter", data, {"keys": "a"}).code == "invalid_argument"


def test_validators_of_the_script_decide(spell: Any) -> None:
    spell.call("state.register_validator", "adult", spell.fn(lambda data: (data["age"] >= 18, "too young")))
    assert spell.call("state.validate_state", {"age": 20}, "adult") == {"valid": True, "errors": []}
    assert spell.call("state.validate_state", {"age": 3}, "adult")["errors"] == [{"path": "", "message": "too young"}]
    assert (
        spell.call("state.validate_state", {"age": "x"}, {"properties": {"age": {"type": "integer"}}})["valid"] is False
    )
    assert spell.fails("state.validate_state", {}, "absent").code == "not_found"


def test_contexts_read_through_and_write_their_own(spell: Any) -> None:
    base = spell.call("state.create", {"a": {"x": 1}, "b": 1})
    spell.call((base, "set_metadata"), "m", 1)
    spell.call((base, "add_message"), "user", "hi")
    spell.call((base, "add_artifact"), "art", 1)
    context = spell.call("state.create_context", base)
    spell.call("state.set_in_context", context, "b", 2)
    spell.call((context, "set"), "a.y", 3)
    assert spell.call("state.get_from_context", context, "a.x") == 1
    assert spell.call((context, "get"), "b") == 2
    assert spell.call((context, "get"), "absent", "d") == "d"
    assert spell.call((context, "has"), "a.x") is True
    assert spell.call((base, "get"), "b") == 1
    assert spell.call((context, "keys")) == ["a", "b"]
    assert spell.call((context, "values")) == [{"x": 1, "y": 3}, 2]
    assert spell.call((spell.call((context, "local")), "to_table")) == {"b": 2, "a": {"y": 3}}
    assert spell.call((context, "parent")) == base
    assert spell.call((context, "get_metadata"), "m") == 1
    assert len(spell.call((context, "messages"))) == len(spell.call((context, "artifacts"))) == 1
    assert spell.call((context, "get_artifact"), "art")["data"] == 1
    spell.call("state.configure_inheritance", context, False, False, False)
    assert spell.call((context, "snapshot")) == {
        "data": {"a": {"x": 1, "y": 3}, "b": 2},
        "metadata": {},
        "messages": [],
        "artifacts": {},
    }
    assert spell.call((context, "delete"), "b") is True
    assert spell.call((context, "get"), "b") == 1
    above = spell.call("state.create_context", context)
    assert spell.call((above, "get"), "a.y") == 3
    fresh = spell.call((context, "clone"))
    assert spell.call((fresh, "get"), "a.y") is None
    assert spell.call((spell.call((above, "as_state")), "get"), "a.y") == 3


def test_versions_are_saved_for_the_session(spell: Any) -> None:
    for number in range(1, 4):
        spell.call("state.set", "n", number)
        assert spell.call("state.save", "s") == number
    assert spell.call("state.load", "s", 1) is True
    assert spell.call("state.get", "n") == 1
    assert spell.call("state.load", "s") is True
    assert spell.call("state.get", "n") == 3
    assert spell.call("state.load", "absent") is False
    assert [v["version"] for v in spell.call("state.list_versions", "s")] == [1, 2, 3]
    assert spell.call("state.delete_saved", "s", 2) == 1
    assert spell.call("state.list_saved") == ["s"]
    assert spell.call((spell.call("state.load_version", "s", 3), "get"), "n") == 3
    assert spell.call("state.load_version", "s", 2) is None
    assert spell.call("state.expire", "s", -1) is True
    assert spell.call("state.load", "s") is False
    assert spell.call("state.expire", "s", 1) is False


def test_states_are_saved_by_name(spell: Any) -> None:
    state = spell.call("state.create", "users")
    spell.call((state, "set"), "n", 1)
    assert spell.call("state.save_state", state) == 1
    assert spell.call((spell.call("state.load_state", "users"), "get"), "n") == 1
    assert spell.call("state.load_state", "absent") is None
    assert spell.call((spell.call("state.load_state", "absent", {"n": 5}), "get"), "n") == 5
    nameless = spell.call("state.create", {"n": 2})
    assert spell.fails("state.save_state", nameless).code == "invalid_argument"
    assert spell.call("state.save_state", nameless, "given") == 1


def test_only_the_last_versions_are_kept(spell: Any) -> None:
    for _ in range(25):
        spell.call("state.save", "s")
    assert [v["version"] for v in spell.call("state.list_versions", "s")] == list(range(6, 26))


@pytest.fixture
def granted(spells: Any, tmp_path: Path) -> Any:
    policy = Policy.standard().grant(write=[str(tmp_path)])
    spell = spells(policy=policy)
    spell.call("state.persist_to", str(tmp_path))
    return spell


def test_a_granted_directory_keeps_states_beyond_the_session(granted: Any, tmp_path: Path) -> None:
    granted.call("state.set", "a.b", [1, "ü"])
    granted.call("state.set_metadata", "m", 1)
    granted.call("state.save", "s")
    granted.call("state.clear")
    assert granted.call("state.load", "s") is True
    assert granted.call("state.get", "a.b") == [1, "ü"]
    assert granted.call("state.get_metadata", "m") == 1
    with sqlite3.connect(tmp_path / "state.db") as db:
        assert db.execute("SELECT name, version FROM states").fetchall() == [("s", 1)]
    db.close()


def test_the_file_behaves_like_the_memory(granted: Any) -> None:
    for number in range(22):
        granted.call("state.set", "n", number)
        granted.call("state.save", "s")
    assert [v["version"] for v in granted.call("state.list_versions", "s")] == list(range(3, 23))
    assert granted.call("state.load", "s", 5) is True
    assert granted.call("state.get", "n") == 4
    assert granted.call("state.delete_saved", "s", 5) == 1
    assert granted.call("state.list_saved") == ["s"]
    assert granted.call("state.expire", "s", -1) is True
    assert granted.call("state.load", "s") is False
    assert granted.call("state.cleanup", 10_000) == 19
    assert granted.call("state.list_saved") == []


def test_two_sessions_share_a_file(granted: Any, tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    granted.parallel(*[("state.save", f"s{n}") for n in range(8)])
    assert len(granted.call("state.list_saved")) == 8
    assert len(os.listdir("/proc/self/fd")) == before


def test_saving_is_refused_once_it_is_not_granted(granted: Any, spells: Any) -> None:
    assert spells(policy=Policy.standard()).fails("state.save", "s").code == "denied"


def test_a_file_that_is_not_granted_is_refused(spells: Any, tmp_path: Path) -> None:
    assert spells(policy=Policy.standard()).fails("state.persist_to", str(tmp_path / "x.db")).code == "denied"
    assert not (tmp_path / "x.db").exists()


def make_text(path: Path) -> None:
    path.write_text("not a database, but long enough to be looked at as one " * 100)


def make_trigger(path: Path) -> None:
    from llmspell_std.state.vault import SqliteVault

    SqliteVault(str(path)).save("s", {})
    with sqlite3.connect(path) as db:
        db.execute("CREATE TRIGGER t AFTER INSERT ON states BEGIN SELECT 1; END")
    db.close()


def make_other(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE states (x)")
    db.close()


def make_view(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA application_id = {0x6C6C7370}")
        db.execute("CREATE VIEW states AS SELECT 1 AS name")
    db.close()


@pytest.mark.parametrize("make", [make_text, make_trigger, make_other, make_view])
def test_a_file_of_another_kind_is_left_alone(spells: Any, tmp_path: Path, make: Any) -> None:
    path = tmp_path / "f.db"
    make(path)
    before = path.read_bytes()
    spell = spells(policy=Policy.standard().grant(write=[str(tmp_path)]))
    assert spell.fails("state.persist_to", str(path)).code == "not_states"
    assert path.read_bytes() == before


def test_a_full_file_is_told(tmp_path: Path) -> None:
    from llmspell.errors import BridgeError
    from llmspell_std.state.vault import SqliteVault

    vault = SqliteVault(str(tmp_path / "s.db"), max_size=200_000)
    with pytest.raises(BridgeError) as caught:
        for _ in range(30):
            vault.save("s", {"data": "x" * 20_000})
    assert caught.value.code == "no_space"
    assert vault.load("s") == {"data": "x" * 20_000}


def test_the_operators_file_needs_no_grant(session: Any, spells: Any, tmp_path: Path) -> None:
    session.config["state"] = {"file": str(tmp_path / "op.db")}
    spell = spells(policy=Policy.standard())
    spell.call("state.set", "a", 1)
    spell.call("state.save")
    assert (tmp_path / "op.db").exists()
    assert spell.call("state.load") is True


def test_cleaning_up_drops_what_is_old(spell: Any) -> None:
    spell.call("state.save", "s")
    assert spell.call("state.cleanup", 60) == 0
    assert spell.call("state.cleanup", -(time.time())) == 1
