"""How an error is laid out: message, the script's own lines, stack, chain, hint."""

from pathlib import Path

from llmspell.cli.frames import as_text, describe
from llmspell.errors import (
    BridgeCallError,
    DeadlineExceeded,
    Frame,
    LlmspellError,
    Location,
    ScriptRuntimeError,
    ScriptSyntaxError,
)
from llmspell.plugin import Source

SOURCE = Source("local a = 1\nlocal b = 2\nprint(a.x.y)\nlocal c = 3\nlocal d = 4\n", "spells/x.lua")


def laid_out(error: BaseException, source: Source | None = SOURCE) -> str:
    return as_text(describe(error, source))


def failed(line: int, column: int = 0, file: str = "spells/x.lua") -> ScriptRuntimeError:
    return ScriptRuntimeError("no such thing", language="lua", location=Location(file, line, column))


def test_the_line_is_marked_among_its_neighbours() -> None:
    assert laid_out(failed(3)) == (
        "error[runtime]: no such thing\n"
        "  --> spells/x.lua:3\n"
        "  1 | local a = 1\n"
        "  2 | local b = 2\n"
        "> 3 | print(a.x.y)\n"
        "  4 | local c = 3\n"
        "  5 | local d = 4"
    )


def test_the_column_is_marked_below_the_line_also_after_tabs() -> None:
    source = Source("\tlocal x = = 1\n", "t.lua")
    error = ScriptSyntaxError("unexpected symbol", location=Location("t.lua", 1, 12))
    assert laid_out(error, source).splitlines()[2:] == ["> 1 | \tlocal x = = 1", "    | \t          ^"]


def test_a_line_beyond_the_source_is_named_but_not_shown() -> None:
    assert laid_out(failed(99)) == "error[runtime]: no such thing\n  --> spells/x.lua:99"


def test_a_very_long_line_is_cut_around_the_column() -> None:
    source = Source("x" * 5000 + "!" + "y" * 5000, "t.lua")
    line, mark = laid_out(failed(1, 5001, "t.lua"), source).splitlines()[2:]
    assert len(line) < 250
    assert line[mark.index("^")] == "!"


def test_only_files_of_the_spell_are_shown(tmp_path: Path) -> None:
    (tmp_path / "spell").mkdir()
    (tmp_path / "spell" / "lib.lua").write_text("return secret_a\n")
    (tmp_path / "outside.lua").write_text("return secret_b\n")
    (tmp_path / "spell" / "link.lua").symlink_to(tmp_path / "outside.lua")
    source = Source("require('lib')", "x.lua", root=str(tmp_path / "spell"))
    assert "secret_a" in laid_out(failed(1, file="lib.lua"), source)
    assert "secret_a" in laid_out(failed(1, file=str(tmp_path / "spell" / "lib.lua")), source)
    for name in ("../outside.lua", str(tmp_path / "outside.lua"), "link.lua", "/etc/passwd", "lib.lua\0", "."):
        assert " | " not in laid_out(failed(1, file=name), source)


def test_the_stack_names_functions_and_the_locals_of_the_innermost() -> None:
    frames = (
        Frame("lua", Location("spells/x.lua", 3), "inner", {"a": "1", "t": "table"}),
        Frame("lua", Location("spells/x.lua", 5)),
    )
    error = ScriptRuntimeError("boom", location=Location("spells/x.lua", 3), frames=frames)
    assert laid_out(error).splitlines()[-3:] == [
        "  with a = 1, t = table",
        "  in function 'inner' at spells/x.lua:3",
        "  in the main chunk at spells/x.lua:5",
    ]


def test_a_stack_of_two_languages_names_them() -> None:
    frames = (
        Frame("lua", Location("a.lua", 1), "f"),
        Frame("javascript", Location("b.js", 2, 7), "g"),
    )
    text = laid_out(ScriptRuntimeError("boom", frames=frames), None)
    assert "function 'f' (lua) at a.lua:1" in text
    assert "function 'g' (javascript) at b.js:2:7" in text


def test_a_deep_stack_is_shortened() -> None:
    frames = tuple(Frame("lua", Location("x.lua", n), "f") for n in range(1, 1001))
    lines = laid_out(DeadlineExceeded("too long", frames=frames), None).splitlines()
    assert len(lines) < 15
    assert "  ... 992 more ..." in lines
    assert lines[-1].endswith("x.lua:1000")


def test_the_chain_tells_what_was_behind_it_once() -> None:
    error = BridgeCallError("the model cannot be reached", fault_code="network")
    error.__cause__ = LlmspellError("the model cannot be reached")
    error.__cause__.__cause__ = ConnectionRefusedError(111, "Connection refused")
    assert laid_out(error, None) == (
        "error[network]: the model cannot be reached\ncaused by: ConnectionRefusedError: [Errno 111] Connection refused"
    )


def test_a_chain_in_a_circle_ends() -> None:
    error, other = LlmspellError("a"), LlmspellError("b")
    error.__cause__, other.__cause__ = other, error
    assert laid_out(error, None) == "error[error]: a\ncaused by: b"


def test_the_hint_comes_last() -> None:
    assert laid_out(LlmspellError("no bridge 'fss'", hint="did you mean 'fs'?"), None).endswith(
        "\nhint: did you mean 'fs'?"
    )


def test_a_message_cannot_steer_the_terminal() -> None:
    source = Source("print('\x1b[2J')", "x\x1b[1m.lua")
    error = ScriptRuntimeError("\x1b]0;owned\x07", location=Location("x\x1b[1m.lua", 1), hint="\x9b31m")
    text = laid_out(error, source)
    assert not any((ord(char) < 32 and char != "\n") or 127 <= ord(char) < 160 for char in text)
    assert r"\x1b]0;owned\x07" in text
