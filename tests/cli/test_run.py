"""``llmspell run``: what it prints, what it grants, and how it ends."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Write = Callable[[str, str], Path]


def test_what_a_spell_prints_comes_before_its_value(llmspell: Run, write: Write) -> None:
    write("a.lua", 'print("working") return {done = true}')
    ran = llmspell("run", "a.lua")
    assert ran.out == 'working\n{\n  "done": true\n}\n'
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("return 'text\\nof two lines'", "text\nof two lines\n"),
        ("return 42", "42\n"),
        ("return 1.5", "1.5\n"),
        ("return false", "false\n"),
        ("return nil", ""),
        ("", ""),
        ("return {}", "{}\n"),
        ("return {1, {a = 'é'}}", '[\n  1,\n  {\n    "a": "é"\n  }\n]\n'),
        ("io = nil return 'ok'", "ok\n"),
    ],
)
def test_a_value_is_shown_as_a_person_expects_it(llmspell: Run, code: str, shown: str) -> None:
    ran = llmspell("exec", "lua", code)
    assert (ran.code, ran.out) == (0, shown)


def test_a_point_in_time_is_shown_as_its_text(llmspell: Run) -> None:
    ran = llmspell("exec", "javascript", "return new Date(5)")
    assert (ran.code, ran.out) == (0, "1970-01-01T00:00:00.005Z\n")
    ran = llmspell("exec", "javascript", "return [new Date(5)]", "--json")
    assert json.loads(ran.out)["value"] == ["1970-01-01T00:00:00.005Z"]


def test_quiet_shows_only_what_the_spell_prints(llmspell: Run) -> None:
    assert llmspell("exec", "lua", "print('a') return 1", "--quiet").out == "a\n"


def test_a_value_begins_on_a_line_of_its_own(llmspell: Run, demo: dict[str, str]) -> None:
    code = "require('log') local core = require('core') print('x') return 1"
    assert llmspell("exec", "lua", code).out.endswith("x\n1\n")


def test_parameters_come_from_options_and_from_a_file(llmspell: Run, write: Write) -> None:
    write("a.lua", "return params.a .. '/' .. params.b .. '/' .. tostring(params.c.d)")
    write("p.json", '{"a": "file", "b": "file", "c": {"d": true}}')
    assert llmspell("run", "a.lua", "--params", "p.json", "-p", "b=option").out == "file/option/true\n"


def test_declared_parameters_have_their_types(llmspell: Run, write: Write) -> None:
    write(
        "a.lua",
        """
        -- /// spell
        -- [parameters.n]
        -- type = "integer"
        -- required = true
        -- [parameters.words]
        -- type = "list"
        -- default = ["x"]
        -- ///
        return math.type(params.n) .. #params.words
        """,
    )
    assert llmspell("run", "a.lua", "-p", "n=3").out == "integer1\n"
    assert llmspell("run", "a.lua", "-p", "n=3", "-p", "words=a,b,c").out == "integer3\n"
    ran = llmspell("run", "a.lua")
    assert ran.code == 10
    assert "needs the parameter 'n'" in ran.err
    assert "-p n=INTEGER" in ran.err


def test_a_name_that_is_nearly_declared_earns_a_note(llmspell: Run, write: Write) -> None:
    write("a.lua", "-- /// spell\n-- [parameters.topic]\n-- ///\nreturn params.topic == nil")
    ran = llmspell("run", "a.lua", "-p", "topci=x")
    assert ran.code == 0
    assert "did you mean 'topic'?" in ran.err


READER = """
-- /// spell
-- [parameters.file]
-- type = "file"
-- ///
return require("fs").read(params.other or params.file)
"""


def test_naming_a_file_grants_reading_exactly_it(llmspell: Run, write: Write) -> None:
    write("a.lua", READER)
    write("data/in.txt", "content")
    write("data/other.txt", "secret")
    assert llmspell("run", "a.lua", "-p", "file=data/in.txt").out == "content\n"
    ran = llmspell("run", "a.lua", "-p", "file=data/in.txt", "-p", "other=data/other.txt")
    assert ran.code == 6
    assert "secret" not in ran.out + ran.err


def test_an_undeclared_path_grants_nothing(llmspell: Run, write: Write) -> None:
    write("a.lua", "return require('fs').read(params.file)")
    write("in.txt", "secret")
    ran = llmspell("run", "a.lua", "-p", "file=in.txt")
    assert ran.code == 6
    assert "secret" not in ran.out + ran.err


def test_a_default_of_the_script_grants_nothing(llmspell: Run, write: Write) -> None:
    write("a.lua", READER.replace('type = "file"', 'type = "file"\n-- default = "in.txt"'))
    write("in.txt", "secret")
    ran = llmspell("run", "a.lua")
    assert ran.code == 6
    assert "secret" not in ran.out + ran.err


def test_a_named_file_must_exist(llmspell: Run, write: Write) -> None:
    write("a.lua", READER)
    ran = llmspell("run", "a.lua", "-p", "file=absent.txt")
    assert ran.code == 10
    assert "there is no file 'absent.txt'" in ran.err


def test_a_person_may_allow_more(llmspell: Run, write: Write, tmp_path: Path) -> None:
    write("data/in.txt", "content")
    code = "local fs = require('fs') fs.write('out/x.txt', fs.read('data/in.txt')) return 'written'"
    (tmp_path / "out").mkdir()
    assert llmspell("exec", "lua", code).code == 6
    assert llmspell("exec", "lua", code, "--allow-read", "data").code == 6
    assert llmspell("exec", "lua", code, "--allow-read", "data", "--allow-write", "out").out == "written\n"
    assert (tmp_path / "out" / "x.txt").read_text() == "content"


def test_a_profile_changes_what_is_granted(llmspell: Run, write: Write) -> None:
    write("in.txt", "content")
    code = "return require('fs').read('in.txt')"
    assert llmspell("exec", "lua", code, "--profile", "development").out == "content\n"
    assert llmspell("exec", "lua", code, "--profile", "sandbox").code == 6


def test_a_bridge_of_a_stranger_must_be_allowed(llmspell: Run, demo: dict[str, str]) -> None:
    code = "return require('demo').fail()"
    denied = llmspell("exec", "lua", code, env=demo)
    assert denied.code in (4, 6)
    allowed = llmspell("exec", "lua", code, "--allow-bridge", "demo", env=demo)
    assert allowed.code == 4
    assert "the demo is broken" in allowed.err


@pytest.mark.parametrize("level", ["minimal", "standard", "strict"])
def test_a_spell_runs_at_every_level(llmspell: Run, level: str) -> None:
    assert llmspell("exec", "lua", "return 6 * 7", "--level", level).out == "42\n"


def test_the_timeout_ends_a_spell_that_does_not(llmspell: Run) -> None:
    ran = llmspell("exec", "lua", "while true do end", "--timeout", "300ms")
    assert ran.code == 8
    assert ran.err.startswith("error[deadline]")


def test_the_memory_limit_ends_a_spell_that_wants_more(llmspell: Run) -> None:
    code = "local t = {} for i = 1, 1e9 do t[i] = {i} end"
    ran = llmspell("exec", "lua", code, "--memory", "8MB", "--timeout", "30s")
    assert ran.code == 9
    assert ran.err.startswith("error[memory]")


def test_a_spell_may_come_from_standard_input(llmspell: Run) -> None:
    assert llmspell("run", "-", stdin="return 1 + 1").out == "2\n"
    assert llmspell("run", "-", "--engine", "lua", stdin="return 1 + 1").out == "2\n"
    assert llmspell("exec", "lua", "-", stdin="return 1 + 1").out == "2\n"
    ran = llmspell("run", "-", stdin="local x =\n= 1")
    assert ran.code == 4
    assert "<stdin>:2" in ran.err


def test_an_engine_may_be_named_when_the_ending_does_not_tell(llmspell: Run, write: Write) -> None:
    write("a.spell", "return 1")
    assert llmspell("run", "a.spell").code == 5
    assert llmspell("run", "a.spell", "--engine", "lua").out == "1\n"
    write("b.spell", '-- /// spell\n-- engine = "lua"\n-- ///\nreturn 2')
    assert llmspell("run", "b.spell").out == "2\n"


def test_a_script_may_choose_its_exit_code(llmspell: Run) -> None:
    ran = llmspell("exec", "lua", "print('bye') os.exit(7)")
    assert (ran.code, ran.out, ran.err) == (7, "bye\n", "")
    assert llmspell("exec", "lua", "os.exit(0)").code == 0


def test_every_call_can_be_recorded(llmspell: Run, tmp_path: Path) -> None:
    code = "local d = require('data') return d.to_json({a = 1}) .. d.to_json({2})"
    assert llmspell("exec", "lua", code, "--record", "calls.jsonl").code == 0
    records = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    assert [record["index"] for record in records] == list(range(1, len(records) + 1))
    records = [record for record in records if record["target"] != "@host"]
    assert [(record["target"], record["method"]) for record in records] == [("data", "to_json")] * 2
    assert records[0]["args"] == [{"a": 1}]
    assert records[0]["result"] == '{"a":1}'


def test_the_record_of_a_run_that_fails_is_kept(llmspell: Run, tmp_path: Path) -> None:
    assert llmspell("exec", "lua", "require('fs').read('/etc/passwd')", "--record", "calls.jsonl").code == 6
    record = json.loads((tmp_path / "calls.jsonl").read_text().splitlines()[-1])
    assert record["error"]["code"] == "denied"


def test_a_run_that_came_near_a_limit_is_told_so(llmspell: Run) -> None:
    code = "local t = {} for i = 1, 112 do t[i] = ('%04d'):format(i):rep(1 << 14) end return #t"  # 7 MB
    ran = llmspell("exec", "lua", code, "--memory", "8MB")
    assert ran.out == "112\n"
    assert re.fullmatch(r"warning: the run came near its limit of memory: 7\.\d MB of 8\.0 MB\n", ran.err)
    assert llmspell("exec", "lua", code, "--memory", "8MB", "--quiet").err == ""


def test_all_results_are_shown_and_one_is_the_value(llmspell: Run) -> None:
    assert llmspell("exec", "lua", "return 1, nil, 'three'").out == "1\nnull\nthree\n"
    assert json.loads(llmspell("exec", "lua", "return 1, nil, 'three'", "--json").out)["value"] == 1


def test_the_result_of_a_spell_looks_the_same_every_time(llmspell: Run) -> None:
    code = "return {sentiment = 1, title = 2, text = {z = 1, y = 2, x = 3}}"
    shown = {llmspell("exec", "lua", code).out for _ in range(3)}
    assert [list(json.loads(text)) for text in shown] == [["sentiment", "text", "title"]]
