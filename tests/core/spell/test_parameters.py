"""Parameters: read from texts by their declared type, checked, completed, and what naming a path grants."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from llmspell.errors import LlmspellError, ParameterError, UsageError
from llmspell.spell import (
    Manifest,
    bind_params,
    named_paths,
    parse_assignments,
    read_params_file,
    surplus_hint,
)


def declare(**parameters: dict[str, Any]) -> Manifest:
    return Manifest(parameters=parameters)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", "3", "3"),
        ("string", "", ""),
        ("integer", "-3", -3),
        ("integer", "9223372036854775808", 2**63),
        ("number", "3", 3),
        ("number", "3.0", 3.0),
        ("number", "-1e3", -1000.0),
        ("boolean", "yes", True),
        ("boolean", "FALSE", False),
        ("boolean", "0", False),
        ("list", "a, b,c", ["a", "b", "c"]),
        ("list", "", []),
        ("list", '[1, {"a": null}]', [1, {"a": None}]),
        ("json", '{"a": [1.5, true]}', {"a": [1.5, True]}),
        ("json", '"text"', "text"),
        ("file", "a/b.txt", "a/b.txt"),
    ],
)
def test_text_is_read_by_the_declared_type(kind: str, text: str, value: object) -> None:
    read = parse_assignments(declare(x={"type": kind}), [f"x={text}"])["x"]
    assert read == value
    assert type(read) is type(value)


def test_an_undeclared_parameter_is_a_plain_text() -> None:
    assert parse_assignments(Manifest(), ["n=3", "url=http://x/?a=b"]) == {"n": "3", "url": "http://x/?a=b"}


def test_a_home_directory_is_expanded_in_paths_only() -> None:
    read = parse_assignments(declare(f={"type": "file"}), ["f=~/x", "g=~/x"])
    assert read == {"f": os.path.expanduser("~/x"), "g": "~/x"}


def test_a_list_may_be_given_in_parts() -> None:
    assert parse_assignments(declare(t={"type": "list"}), ["t=a,b", "t=c"]) == {"t": ["a", "b", "c"]}


@pytest.mark.parametrize("text", ["novalue", "=3", "  =3", ""])
def test_a_malformed_assignment_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="KEY=VALUE"):
        parse_assignments(Manifest(), [text])


def test_a_parameter_given_twice_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="'a' is given twice"):
        parse_assignments(Manifest(), ["a=1", "a=2"])


def test_bytes_that_are_no_text_are_a_usage_error() -> None:
    with pytest.raises(UsageError, match="'a' is not UTF-8"):
        parse_assignments(Manifest(), ["a=\udcff"])


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("integer", "3.5", "must be an integer, not '3.5'"),
        ("integer", "1_000", "must be an integer"),
        ("integer", "٣", "must be an integer"),
        ("integer", "9" * 5000, "too large"),
        ("number", "abc", "must be a number, not 'abc'"),
        ("number", "nan", "must be a number"),
        ("number", "1e999", "must be a number"),
        ("boolean", "maybe", "must be true or false"),
        ("json", "{", "not JSON"),
        ("json", "[NaN]", "NaN is not a JSON value"),
        ("json", "[" * 100_000, "not JSON: it is nested too deeply"),
        ("list", "[1,", "not JSON"),
    ],
)
def test_text_that_does_not_fit_its_type_is_refused(kind: str, text: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        parse_assignments(declare(x={"type": kind}), [f"x={text}"])


def test_binding_fills_in_defaults_and_leaves_other_optional_ones_out() -> None:
    manifest = declare(a={"default": "x"}, b={"type": "integer"}, c={"type": "boolean", "default": False})
    assert bind_params(manifest, {"z": 1}) == {"z": 1, "a": "x", "c": False}


def test_python_values_are_checked_like_texts() -> None:
    manifest = declare(n={"type": "integer"}, f={"type": "file"}, t={"type": "list"})
    assert bind_params(manifest, {"n": 3, "f": Path("a/b"), "t": ("x",)}) == {"n": 3, "f": "a/b", "t": ["x"]}
    with pytest.raises(ParameterError, match="'n' must be an integer, not a text"):
        bind_params(manifest, {"n": "3"})
    with pytest.raises(ParameterError, match="'n' must be an integer, not a boolean"):
        bind_params(manifest, {"n": True})


def test_a_point_in_time_is_its_text_where_a_text_is_declared_and_itself_in_json() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    declared = declare(text={}, data={"type": "json"}, n={"type": "integer"})
    assert bind_params(declared, {"text": noon, "data": {"at": noon}}) == {
        "text": "2026-01-31T12:00:00.000Z", "data": {"at": noon},
    }  # fmt: skip
    with pytest.raises(ParameterError, match="'n' must be an integer, not a datetime"):
        bind_params(declared, {"n": noon})
    with pytest.raises(ParameterError, match="'data' must be plain data: a datetime without a zone"):
        bind_params(declared, {"data": [noon.replace(tzinfo=None)]})


def test_a_missing_parameter_is_named_with_the_way_to_give_it() -> None:
    manifest = declare(topic={"required": True, "description": "what to write about"})
    with pytest.raises(ParameterError, match="needs the parameter 'topic': what to write about") as caught:
        bind_params(manifest, {})
    assert caught.value.hint == "give it with -p topic=STRING"
    with pytest.raises(ParameterError) as caught:
        bind_params(manifest, {"topci": "bees"})
    assert caught.value.hint == "you gave 'topci'; did you mean 'topic'?"


def test_a_value_must_be_among_the_choices() -> None:
    manifest = declare(tone={"choices": ["dry", "warm"]})
    with pytest.raises(ParameterError, match="one of dry, warm, not 'wram'") as caught:
        bind_params(manifest, {"tone": "wram"})
    assert caught.value.hint == "did you mean 'warm'?"


def test_a_name_close_to_a_declared_one_is_worth_a_hint() -> None:
    manifest = declare(topic={})
    assert surplus_hint(manifest, {"topik": "x"}) == "the spell declares no parameter 'topik'; did you mean 'topic'?"
    assert surplus_hint(manifest, {"zebra": "x"}) is None
    assert surplus_hint(manifest, {"topik": "x", "topic": "y"}) is None


def test_a_params_file_holds_an_object(tmp_path: Path) -> None:
    file = tmp_path / "params.json"
    file.write_text('\ufeff{"n": 3, "deep": {"a": [null]}}')
    assert read_params_file(file) == {"n": 3, "deep": {"a": [None]}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[1, 2]", "holds an array, not an object"),
        (b'"x"', "holds a string"),
        (b"null", "holds null"),
        (b"3", "holds a number"),
        (b"true", "holds a boolean"),
        (b'{"a": }', "not JSON: .*line 1 column 7"),
        (b'{"a": Infinity}', "Infinity is not a JSON value"),
        (b"", "not JSON"),
        (b'{"a": "\xff"}', r"not UTF-8 \(byte 7\)"),
        (b'{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_a_params_file_of_anything_else_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "params.json"
    file.write_bytes(content)
    with pytest.raises(ParameterError, match=message):
        read_params_file(file)


@pytest.mark.parametrize("name", ["absent.json", "."])
def test_a_params_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_params_file(tmp_path / name)


def test_naming_a_path_grants_exactly_it(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x")
    manifest = declare(f={"type": "file"}, d={"type": "dir"}, s={}, other={"type": "file", "default": "/etc/passwd"})
    given = {"f": str(file), "d": str(tmp_path), "s": "/etc/hostname", "undeclared": "/etc/hosts"}
    assert named_paths(manifest, given) == (str(file), str(tmp_path))


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("file", "absent", "there is no file"),
        ("dir", "absent", "there is no directory"),
        ("file", ".", "is not a file"),
        ("dir", "a.txt", "is not a directory"),
        ("file", "a\0b", "there is no file"),
    ],
)
def test_a_named_path_must_be_what_its_type_says(tmp_path: Path, kind: str, name: str, message: str) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(ParameterError, match=message):
        named_paths(declare(f={"type": kind}), {"f": f"{tmp_path}/{name}"})


def test_every_refusal_is_a_llmspell_error_with_the_exit_code_of_validation() -> None:
    assert issubclass(ParameterError, LlmspellError)
    assert ParameterError.exit_code == 10
