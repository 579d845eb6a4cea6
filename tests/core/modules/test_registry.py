"""Modules of the host: versions, dependencies, bundles, profiles and load order."""

from __future__ import annotations

import threading

import pytest

from llmspell.engine import Source
from llmspell.engine.modules import Bundle, ModuleDefinition, ModuleRegistry
from llmspell.errors import PolicyDeniedError, ScriptModuleNotFoundError, UsageError


def module(name: str, *dependencies: str, **more) -> ModuleDefinition:
    return ModuleDefinition(name, Source(f"-- {name}"), dependencies=dependencies, **more)


def names(registry: ModuleRegistry, *wanted: str) -> list[str]:
    return [f"{m.name} {m.version}" if m.version != "1.0.0" else m.name for m in registry.order(wanted)]


def test_dependencies_load_first() -> None:
    registry = ModuleRegistry([module("app", "web", "json"), module("web", "text"), module("json"), module("text")])
    order = names(registry, "app")
    assert order.index("text") < order.index("web") < order.index("app")
    assert order.index("json") < order.index("app")
    assert len(order) == 4


def test_priority_then_name_orders_what_does_not_depend_on_each_other() -> None:
    registry = ModuleRegistry([module("late", priority=90), module("b"), module("a"), module("early", priority=10)])
    assert names(registry, "late", "b", "a", "early") == ["early", "a", "b", "late"]


def test_a_dependency_comes_first_whatever_its_priority() -> None:
    registry = ModuleRegistry([module("app", "slow", priority=1), module("slow", priority=99)])
    assert names(registry, "app") == ["slow", "app"]


def test_a_dependency_may_be_defined_later() -> None:
    registry = ModuleRegistry([module("app", "later>=2")])
    assert registry.missing() == ("later",)
    with pytest.raises(ScriptModuleNotFoundError, match="module 'app' depends on module 'later', which is not defined"):
        registry.order(["app"])
    registry.add(module("later", version="2.1"))
    assert registry.missing() == ()
    assert names(registry, "app") == ["later 2.1", "app"]


def test_a_circle_is_named() -> None:
    registry = ModuleRegistry([module("a", "b"), module("b", "c"), module("c", "a")])
    with pytest.raises(ScriptModuleNotFoundError, match="circle: a -> b -> c -> a"):
        registry.order(["a"])


def test_a_module_that_depends_on_itself_is_a_circle() -> None:
    with pytest.raises(ScriptModuleNotFoundError, match="circle: a -> a"):
        ModuleRegistry([module("a", "a")]).order(["a"])


def test_a_circle_through_a_bundle_is_named() -> None:
    registry = ModuleRegistry([module("a", "all")])
    registry.add(Bundle("all", ("a",)))
    with pytest.raises(ScriptModuleNotFoundError, match="circle: a -> all -> a"):
        registry.order(["a"])


def test_the_newest_version_that_fits_is_chosen() -> None:
    registry = ModuleRegistry([module("json", version=version) for version in ("1.9", "1.10", "2.0")])
    assert registry.get("json").version == "2.0"
    assert registry.get("json<2").version == "1.10"
    assert registry.get("json ~= 1.9").version == "1.10"


def test_one_version_is_found_that_fits_everybody() -> None:
    registry = ModuleRegistry([module("json", version=version) for version in ("1.0", "1.5", "2.0")])
    registry.add(module("new", "json>=1.2"))
    registry.add(module("old", "json<2"))
    assert names(registry, "new", "old") == ["json 1.5", "new", "old"]


def test_a_later_constraint_changes_an_earlier_choice_and_its_dependencies() -> None:
    registry = ModuleRegistry([
        module("json", "fast", version="2.0"),
        module("json", "slow", version="1.0"),
        module("fast"),
        module("slow"),
        module("first", "json"),
        module("second", "json<2"),
    ])  # fmt: skip
    assert names(registry, "first", "second") == ["slow", "json 1.0", "first", "second"]


def test_versions_that_cannot_be_had_together_name_who_asks() -> None:
    registry = ModuleRegistry([module("json", version="1.0"), module("json", version="2.0")])
    registry.add(module("new", "json>=2"))
    registry.add(module("old", "json<2"))
    with pytest.raises(ScriptModuleNotFoundError, match="new asks for json>=2; old asks for json<2") as caught:
        registry.order(["new", "old"])
    assert caught.value.hint == "there is 2.0, 1.0"


def test_a_bundle_brings_its_members() -> None:
    registry = ModuleRegistry([module("a"), module("b", "c"), module("c"), module("app", "both")])
    registry.add(Bundle("both", ("a", "b>=1")))
    assert names(registry, "both") == ["a", "c", "b"]
    assert names(registry, "app") == ["a", "c", "b", "app"]


def test_a_module_of_another_profile_is_not_for_this_one() -> None:
    modules = [module("free"), module("risky", profiles=frozenset({"development"}))]
    assert ModuleRegistry(modules, profile="development").names == ("free", "risky")
    sandbox = ModuleRegistry(modules, profile="sandbox")
    assert sandbox.names == ("free",)
    with pytest.raises(ScriptModuleNotFoundError, match="'risky' is not for profile 'sandbox'"):
        sandbox.get("risky")


def test_a_source_is_loaded_on_first_use_and_once() -> None:
    calls: list[int] = []

    def load() -> Source:
        calls.append(1)
        return Source("return 7", "seven.lua")

    registry = ModuleRegistry([ModuleDefinition("seven", load)])
    registry.order(["seven"])
    assert calls == []
    threads = [threading.Thread(target=registry.load, args=("seven",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.load("seven").text == "return 7"
    assert calls == [1]


def test_a_loader_that_fails_names_the_module_and_is_asked_again() -> None:
    outcomes: list[object] = [OSError("gone"), Source("return 1")]

    def load() -> Source:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    registry = ModuleRegistry([ModuleDefinition("shaky", load)])
    with pytest.raises(ScriptModuleNotFoundError, match="'shaky' cannot be loaded: OSError: gone"):
        registry.load("shaky")
    assert registry.load("shaky").text == "return 1"


def test_a_loader_must_give_a_source() -> None:
    registry = ModuleRegistry([ModuleDefinition("odd", lambda: "return 1")])
    with pytest.raises(ScriptModuleNotFoundError, match="its loader gave a str, not a Source"):
        registry.load("odd")


def test_an_unknown_name_suggests_a_near_one() -> None:
    with pytest.raises(ScriptModuleNotFoundError) as caught:
        ModuleRegistry([module("strings")]).get("string")
    assert caught.value.hint == "did you mean 'strings'?"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (module("a", "b >"), "no module requirement|no version constraint"),
        (module("a", "1 2 3"), "no module requirement"),
        (module("a", version="new"), "'new' is no version"),
        (Bundle("x", ("b>>1",)), "no version constraint"),
    ],
)
def test_what_cannot_be_read_is_refused_at_once(wrong, words) -> None:
    with pytest.raises(UsageError, match=words):
        ModuleRegistry().add(wrong)


def test_a_name_and_version_is_defined_once() -> None:
    registry = ModuleRegistry([module("a"), module("a", version="2")])
    for taken in (module("a"), Bundle("a", ())):
        with pytest.raises(UsageError, match=r"taken|defined already"):
            registry.add(taken)


# What scripts find


def test_a_script_finds_the_newest_version_by_name() -> None:
    registry = ModuleRegistry([module("json", version="1.0"), module("json", version="1.1")])
    found = registry.find("json")
    assert (found.name, found.text) == ("json@1.1", "-- json")
    assert registry.find("absent") is None


def test_a_module_finds_the_version_it_asks_for() -> None:
    registry = ModuleRegistry([module("json", version="1.0"), module("json", version="2.0"), module("old", "json<2")])
    assert registry.find("json", importer="old@1.0.0").name == "json@1.0"
    assert registry.find("json", importer="main.lua").name == "json@2.0"


def test_what_a_module_depends_on_must_be_there_before_it_is_found() -> None:
    registry = ModuleRegistry([module("app", "missing"), module("a", "b"), module("b", "a")])
    with pytest.raises(ScriptModuleNotFoundError, match="'app' depends on module 'missing'"):
        registry.find("app")
    with pytest.raises(ScriptModuleNotFoundError, match="circle: a -> b -> a"):
        registry.find("a")


def test_a_module_must_be_granted() -> None:
    registry = ModuleRegistry([module("net-tools")])
    assert registry.find("net-tools", patterns=frozenset({"net-*"})) is not None
    with pytest.raises(PolicyDeniedError, match="does not grant the module 'net-tools'"):
        registry.find("net-tools", patterns=frozenset({"text"}))


def test_a_view_of_a_profile_sees_what_is_defined_later_and_not_what_is_for_others() -> None:
    registry = ModuleRegistry()
    view = registry.for_profile("sandbox")
    registry.add(module("late"))
    registry.add(module("risky", profiles=frozenset({"development"})))
    assert view.find("late") is not None
    with pytest.raises(ScriptModuleNotFoundError, match="not for profile 'sandbox'"):
        view.find("risky")
    assert registry.for_profile("development").find("risky") is not None
