"""The commands that tell what is there."""

import json
from collections.abc import Callable
from typing import Any

import pytest

import llmspell as package
from llmspell.cli import main

Run = Callable[..., Any]


def test_engines_are_listed(llmspell: Run) -> None:
    ran = llmspell("engines")
    assert ran.code == 0
    line = next(line for line in ran.out.splitlines() if line.startswith("lua "))
    assert ".lua" in line
    listed = {engine["name"]: engine for engine in json.loads(llmspell("engines", "--json").out)}
    assert listed["lua"]["extensions"] == [".lua"]
    assert "memory" in listed["lua"]["enforces"]["worker"]


def test_bridges_are_listed(llmspell: Run, demo: dict[str, str]) -> None:
    ran = llmspell("bridges", env=demo)
    assert ran.code == 0
    assert any(line.startswith("demo ") and "A bridge for tests." in line for line in ran.out.splitlines())
    assert any(line.startswith("data ") for line in ran.out.splitlines())
    assert "demo" in [bridge["name"] for bridge in json.loads(llmspell("bridges", "--json", env=demo).out)]


def test_a_bridge_tells_what_it_offers(llmspell: Run, demo: dict[str, str]) -> None:
    ran = llmspell("bridges", "demo", env=demo)
    assert ran.out.startswith("demo 1.0.0\n\nThings a test wants to see.\n")
    assert "demo.wait(marker, started?)\n    Say that it waits" in ran.out
    told = json.loads(llmspell("bridges", "demo", "--json", env=demo).out)
    wait = next(found for found in told["exports"] if found["name"] == "wait")
    assert wait["async"] is True
    assert wait["parameters"][0] == {
        "name": "marker",
        "type": "a text",
        "required": True,
        "option": False,
        "secret": False,
    }


def test_every_installed_bridge_can_tell_what_it_offers(llmspell: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for bridge in json.loads(llmspell("bridges", "--json").out):
        with pytest.raises(SystemExit) as ended:  # in this process: there are dozens
            main(["bridges", bridge["name"]])
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(f"{bridge['name']} ")


def test_an_unknown_bridge_is_told_with_its_neighbour(llmspell: Run) -> None:
    ran = llmspell("bridges", "dta")
    assert ran.code == 4
    assert "did you mean 'data'?" in ran.err


def test_a_method_of_a_bridge_can_be_looked_up(llmspell: Run, demo: dict[str, str]) -> None:
    ran = llmspell("bridges", "demo.wait", env=demo)
    assert ran.out.startswith("demo.wait(")
    assert json.loads(llmspell("bridges", "demo.wait", "--json", env=demo).out)["name"] == "wait"
    wrong = llmspell("bridges", "demo.wiat", env=demo)
    assert wrong.code == 2
    assert "did you mean 'demo.wait'?" in wrong.err


def test_plugins_are_listed_with_what_became_of_them(llmspell: Run, demo: dict[str, str]) -> None:
    listed = {plugin["name"]: plugin for plugin in json.loads(llmspell("plugins", "--json", env=demo).out)}
    assert listed["demo"]["status"] == "loaded"
    assert (listed["demo"]["distribution"], listed["demo"]["version"]) == ("demo-plugin", "1.0")
    assert listed["demo"]["bridges"] == ["demo"]
    blocked = json.loads(llmspell("--block", "demo-plugin", "plugins", "--json", env=demo).out)
    assert next(plugin for plugin in blocked if plugin["name"] == "demo")["status"] == "blocked"


def test_a_broken_plugin_breaks_nothing_else(llmspell: Run, demo: dict[str, str], tmp_path: Any) -> None:
    (tmp_path / "site" / "demo_plugin.py").write_text("raise RuntimeError('broken at import')")
    ran = llmspell("plugins", env=demo)
    assert ran.code == 0
    assert "demo: RuntimeError: broken at import" in ran.out
    ran = llmspell("exec", "lua", "return 1", env=demo)
    assert (ran.code, ran.out) == (0, "1\n")
    assert "warning: plugin demo-plugin 1.0" in ran.err
    assert llmspell("exec", "lua", "return 1", "--quiet", env=demo).err == ""


def test_plugins_add_commands_but_take_none(llmspell: Run, demo: dict[str, str]) -> None:
    assert llmspell("greet", "bees", env=demo).out == "hello bees\n"
    assert "Greet somebody." in llmspell("--help", env=demo).out
    assert llmspell("run", "absent.lua", env=demo).code == 12
    assert llmspell("greet", "bees").code == 2


def test_versions_are_told(llmspell: Run) -> None:
    assert llmspell("version", "--short").out == f"{package.__version__}\n"
    assert llmspell("--version").out == f"llmspell {package.__version__}\n"
    ran = llmspell("version")
    assert ran.out.startswith(f"llmspell {package.__version__}\n")
    assert "llmspell-lua" in ran.out
    assert json.loads(llmspell("version", "--json").out)["llmspell"] == package.__version__


def test_the_doctor_tells_what_this_machine_can_enforce(llmspell: Run) -> None:
    ran = llmspell("security", "doctor", "--json")
    told = json.loads(ran.out)
    assert set(told["levels"]) == {"minimal", "standard", "strict"}
    assert ran.code == (0 if told["levels"]["strict"]["enforceable"] else 6)
    for level in told["levels"].values():
        assert level["enforceable"] == (not level["missing"])
    assert "seccomp" in told["pieces"]
    assert told["workers"]["made"] in ("forked", "spawned")
    assert bool(told["workers"]["reason"]) == (told["workers"]["made"] == "spawned")
    shown = llmspell("security", "doctor")
    assert "level strict" in shown.out
    assert "seccomp" in shown.out


@pytest.mark.parametrize("command", ["run", "exec", "engines", "bridges", "plugins", "security", "version"])
def test_every_command_has_help(llmspell: Run, command: str) -> None:
    ran = llmspell(command, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: llmspell {command}")


def test_without_a_command_the_help_is_shown(llmspell: Run) -> None:
    ran = llmspell()
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Usage: llmspell")
    assert "Run a spell." in ran.err
