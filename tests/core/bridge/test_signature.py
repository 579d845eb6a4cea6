"""From a Python signature to a check of arguments, with messages a script author understands."""

from __future__ import annotations

import datetime
import enum
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from llmspell.bridge import Call, ScriptFunction, Secret
from llmspell.bridge.signature import Signature, describe_type, describe_value
from llmspell.errors import ArgumentError
from llmspell.values import FunctionRef, Value


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Query(BaseModel):
    text: str
    limit: int = 10


@dataclass
class Place:
    x: int
    y: int = 0


async def invoke(ref: FunctionRef, args: list[Any]) -> list[Any]:
    return args


FUNCTION = ScriptFunction(FunctionRef(1, "f"), invoke)


class Sample:
    def nothing(self) -> None: ...
    def add(self, left: int, right: int) -> int: ...
    def scale(self, value: float, flag: bool = False) -> float: ...
    def text(self, text: str, other: str | None = None) -> str: ...
    def join(self, words: list[str], *, word_separator: str = " ", upper_case: bool = False) -> str: ...
    def total(self, *numbers: float, round_to: int = 0) -> float: ...
    def table(self, settings: dict[str, Any]) -> None: ...
    def table_and_options(self, settings: dict[str, Any], *, deep: bool = False) -> None: ...
    def any_value(self, value: Any, other: Value = None) -> None: ...
    def call(self, function: ScriptFunction, *args: Any) -> None: ...
    def with_call(self, call: Call, name: str) -> None: ...
    def model(self, query: Query) -> None: ...
    def data(self, place: Place, when: datetime.date | None = None) -> None: ...
    def choice(self, mode: Literal["fast", "slow"], colour: Colour = Colour.RED) -> None: ...
    def constrained(
        self, count: Annotated[int, Field(ge=1, le=5)], name: Annotated[str, Field(pattern="^[a-z]+$")] = "a"
    ) -> None: ...
    def secret(
        self, user: str, password: Annotated[str, Secret()], *, token: Annotated[str | None, Secret()] = None
    ) -> None: ...
    def bounded(
        self,
        *,
        share: Annotated[float, Field(ge=0, le=2)] | None = None,
        count: Annotated[int, Field(ge=1)] | None = None,
    ) -> None: ...
    def union(self, item: str | list[str] | int) -> None: ...
    def path(self, path: Path) -> None: ...
    def raw(self, data: bytes | str) -> None: ...
    def nested(self, rows: list[dict[str, list[int]]]) -> None: ...


def bind(name: str, *args: Any, spell: Callable[[str], str] | None = None) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return Signature(name, getattr(Sample, name)).bind(list(args), spell)


def snake(name: str) -> str:
    return re.sub("[A-Z]", lambda match: "_" + match[0].lower(), name)


def effective(name: str, *args: Any) -> dict[str, Any]:
    """What the method's parameters are in the end."""
    positional, options = bind(name, *args)
    bound = inspect.signature(getattr(Sample, name)).bind(None, *positional, **options)
    bound.apply_defaults()
    return {key: value for key, value in bound.arguments.items() if key != "self"}


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("nothing", [], {}),
        ("nothing", [{}], {}),
        ("nothing", [[]], {}),
        ("add", [1, 2], {"left": 1, "right": 2}),
        ("add", [1.0, -0.0], {"left": 1, "right": 0}),
        ("scale", [1], {"value": 1.0, "flag": False}),
        ("scale", [1.5, True], {"value": 1.5, "flag": True}),
        ("text", ["a"], {"text": "a", "other": None}),
        ("text", ["a", None], {"text": "a", "other": None}),
        ("text", ["a", "b"], {"text": "a", "other": "b"}),
        ("join", [["a"]], {"words": ["a"], "word_separator": " ", "upper_case": False}),
        ("join", [["a"], {"upper_case": True}], {"words": ["a"], "word_separator": " ", "upper_case": True}),
        ("join", [["a"], {}], {"words": ["a"], "word_separator": " ", "upper_case": False}),
        ("join", [["a"], []], {"words": ["a"], "word_separator": " ", "upper_case": False}),
        ("join", [["a"], None], {"words": ["a"], "word_separator": " ", "upper_case": False}),
        ("total", [], {"numbers": (), "round_to": 0}),
        ("total", [1, 2.5, {"round_to": 1}], {"numbers": (1.0, 2.5), "round_to": 1}),
        ("table", [{"a": 1}], {"settings": {"a": 1}}),
        ("table_and_options", [{"deep": True}], {"settings": {"deep": True}, "deep": False}),
        ("table_and_options", [{"a": 1}, {"deep": True}], {"settings": {"a": 1}, "deep": True}),
        ("any_value", [{"x": [1]}], {"value": {"x": [1]}, "other": None}),
        ("any_value", [None], {"value": None, "other": None}),
        ("choice", ["fast"], {"mode": "fast", "colour": Colour.RED}),
        ("choice", ["slow", "blue"], {"mode": "slow", "colour": Colour.BLUE}),
        ("constrained", [5, "abc"], {"count": 5, "name": "abc"}),
        ("model", [{"text": "x"}], {"query": Query(text="x")}),
        ("data", [{"x": 1}, "2026-01-02"], {"place": Place(1), "when": datetime.date(2026, 1, 2)}),
        ("union", [["a"]], {"item": ["a"]}),
        ("union", [3.0], {"item": 3}),
        ("path", ["a/b"], {"path": Path("a/b")}),
        ("raw", [b"\xff"], {"data": b"\xff"}),
        ("raw", ["x"], {"data": "x"}),
        ("nested", [[{"a": [1, 2.0]}]], {"rows": [{"a": [1, 2]}]}),
        ("add", [{"left": 1, "right": 2}], {"left": 1, "right": 2}),
        ("text", [{"text": "a"}], {"text": "a", "other": None}),
    ],
)
def test_arguments_that_fit_are_bound(name, args, expected) -> None:
    assert effective(name, *args) == expected


NOON = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
NOON_TEXT = "2026-01-31T12:00:00.000Z"


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("any_value", [NOON], {"value": NOON, "other": None}),
        ("table", [{"at": NOON}], {"settings": {"at": NOON}}),
        ("text", [NOON], {"text": NOON_TEXT, "other": None}),
        ("text", ["a", NOON], {"text": "a", "other": NOON_TEXT}),
        ("text", [{"text": NOON}], {"text": NOON_TEXT, "other": None}),
        ("join", [["a", NOON, NOON]], {"words": ["a", NOON_TEXT, NOON_TEXT]}),
        ("join", [["a"], {"word_separator": NOON}], {"words": ["a"], "word_separator": NOON_TEXT}),
        ("model", [{"text": NOON}], {"query": Query(text=NOON_TEXT)}),
        ("data", [{"x": 1}, NOON.replace(hour=0)], {"place": Place(1), "when": datetime.date(2026, 1, 31)}),
    ],
)
def test_a_point_in_time_fits_as_it_is_or_as_its_text(name, args, expected) -> None:
    found = effective(name, *args)
    assert {key: found[key] for key in expected} == expected


def test_points_in_time_of_other_arguments_stay() -> None:
    class Mixed:
        def mixed(self, text: str, free: Any, when: datetime.datetime) -> None: ...

    assert Signature("mixed", Mixed.mixed).bind([NOON, NOON, NOON])[0] == (NOON_TEXT, NOON, NOON)


def test_functions_are_bound() -> None:
    assert bind("call", FUNCTION, 1, "a")[0] == (FUNCTION, 1, "a")


def test_names_of_options_are_respelt_for_languages_in_camel_case() -> None:
    assert bind("join", ["a"], {"wordSeparator": "+"}, spell=snake)[1]["word_separator"] == "+"


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("nothing", [1], "nothing takes no arguments, got 1"),
        ("add", [1], "add: argument 2 ('right') is missing; it should be an integer"),
        ("add", [], "add: argument 1 ('left') is missing; it should be an integer"),
        ("add", [1, 2, 3], "add takes at most 2 arguments, got 3"),
        ("add", [1, "2"], "add: argument 2 ('right') should be an integer, got a text"),
        ("add", [1, 2.5], "add: argument 2 ('right') should be an integer, got a number"),
        ("add", [1, True], "add: argument 2 ('right') should be an integer, got a boolean"),
        ("add", [None, 1], "add: argument 1 ('left') should be an integer, got nothing"),
        ("add", [1, [2]], "add: argument 2 ('right') should be an integer, got a list"),
        ("add", [1, b"2"], "add: argument 2 ('right') should be an integer, got bytes"),
        ("add", [1, NOON], "add: argument 2 ('right') should be an integer, got a date and time"),
        ("table", [NOON], "table: argument 1 ('settings') should be a table, got a date and time"),
        ("data", [{"x": 1}, NOON], "data: argument 2 ('when') should be a date without a time or nothing, got a date"),
        (
            "constrained",
            [1, NOON],
            "constrained: argument 2 ('name') should match pattern '^[a-z]+$', got '2026-01-31T12",
        ),
        ("choice", [NOON], "choice: argument 1 ('mode') should be 'fast' or 'slow', got a date and time"),
        ("add", [1, FUNCTION], "add: argument 2 ('right') should be an integer, got a function"),
        ("scale", ["1.5"], "scale: argument 1 ('value') should be a number, got a text"),
        ("scale", [True], "scale: argument 1 ('value') should be a number, got a boolean"),
        ("scale", [1, 1], "scale: argument 2 ('flag') should be a boolean, got an integer"),
        ("scale", [1, "true"], "scale: argument 2 ('flag') should be a boolean, got a text"),
        ("bounded", [{"share": 3}], "bounded: option 'share' should be less than or equal to 2, got 3"),
        ("bounded", [{"share": "x"}], "bounded: option 'share' should be a number or nothing, got a text"),
        ("bounded", [{"count": 0}], "bounded: option 'count' should be greater than or equal to 1, got 0"),
        ("bounded", [{"count": "x"}], "bounded: option 'count' should be an integer or nothing, got a text"),
        ("bounded", [{"count": 1.5}], "bounded: option 'count' should be an integer or nothing, got a number"),
        (
            "join",
            [{}],
            "join: argument 1 ('words') should be a list of texts, got an empty table; an empty list is array{} in Lua",
        ),
        ("text", [7], "text: argument 1 ('text') should be a text, got an integer"),
        ("text", ["a", 7], "text: argument 2 ('other') should be a text or nothing, got an integer"),
        ("text", [b"x"], "text: argument 1 ('text') should be a text, got bytes"),
        ("join", ["a"], "join: argument 1 ('words') should be a list of texts, got a text"),
        ("join", [["a", 1]], "join: argument 1 ('words')[1] should be a valid string, got an integer"),
        ("join", [["a"], {"upper_cas": True}], "join has no option 'upper_cas'; did you mean 'upper_case'?"),
        ("join", [["a"], {"zzz": True}], "join has no option 'zzz'; options: upper_case, word_separator"),
        ("join", [["a"], {"upper_case": 1}], "join: option 'upper_case' should be a boolean, got an integer"),
        ("join", [["a"], "x"], "join takes at most 1 argument and a table of options, got 2"),
        ("total", [1, "2"], "total: argument 2 ('numbers') should be a number, got a text"),
        ("call", ["f"], "call: argument 1 ('function') should be a function, got a text"),
        ("choice", ["medium"], "choice: argument 1 ('mode') should be 'fast' or 'slow', got 'medium'"),
        ("choice", ["fast", "green"], "choice: argument 2 ('colour') should be 'red' or 'blue', got 'green'"),
        ("constrained", [6], "constrained: argument 1 ('count') should be less than or equal to 5, got 6"),
        ("constrained", [1, "A1"], "constrained: argument 2 ('name') should match pattern '^[a-z]+$', got 'A1'"),
        ("table", ["x"], "table: argument 1 ('settings') should be a table, got a text"),
        ("model", [{"text": 1}], "model: argument 1 ('query').text should be a valid string, got an integer"),
        ("nested", [[{"a": [1, "x"]}]], "nested: argument 1 ('rows')[0].a[1]"),
        ("union", [1.5], "union: argument 1 ('item') should be a text or a list of texts or an integer, got a number"),
    ],
)
def test_arguments_that_do_not_fit_are_explained(name, args, message) -> None:
    with pytest.raises(ArgumentError) as caught:
        bind(name, *args)
    assert caught.value.message.startswith(message), caught.value.message
    assert caught.value.code == "invalid_argument"
    assert "pydantic" not in caught.value.message


@pytest.mark.parametrize(
    ("args", "parameter", "position"), [([1, "x"], "right", 2), ([1], "right", 2), (["x", 1], "left", 1)]
)
def test_the_error_names_parameter_and_position(args, parameter, position) -> None:
    with pytest.raises(ArgumentError) as caught:
        bind("add", *args)
    assert (caught.value.parameter, caught.value.position) == (parameter, position)


def test_a_huge_wrong_argument_is_refused_quickly_and_in_few_words() -> None:
    for args in ([["x"] * 9 + [1] * 200_000], [list(range(200_000))]):
        with pytest.raises(ArgumentError) as caught:
            bind("join", *args)
        assert len(caught.value.message) < 200
    with pytest.raises(ArgumentError) as caught:
        bind("choice", "x" * 100_000)
    assert len(caught.value.message) < 300


def test_trailing_nothings_beyond_what_is_required_are_left_out() -> None:
    assert bind("text", "a", None, None) == bind("text", "a")
    with pytest.raises(ArgumentError, match="right"):
        bind("add", 1, None)


def test_a_call_parameter_is_not_an_argument_of_scripts() -> None:
    signature = Signature("with_call", Sample.with_call)
    assert signature.takes_call
    assert [parameter.name for parameter in signature.parameters] == ["name"]
    assert not Signature("add", Sample.add).takes_call


def test_secret_parameters_are_known() -> None:
    assert Signature("secret", Sample.secret).secrets == {"password", "token"}


def test_keyword_catchalls_cannot_be_exported() -> None:
    def options(self: Any, **options: Any) -> None: ...

    with pytest.raises(TypeError, match=r"\*\*options cannot be exported"):
        Signature("options", options)


def test_the_schema_lists_every_parameter() -> None:
    schema = Signature("join", Sample.join).json_schema()
    assert schema["type"] == "object"
    assert schema["required"] == ["words"]
    assert set(schema["properties"]) == {"words", "word_separator", "upper_case"}
    assert schema["properties"]["words"]["items"] == {"type": "string"}


@pytest.mark.parametrize("name", [name for name in vars(Sample) if not name.startswith("_")])
def test_every_signature_has_a_schema(name) -> None:
    assert Signature(name, getattr(Sample, name)).json_schema()["type"] == "object"


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int, "an integer"), (str | None, "a text or nothing"), (list[str], "a list of texts"), (list, "a list"),
        (list[Any], "a list"), (list[str | dict[str, Any]], "a list of texts or tables"),
        (dict[str, int], "a table"), (Literal["a", 1], "one of 'a', 1"), (Annotated[bool, "x"], "a boolean"),
        (Any, "anything"), (Value, "anything"), (ScriptFunction, "a function"), (Path, "Path"), (bytes, "bytes"),
        (int | str | int, "an integer or a text"), (tuple[int, ...], "a list of integers"),
        (datetime.datetime, "a date and time"), (datetime.date | None, "a date without a time or nothing"),
    ],
)  # fmt: skip
def test_types_are_said_in_words(hint, words) -> None:
    assert describe_type(hint) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "nothing"), (True, "a boolean"), (1, "an integer"), (1.0, "a number"), ("", "a text"), (b"", "bytes"),
     ([], "a list"), ({}, "a table"), (FUNCTION, "a function"), (NOON, "a date and time"), (object(), "a object")],
)  # fmt: skip
def test_values_are_said_in_words(value, words) -> None:
    assert describe_value(value) == words
