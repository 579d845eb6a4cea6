"""Spells that ask the person who started them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SPELLS = Path(__file__).resolve().parents[2] / "examples" / "spells"
Write = Callable[[str, str], Path]

NAMES = {
    "ask.lua": """
        local terminal = require("terminal")
        local name = terminal.read_line("Who are you? ")
        print("Hello, " .. tostring(name))
        print("sure: " .. tostring(terminal.confirm("Sure?")))
        print("there: " .. tostring(terminal.interactive()))
    """,
    "ask.mjs": """
        import terminal from "terminal";
        const name = await terminal.readLine("Who are you? ");
        console.log("Hello, " + name);
        console.log("sure: " + await terminal.confirm("Sure?"));
        console.log("there: " + terminal.interactive());
    """,
}


@pytest.mark.parametrize("name", NAMES)
def test_a_person_is_asked(terminal: Callable[..., Any], write: Write, name: str) -> None:
    one = terminal("run", str(write(name, NAMES[name])))
    one.read_until("Who are you? ")
    one.press("Ännchen\n")
    one.read_until("Sure? [y/N] ")
    one.press("maybe\ny\n")
    assert one.finish() == 0
    assert "Hello, Ännchen" in one.text
    assert "sure: true" in one.text
    assert "there: true" in one.text


def test_what_is_piped_in_is_read_line_by_line_without_prompts(llmspell: Callable[..., Any], write: Write) -> None:
    spell = write(
        "lines.lua",
        """
        local got = {}
        while true do
          local line = require("terminal").read_line("? ")
          if line == nil then break end
          got[#got + 1] = line
        end
        return got
        """,
    )
    ran = llmspell("run", str(spell), "--json", stdin=b"one\r\ntwo\n\n\xff last")
    assert (ran.code, ran.err) == (0, "")
    assert '"value": ["one", "two", "", "\\ufffd last"]' in ran.out.replace("\ufffd", "\\ufffd")


def test_a_file_as_input_is_read(llmspell: Callable[..., Any], write: Write, tmp_path: Path) -> None:
    import subprocess

    from tests.cli.conftest import PROGRAM

    spell = write("one.lua", 'print(require("terminal").read_line())')
    with write("input.txt", "first\nsecond\n").open("rb") as file:
        done = subprocess.run([PROGRAM, "run", str(spell), "-q"], stdin=file, capture_output=True, timeout=60)
    assert done.stdout.strip() == b"first", done.stderr


def test_the_end_of_input_is_null(terminal: Callable[..., Any], write: Write) -> None:
    spell = write("end.lua", 'print("ended: " .. tostring(require("terminal").read_line("> ")))')
    one = terminal("run", str(spell))
    one.read_until("> ")
    one.press("\x04")
    assert one.finish() == 0
    assert "ended: nil" in one.text


def test_ctrl_c_while_asking_interrupts(terminal: Callable[..., Any], write: Write) -> None:
    one = terminal("run", str(write("ask.lua", NAMES["ask.lua"])))
    one.read_until("Who are you? ")
    one.press("\x03")
    assert one.finish() == 130
    assert "Traceback" not in one.text


def test_input_that_held_the_spell_has_no_answers(llmspell: Callable[..., Any]) -> None:
    ran = llmspell("run", "-", stdin='return require("terminal").read_line()')
    assert ran.code != 0
    assert "there is no terminal to ask at" in ran.err


def test_a_prompt_cannot_steer_the_terminal(terminal: Callable[..., Any], write: Write) -> None:
    one = terminal("run", str(write("evil.lua", 'return require("terminal").read_line("\\27[2Jname: ")')))
    one.read_until("name: ")
    assert "\x1b[2J" not in one.text
    one.press("x\n")
    assert one.finish() == 0


@pytest.mark.parametrize("ending", ["lua", "js", "tengo"])
def test_the_example_chat_is_held_on_a_terminal(terminal: Callable[..., Any], tmp_path: Path, ending: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        '[models]\ndefault = "fake"\n[models.providers.fake.patterns]\nFrance = "Paris."\nBye = "So long."\n'
    )
    spell = str(SPELLS / f"chat.{ending}")
    one = terminal("--config", str(config), "run", spell, env={"LLMSPELL_BLOCK": "local,toolbox"})
    one.read_until("you> ")
    one.press("The capital of France?\n")
    one.read_until("Paris.")
    one.press("Bye\n")
    one.read_until("So long.")
    one.press("\x04")
    assert one.finish() == 0
    assert one.text.count("you> ") == 3
    assert "turns" in one.text
