"""Installed plugins: found, filtered, loaded; none of them can harm another or the host."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from llmspell.errors import BridgeNotFoundError, EngineNotFoundError
from llmspell.host.plugins import PluginHost
from llmspell.host.reports import PluginReport

pytestmark = pytest.mark.filterwarnings("error")


def report(plugins: PluginHost, name: str) -> PluginReport:
    (found,) = [report for report in plugins.reports() if report.name == name]
    return found


def test_an_installed_plugin_offers_its_bridges_and_engines(site) -> None:
    site.plugin(
        "good",
        """
        @hookimpl
        def llmspell_bridges():
            yield BridgeSpec("notes", "nowhere:Notes", aliases=("jot",))

        @hookimpl
        def llmspell_engines():
            return [EngineSpec("rpn", "nowhere:Rpn", extensions=(".rpn",), aliases=("polish",))]
        """,
        version="2.5",
    )
    plugins = PluginHost(allow=["good"])
    assert [spec.name for spec in plugins.bridges] == ["notes"]
    assert plugins.engine("rpn") is plugins.engine("polish") is plugins.engine_for("dir/sum.RPN")
    assert plugins.bridge_registry().get("jot").name == "notes"
    found = report(plugins, "good")
    assert (found.distribution, found.version, found.status) == ("llmspell-good", "2.5", "loaded")
    assert (found.engines, found.bridges, found.error, found.warnings) == (("rpn",), ("notes",), "", ())
    assert 0 < found.load_seconds < 1


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import absent_module_of_somebody", "ModuleNotFoundError: No module named 'absent_module_of_somebody'"),
        ("from llmspell.plugin import no_such_name", "ImportError: cannot import name 'no_such_name'"),
        ("def broken(:", "SyntaxError:"),
        ("raise RuntimeError('at import')", "RuntimeError: at import"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("class Stop(BaseException): pass\nraise Stop('odd')", "Stop: odd"),
    ],
)
def test_a_plugin_that_fails_to_import_is_reported_and_breaks_nothing(site, notes_source, source, error) -> None:
    site.plugin("broken", source)
    site.plugin("good", notes_source())
    plugins = PluginHost(allow=["broken", "good"])
    assert [spec.name for spec in plugins.bridges] == ["notes"]
    assert report(plugins, "broken").status == "failed"
    assert report(plugins, "broken").error.startswith(error)
    assert report(plugins, "good").status == "loaded"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("raise ValueError('no')", "failed in llmspell_bridges: ValueError: no"),
        ("yield BridgeSpec('a', 'x:y'); raise ValueError('midway')", "failed in llmspell_bridges: ValueError: midway"),
        ("raise SystemExit(1)", "failed in llmspell_bridges: SystemExit: 1"),
        ("return 3", "failed in llmspell_bridges: TypeError"),
        ("return ['notes']", "llmspell_bridges gave a str, not BridgeSpec objects"),
        ("return [BridgeSpec('Big Name', 'x:y')]", "'Big Name' cannot be the name of a bridge"),
        ("return [BridgeSpec('a', 'x:y'), BridgeSpec('b', 'x:y', aliases=('a',))]", "offers bridge 'a' twice"),
    ],
)
def test_a_hook_that_fails_takes_only_its_plugin_along(site, notes_source, body, error) -> None:
    site.plugin("broken", f"@hookimpl\ndef llmspell_bridges():\n    {body}\n")
    site.plugin("good", notes_source())
    plugins = PluginHost(allow=["broken", "good"])
    assert [spec.name for spec in plugins.bridges] == ["notes"]
    assert error in report(plugins, "broken").error
    assert report(plugins, "broken").distribution == "llmspell-broken"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("@hookimpl\nasync def llmspell_bridges(): return []", "llmspell_bridges is async; hooks are plain functions"),
        ("@hookimpl\nasync def llmspell_bridges(): yield 1", "llmspell_bridges is async"),
        ("@hookimpl\ndef llmspell_brigdes(): return []", "llmspell has no hook 'llmspell_brigdes'"),
        ("def llmspell_bridges(): return []", "llmspell_bridges is not marked"),
        ("def llmspell_anything(): return []", "llmspell has no hook 'llmspell_anything'"),
        ("@hookimpl\ndef llmspell_bridges(nonsense): return []", "cannot be registered"),
        (
            "import pluggy\n@pluggy.HookimplMarker('llmspell')(wrapper=True)\ndef llmspell_bridges(): return (yield)",
            "llmspell_bridges is a hook wrapper",
        ),
    ],
)
def test_a_hook_that_cannot_work_is_refused(site, source, error) -> None:
    site.plugin("broken", source)
    found = report(PluginHost(allow=["broken"]), "broken")
    assert found.status == "failed"
    assert error in found.error


def test_a_plugin_may_be_a_class_or_an_object(site) -> None:
    source = """
    class Plugin:
        def __init__(self, bridge="first"):
            self.bridge = bridge

        @hookimpl
        def llmspell_bridges(self):
            yield BridgeSpec(self.bridge, "nowhere:Bridge")

    made = Plugin("second")
    """
    import textwrap

    text = "from llmspell.plugin import *\n" + textwrap.dedent(source)
    site.install("llmspell-two", {"two_in_one.py": text}, {"cls": "two_in_one:Plugin", "obj": "two_in_one:made"})
    assert {spec.name for spec in PluginHost(allow=["cls", "obj"]).bridges} == {"first", "second"}


def test_a_slow_import_is_reported(site) -> None:
    site.plugin("slow", "import time\ntime.sleep(0.06)")
    plugins = PluginHost(allow=["slow"], slow=0.05)
    found = report(plugins, "slow")
    assert found.status == "loaded"
    assert found.warnings == (f"its import took {found.load_seconds:.1f} s",)


def test_a_quick_import_is_not_reported(site) -> None:
    site.plugin("quick", "")
    assert report(PluginHost(allow=["quick"]), "quick").warnings == ()


@pytest.mark.parametrize("blocked", ["loud", "llmspell-loud", "LLMSPELL_loud"])
def test_a_blocked_plugin_is_not_even_imported(site, blocked) -> None:
    site.plugin("loud", "raise RuntimeError('imported')")
    plugins = PluginHost(allow=["loud"], block=[blocked])
    assert report(plugins, "loud").status == "blocked"
    assert not [name for name in sys.modules if name.endswith("_loud")]


@pytest.mark.parametrize("allowed", ["wanted", "llmspell-wanted"])
def test_only_allowed_plugins_are_imported(site, notes_source, allowed) -> None:
    site.plugin("wanted", notes_source())
    site.plugin("other", "raise RuntimeError('imported')")
    plugins = PluginHost(allow=[allowed])
    assert [found.name for found in plugins.reports()] == ["wanted"]


def test_an_allowed_plugin_that_is_not_installed_is_reported(site, notes_source) -> None:
    site.plugin("wanted", notes_source())
    found = report(PluginHost(allow=["wantd"]), "wantd")
    assert found.status == "failed"
    assert found.error == "it is not installed; did you mean 'wanted'?"


def test_allowing_nothing_loads_nothing(site, notes_source) -> None:
    site.plugin("good", notes_source())
    assert PluginHost(allow=()).reports() == []


def test_a_plugin_written_for_another_contract_is_refused_by_name(site, notes_source) -> None:
    site.plugin("old", notes_source("ancient", api=0), version="0.3")
    site.plugin("new", notes_source("future", api=99))
    plugins = PluginHost(allow=["old", "new"])
    registry = plugins.bridge_registry()
    old, new = report(plugins, "old"), report(plugins, "new")
    assert old.status == new.status == "failed"
    assert "llmspell-old 0.3 (plugin 'old') was written for version 0 of the plugin contract" in old.error
    assert "this llmspell speaks version 1" in old.error
    from llmspell.errors import PluginVersionError

    with pytest.raises(PluginVersionError, match="version 0") as caught:
        registry.get("ancient")
    assert caught.value.hint.startswith("upgrade llmspell-old")
    with pytest.raises(PluginVersionError) as caught:
        registry.get("future")
    assert caught.value.hint.startswith("upgrade llmspell,")


def test_an_engine_of_another_contract_says_so_when_it_is_asked_for(site) -> None:
    site.plugin("old", "@hookimpl\ndef llmspell_engines(): return [EngineSpec('rpn', 'x:y', api=7)]")
    from llmspell.errors import PluginVersionError

    with pytest.raises(PluginVersionError, match="version 7"):
        PluginHost(allow=["old"]).engine("rpn")


def test_an_unknown_engine_suggests_a_near_one(site) -> None:
    site.plugin("rpn", "@hookimpl\ndef llmspell_engines(): return [EngineSpec('rpn', 'x:y', extensions=('.rpn',))]")
    plugins = PluginHost(allow=["rpn"])
    with pytest.raises(EngineNotFoundError) as caught:
        plugins.engine("rnp")
    assert caught.value.hint == "did you mean 'rpn'?"
    with pytest.raises(EngineNotFoundError) as caught:
        plugins.engine_for("spell.txt")
    assert ".rpn" in caught.value.hint


def test_a_missing_engine_points_to_the_plugins_that_failed(site) -> None:
    site.plugin("broken", "import absent_module_of_somebody")
    with pytest.raises(EngineNotFoundError) as caught:
        PluginHost(allow=["broken"]).engine("rpn")
    assert "broken" in caught.value.hint


def test_a_missing_engine_on_a_bare_installation_says_what_to_install() -> None:
    with pytest.raises(EngineNotFoundError) as caught:
        PluginHost(allow=()).engine_for("hello.lua")
    assert 'pip install "llmspell[all]"' in caught.value.hint


@pytest.mark.parametrize("damage", ["no metadata", "garbage entry points", "not a module"])
def test_a_damaged_installation_does_not_hide_the_others(site, notes_source, damage) -> None:
    site.plugin("good", notes_source())
    site.plugin("bad", notes_source("other"))
    info = site.directory / "llmspell_bad-1.0.dist-info"
    if damage == "no metadata":
        (info / "METADATA").unlink()
    elif damage == "garbage entry points":
        (info / "entry_points.txt").write_text("[llmspell]\n???\nbad\n= x = y\n")
    else:
        (info / "entry_points.txt").write_text("[llmspell]\nbad = not a module!:x\n")
    plugins = PluginHost(block=["lua", "javascript", "tengo", "std", "llm", "local", "toolbox", "observability"])
    assert "notes" in plugins.bridge_registry()
    with pytest.raises(BridgeNotFoundError):
        plugins.bridge_registry().get("absent_bridge")


def test_one_distribution_in_two_places_is_loaded_once(site, notes_source, tmp_path, monkeypatch) -> None:
    site.plugin("good", notes_source("shadowed"), version="1.0")
    second = tmp_path / "second"
    second.mkdir()
    newer = type(site)(second, site.wheels)
    monkeypatch.syspath_prepend(str(second))
    newer.plugin("good", notes_source("visible"), version="2.0")
    plugins = PluginHost(allow=["good"])
    assert [(found.version, found.status) for found in plugins.reports()] == [("2.0", "loaded")]
    assert [spec.name for spec in plugins.bridges] == ["visible"]


def test_two_hosts_share_nothing(site, notes_source) -> None:
    site.plugin("good", notes_source())
    first, second = PluginHost(allow=["good"]), PluginHost(allow=["good"], block=["good"])
    assert [spec.name for spec in first.bridges] == ["notes"]
    assert second.bridges == ()


def test_loading_a_plugin_imports_its_module_and_nothing_it_names(site) -> None:
    site.install(
        "llmspell-lazy",
        {
            "lazy_plugin/__init__.py": "",
            "lazy_plugin/plugin.py": (
                "from llmspell.plugin import BridgeSpec, EngineSpec, hookimpl\n"
                "@hookimpl\n"
                "def llmspell_bridges(): return [BridgeSpec('lazy', 'lazy_plugin.bridge:Lazy')]\n"
                "@hookimpl\n"
                "def llmspell_engines(): return [EngineSpec('lazy', 'lazy_plugin.engine:Lazy')]\n"
            ),
            "lazy_plugin/bridge.py": "raise RuntimeError('too early')",
            "lazy_plugin/engine.py": "raise RuntimeError('too early')",
        },
        {"lazy": "lazy_plugin.plugin"},
    )
    script = (
        "import json, sys\n"
        "import llmspell.host.plugins\n"
        "before = [name for name in sys.modules if name.startswith('lazy_plugin')]\n"
        "metadata = 'importlib_metadata' in sys.modules\n"
        "plugins = llmspell.host.plugins.PluginHost(allow=['lazy'])\n"
        "plugins.bridges, plugins.engines, plugins.reports()\n"
        "after = sorted(name for name in sys.modules if name.startswith('lazy_plugin'))\n"
        "print(json.dumps([before, metadata, after]))\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(site.directory)}
    out = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)
    assert json.loads(out.stdout) == [[], False, ["lazy_plugin", "lazy_plugin.plugin"]]
