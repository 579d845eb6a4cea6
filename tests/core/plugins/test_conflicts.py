"""Two plugins with one name: an error that names both, only when the name is asked for; settled by prefer."""

from __future__ import annotations

import pytest

from llmspell.errors import PluginConflictError
from llmspell.host.plugins import PluginHost

ENGINE = "@hookimpl\ndef llmspell_engines(): return [EngineSpec({0!r}, {1!r}, extensions={2!r}, aliases={3!r})]"
BRIDGE = "@hookimpl\ndef llmspell_bridges(): return [BridgeSpec({0!r}, {1!r}, aliases={2!r})]"


def engine(name: str, factory: str, extensions: tuple[str, ...] = (), aliases: tuple[str, ...] = ()) -> str:
    return ENGINE.format(name, factory, extensions, aliases)


def bridge(name: str, factory: str, aliases: tuple[str, ...] = ()) -> str:
    return BRIDGE.format(name, factory, aliases)


@pytest.fixture
def rivals(site):
    """Two distributions that both offer the engine ``rpn`` and the bridge ``notes``, and one peaceful one."""
    for name, version in (("one", "1.1"), ("two", "2.2")):
        text = engine("rpn", f"{name}:Engine", (".rpn",), ("polish",)) + "\n" + bridge("notes", f"{name}:Notes")
        site.plugin(name, text, version=version)
    site.plugin("calm", bridge("calm", "calm:Bridge"))

    def host(**prefer: str) -> PluginHost:
        return PluginHost(
            ["one", "two", "calm"], prefer={key.replace("_", ":"): value for key, value in prefer.items()}
        )

    return host


def test_asking_for_a_contested_engine_names_both_distributions_and_the_remedy(rivals) -> None:
    with pytest.raises(PluginConflictError) as caught:
        rivals().engine("rpn")
    assert "engine 'rpn' is offered by llmspell-one 1.1 (plugin 'one')" in caught.value.message
    assert "llmspell-two 2.2 (plugin 'two')" in caught.value.message
    assert 'prefer = {"engine:rpn": "llmspell-one"}' in caught.value.hint


def test_asking_for_a_contested_bridge_names_both(rivals) -> None:
    with pytest.raises(
        PluginConflictError, match=r"bridge 'notes' is offered by llmspell-one 1\.1 .*llmspell-two 2\.2"
    ):
        rivals().bridge_registry().get("notes")


def test_a_contested_name_breaks_nothing_else(rivals) -> None:
    plugins = rivals()
    assert [spec.name for spec in plugins.bridges] == ["calm"]
    assert plugins.engines == {}
    assert plugins.bridge_registry().get("calm").factory == "calm:Bridge"


def test_aliases_and_extensions_of_a_contested_engine_say_the_same(rivals) -> None:
    plugins = rivals()
    with pytest.raises(PluginConflictError, match="engine 'rpn' is offered by"):
        plugins.engine("polish")
    with pytest.raises(PluginConflictError, match="engine 'rpn' is offered by"):
        plugins.engine_for("sum.rpn")


def test_reports_show_the_conflict(rivals) -> None:
    states = {found.name: found.status for found in rivals().reports()}
    assert states == {"one": "conflict", "two": "conflict", "calm": "loaded"}


@pytest.mark.parametrize("prefer", [{"engine_rpn": "two"}, {"rpn": "llmspell-two"}, {"engine_rpn": "LLMspell_Two"}])
def test_prefer_settles_by_plugin_or_distribution(rivals, prefer) -> None:
    plugins = rivals(**prefer)
    assert plugins.engine("rpn").factory == "two:Engine"
    assert plugins.engine("polish").factory == "two:Engine"
    assert plugins.engine_for("sum.rpn").factory == "two:Engine"
    with pytest.raises(PluginConflictError):
        plugins.bridge_registry().get("notes")


def test_a_settled_conflict_is_none(rivals) -> None:
    plugins = rivals(engine_rpn="one", bridge_notes="two")
    assert {found.status for found in plugins.reports()} == {"loaded"}
    assert plugins.engine("rpn").factory == "one:Engine"
    assert plugins.bridge_registry().get("notes").factory == "two:Notes"


def test_preferring_somebody_who_does_not_offer_it_settles_nothing(rivals) -> None:
    with pytest.raises(PluginConflictError):
        rivals(rpn="calm").engine("rpn")


def test_blocking_one_settles_it(site) -> None:
    site.plugin("one", engine("rpn", "one:Engine"))
    site.plugin("two", engine("rpn", "two:Engine"))
    assert PluginHost(["one", "two"], block=["llmspell-one"]).engine("rpn").factory == "two:Engine"


def test_an_alias_that_is_anothers_name_is_contested(site) -> None:
    site.plugin("one", bridge("http", "one:Http", ("web",)))
    site.plugin("two", bridge("web", "two:Web"))
    registry = PluginHost(["one", "two"]).bridge_registry()
    assert registry.get("http").factory == "one:Http"
    with pytest.raises(PluginConflictError, match="bridge 'web' is offered by"):
        registry.get("web")


def test_an_alias_settled_for_one_is_taken_off_the_other(site) -> None:
    site.plugin("one", bridge("http", "one:Http", ("web",)))
    site.plugin("two", bridge("fetch", "two:Fetch", ("web",)))
    registry = PluginHost(["one", "two"], prefer={"bridge:web": "two"}).bridge_registry()
    assert registry.get("web").factory == "two:Fetch"
    assert registry.get("http").aliases == ()


def test_an_extension_may_be_contested_while_the_engines_are_not(site) -> None:
    site.plugin("one", engine("rpn", "one:Engine", (".calc", ".rpn")))
    site.plugin("two", engine("sums", "two:Engine", (".calc",)))
    plugins = PluginHost(["one", "two"])
    assert plugins.engine("rpn").extensions == (".rpn",)
    assert plugins.engine("sums").extensions == ()
    assert plugins.engine_for("a.rpn").name == "rpn"
    with pytest.raises(PluginConflictError, match=r"extension '\.calc' is offered by"):
        plugins.engine_for("a.calc")
    settled = PluginHost(["one", "two"], prefer={"extension:.calc": "two"})
    assert settled.engine_for("a.calc").name == "sums"
    assert settled.engine("rpn").extensions == (".rpn",)


def test_the_longest_extension_wins(site) -> None:
    site.plugin("one", engine("rpn", "one:Engine", (".rpn",)))
    site.plugin("two", engine("special", "two:Engine", (".special.rpn",)))
    plugins = PluginHost(["one", "two"])
    assert plugins.engine_for("a.special.rpn").name == "special"
    assert plugins.engine_for("a.rpn").name == "rpn"


def test_one_name_for_an_engine_and_a_bridge_is_no_conflict(site) -> None:
    site.plugin("one", engine("calc", "one:Engine"))
    site.plugin("two", bridge("calc", "two:Bridge"))
    plugins = PluginHost(["one", "two"])
    assert plugins.engine("calc").factory == "one:Engine"
    assert plugins.bridge_registry().get("calc").factory == "two:Bridge"


def test_three_rivals_are_all_named(site) -> None:
    for name in ("one", "two", "three"):
        site.plugin(name, bridge("notes", f"{name}:Notes"))
    with pytest.raises(PluginConflictError) as caught:
        PluginHost(["one", "two", "three"]).bridge_registry().get("notes")
    assert caught.value.message.count("llmspell-") == 3


def test_two_plugins_of_one_distribution_are_told_apart_by_plugin_name(site) -> None:
    module = "from llmspell.plugin import *\n" + bridge("notes", "{}:Notes")
    site.install(
        "llmspell-pair",
        {"pair_a.py": module.format("a"), "pair_b.py": module.format("b")},
        {"left": "pair_a", "right": "pair_b"},
    )
    with pytest.raises(PluginConflictError, match=r"plugin 'left'.*plugin 'right'"):
        PluginHost(["llmspell-pair"]).bridge_registry().get("notes")
    assert PluginHost(["llmspell-pair"], prefer={"notes": "right"}).bridge_registry().get("notes").factory == "b:Notes"


def test_a_bridge_that_requires_a_contested_one_says_why_it_cannot_open(rivals) -> None:
    from llmspell.plugin import Bridge, BridgeSpec, hookimpl

    class Reader:
        @hookimpl
        def llmspell_bridges(self):
            return [BridgeSpec("reader", Bridge, requires=("notes",))]

    plugins = rivals()
    plugins.register(Reader())
    with pytest.raises(PluginConflictError, match="bridge 'notes'"):
        plugins.bridge_registry().order("reader")
