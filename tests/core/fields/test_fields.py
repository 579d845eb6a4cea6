"""Plain data into frozen dataclasses: brought to the declared form, or refused with the place and the remedy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest

from llmspell.errors import ConfigError
from llmspell.fields import After, AtLeast, AtMost, Before, FieldError, Problem, SomeOf, read, settle


def double(text: str) -> int:
    if not text.isdigit():
        raise ValueError(f"{text!r} is no number")
    return int(text) * 2


@dataclass(frozen=True, slots=True)
class Inner:
    size: Annotated[int, AtLeast(1), AtMost(9)] = 1

    def __post_init__(self) -> None:
        settle(self)
        if self.size == 7:
            raise FieldError([Problem((), "seven is taken")])


@dataclass(frozen=True, slots=True)
class Outer:
    name: str = ""
    on: bool = False
    ratio: Annotated[float, AtLeast(0, open=True)] | None = None
    colour: Literal["red", "green"] = "red"
    words: frozenset[str] = frozenset()
    places: tuple[int, ...] = ()
    twice: Annotated[int, Before(double)] = 0
    upper: Annotated[str, After(str.upper)] = ""
    inner: Inner = field(default_factory=Inner)
    inners: dict[str, Inner] = field(default_factory=dict)
    some: Annotated[dict[str, Any], SomeOf(Inner)] = field(default_factory=dict)
    any: Any = None

    def __post_init__(self) -> None:
        settle(self)


@pytest.mark.parametrize(
    ("given", "name", "settled"),
    [
        ({"ratio": 2}, "ratio", 2.0),
        ({"ratio": None}, "ratio", None),
        ({"words": ["a", "a", "b"]}, "words", frozenset({"a", "b"})),
        ({"places": [1, 2.0]}, "places", (1, 2)),
        ({"twice": "4"}, "twice", 8),
        ({"upper": "ab"}, "upper", "AB"),
        ({"inner": {"size": 3}}, "inner", Inner(3)),
        ({"inners": {"x": {}}}, "inners", {"x": Inner()}),
        ({"some": {"size": 3.0}}, "some", {"size": 3}),
        ({"some": {}}, "some", {}),
        ({"any": [object]}, "any", [object]),
    ],
)
def test_what_fits_is_brought_to_its_declared_form(given, name, settled) -> None:
    found = getattr(read(Outer, given), name)
    assert found == settled
    assert type(found) is type(settled)
    assert getattr(Outer(**given), name) == settled


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"name": 3}, "name: must be a text, not an integer", None),
        ({"on": 1}, "on: must be true or false, not an integer", None),
        ({"on": None}, "on: must be true or false, not nothing", None),
        ({"ratio": "x"}, "ratio: must be a number, not a text", None),
        ({"ratio": True}, "ratio: must be a number, not a boolean", None),
        ({"ratio": float("nan")}, "ratio: must be a number, not nan", None),
        ({"ratio": float("inf")}, "ratio: must be a number, not inf", None),
        ({"ratio": 0}, "ratio: must be greater than 0, not 0.0", None),
        ({"colour": "gren"}, "colour: must be one of red, green, not 'gren'", "did you mean 'green'?"),
        ({"colour": ["red"]}, "colour: must be one of red, green, not ['red']", None),
        ({"words": "abc"}, "words: must be a list, not a text", None),
        ({"words": ["a", 3]}, "words.1: must be a text, not an integer", None),
        ({"places": [1.5]}, "places.0: must be an integer, not a number", None),
        ({"places": [True]}, "places.0: must be an integer, not a boolean", None),
        ({"twice": "x"}, "twice: 'x' is no number", None),
        ({"inner": 3}, "inner: must be a table, not an integer", None),
        ({"inner": {"size": 0}}, "inner.size: must be at least 1, not 0", None),
        ({"inner": {"size": 10}}, "inner.size: must be at most 9, not 10", None),
        ({"inner": {"siz": 1}}, "inner.siz: there is no such setting", "did you mean 'size'?"),
        ({"inner": {"other": 1}}, "inner.other: there is no such setting", "known here: size"),
        ({"inners": {"x": {"size": 7}}}, "inners.x: seven is taken", None),
        ({"inners": []}, "inners: must be a table, not a list", None),
        ({"some": {"size": 0}}, "some.size: must be at least 1, not 0", None),
        ({"nam": ""}, "nam: there is no such setting", "did you mean 'name'?"),
        ([], "must be a table, not a list", None),
        ({"name": 1, "on": 2, "x": 3}, "x: there is no such setting (and 2 more)", None),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(given, message, hint) -> None:
    with pytest.raises(FieldError) as caught:
        read(Outer, given)
    assert caught.value.message == message
    if hint is not None:
        assert caught.value.hint == hint


def test_a_constructor_checks_as_well() -> None:
    with pytest.raises(ConfigError, match="must be at least 1"):
        Inner(size=0)


def test_every_problem_is_kept_with_its_path() -> None:
    with pytest.raises(FieldError) as caught:
        read(Outer, {"inners": {"a": {"size": 0}, "b": {"size": "x"}}, "nam": 1})
    assert {problem.path for problem in caught.value.problems} == {
        ("nam",),
        ("inners", "a", "size"),
        ("inners", "b", "size"),
    }
