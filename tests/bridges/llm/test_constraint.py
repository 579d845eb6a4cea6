"""Choices and shapes: how they are said to providers, and how answers are read."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell_llm.structured import Choices, Mismatch, Schema, SchemaError, Shape, read_json
from llmspell_llm.structured.reading import NotJson


@pytest.mark.parametrize(
    "text", ["positive", " Positive.\n", '"positive"', '{"choice": "positive"}', "**positive**", "\u201cpositive\u201d"]
)
def test_a_choice_is_read_in_the_ways_models_write_it(text: str) -> None:
    assert Choices(["positive", "negative"]).read(text) == "positive"


@pytest.mark.parametrize("text", ["", "neutral", "positive and negative", "not positive", '{"choice": "other"}', "{}"])
def test_what_is_none_of_the_choices_is_refused(text: str) -> None:
    with pytest.raises(Mismatch, match="is none of positive, negative"):
        Choices(["positive", "negative"]).read(text)


def test_numbers_and_booleans_can_be_chosen() -> None:
    assert Choices([1, 2, 3]).read("2") == 2
    assert Choices([True, False]).read("false") is False


def test_choices_of_punctuation_stay_apart() -> None:
    assert Choices(["!", "."]).read("!") == "!"


@pytest.mark.parametrize("options", [[], ["a", "a"], ["a", "A"], [None], [["a"]], [""]])
def test_choices_that_make_no_sense_are_refused(options: list[Any]) -> None:
    with pytest.raises(SchemaError):
        Choices(options)


def test_the_grammar_escapes_what_it_must() -> None:
    assert Choices(['say "hi"', "a\\b", "x\ny"]).grammar == 'root ::= "say \\"hi\\"" | "a\\\\b" | "x\\x0Ay"'


def test_a_root_that_is_no_object_travels_inside_one() -> None:
    shape = Shape(Schema({"type": "array", "items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"type": "integer"}}}))
    assert shape.json_schema["properties"]["value"] == {"type": "array", "items": {"$ref": "#/$defs/n"}}
    assert shape.json_schema["$defs"] == {"n": {"type": "integer"}}
    assert shape.read('{"value": [1, 2]}') == [1, 2]
    assert shape.read("[1, 2]") == [1, 2]


def test_a_schema_of_an_object_named_value_is_not_unwrapped() -> None:
    shape = Shape(Schema({"type": "object", "properties": {"value": {"type": "integer"}}, "required": ["value"]}))
    assert shape.read('{"value": 1}') == {"value": 1}


def test_a_mismatch_says_where() -> None:
    shape = Shape(Schema({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer"}}}}))
    with pytest.raises(Mismatch) as caught:
        shape.read('{"a": [1, "x"]}')
    assert caught.value.path == "$.a[1]"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('Here you are: {"a": 1}. Anything else?', {"a": 1}),
        ("{'a': 1,}", {"a": 1}),
        ("[1, 2", [1, 2]),
        ("3", 3),
        ('"x"', "x"),
    ],
)
def test_json_is_found_in_what_models_write(text: str, value: object) -> None:
    assert read_json(text) == value


@pytest.mark.parametrize("text", ["", "no json here", "NaN", "{", "[" * 100_000])
def test_where_there_is_no_json_none_is_made_up(text: str) -> None:
    with pytest.raises(NotJson):
        read_json(text)


def test_an_answer_that_was_cut_off_is_not_mended() -> None:
    shape = Shape(Schema({"type": "array", "items": {"type": "integer"}}))
    assert shape.read('{"value": [1, 2') == [1, 2]
    with pytest.raises(Mismatch, match="is not JSON"):
        shape.read('{"value": [1, 2', mend=False)
