"""Registered plugins and the hooks that are called while spells run."""

from __future__ import annotations

import logging

import click
import pytest

from llmspell.errors import PluginConflictError, PluginLoadError, PluginVersionError, PolicyDeniedError
from llmspell.host.hookspecs import CallRequest, Event, LlmspellSpecs, RunRequest
from llmspell.host.plugins import PluginHost
from llmspell.plugin import Bridge, BridgeSpec, ConverterSpec, Denial, EngineSpec, Policy, PolicyPreset, hookimpl


def plugin(**hooks):
    """Make a plugin object of functions by hook name (without the prefix)."""
    made = type("Plugin", (), {})()
    for name, function in hooks.items():
        setattr(made, f"llmspell_{name}", hookimpl(function))
    return made


def hosting(*plugins: object) -> PluginHost:
    host = PluginHost(allow=())
    for index, each in enumerate(plugins):
        host.register(each, f"p{index}")
    return host


CALL = CallRequest("fs", "read", ("x",), "run", "session", "", "lua", Policy.standard())
RUN = RunRequest("spell.lua", "lua", Policy.standard(), "session", "")


def event(kind: str = "call") -> Event:
    return Event(kind, 0.0, "run", {"n": 1})


# Registration


def test_a_registered_object_offers_what_its_hooks_say() -> None:
    host = hosting(plugin(bridges=lambda: [BridgeSpec("notes", Bridge)], engines=lambda: [EngineSpec("rpn", "x:y")]))
    assert host.bridge_registry().get("notes").factory is Bridge
    assert host.engine("rpn").factory == "x:y"
    assert [(found.name, found.distribution, found.status) for found in host.reports()] == [("p0", "", "loaded")]


def test_a_module_is_called_by_its_name_and_an_object_by_its_class() -> None:
    class Notes:
        @hookimpl
        def llmspell_bridges(self):
            return ()

    host = PluginHost(allow=())
    assert host.register(Notes()) == "Notes"
    assert host.register(plugin(), "given") == "given"


def test_a_class_is_made_an_object_of() -> None:
    class Notes:
        @hookimpl
        def llmspell_bridges(self):
            return [BridgeSpec("notes", Bridge)]

    host = PluginHost(allow=())
    host.register(Notes)
    assert [spec.name for spec in host.bridges] == ["notes"]


def test_a_static_method_is_a_hook_too() -> None:
    class Notes:
        @staticmethod
        @hookimpl
        def llmspell_bridges():
            return [BridgeSpec("notes", Bridge)]

    host = PluginHost(allow=())
    host.register(Notes())
    assert [spec.name for spec in host.bridges] == ["notes"]


def test_an_async_hook_is_refused_by_name() -> None:
    async def authorize(call):
        return None

    with pytest.raises(PluginLoadError, match="llmspell_authorize is async; hooks are plain functions") as caught:
        hosting(plugin(authorize=authorize))
    assert caught.value.plugin == "p0"


def test_an_unknown_hook_is_refused_with_a_suggestion() -> None:
    with pytest.raises(PluginLoadError, match="no hook 'llmspell_authorise'") as caught:
        hosting(plugin(authorise=lambda call: None))
    assert caught.value.hint == "did you mean 'llmspell_authorize'?"


def test_an_api_mismatch_is_refused_at_registration() -> None:
    with pytest.raises(PluginVersionError, match="written for version 2"):
        hosting(plugin(bridges=lambda: [BridgeSpec("notes", Bridge, api=2)]))


def test_nothing_of_a_refused_plugin_stays() -> None:
    host = PluginHost(allow=())
    broken = plugin(bridges=lambda: [BridgeSpec("notes", Bridge)], engines=lambda: 1 / 0, authorize=lambda call: None)
    with pytest.raises(PluginLoadError, match="ZeroDivisionError"):
        host.register(broken, "broken")
    assert (host.bridges, host.has_authorizers, host.reports()) == ((), False, [])
    assert host.register(plugin(bridges=lambda: [BridgeSpec("notes", Bridge)]), "broken") == "broken"


def test_one_name_is_registered_once() -> None:
    host = hosting(plugin())
    with pytest.raises(PluginLoadError, match="cannot be registered"):
        host.register(plugin(), "p0")


def test_a_registered_plugin_conflicts_like_any_other() -> None:
    offer = {"bridges": lambda: [BridgeSpec("notes", Bridge)]}
    with pytest.raises(PluginConflictError, match="registered plugin 'p0' and by registered plugin 'p1'"):
        hosting(plugin(**offer), plugin(**offer)).bridge_registry().get("notes")


def test_tables_follow_a_later_registration() -> None:
    host = hosting(plugin(bridges=lambda: [BridgeSpec("notes", Bridge)]))
    assert len(host.bridges) == 1
    host.register(plugin(bridges=lambda: [BridgeSpec("more", Bridge)]), "later")
    assert {spec.name for spec in host.bridges} == {"notes", "more"}


# Converters and policies


def test_converters_keep_the_order_of_registration() -> None:
    first, second = ConverterSpec(complex, str), ConverterSpec(complex, repr)
    host = hosting(plugin(converters=lambda: [first]), plugin(converters=lambda: [second]))
    assert host.converters == (first, second)


def test_a_policy_of_a_plugin_is_found_by_name() -> None:
    host = hosting(plugin(policies=lambda: [PolicyPreset("lab", Policy.strict)]))
    assert host.policies["lab"].factory() == Policy.strict()


def test_a_plugin_cannot_replace_a_built_in_profile_or_anothers() -> None:
    offer = lambda: [PolicyPreset("sandbox", Policy.minimal), PolicyPreset("lab", Policy.minimal)]  # noqa: E731
    host = hosting(plugin(policies=lambda: [PolicyPreset("lab", Policy.strict)]), plugin(policies=offer))
    assert host.policies["lab"].factory().level == "strict"
    assert "sandbox" not in host.policies
    warnings = host.reports()[1].warnings
    assert warnings == (
        "its policy 'sandbox' is not used: the name is taken",
        "its policy 'lab' is not used: the name is taken",
    )


# Authorization


def test_without_authorizers_nobody_is_asked() -> None:
    host = hosting(plugin(bridges=lambda: ()))
    assert not host.has_authorizers
    assert host.authorize(CALL) is None


def test_an_authorizer_sees_the_call() -> None:
    seen = []
    host = hosting(plugin(authorize=lambda call: seen.append(call)))
    assert host.has_authorizers
    assert host.authorize(CALL) is None
    assert seen == [CALL]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_denial_wins_in_any_order(order) -> None:
    plugins = [plugin(authorize=lambda call: None), plugin(authorize=lambda call: Denial("not on my watch"))]
    host = hosting(*(plugins[index] for index in order))
    assert host.authorize(CALL) == Denial("not on my watch")


def test_an_authorizer_that_raises_denies_and_tells_the_script_nothing_of_it() -> None:
    def authorize(call):
        raise KeyError("/secret/path")

    denial = hosting(plugin(authorize=authorize)).authorize(CALL)
    assert denial is not None
    assert "p0" in denial.reason
    assert "secret" not in denial.reason


@pytest.mark.parametrize("answer", [True, False, "no", 0, []])
def test_any_other_answer_than_none_denies(answer) -> None:
    denial = hosting(plugin(authorize=lambda call: answer)).authorize(CALL)
    assert isinstance(denial, Denial)


def test_an_answer_that_is_a_coroutine_denies_without_a_warning() -> None:
    async def later():
        return None

    assert isinstance(hosting(plugin(authorize=lambda call: later())).authorize(CALL), Denial)


# Policies of runs


def test_narrowing_policies_are_collected() -> None:
    one, two = Policy.standard().narrow(time=1), Policy.strict()
    host = hosting(
        plugin(narrow_policy=lambda request: one),
        plugin(narrow_policy=lambda request: None),
        plugin(narrow_policy=lambda request: two),
    )
    assert host.has_narrowers
    assert host.narrow_policy(RUN) == [one, two]


@pytest.mark.parametrize("answer", ["strict", 1 / 3])
def test_an_answer_that_is_no_policy_refuses_the_run(answer) -> None:
    with pytest.raises(PolicyDeniedError, match="plugin 'p0' failed to narrow"):
        hosting(plugin(narrow_policy=lambda request: answer)).narrow_policy(RUN)


def test_a_plugin_that_cannot_narrow_refuses_the_run() -> None:
    def narrow(request):
        raise OSError("no database")

    with pytest.raises(PolicyDeniedError) as caught:
        hosting(plugin(narrow_policy=narrow)).narrow_policy(RUN)
    assert isinstance(caught.value.__cause__, OSError)
    assert "block the plugin" in caught.value.hint


# Observers


def test_every_observer_is_told() -> None:
    left, right = [], []
    host = hosting(
        plugin(on_event=lambda event: left.append(event)), plugin(on_event=lambda event: right.append(event))
    )
    assert host.has_observers
    host.emit(event())
    assert left == right == [event()]


def test_an_observer_that_raises_disturbs_nobody_and_is_reported_once(caplog) -> None:
    seen: list[Event] = []

    def on_event(event):
        raise ValueError("observer broke")

    host = hosting(plugin(on_event=on_event), plugin(on_event=lambda event: seen.append(event)))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            host.emit(event())
    told = [found for found in seen if found.kind == "plugin_failed"]
    assert [found.data for found in told] == [
        {"plugin": "p0", "hook": "llmspell_on_event", "error": "ValueError: observer broke"}
    ]
    assert len(seen) == 4
    assert len(caplog.records) == 1
    assert host.reports()[0].warnings == ("llmspell_on_event failed: ValueError: observer broke",)


def test_two_observers_that_raise_do_not_chase_each_other() -> None:
    def on_event(event):
        raise ValueError(event.kind)

    host = hosting(plugin(on_event=on_event), plugin(on_event=on_event))
    host.emit(event())
    assert [len(found.warnings) for found in host.reports()] == [1, 1]


# Commands


def command(name: str) -> click.Command:
    return click.Command(name, callback=lambda: None)


def test_a_plugin_adds_commands() -> None:
    group = click.Group("llmspell")
    hosting(plugin(commands=lambda cli: cli.add_command(command("notes")))).commands(group)
    assert list(group.commands) == ["notes"]


def test_a_plugin_replaces_neither_ours_nor_anothers_command() -> None:
    mine = command("run")
    group = click.Group("llmspell", commands={"run": mine})

    def commands(cli):
        for name in ("run", "lazy", "fresh"):
            cli.add_command(command(name))

    host = hosting(plugin(commands=commands))
    host.commands(group, reserved=("lazy",))
    assert group.commands["run"] is mine
    assert sorted(group.commands) == ["fresh", "run"]
    assert "commands that are taken: lazy, run" in host.reports()[0].warnings[0]


def test_a_plugin_cannot_remove_a_command() -> None:
    mine = command("run")
    group = click.Group("llmspell", commands={"run": mine})
    hosting(plugin(commands=lambda cli: cli.commands.clear())).commands(group)
    assert group.commands == {"run": mine}


def test_a_plugin_whose_commands_fail_leaves_the_others_theirs() -> None:
    def commands(cli):
        raise RuntimeError("no commands today")

    group = click.Group("llmspell")
    host = hosting(plugin(commands=commands), plugin(commands=lambda cli: cli.add_command(command("notes"))))
    host.commands(group)
    assert list(group.commands) == ["notes"]
    assert "no commands today" in host.reports()[0].warnings[0]


# The specifications themselves


def test_every_hook_is_documented() -> None:
    hooks = {name: function for name, function in vars(LlmspellSpecs).items() if name.startswith("llmspell_")}
    assert set(hooks) == {
        "llmspell_engines", "llmspell_bridges", "llmspell_converters", "llmspell_policies", "llmspell_authorize",
        "llmspell_narrow_policy", "llmspell_on_event", "llmspell_commands",
    }  # fmt: skip
    assert all(function.__doc__ for function in hooks.values())


def test_a_plugin_may_take_fewer_arguments_than_the_hook_gives() -> None:
    assert hosting(plugin(authorize=lambda: Denial("always"))).authorize(CALL) == Denial("always")
