"""A person at the terminal agrees to the use of a tool, or does not; without a terminal nobody does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("llmspell_llm", reason="llmspell-llm is not installed")

SPELL = """
tools.define("launch", "Launch a rocket", {requires_approval = true, parameters = {to = "string"}},
    function(p) return "launched to " .. p.to end)
local pilot = agent.create("pilot", {tools = {"launch"}})
print("ready")
return pilot:run("go", {details = true}).tool_calls[1]
"""


def asking(to: str, folder: Path) -> dict[str, str]:
    """Write a spell and settings whose fake model asks for the tool; return the environment for it."""
    (folder / "launch.lua").write_text(SPELL)
    reply = f'{{tool_calls = [{{name = "launch", arguments = {{to = {json.dumps(to)}}}}}]}}'
    settings = folder / "home" / ".config" / "llmspell" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        f"""
        [models]
        default = "robot"
        [models.providers.robot]
        kind = "fake"
        replies = [{reply}, "done"]
        """
    )
    return {"LLMSPELL_BLOCK": "local,tengo,toolbox"}


@pytest.mark.parametrize(
    ("keys", "outcome"),
    [("y\n", "launched to Mars"), ("yesterday\n", "was not approved"), ("\x04", "was not approved")],
    ids=["yes", "another word", "end of input"],
)
def test_a_person_is_asked_and_answers(terminal: Callable[..., Any], tmp_path: Path, keys: str, outcome: str) -> None:
    one = terminal("run", "launch.lua", env=asking("Mars", tmp_path))
    one.read_until("allow it? [y/N] ")
    assert "agent 'pilot' wants to use the tool 'launch': Launch a rocket" in one.text
    assert '"to": "Mars"' in one.text
    one.press(keys)
    assert one.finish() == 0
    assert outcome in one.text


def test_what_was_typed_before_the_question_is_no_answer(terminal: Callable[..., Any], tmp_path: Path) -> None:
    env = asking("Mars", tmp_path)
    spell, typed = tmp_path / "launch.lua", tmp_path / "typed"
    wait = f'print("ready") while not fs.exists("{typed}") do core.sleep(0.01) end'
    spell.write_text(spell.read_text().replace('print("ready")', wait))
    one = terminal("run", "launch.lua", "--allow-read", str(typed), env=env)
    one.read_until("ready")
    one.press("y\n")
    typed.touch()
    one.read_until("allow it? [y/N] ")
    one.press("n\n")
    assert one.finish() == 0
    assert "was not approved" in one.text


def test_a_question_waits_until_the_spells_own_is_answered(terminal: Callable[..., Any], tmp_path: Path) -> None:
    env = asking("Mars", tmp_path)
    spell, shown = tmp_path / "launch.lua", tmp_path / "shown"
    both = f"""
        local name = async.spawn(function() return terminal.read_line("name: ") end)
        while not fs.exists("{shown}") do core.sleep(0.01) end
        local pilot = agent.create("pilot", {{tools = {{"launch"}}}})
        local said = pilot:run("go", {{details = true}}).tool_calls[1].result
        return {{name = name:await(), said = said}}"""
    spell.write_text(spell.read_text().partition("local pilot")[0] + both)
    one = terminal("run", "launch.lua", "--allow-read", str(shown), env=env)
    one.read_until("name: ")
    shown.touch()
    one.press("Ada\n")
    one.read_until("allow it? [y/N] ")
    one.press("y\n")
    assert one.finish() == 0
    assert "launched to Mars" in one.text
    assert "Ada" in one.text.rpartition("allow it?")[2]


def test_a_models_arguments_do_not_steer_the_terminal(terminal: Callable[..., Any], tmp_path: Path) -> None:
    one = terminal("run", "launch.lua", env=asking("\x1b[2J\x1b]0;owned\x07\rallow it? [y/N] y", tmp_path))
    one.read_until("\nallow it? [y/N] ")
    one.press("n\n")
    assert one.finish() == 0
    assert "\x1b[2J" not in one.text
    assert "\x1b]0;" not in one.text


def test_ctrl_c_at_the_question_ends_the_run(terminal: Callable[..., Any], tmp_path: Path) -> None:
    one = terminal("run", "launch.lua", env=asking("Mars", tmp_path))
    one.read_until("allow it? [y/N] ")
    one.press("\x03")
    assert one.finish() == 130


def test_without_a_terminal_nobody_agrees(llmspell: Callable[..., Any], tmp_path: Path) -> None:
    ran = llmspell("run", "launch.lua", stdin="y\n", env=asking("Mars", tmp_path))
    assert ran.code == 0, ran.err
    assert "there is nobody to ask" in ran.out
