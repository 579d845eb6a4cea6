"""What a script finds behind ``import``: bridges, handles, functions, and files of its own and other languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmspell import Host, Policy
from llmspell.engine.messages import Fault


def test_a_spell_with_modules_knows_its_params(stage: Any) -> None:
    stage.modules = {"lib": ("lib.tengo", "export func(x) { return x * 2 }")}
    assert stage.run('double := import("lib"); export double(params.n)', {"n": 21}) == 42


def test_a_module_does_not_know_the_params_of_the_spell(stage: Any) -> None:
    stage.modules = {"lib": ("lib.tengo", "export params")}
    failure = stage.fail('export import("lib")', params={"n": 1})
    assert (failure.kind, failure.message, failure.file) == ("syntax", "unresolved reference 'params'", "lib.tengo")


def test_each_import_of_a_module_runs_it_anew(stage: Any) -> None:
    stage.modules = {"lib": ("lib.tengo", "n := 0; export func() { n += 1; return n }")}
    text = 'a := import("lib"); b := import("lib"); export [a(), a(), b()]'
    assert stage.run(text) == [1, 2, 1]


def test_a_module_imports_modules_of_its_own(stage: Any) -> None:
    stage.modules = {
        "a": ("a.tengo", 'export {name: "a", below: import("b")}'),
        "b": ("b.tengo", 'text := import("text"); export text.to_upper("b")'),
    }
    assert stage.run('a := import("a"); export [a.name, a.below]') == ["a", "B"]


def test_what_a_module_exports_is_immutable(stage: Any) -> None:
    stage.modules = {"lib": ("lib.tengo", "export {a: {b: 1}}")}
    assert stage.run('m := import("lib"); m.a.b = 2; export [type_name(m), m.a.b]') == ["immutable-map", 2]
    assert stage.fail('m := import("lib"); m.a = 2').message == "not index-assignable: immutable-map"


def test_modules_in_a_circle_are_named(stage: Any) -> None:
    stage.modules = {"a": ("a.tengo", 'export import("b")'), "b": ("b.tengo", 'export import("a")')}
    failure = stage.fail('import("a")')
    assert failure.message.startswith("cyclic module import: ")


def test_a_module_that_is_not_there_is_told_with_its_place(stage: Any) -> None:
    failure = stage.fail('x := 1\ny := import("nothing")')
    assert (failure.kind, failure.code, failure.line) == ("module", "nothing", 2)


def test_a_module_of_another_language_is_a_map_of_values(stage: Any) -> None:
    stage.modules = {"lib": {"name": "lua", "list": [1, 2]}}
    assert stage.run('m := import("lib"); export [m.name, m.list[1], type_name(m), m.__module_name__]') == [
        "lua", 2, "immutable-map", "lib"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "", "a\\x00b", "kit/../kit"])
def test_names_of_modules_are_the_hosts_business(stage: Any, name: str) -> None:
    stage.modules = {}
    failure = stage.fail(f'import("{name}")')
    assert failure.kind in ("module", "syntax")


def test_a_refused_module_says_why(stage: Any) -> None:
    stage.modules = {"secret": Fault("denied", "the policy does not grant the module 'secret'")}
    failure = stage.fail('import("secret")')
    assert (failure.code, failure.message) == ("denied", "the policy does not grant the module 'secret'")


def test_a_bridge_is_an_immutable_map_of_functions(stage: Any) -> None:
    text = """
    kit := import("kit")
    f := kit.echo
    export [type_name(kit), type_name(f), f == kit.echo, is_callable(f), is_function(f), kit["echo"](1), f([2])]
    """
    assert stage.run(text) == ["immutable-map", "user-function:echo", True, True, False, 1, [2]]
    assert stage.fail('kit := import("kit"); kit.echo = 1').message == "not index-assignable: immutable-map"


def test_a_misspelt_export_says_what_may_be_meant(stage: Any) -> None:
    failure = stage.fail('kit := import("kit")\nkit.ecko(1)')
    assert failure.message == "the bridge 'kit' has no 'ecko'; did you mean 'echo'?"
    assert failure.line == 2


def test_expected_failures_are_error_values_with_code_message_and_details(stage: Any) -> None:
    text = 'kit := import("kit"); r := kit.fail("busy", "later"); export [is_error(r), bool(r), r.value]'
    found = stage.run(text)
    assert found == [True, False, {"code": "busy", "message": "later", "details": {"tried": 3}}]


@pytest.mark.parametrize("code", ["invalid_argument", "denied", "conversion", "unknown_method"])
def test_mistakes_of_the_script_end_it(stage: Any, code: str) -> None:
    failure = stage.fail(f'kit := import("kit")\nkit.fail("{code}", "wrong")')
    assert (failure.code, failure.message, failure.line) == (code, "wrong", 2)


def test_a_function_of_the_script_is_called_back(stage: Any) -> None:
    text = 'kit := import("kit"); n := 1; r := kit.call(func(a, b) { n += a; return b }, 2, "x"); export [r, n]'
    assert stage.run(text) == ["x", 3]


def test_what_fails_in_a_function_called_back_is_the_hosts_to_tell(stage: Any) -> None:
    text = 'kit := import("kit"); r := kit.call(func() { return 1 / 0 }); export r.value.message'
    assert "divide by zero" in stage.run(text)


def test_a_value_that_contains_itself_cannot_cross(stage: Any) -> None:
    failure = stage.fail('kit := import("kit"); a := [1]; a[0] = {b: a}; kit.echo(a)')
    assert (failure.kind, failure.path) == ("conversion", "$[0][0].b")


def test_values_that_cross_are_copies(stage: Any) -> None:
    assert stage.run('kit := import("kit"); a := [[1]]; b := kit.echo(a); b[0][0] = 2; export [a, b]') == [[[1]], [[2]]]


def test_a_spell_loads_files_of_its_own_directory(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "words.tengo").write_text('shout := import("./loud"); export {hi: func(n) { return shout(n) }}')
    (tmp_path / "lib" / "loud.tengo").write_text('text := import("text"); export func(s) { return text.to_upper(s) }')
    (tmp_path / "main.tengo").write_text('words := import("./lib/words"); export words.hi(params.name)')
    with Host() as host, host.session(Policy.minimal()) as session:
        assert session.run(tmp_path / "main.tengo", {"name": "bee"}).value == "BEE"


FILES = {
    "lib.lua": "local M = {} function M.each(list, fn) local out = {} for i, v in ipairs(list) do out[i] = fn(v) end "
    "return out end function M.fail() error({code = 'mine', message = 'bad lib'}) end return M",
    "lib.tengo": "export {double: func(n) { return n * 2 }, each: func(list, f) { out := []; "
    'for v in list { out = append(out, f(v)) }; return out }, crash: func() { return 1 / 0 }, name: "tengo"}',
}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("main.tengo", 'lib := import("./lib.lua"); export lib.each([1, 2], func(v) { return v * 3 })', [3, 6]),
        ("main.tengo", 'r := import("./lib.lua").fail(); export [is_error(r), r.value.code]', [True, "mine"]),
        ("main.lua", 'local t = require("./lib.tengo") return {t.name, t.double(21)}', ["tengo", 42]),
        ("main.lua", 'return require("./lib.tengo").each({1, 2}, function(v) return v + 1 end)', [2, 3]),
        (
            "main.lua",
            'local ok, e = pcall(require("./lib.tengo").crash) return {ok, tostring(e):match("divide by zero")}',
            [False, "divide by zero"],
        ),
    ],
)
def test_files_of_other_languages_call_and_are_called(tmp_path: Path, name: str, text: str, value: Any) -> None:
    for file, content in {**FILES, name: text}.items():
        (tmp_path / file).write_text(content)
    with Host() as host, host.session(Policy.minimal()) as session:
        if "lua" not in host.plugins.engines:
            pytest.skip("the engine lua is not installed")
        assert session.run(tmp_path / name).value == value


@pytest.mark.parametrize("value", [2**63, 2**64 - 1, 2**70])
def test_an_int_beyond_64_bits_does_not_cross(stage: Any, value: int) -> None:
    assert stage.fail("export params.n", params={"n": value}).kind == "conversion"
    stage.exports["big"] = lambda: [value]
    assert stage.fail('kit := import("kit"); export kit.big()').kind == "conversion"


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 2**32, 2**31, -1, 255, 65535])
def test_ints_of_all_sizes_cross(stage: Any, value: int) -> None:
    assert stage.run('kit := import("kit"); export [params.n, kit.echo([params.n])[0]]', {"n": value}) == [value, value]
