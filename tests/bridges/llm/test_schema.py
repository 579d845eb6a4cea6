"""JSON Schemas of scripts: what they accept, what they refuse, and that they are safe to run."""

from __future__ import annotations

import time
from typing import Any

import pytest

from llmspell_llm.structured import Schema, SchemaError

PEOPLE = Schema(
    {
        "type": "object",
        "properties": {
            "people": {
                "type": "array",
                "items": {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]},
            }
        },
    }
)


def test_a_fitting_value_has_no_problems() -> None:
    assert PEOPLE.problems({"people": [{"age": 3}]}) == []


def test_a_problem_says_where_it_is() -> None:
    problems = PEOPLE.problems({"people": [{"age": 1}, {"age": "x"}, {}]})
    assert [problem.path for problem in problems] == ["$.people[1].age", "$.people[2]"]
    assert problems[0].message == "'x' is not of type 'integer'"


def test_no_more_than_twenty_problems_are_told() -> None:
    assert len(PEOPLE.problems({"people": [{}] * 1000})) == 20


@pytest.mark.parametrize(
    ("definition", "path"),
    [
        ({"type": "strin"}, "$.type"),
        ({"properties": {"a": {"type": 3}}}, "$.properties.a.type"),
        ({"required": "a"}, "$.required"),
    ],
)
def test_what_is_no_schema_is_refused_with_its_path(definition: dict[str, object], path: str) -> None:
    with pytest.raises(SchemaError) as caught:
        Schema(definition)
    assert caught.value.path == path


def test_a_schema_must_be_an_object() -> None:
    with pytest.raises(SchemaError, match="a schema is an object, not list"):
        Schema([])  # type: ignore[arg-type]


def test_other_documents_are_never_fetched() -> None:
    # Port 9 on loopback has nobody listening; a fetch would be a connection error, not ours.
    with pytest.raises(SchemaError, match="other documents are not fetched"):
        Schema({"$ref": "http://127.0.0.1:9/x.json"}).problems(1)


def test_a_schema_may_refer_into_itself() -> None:
    tree = Schema({"type": "object", "properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}}})
    assert [p.path for p in tree.problems({"next": {"next": {"n": "x"}}})] == ["$.next.next.n"]


def test_a_schema_that_is_only_itself_ends() -> None:
    with pytest.raises(SchemaError, match="refers to itself without end"):
        Schema({"$ref": "#"}).problems(1)


def test_a_pattern_that_explodes_elsewhere_is_linear_here() -> None:
    began = time.perf_counter()
    schema = Schema({"type": "string", "pattern": "^(a+)+$"})
    assert not schema.accepts("a" * 5000 + "b")
    assert Schema({"patternProperties": {"^(a+)+$": {"type": "integer"}}}).accepts({"a" * 5000 + "b": "x"})
    assert time.perf_counter() - began < 5


def test_pattern_properties_are_checked() -> None:
    schema = Schema({"patternProperties": {"^n_": {"type": "integer"}}})
    assert [p.path for p in schema.problems({"n_a": "x", "other": "x"})] == ["$.n_a"]


def test_a_pattern_that_is_not_supported_is_said_so() -> None:
    with pytest.raises(SchemaError, match="is not supported"):
        Schema({"type": "string", "pattern": "(?=a)"}).problems("a")


def test_references_that_fan_out_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmspell_llm.structured.schema.MAX_SECONDS", 0.05)
    level = {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}, {"$ref": f"#/$defs/{n + 1}"}]} for n in range(40)}
    schema = Schema({"$ref": "#/$defs/0", "$defs": {**level, "40": {"type": "integer"}}})
    with pytest.raises(SchemaError, match="references fan out"):
        schema.problems(1)


@pytest.mark.parametrize(
    "definition",
    [
        {"$ref": "https://example.org/a.json"},
        {"type": "object", "properties": {"a": {"$ref": "#/nope"}}},
        {"type": "array", "items": {"anyOf": [{"$ref": "#missing"}]}},
        {"items": {"$id": "https://example.org/item", "$ref": "#/$defs/a"}, "$defs": {"a": {"type": "integer"}}},
        {"items": {"$id": "https://example.org/item", "$ref": "other"}},
        {"items": {"$id": "item", "$ref": "#/$defs/a", "$defs": {"a": {"$dynamicRef": "#b"}}}},
        {"$ref": "#/parts/a", "parts": {"a": {"$ref": "#/parts/b"}}},
        {"$ref": "#/prefixItems/first", "prefixItems": [{"type": "integer"}]},
        {"$ref": "http://[half an address"},
    ],
)
def test_a_schema_that_refers_to_what_is_not_there_is_none(definition: Any) -> None:
    with pytest.raises(SchemaError, match="which is not in it"):
        Schema(definition)


@pytest.mark.parametrize(
    "definition",
    [
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer"}}},
        {"$defs": {"a": {"$anchor": "here", "type": "integer"}}, "$ref": "#here"},
        {"$defs": {"a": {"$id": "https://example.org/a", "type": "integer"}}, "$ref": "https://example.org/a"},
        {"properties": {"n": {"const": {"$ref": "data, not a reference"}}}, "not": {"type": "string"}},
        {"x-notes": {"$ref": "data, not a reference"}, "type": "integer"},
        {"$id": "https://example.org/all", "anyOf": [{"$id": "part", "$ref": "all#/$defs/a"}], "$defs": {"a": True}},
        {"anyOf": [{"$id": "part", "$ref": "#a", "$defs": {"a": {"$anchor": "a", "type": "integer"}}}]},
        {"$ref": "#/parts/a", "parts": {"a": {"$ref": "#/parts/b"}, "b": {"type": "integer"}}},
    ],
)
def test_what_a_schema_refers_to_may_be_anywhere_in_it(definition: Any) -> None:
    assert Schema(definition).accepts(1)


def test_a_schema_with_many_names_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from referencing import Registry

    readings: list[object] = []
    read = Registry.crawl
    monkeypatch.setattr(Registry, "crawl", lambda registry: readings.append(registry) or read(registry))
    Schema({"$defs": {f"d{n}": {"$anchor": f"a{n}", "$ref": f"#a{(n + 1) % 50}"} for n in range(50)}})
    assert len(readings) < 10


@pytest.mark.parametrize("part", [{"type": "nope"}, {"$id": 5}, {"minLength": "long"}, ["integer"], "integer"])
def test_what_a_schema_refers_to_is_a_schema(part: Any) -> None:
    with pytest.raises(SchemaError, match="what '#/parts/a' refers to is no JSON Schema"):
        Schema({"$ref": "#/parts/a", "parts": {"a": part}})
