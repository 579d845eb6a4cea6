"""From Python objects to values: what each becomes, and what is refused, with its path."""

from __future__ import annotations

import datetime
import decimal
import enum
import pathlib
import types
import uuid
from collections import OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from fractions import Fraction

import pytest
from pydantic import BaseModel, Field

from llmspell.errors import BridgeError, ConversionError
from llmspell.values import ConverterSpec, FunctionRef, HostRef, ValueConverter, ValueLimits


class Colour(enum.Enum):
    RED = "red"
    DEEP = ("a", 1)


class Number(enum.IntEnum):
    TWO = 2


class Word(str):
    def __str__(self) -> str:
        return "not this"


@dataclass
class Person:
    full_name: str
    nick_name: str = field(default="", metadata={"rename": "nick", "omit_empty": True})
    pass_word: str = field(default="x", metadata={"skip": True})


class Model(BaseModel):
    first_name: str
    aliased: int = Field(default=1, alias="other_name")


Point = namedtuple("Point", "x_pos y_pos")
CONVERTER = ValueConverter()


@pytest.mark.parametrize(
    ("item", "value"),
    [
        (None, None), (True, True), (0, 0), (2**70, 2**70), (1.5, 1.5), ("x", "x"), (b"x", b"x"), (Colour.RED, "red"),
        (Colour.DEEP, ["a", 1]), (Number.TWO, 2), (Word("this"), "this"), (bytearray(b"x"), b"x"),
        (memoryview(b"x"), b"x"), ((1, 2), [1, 2]), ({3, 1, 2}, [1, 2, 3]), (frozenset("b"), ["b"]),
        (deque([1]), [1]), (range(3), [0, 1, 2]), (UserList([1]), [1]), (UserDict(a=1), {"a": 1}),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}), (defaultdict(int, a=1), {"a": 1}),
        (types.MappingProxyType({"a": 1}), {"a": 1}), (Point(1, 2), {"x_pos": 1, "y_pos": 2}),
        (decimal.Decimal("1.10"), "1.10"), (uuid.UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        (pathlib.PurePosixPath("/a/b"), "/a/b"), (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC), "2026-01-02T03:04:00+00:00"),
        (datetime.time(3, 4), "03:04:00"), (datetime.timedelta(minutes=1.5), 90.0),
        (Person("Ada"), {"full_name": "Ada"}), (Person("Ada", "A"), {"full_name": "Ada", "nick": "A"}),
        (Model(first_name="Ada", other_name=2), {"first_name": "Ada", "other_name": 2}),
        ({1: "a"}, {"1": "a"}), ({Word("k"): 1}, {"k": 1}),
        ({uuid.UUID(int=0): 1}, {"00000000-0000-0000-0000-000000000000": 1}),
        (FunctionRef(1), FunctionRef(1)), (HostRef(1, "X"), HostRef(1, "X")),
    ],
    ids=lambda item: type(item).__name__,
)  # fmt: skip
def test_an_object_becomes_a_value(item, value) -> None:
    found = CONVERTER.to_value(item)
    assert found == value
    assert type(found) is type(value)


def test_the_result_shares_nothing_with_what_was_given() -> None:
    inner = [1]
    given = {"a": inner, "b": inner}
    value = CONVERTER.to_value(given)
    inner.append(2)
    assert value == {"a": [1], "b": [1]}
    assert value["a"] is not value["b"]


def test_sets_that_cannot_be_sorted_cross_all_the_same() -> None:
    assert sorted(map(str, CONVERTER.to_value({1, "a"}))) == ["1", "a"]


@pytest.mark.parametrize(
    ("item", "path", "words"),
    [
        (object(), "$", "a object cannot cross"),
        ({"a": [1, {"b": object()}]}, "$.a[1].b", "a object cannot cross"),
        ([lambda: None], "$[0]", "a function cannot cross"),
        ({"a": {None: 1}}, "$.a", "a dict key must be a text, not NoneType"),
        ({1.5: 1}, "$", "not float"),
        ({float("nan"): 1}, "$", "not float"),
        ({True: 1}, "$", "not bool"),
        ({(1, 2): 1}, "$", "not tuple"),
        ({b"x": 1}, "$", "not bytes"),
        ([1j], "$[0]", "a complex cannot cross"),
        ([iter([])], "$[0]", "a list_iterator cannot cross"),
    ],
)
def test_what_cannot_cross_is_named_with_its_path(item, path, words) -> None:
    with pytest.raises(ConversionError, match=words) as caught:
        CONVERTER.to_value(item)
    assert caught.value.path == path


@pytest.mark.parametrize(
    "keys", [{1: "a", "1": "b"}, {"1": "a", 1: "b"}, {uuid.UUID(int=0): 1, str(uuid.UUID(int=0)): 2}]
)
def test_two_keys_that_become_one_are_refused_not_lost(keys) -> None:
    with pytest.raises(ConversionError, match="two keys become the same text"):
        CONVERTER.to_value(keys)


def test_two_fields_that_become_one_name_are_refused() -> None:
    @dataclass
    class Clash:
        a_b: int = 1
        aB: int = 2

    assert CONVERTER.to_value(Clash()) == {"a_b": 1, "aB": 2}
    with pytest.raises(ConversionError, match="'aB'"):
        CONVERTER.to_value(Clash(), "camel")


def test_names_of_records_follow_the_language_and_keys_of_data_do_not() -> None:
    item = [Person("Ada"), {"first_name": Point(1, 2)}, Model(first_name="B", other_name=1)]
    assert CONVERTER.to_value(item, "camel") == [
        {"fullName": "Ada"},
        {"first_name": {"xPos": 1, "yPos": 2}},
        {"firstName": "B", "otherName": 1},
    ]


def test_a_cycle_is_found_in_every_kind_of_container() -> None:
    as_list: list[object] = []
    as_list.append(as_list)
    as_dict: dict[str, object] = {}
    as_dict["me"] = as_dict
    person = Person("Ada")
    person.full_name = person  # type: ignore[assignment]
    view: dict[str, object] = {}
    view["v"] = types.MappingProxyType(view)
    for item, path in ((as_list, "$[0]"), (as_dict, "$.me"), (person, "$.full_name"), (view, "$.v")):
        with pytest.raises(ConversionError, match="contains itself") as caught:
            CONVERTER.to_value(item)
        assert caught.value.path.startswith(path)


def test_the_same_object_twice_is_no_cycle() -> None:
    person = Person("Ada")
    assert CONVERTER.to_value([person, person]) == [{"full_name": "Ada"}] * 2


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def test_depth_is_limited() -> None:
    converter = ValueConverter(limits=ValueLimits(depth=5))
    assert converter.to_value(nested(5)) == nested(5)
    with pytest.raises(ConversionError, match=r"deeper than 5 levels \(limit: value depth\)"):
        converter.to_value(nested(6))
    with pytest.raises(ConversionError, match="deeper than 64"):
        CONVERTER.to_value(nested(100_000))


def test_records_count_as_levels() -> None:
    item: object = 1
    for _ in range(4):
        item = Point(item, 0)
    with pytest.raises(ConversionError, match="deeper than 3"):
        ValueConverter(limits=ValueLimits(depth=3)).to_value(item)


def test_parts_are_limited_and_counted_before_they_are_made() -> None:
    converter = ValueConverter(limits=ValueLimits(nodes=10))
    assert converter.to_value(list(range(9))) == list(range(9))
    with pytest.raises(ConversionError, match="more than 10 parts"):
        converter.to_value(list(range(10)))
    with pytest.raises(ConversionError, match="more than 1,000,000 parts"):
        CONVERTER.to_value([[0] * 1000] * 1001)


@pytest.mark.parametrize("text", ["x" * 101, "é" * 51, "🐝" * 26, "\ud800" * 34, b"x" * 101])
def test_texts_are_limited_by_their_bytes(text) -> None:
    converter = ValueConverter(limits=ValueLimits(bytes=100))
    for item in (text, [text], {"k": text}):
        with pytest.raises(ConversionError, match="more than 100 bytes"):
            converter.to_value(item)
    assert converter.to_value([text[:25]]) == [text[:25]]


def test_keys_count_as_text() -> None:
    with pytest.raises(ConversionError, match="more than 100 bytes"):
        ValueConverter(limits=ValueLimits(bytes=100)).to_value({"k" * 60: 1, "l" * 60: 2})


# Converters of others


def test_a_converter_takes_one_step() -> None:
    converter = ValueConverter([ConverterSpec(Fraction, lambda f: (f.numerator, decimal.Decimal(f.denominator)))])
    assert converter.to_value({"f": Fraction(1, 3)}) == {"f": [1, "3"]}


def test_a_later_converter_wins_and_all_win_over_ours() -> None:
    first = ConverterSpec(datetime.date, lambda date: "first")
    second = ConverterSpec(datetime.date, lambda date: "second")
    assert ValueConverter([first, second]).to_value(datetime.date(2026, 1, 1)) == "second"


def test_a_converter_serves_subclasses() -> None:
    class Half(Fraction):
        pass

    assert ValueConverter([ConverterSpec(Fraction, str)]).to_value(Half(1, 2)) == "1/2"


def test_a_record_converter_is_spelt_in_the_language() -> None:
    spec = ConverterSpec(Fraction, lambda f: {"upper_part": f.numerator}, record=True)
    assert ValueConverter([spec]).to_value(Fraction(1, 2), "camel") == {"upperPart": 1}


def test_a_converter_that_fails_is_named_with_the_path() -> None:
    converter = ValueConverter([ConverterSpec(Fraction, lambda f: 1 // 0)])
    with pytest.raises(
        ConversionError, match="a Fraction cannot cross: its converter failed with ZeroDivision"
    ) as caught:
        converter.to_value({"f": Fraction(1)})
    assert caught.value.path == "$.f"
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_expected_failure_of_a_converter_passes() -> None:
    def refuse(item: object) -> object:
        raise BridgeError("not today", code="closed")

    with pytest.raises(BridgeError, match="not today"):
        ValueConverter([ConverterSpec(Fraction, refuse)]).to_value(Fraction(1))


def test_a_converter_that_returns_its_own_object_is_a_cycle() -> None:
    with pytest.raises(ConversionError, match="contains itself"):
        ValueConverter([ConverterSpec(Fraction, lambda f: f)]).to_value(Fraction(1))


def test_live_objects_become_handles_where_there_is_a_maker() -> None:
    thing = object()
    converter = CONVERTER.bound(lambda item: HostRef(7, "Thing") if item is thing else None, ValueLimits(depth=3))
    assert converter.to_value([thing]) == [HostRef(7, "Thing")]
    with pytest.raises(ConversionError, match="a object cannot cross"):
        converter.to_value(object())
    with pytest.raises(ConversionError, match="deeper than 3"):
        converter.to_value(nested(4))


def test_a_long_path_is_shortened_where_it_is_told_and_kept_whole_beside() -> None:
    path = "$" + "[0]" * 500
    error = ConversionError("nested too deep", path=path)
    assert error.path == path
    assert len(str(error)) < 150
