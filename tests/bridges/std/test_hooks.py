"""``hooks``: functions that are really run, in order of priority, and may change or veto."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell_std.hooks import TYPES, HooksBridge


@pytest.fixture
def order(spell: Any) -> Any:
    """Make a handler that notes its tag in the context."""
    return lambda tag: spell.fn(lambda context: {"order": [*context.get("order", []), tag]})


def test_hooks_run_by_priority_and_change_the_context(spell: Any, order: Any) -> None:
    spell.call("hooks.register_hook", {"id": "low", "type": "before_generate", "priority": -1, "handler": order("low")})
    spell.call("hooks.register_hook", "high", {"priority": 10, "before_generate": order("high")})
    spell.call("hooks.create_simple_hook", "mid", "before_generate", order("mid"))
    spell.call("hooks.register", {"type": "after_generate", "handler": order("other")})
    result = spell.call("hooks.execute_hooks", "before_generate", {"prompt": "hi"})
    assert result == {"prompt": "hi", "order": ["high", "mid", "low"]}
    assert [hook["id"] for hook in spell.call("hooks.list_hooks", "before_generate")] == ["high", "mid", "low"]
    assert len(spell.call("hooks.list")) == 4


def test_false_vetoes(spell: Any, order: Any) -> None:
    spell.call("hooks.create_simple_hook", "guard", "before_tool_call", spell.fn(lambda context: False), 1)
    spell.call("hooks.create_simple_hook", "late", "before_tool_call", order("late"))
    assert spell.call("hooks.execute_hooks", "before_tool_call", {"tool": "rm"}) == {
        "tool": "rm",
        "vetoed": True,
        "vetoed_by": "guard",
    }


def test_a_failing_hook_fails_what_it_stands_before(spell: Any, raised: Any) -> None:
    def fail(context: Any) -> None:
        raise raised("no")

    spell.call("hooks.create_simple_hook", "bad", "before_run", spell.fn(fail))
    assert "no" in spell.fails("hooks.execute_hooks", "before_run").message


def test_hooks_are_switched(spell: Any, order: Any) -> None:
    for name in ("a", "b"):
        spell.call("hooks.create_simple_hook", name, "before_run", order(name))
    spell.call("hooks.disable_hook", "a")
    assert spell.call("hooks.execute_hooks", "before_run") == {"order": ["b"]}
    assert spell.call("hooks.is_hook_enabled", "a") is False
    assert spell.call("hooks.get_disabled_hooks") == ["a"]
    assert spell.call("hooks.get_enabled_hooks", "before_run") == ["b"]
    spell.call("hooks.enable", "a")
    spell.call("hooks.disable", "b")
    assert spell.call("hooks.batch_disable", ["a", "b", "x"]) == 2
    assert spell.call("hooks.batch_enable", ["a"]) == 1
    spell.call("hooks.enable_hook", "b")
    spell.call("hooks.set_hook_priority", "b", 5)
    assert spell.call("hooks.get_hook_priority", "b") == 5
    assert spell.call("hooks.execute_hooks", "before_run") == {"order": ["b", "a"]}


def test_hooks_are_described(spell: Any, order: Any) -> None:
    spell.call("hooks.register_hook", "a", {"before_run": order("x"), "after_run": order("y"), "priority": 3})
    spell.call("hooks.execute_hooks", "after_run")
    info = {"id": "a", "types": ["after_run", "before_run"], "priority": 3, "enabled": True, "calls": 1}
    assert spell.call("hooks.get_hook", "a") == spell.call("hooks.get_hook_info", "a") == info
    assert spell.call("hooks.get_hook", "absent") is None
    assert spell.call("hooks.types") == list(TYPES)
    assert spell.call("hooks.priorities")["HIGHEST"] == 1000


def test_one_hook_is_run_alone(spell: Any) -> None:
    spell.call("hooks.create_simple_hook", "a", "before_run", spell.fn(lambda context: context["n"] + 1))
    assert spell.call("hooks.execute_hook", "a", "before_run", {"n": 1}) == 2
    assert spell.fails("hooks.execute_hook", "a", "after_run").code == "not_found"


def test_hooks_are_removed(spell: Any, order: Any) -> None:
    for name in ("a", "b", "c"):
        spell.call("hooks.create_simple_hook", name, "before_run" if name != "c" else "after_run", order(name))
    assert spell.call("hooks.unregister_hook", "a") is True
    assert spell.call("hooks.unregister", "a") is False
    assert spell.call("hooks.clear_hooks", "before_run") == 1
    assert spell.call("hooks.clear_hooks") == 1


def test_a_builder_builds(spell: Any, order: Any) -> None:
    for make in ("create_hook", "builder"):
        builder = spell.call(f"hooks.{make}", make)
        spell.call((builder, "with_priority"), 7)
        for method in ("before_generate", "after_generate", "before_tool_call", "after_tool_call"):
            assert spell.call((builder, method), order(method)) == builder
        spell.call((builder, "on"), "custom", order("custom"))
        assert spell.call((builder, "register")) == make
        info = spell.call("hooks.get_hook", make)
        assert (info["priority"], len(info["types"])) == (7, 5)
    assert len(spell.call("hooks.execute_hooks", "custom")["order"]) == 2


@pytest.mark.parametrize(
    "definition", [{}, {"id": 3}, {"type": "before_run"}, {"handler": None}, {"id": "a", "priority": "high"}]
)
def test_definitions_that_are_none_are_refused(spell: Any, definition: Any) -> None:
    assert spell.fails("hooks.register_hook", definition).code == "invalid_argument"


def test_one_id_is_one_hook(spell: Any, order: Any) -> None:
    spell.call("hooks.create_simple_hook", "a", "before_run", order("a"))
    assert spell.fails("hooks.create_simple_hook", "a", "before_run", order("a")).code == "exists"
    assert spell.fails("hooks.enable_hook", "x").code == "not_found"


def test_hooks_end_with_their_run_and_reach_others_until_then(spells: Any, session: Any) -> None:
    first, second = spells(), spells()
    first.call("hooks.create_simple_hook", "a", "before_run", first.fn(lambda context: {"seen": True}))
    bridge = session.bridges.peek("hooks")
    assert isinstance(bridge, HooksBridge)
    assert bridge.wanted == {"before_run"}
    assert session.runner.run(bridge.fire("before_run", {})) == {"seen": True}
    first.end()
    assert bridge.wanted == frozenset()
    assert second.call("hooks.execute_hooks", "before_run") == {}
