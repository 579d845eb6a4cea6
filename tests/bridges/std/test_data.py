"""``data``: values in, values out."""

from __future__ import annotations

import time
from typing import Any

import pytest


def test_json_goes_both_ways(spell: Any) -> None:
    value = {"name": "Ünï", "list": [1, 2.5, True, None, {"a": []}]}
    text = spell.call("data.to_json", value)
    assert text == '{"name":"Ünï","list":[1,2.5,true,null,{"a":[]}]}'
    assert spell.call("data.parse_json", text) == spell.call("data.from_json", text) == value


@pytest.mark.parametrize("args", [("pretty",), ({"pretty": True},)])
def test_json_is_spread_on_demand(spell: Any, args: tuple[Any, ...]) -> None:
    assert spell.call("data.to_json", {"a": [1]}, *args) == '{\n  "a": [\n    1\n  ]\n}'


def test_json_keys_are_sorted_on_demand(spell: Any) -> None:
    assert spell.call("data.to_json", {"b": 1, "a": 2}, {"sort_keys": True}) == '{"a":2,"b":1}'


def test_an_empty_table_of_options_is_none(spell: Any) -> None:
    assert spell.call("data.to_json", {"pretty": True}, {}) == '{"pretty":true}'


@pytest.mark.parametrize(
    ("text", "line", "column"), [("{", 1, 2), ('{"a": 1,\n "b" 2}', 2, 6), ("", 1, 1), ("[1] x", 1, 5)]
)
def test_json_that_is_none_is_told_with_its_place(spell: Any, text: str, line: int, column: int) -> None:
    fault = spell.fails("data.parse_json", text)
    assert fault.code == "invalid_json"
    assert f"line {line}, column {column}" in fault.message
    assert fault.details == {"line": line, "column": column}


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "-Infinity", "1" * 5000, "[" * 100_000, "\ufeff{}"])
def test_json_beyond_the_standard_is_refused(spell: Any, text: str) -> None:
    assert spell.fails("data.parse_json", text).code == "invalid_json"


@pytest.mark.parametrize(
    ("value", "place"),
    [({"a": [1, b"x"]}, "$.a[1]"), ([float("nan")], "$[0]"), ({"x": float("inf")}, "$.x"), (b"", "$")],
)
def test_what_json_cannot_hold_is_told_with_its_place(spell: Any, value: Any, place: str) -> None:
    fault = spell.fails("data.to_json", value)
    assert fault.code == "not_json"
    assert f"(at {place})" in fault.message


def test_a_function_is_no_json(spell: Any) -> None:
    fault = spell.fails("data.to_json", {"f": spell.fn(lambda: 1)})
    assert fault.message == "a function cannot be written as JSON (at $.f)"


def test_json_is_checked_against_a_schema(spell: Any) -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    assert spell.call("data.parse_json", '{"age": 3}', schema) == {"age": 3}
    fault = spell.fails("data.parse_json", '{"age": "x"}', schema)
    assert fault.code == "invalid_data"
    assert fault.details["errors"] == [{"path": "age", "message": "'x' is not of type 'integer'"}]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('Sure! Here it is:\n```json\n{"a": 1}\n```\nAnything else?', {"a": 1}),
        ('The answer is {"a": [1, 2]}, I think {really}.', {"a": [1, 2]}),
        ("{not this} but [1, 2]", [1, 2]),
        ("{'a': 1, b: 'two',}", {"a": 1, "b": "two"}),
        ('{"a": 1, "b": [1, 2', {"a": 1, "b": [1, 2]}),
    ],
)
def test_structured_answers_are_found_and_mended(spell: Any, text: str, found: Any) -> None:
    assert spell.call("data.extract_structured", text) == found


def test_an_answer_without_json_is_told(spell: Any) -> None:
    assert spell.fails("data.extract_structured", "I do not know.").code == "no_json"
    assert spell.fails("data.extract_structured", "{'a': 1", None, {"repair": False}).code == "no_json"
    assert spell.fails("data.extract_structured", "x" * 1_100_000).code == "too_large"


def test_an_answer_that_does_not_fit_is_told(spell: Any) -> None:
    fault = spell.fails("data.extract_structured", '{"a": 1}', {"required": ["b"]})
    assert (fault.code, fault.details["errors"][0]["message"]) == ("invalid_data", "'b' is a required property")


def test_a_hostile_answer_takes_no_time(spell: Any) -> None:
    began = time.monotonic()
    for text in ("[" * 200_000, "{" * 200_000, "```json\n" * 50_000, '{"a":' * 50_000):
        assert spell.fails("data.extract_structured", text, None, {"repair": False}).code == "no_json"
    assert time.monotonic() - began < 5


PEOPLE = [{"name": "Ann", "age": "3"}, {"name": "Bo, Jr.", "age": "4"}]
TEXTS = {
    "csv": 'name,age\r\nAnn,3\r\n"Bo, Jr.",4\r\n',
    "json": '[{"name":"Ann","age":"3"},{"name":"Bo, Jr.","age":"4"}]',
    "yaml": "- name: Ann\n  age: '3'\n- name: Bo, Jr.\n  age: '4'\n",
}


@pytest.mark.parametrize("source", TEXTS)
@pytest.mark.parametrize("target", TEXTS)
def test_formats_convert_into_each_other(spell: Any, source: str, target: str) -> None:
    assert spell.call("data.convert_format", TEXTS[source], source, target) == TEXTS[target]
    assert spell.call("data.convert_format", TEXTS[source], source, "table") == PEOPLE
    assert spell.call("data.convert_format", PEOPLE, "table", target) == TEXTS[target]


def test_xml_goes_both_ways(spell: Any) -> None:
    xml = '<r a="1 &amp; 2"><i>x</i><i>y</i><e><t>1</t></e>text</r>'
    value = spell.call("data.convert_format", xml, "xml", "table")
    assert value == {"r": {"@a": "1 & 2", "i": ["x", "y"], "e": {"t": "1"}}}
    again = spell.call("data.convert_format", {"r": {"@a": "1 & 2", "#text": "<t>", "i": ["x", 2]}}, "table", "xml")
    assert again == '<r a="1 &amp; 2">&lt;t&gt;<i>x</i><i>2</i></r>'


def test_toml_is_read(spell: Any) -> None:
    assert spell.call("data.convert_format", "a = 1\n[b]\nc = 2024-01-02", "toml", "json") == (
        '{"a":1,"b":{"c":"2024-01-02"}}'
    )
    assert spell.fails("data.convert_format", {}, "table", "toml").code == "unknown_format"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("yaml", "a: &x [1]\nb: *x"),
        ("yaml", "!!python/object/apply:os.system ['true']"),
        ("yaml", "!!python/name:os.system"),
        ("yaml", "a: [1"),
        ("yaml", "[" * 1500),
        ("yaml", "{[1]: 2}"),
        ("toml", "a = "),
        ("csv", "a,a\n1,2"),
        ("csv", "a,b\n1"),
        ("xml", "<a>"),
        ("xml", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"),
        ("xml", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"),
        ("xml", "<a>" * 200 + "</a>" * 200),
    ],
)
def test_hostile_and_broken_texts_are_refused(spell: Any, form: str, text: str) -> None:
    assert spell.fails("data.convert_format", text, form, "table").code == f"invalid_{form}"


@pytest.mark.parametrize(
    ("value", "form", "code"),
    [
        ([1], "csv", "not_csv"),
        ({"a b": 1}, "xml", "not_xml"),
        ({"a": 1, "b": 2}, "xml", "not_xml"),
        ({"a": {"@x y": 1}}, "xml", "not_xml"),
        ({"a": b"x"}, "yaml", "not_json"),
        ({}, "pickle", "unknown_format"),
    ],
)
def test_what_a_format_cannot_hold_is_told(spell: Any, value: Any, form: str, code: str) -> None:
    assert spell.fails("data.convert_format", value, "table", form).code == code


def test_reading_a_format_needs_a_text(spell: Any) -> None:
    assert spell.fails("data.convert_format", {"a": 1}, "yaml", "json").code == "invalid_argument"
    assert spell.fails("data.convert_format", "x" * 5_000_000, "yaml", "json").code == "too_large"


def test_values_are_checked_without_raising(spell: Any) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "array", "items": {"minimum": 3}}}}
    assert spell.call("data.validate", {"n": [3]}, schema) == {"valid": True, "errors": []}
    assert spell.call("data.validate", {"n": [3, 1]}, schema) == {
        "valid": False,
        "errors": [{"path": "n.1", "message": "1 is less than the minimum of 3"}],
    }


@pytest.mark.parametrize(
    ("schema", "valid", "invalid"),
    [
        ({"pattern": "^a+$"}, "aaa", "b"),
        ({"patternProperties": {"^n": {"type": "integer"}}}, {"n1": 1, "x": "y"}, {"n1": "x"}),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1}, {"b": 1}),
        ({"patternProperties": {"^x": {}}, "additionalProperties": {"type": "null"}}, {"xa": 1, "b": None}, {"b": 1}),
        ({"uniqueItems": True}, [1, True, "1", [1], {"a": 1}], [{"a": 1, "b": 2}, {"b": 2.0, "a": 1}]),
        ({"$defs": {"n": {"type": "integer"}}, "items": {"$ref": "#/$defs/n"}}, [1], ["x"]),
        ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, {"type": "object"}, {"type": 3}),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "null"}]}, [None, 1], [1]),
        ({"anyOf": [{"type": "string"}, {"minimum": 2}]}, 3, 1),
    ],
)
def test_schemas_mean_what_the_standard_says(spell: Any, schema: Any, valid: Any, invalid: Any) -> None:
    assert spell.call("data.validate", valid, schema)["valid"] is True
    assert spell.call("data.validate", invalid, schema)["valid"] is False


def doubling(levels: int) -> dict[str, Any]:
    defs: dict[str, Any] = {
        f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(levels)
    }
    defs[f"d{levels}"] = {"type": "integer"}
    return {"$defs": defs, "$ref": "#/$defs/d0"}


@pytest.mark.parametrize(
    ("schema", "value", "code"),
    [
        ({"type": "nonsense"}, 1, "invalid_schema"),
        ({"$ref": "http://127.0.0.1:1/schema"}, 1, "invalid_schema"),
        ({"$ref": "file:///etc/passwd"}, 1, "invalid_schema"),
        ({"$ref": "#/nowhere"}, 1, "invalid_schema"),
        ({"$ref": "#/parts/a", "parts": {"a": {"type": "nonsense"}}}, 1, "invalid_schema"),
        ({"$ref": "#/parts/a", "parts": {"a": {"minLength": "long"}}}, "x", "invalid_schema"),
        ({"$ref": "#/parts/a", "parts": {"a": ["integer"]}}, 1, "invalid_schema"),
        ({"$ref": "#/prefixItems/first", "prefixItems": [{}]}, 1, "invalid_schema"),
        ({"$schema": 3}, 1, "invalid_schema"),
        ({"pattern": "(?=a)"}, "a", "invalid_schema"),
        ({"pattern": "("}, "a", "invalid_schema"),
        ({"unevaluatedProperties": False, "patternProperties": {"a": {}}}, {}, "invalid_schema"),
        ({"$ref": "#"}, 1, "too_complex"),
        (doubling(30), 1, "too_complex"),
    ],
)
def test_schemas_that_would_hurt_the_host_are_refused(
    spell: Any, schema: Any, value: Any, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmspell_std.data.schemas._MAX_STEPS", 5_000)
    assert spell.fails("data.validate", value, schema).code == code


def test_no_pattern_backtracks(spell: Any) -> None:
    began = time.monotonic()
    hostile = "a" * 50_000 + "!"
    for schema, value in (
        ({"pattern": "^(a+)+$"}, hostile),
        ({"patternProperties": {"^(a|a)*$": {"type": "null"}}, "additionalProperties": False}, {hostile: 1}),
    ):
        assert spell.call("data.validate", value, schema)["valid"] is False
    assert time.monotonic() - began < 2


def test_a_check_ends_at_the_deadline(spell: Any) -> None:
    spell.run.deadline = time.monotonic() - 1
    assert spell.fails("data.validate", [1] * 5000, {"items": {"type": "integer"}}).fatal


def test_schemas_are_inferred(spell: Any) -> None:
    schema = spell.call("data.infer_schema", {"n": 1, "f": 1.5, "l": [1, "x"], "e": [], "b": True, "z": None})
    assert schema == {
        "type": "object",
        "properties": {
            "n": {"type": "integer"},
            "f": {"type": "number"},
            "l": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]}},
            "e": {"type": "array"},
            "b": {"type": "boolean"},
            "z": {"type": "null"},
        },
        "required": ["n", "f", "l", "e", "b", "z"],
    }
    assert spell.fails("data.infer_schema", {"x": b"bytes"}).code == "not_json"


def test_values_migrate_between_schemas(spell: Any) -> None:
    old = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    new = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "tags": {"type": "array", "default": ["x"]}},
        "required": ["name", "tags"],
        "additionalProperties": False,
    }
    assert spell.call("data.migrate_schema", {"name": "a", "junk": 1}, old, new) == {"name": "a", "tags": ["x"]}
    assert spell.call("data.migrate_schema", {"name": "a"}, old, old) == {"name": "a"}
    assert spell.fails("data.migrate_schema", {"name": 1}, old, new).code == "invalid_data"
    assert spell.fails("data.migrate_schema", {"name": "a"}, old, {**new, "required": ["id"]}).code == "invalid_data"


def test_map_filter_and_reduce_work_on_lists_and_tables(spell: Any) -> None:
    times = spell.fn(lambda value, place: value * place)
    assert spell.call("data.map", [10, 20], times) == [10, 40]
    assert spell.call("data.map", {"a": 1, "b": 2}, spell.fn(lambda value, key: key * value)) == {"a": "a", "b": "bb"}
    assert spell.call("data.filter", [1, 2, 3], spell.fn(lambda value, place: value != 2)) == [1, 3]
    assert spell.call("data.filter", {"a": 1, "b": 2}, spell.fn(lambda value, key: key == "b")) == {"b": 2}
    add = spell.fn(lambda total, value, place: total + value)
    assert spell.call("data.reduce", [1, 2, 3], add) == 6
    assert spell.call("data.reduce", [1, 2, 3], add, 10) == 16
    assert spell.call("data.reduce", {"a": 1, "b": 2}, add) == 3
    assert spell.call("data.reduce", [], add) is None


@pytest.mark.parametrize(("language", "kept"), [("lua", [0, "", []]), ("javascript", [[]]), ("tengo", [])])
def test_filter_takes_truth_as_the_language_does(spells: Any, language: str, kept: list[Any]) -> None:
    spell = spells(language)
    assert spell.call("data.filter", [0, "", [], False, None], spell.fn(lambda value, place: value)) == kept


def test_a_failing_function_fails_the_call(spell: Any, raised: Any) -> None:
    def fail(value: Any, place: int) -> Any:
        raise raised("no")

    assert "no" in spell.fails("data.map", [1], spell.fn(fail)).message


def test_copies_and_merges(spell: Any) -> None:
    value = {"a": {"b": [1]}}
    assert spell.call("data.clone", value) == value
    assert spell.call("data.merge", {"a": {"x": 1, "y": [1, 2]}}, {"a": {"y": [3], "z": 2}}, {"b": 1}) == {
        "a": {"x": 1, "y": [3], "z": 2},
        "b": 1,
    }


def test_paths_count_as_the_language_does(spells: Any) -> None:
    value = {"users": [{"name": "Ann"}, {"name": "Bo"}]}
    lua, javascript = spells("lua"), spells("javascript")
    assert lua.call("data.get_path", value, "users.1.name") == "Ann"
    assert javascript.call("data.get_path", value, "users.1.name") == "Bo"
    assert lua.call("data.get_path", value, "users.0.name", "none") == "none"
    assert lua.call("data.get_path", value, "users.x.name") is None
    assert lua.call("data.map", ["a"], lua.fn(lambda value, place: place)) == [1]
    assert javascript.call("data.map", ["a"], javascript.fn(lambda value, place: place)) == [0]


def test_setting_a_path_returns_the_changed_copy(spell: Any) -> None:
    value = {"a": {"b": 1}}
    assert spell.call("data.set_path", value, "a.c.d", 2) == {"a": {"b": 1, "c": {"d": 2}}}
    assert spell.call("data.set_path", {"l": [1]}, "l.2", "x") == {"l": [1, "x"]}
    assert spell.call("data.set_path", {"l": [1]}, "l.2.n", "x") == {"l": [1, {"n": "x"}]}
    assert spell.call("data.set_path", [], "a", 1) == {"a": 1}
    assert spell.call("data.delete_path", {"a": {"b": 1, "c": 2}}, "a.b") == {"a": {"c": 2}}
    assert spell.call("data.delete_path", {"a": [1, 2]}, "a.1") == {"a": [2]}
    assert spell.call("data.delete_path", {"a": 1}, "x.y") == {"a": 1}


@pytest.mark.parametrize("path", ["", ".", "a..b", "a.", ".".join("a" * 65)])
def test_paths_that_are_none_are_told(spell: Any, path: str) -> None:
    assert spell.fails("data.get_path", {}, path).code == "invalid_path"


@pytest.mark.parametrize(("value", "path"), [({"a": 1}, "a.b"), ({"l": []}, "l.5"), ({"l": []}, "l.x"), ([1], "x")])
def test_places_that_cannot_be_set_are_told(spell: Any, value: Any, path: str) -> None:
    assert spell.fails("data.set_path", value, path, 1).code == "invalid_path"


def test_differences_are_told(spell: Any) -> None:
    before = {"a": 1, "b": {"c": 1, "d": 1}, "l": [1, 2], "t": True}
    after = {"b": {"c": 2, "e": 1}, "l": [1], "n": 1, "a": 1, "t": 1}
    assert spell.call("data.diff", before, after) == {
        "added": {"b.e": 1, "n": 1},
        "removed": {"b.d": 1, "l.1": 2},
        "modified": {"b.c": {"old": 1, "new": 2}, "t": {"old": True, "new": 1}},
    }
    assert spell.call("data.equals", before, before) is True
    assert spell.call("data.equals", before, after) is False
