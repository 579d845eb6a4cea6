"""Answers on their way into a state: flat tables by lupa's own conversion, with keys encoded."""

from __future__ import annotations

from lupa import lua54

from llmspell_lua.conversion import VALUE, answer_of


def told(value: dict[str, object]) -> dict[object, object]:
    runtime = lua54.LuaRuntime(encoding=None)
    mode, table = answer_of(value, runtime.table_from)
    assert mode == VALUE
    return dict(table.items())


def test_the_keys_of_a_flat_table_arrive_as_bytes_the_first_time_and_later() -> None:
    for _ in range(2):
        assert told({"größe": 1, "a\0b": 2, "x" * 100: 3.5}) == {"größe".encode(): 1, b"a\0b": 2, b"x" * 100: 3.5}


def test_more_keys_than_are_remembered_arrive_too() -> None:
    many = {f"key {n}": n for n in range(10_000)}
    assert told(many) == {key.encode(): n for key, n in many.items()}
    assert told({"key 1": 2}) == {b"key 1": 2}
