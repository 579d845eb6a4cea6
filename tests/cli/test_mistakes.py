"""Mistakes: one clear paragraph of the right class and exit code, and never a traceback."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Write = Callable[[str, str], Path]


def told(ran: Any, code: int, *words: str) -> None:
    """Check that an error was told as it should be."""
    assert ran.code == code, ran.err
    assert ran.err.startswith("error["), ran.err
    for word in words:
        assert word in ran.err
    assert "Traceback" not in ran.err
    assert ".py" not in ran.err


def test_a_missing_file(llmspell: Run, write: Write) -> None:
    write("reviews.lua", "")
    told(llmspell("run", "review.lua"), 12, "there is no spell at 'review.lua'", "did you mean 'reviews.lua'?")


def test_a_directory(llmspell: Run, tmp_path: Path) -> None:
    told(llmspell("run", str(tmp_path)), 12, "is a directory")


def test_a_source_that_is_not_utf8(llmspell: Run, tmp_path: Path) -> None:
    (tmp_path / "a.lua").write_bytes(b"return '\xff'")
    told(llmspell("run", "a.lua"), 4, "not UTF-8", "a.lua:1:9")


def test_a_syntax_error_shows_its_line(llmspell: Run, write: Write) -> None:
    write("a.lua", "local a = 1\nlocal b = = 2\nreturn a")
    told(llmspell("run", "a.lua"), 4, "error[syntax]", "--> a.lua:2", "> 2 | local b = = 2", "  1 | local a = 1")


def test_wrong_front_matter_shows_its_line(llmspell: Run, write: Write) -> None:
    write("a.lua", '-- /// spell\n-- [parameters.n]\n-- type = "interger"\n-- ///')
    told(llmspell("run", "a.lua"), 4, "'interger'", "a.lua:3", "> 3 |", "did you mean 'integer'?")


def test_a_runtime_error_shows_line_stack_and_locals(llmspell: Run, write: Write) -> None:
    write("a.lua", "local function inner(t)\n  local n = 5\n  return t.x.y + n\nend\nprint(inner({}))\n")
    told(
        llmspell("run", "a.lua"),
        4,
        "error[runtime]",
        "> 3 |   return t.x.y + n",
        "n = 5",
        "in function 'inner' at a.lua:3",
        "in the main chunk at a.lua:5",
    )


def test_an_unknown_ending(llmspell: Run, write: Write) -> None:
    write("a.cob", "x")
    told(llmspell("run", "a.cob"), 5, "a.cob", ".lua")


def test_an_unknown_engine(llmspell: Run) -> None:
    told(llmspell("exec", "luaa", "x"), 5, "no engine named 'luaa'", "did you mean 'lua'?")


@pytest.mark.parametrize("assignment", ["novalue", "=x"])
def test_a_parameter_that_is_no_assignment(llmspell: Run, write: Write, assignment: str) -> None:
    write("a.lua", "return 1")
    told(llmspell("run", "a.lua", "-p", assignment), 2, "KEY=VALUE")


@pytest.mark.parametrize("content", ["[1]", "nonsense", '"x"', ""])
def test_parameters_that_are_no_object(llmspell: Run, write: Write, content: str) -> None:
    write("a.lua", "return 1")
    write("p.json", content)
    told(llmspell("run", "a.lua", "--params", "p.json"), 10, "p.json")


@pytest.mark.parametrize(
    ("option", "word"),
    [
        (["--timeout", "soon"], "not a duration"),
        (["--timeout", "0"], "--timeout"),
        (["--timeout", "-1"], "--timeout"),
        (["--memory", "much"], "not a size"),
        (["--memory", "1KB"], "--memory"),
        (["--level", "paranoid"], "paranoid"),
        (["--profile", "sandbx"], "sandbox"),
        (["--profle", "x"], "--profile"),
        (["--params", "absent.json"], "cannot be read"),
    ],
)
def test_an_option_that_makes_no_sense(llmspell: Run, write: Write, option: list[str], word: str) -> None:
    write("a.lua", "return 1")
    told(llmspell("run", "a.lua", *option), 2, word)


def test_an_unknown_command(llmspell: Run) -> None:
    told(llmspell("rnu"), 2, "no command 'rnu'", "'run'")


@pytest.mark.parametrize(
    ("code", "exit_code", "words"),
    [
        ("local t = {} t.t = t return t", 10, ["contains itself"]),
        ("return {f = print}", 10, ["function"]),
        ("return {[0/0] = 1}", None, []),
        ("local t = {} for i = 1, 1e5 do t = {t} end return t", 10, ["deep"]),
        ("return require('fss')", 4, ["fss", "did you mean 'fs'?"]),
        ("return require('data').to_jsn({})", 4, ["to_jsn", "to_json"]),
        ("return require('data').parse_json()", 4, ["text"]),
        ("return require('fs').read({})", 4, ["path"]),
        ("prnt('x')", 4, ["prnt"]),
        ("error({code = 'custom', message = 'own'})", 4, ["own"]),
        ("error()", 4, []),
        ("error(setmetatable({}, {__tostring = function() while true do end end}))", None, []),
    ],
)
def test_what_a_script_does_wrong(llmspell: Run, code: str, exit_code: int | None, words: list[str]) -> None:
    ran = llmspell("exec", "lua", code, "--timeout", "1s" if exit_code is None else "60s")
    told(ran, ran.code if exit_code is None else exit_code, *words)
    assert ran.code in (4, 8, 9, 10)


def test_bytes_on_the_command_line_that_are_no_text(llmspell: Run, write: Write) -> None:
    write("a.lua", "return 1")
    told(llmspell("run", "a.lua", "-p", os.fsdecode(b"a=\xff")), 2, "not UTF-8")
    told(llmspell("exec", "lua", os.fsdecode(b"return '\xff'")), 4, "not UTF-8")


def test_a_configuration_that_is_wrong(llmspell: Run, write: Write) -> None:
    write("c.toml", "[policy]\nprofil = 'sandbox'\n")
    told(llmspell("--config", "c.toml", "exec", "lua", "return 1"), 3, "c.toml:2", "did you mean 'profile'?")


def test_output_that_cannot_be_written(llmspell: Run, tmp_path: Path) -> None:
    told(llmspell("exec", "lua", "return 1", "--record", "no/such/dir.jsonl"), 12, "no/such/dir.jsonl")


def test_debug_shows_pythons_traceback(llmspell: Run) -> None:
    ran = llmspell("run", "absent.lua", env={"LLMSPELL_DEBUG": "1"})
    assert ran.code == 12
    assert "Traceback" in ran.err
    assert ran.err.rstrip().endswith("there is no spell at 'absent.lua'")


def test_a_fault_of_a_bridge_is_told_without_its_insides(llmspell: Run, demo: dict[str, str]) -> None:
    ran = llmspell("exec", "lua", "require('demo').fail()", "--allow-bridge", "demo", env=demo)
    told(ran, 4, "RuntimeError: the demo is broken")
    shown = llmspell("exec", "lua", "local ok, e = pcall(require('demo').fail) return tostring(e)", "--allow-bridge",
                     "demo", env=demo)  # fmt: skip
    assert "the demo is broken" not in shown.out


def test_an_error_message_cannot_steer_the_terminal(llmspell: Run) -> None:
    ran = llmspell("exec", "lua", r"error('\27]0;owned\7\27[2J')")
    assert "\x1b" not in ran.err
    assert "\x07" not in ran.err
    assert json.dumps(ran.err)
