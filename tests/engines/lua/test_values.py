"""Values that cross, both ways."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmspell.engine import GuestLimits
from llmspell.values import FunctionRef, HostRef, MethodRef, ValueLimits

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=[]), max_size=40)
NOT_TEXT = st.binary(max_size=40).filter(lambda raw: not _is_text(raw))
SCALARS = st.none() | st.booleans() | INT64 | st.floats(allow_nan=False) | TEXT | NOT_TEXT
KEYS = st.text(max_size=12).filter(lambda key: not any(0xD800 <= ord(c) < 0xE000 for c in key))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)

quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def same(left: Any, right: Any) -> bool:
    """Compare with types: 1 is not 1.0, 0.0 is not -0.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


@quick
@given(VALUES)
def test_a_value_comes_back_as_it_went_in(make_talker: Any, value: Any) -> None:
    talk = make_talker({"value": lambda: value})
    assert same(talk("return t.value()"), value)


@quick
@given(VALUES)
def test_an_argument_arrives_as_it_went_in(make_talker: Any, value: Any) -> None:
    seen: list[Any] = []
    talk = make_talker({"value": lambda: value, "take": seen.append})
    talk("t.take(t.value())")
    assert same(seen, [value])


@quick
@given(st.lists(VALUES, max_size=4))
def test_parameters_and_arguments_of_functions_arrive(talk: Any, values: list[Any]) -> None:
    assert same(talk("return params", params={"v": values}), {"v": values})


@pytest.mark.parametrize(
    "value",
    [{"a": 1, "b": -(2**63), "c": 2.0, "d": True}, [1, 2.5, False], {"k": "ä", "l": b"\xff"}, list(range(1000))],
)
def test_a_flat_container_takes_the_quick_way_and_arrives_the_same(make_talker: Any, value: Any) -> None:
    talk = make_talker({"value": lambda: value})
    assert same(talk("return t.value()"), value)
    kind = "array" if isinstance(value, list) else "nil"
    assert talk(f"return tostring(getmetatable(t.value())) == '{'false' if kind == 'array' else 'nil'}'") is True


def test_nothing_that_reaches_a_script_is_an_object_of_the_host(make_talker: Any) -> None:
    ref = HostRef(7, "Thing", (MethodRef("run"),))
    values = {
        "text": "é",
        "bytes": b"\xff",
        "list": ["a", {"b": None}],
        "handle": ref,
        "flat": {"k": "v"},
        "none": None,
    }
    talk = make_talker({"value": lambda: values, "flat": lambda: {"k": "v"}, "text": lambda: "é", "none": lambda: None})
    kinds = talk(
        """
        local kinds = {}
        local function look(v)
          kinds[#kinds + 1] = v == null and "null" or type(v)
          if type(v) == "table" then for k, w in next, v do look(k) look(w) end end
        end
        look(t.value()) look(t.flat()) look(t.text()) look(t.none()) look(params)
        return kinds
        """,
        params={"a": ["x", {"y": "z"}]},
    )
    assert set(kinds) <= {"null", "table", "string", "number", "boolean", "nil"}


def test_nan_and_the_infinities_cross(make_talker: Any) -> None:
    talk = make_talker({"value": lambda: {"n": math.nan, "i": [math.inf, -math.inf]}})
    value = talk("return t.value()")
    assert math.isnan(value["n"])
    assert value["i"] == [math.inf, -math.inf]


def test_none_inside_a_container_is_the_null_token_and_outside_nil(make_talker: Any) -> None:
    talk = make_talker({"value": lambda: [None, {"a": None}], "none": lambda: None})
    assert talk("local v = t.value() return v[1] == null and v[2].a == null and #v == 2") is True
    assert talk("return t.none() == nil") is True
    assert talk("return {null, {a = null}}") == [None, {"a": None}]


def test_the_null_token_cannot_be_changed(talk: Any) -> None:
    assert talk("return (pcall(function() null.x = 1 end))") is False
    assert talk("return (pcall(setmetatable, null, {}))") is False
    assert talk("return getmetatable(null)") is False
    assert talk("return tostring(null)") == "null"


def test_an_empty_list_and_an_empty_map_are_told_apart(make_talker: Any) -> None:
    talk = make_talker({"value": lambda: [[], {}]})
    assert talk("return t.value()") == [[], {}]
    assert talk("return {}") == {}
    assert talk("return array{}") == []
    assert talk("local v = t.value()[1] v[1] = 'x' v[1] = nil return v") == []


def test_functions_cross_as_handles_and_come_back_as_themselves(make_talker: Any) -> None:
    kept: list[Any] = []
    talk = make_talker({"keep": kept.append, "back": lambda: kept[-1], "both": lambda: [kept[-1], kept[-1]]})
    assert (
        talk("local function f() end t.keep(f) t.keep({f = f}) return t.back().f == f and t.both()[1].f == f") is True
    )
    assert isinstance(kept[0], FunctionRef)
    assert kept[1] == {"f": kept[0]}
    assert kept[0].name.endswith(":1")


def test_a_function_of_another_run_does_not_come_back(make_talker: Any) -> None:
    talk = make_talker({"back": lambda: FunctionRef(99)})
    failure = talk.failure("local f = t.back() return f")
    assert failure.code == "conversion"
    assert "another run" in failure.message


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, 2**64, -(2**63) - 1, 2**200])
def test_an_integer_beyond_64_bits_is_an_error_and_not_a_float(make_talker: Any, number: int) -> None:
    talk = make_talker({"value": lambda: number, "inside": lambda: {"n": [number]}, "flat": lambda: {"n": number}})
    for name in ("value", "inside", "flat"):
        ok, error = talk.all(f"return pcall(t.{name})")
        assert ok is False
        assert error["code"] == "conversion"
        assert "64" in error["message"]
    assert talk.failure("return 1", params={"n": number}).kind == "conversion"


@pytest.mark.parametrize(
    ("source", "path", "word"),
    [
        ("local t = {} t.a = {t} return t", "$.a[1]", "itself"),
        ("return {a = {1, nil, 3}}", "$.a", "hole"),
        ("return {a = {[1] = 1, b = 2}}", "$.a.b", "list items and named fields"),
        ("return {a = {[2^53] = 1}}", "$.a", "keys"),
        ("return {a = {[true] = 1}}", "$.a", "keys"),
        ("return {a = {[1.5] = 1}}", "$.a", "keys"),
        ("return {['\\xff'] = 1}", "$", "UTF-8"),
        ("return {a = {coroutine.create(print)}}", "$.a[1]", "thread"),
        ("local d = {} for i = 1, 100 do d = {d} end return d", "$", "nested"),
    ],
)
def test_what_cannot_cross_is_named_with_its_path(talk: Any, source: str, path: str, word: str) -> None:
    failure = talk.failure(source)
    assert failure.kind == "conversion"
    assert failure.path.startswith(path)
    assert word in failure.message


def test_a_bad_argument_is_an_error_the_script_can_catch(make_talker: Any) -> None:
    talk = make_talker({"take": lambda *args: None})
    ok, error = talk.all("local c = {} c.c = c return pcall(t.take, 1, {x = c})")
    assert ok is False
    assert error["code"] == "conversion"
    assert error["message"].startswith("argument 2: ")
    assert error["path"] == "$.x.c"
    assert talk.calls[-1].target == "@host"  # nothing was said


def test_shared_tables_cross_as_copies(talk: Any) -> None:
    assert talk("local s = {1, 2} return {a = s, b = {s, s}}") == {"a": [1, 2], "b": [[1, 2], [1, 2]]}


def test_metamethods_of_a_script_do_not_run_at_the_crossing(talk: Any) -> None:
    trap = "setmetatable({1, 2}, {__index = error, __len = error, __pairs = error, __gt = error})"
    assert talk(f"return {trap}") == [1, 2]
    assert talk("return setmetatable({a = 1}, {__index = error, __pairs = error, __name = 'x'})") == {"a": 1}


@pytest.mark.parametrize(
    ("limits", "source", "word"),
    [
        (ValueLimits(depth=3), "return {{{{}}}}", "deeper than 3"),
        (ValueLimits(nodes=10), "return {1,2,3,4,5,6,7,8,9,10,11}", "more than 10 parts"),
        (ValueLimits(nodes=10), "local m = {} for i = 1, 11 do m['k' .. i] = i end return m", "more than 10 parts"),
        (ValueLimits(bytes=100), "return {('x'):rep(101)}", "more than 100 bytes"),
        (ValueLimits(bytes=100), "return {[('x'):rep(101)] = 1}", "more than 100 bytes"),
        (ValueLimits(bytes=100), "local m = {} for i = 1, 60 do m['k' .. i] = 'x' end return m", "more than 100 bytes"),
    ],
)
def test_the_limits_of_a_value_hold(talk: Any, limits: ValueLimits, source: str, word: str) -> None:
    assert word in talk.failure(source, GuestLimits(value=limits)).message


def test_the_limits_allow_what_they_say(talk: Any) -> None:
    assert talk("return {{{}}}", GuestLimits(value=ValueLimits(depth=3))) == [[{}]]
    assert talk("return {1,2,3,4,5,6,7,8,9}", GuestLimits(value=ValueLimits(nodes=10))) == [*range(1, 10)]


def test_multiple_results_and_nils_among_them_are_kept(talk: Any) -> None:
    assert talk.all("return") == []
    assert talk.all("return nil") == [None]
    assert talk.all("return 1, nil, {2}, nil") == [1, None, [2], None]
    assert talk.all("return nil, nil") == [None, None]


def test_arguments_keep_their_number(make_talker: Any) -> None:
    seen: list[Any] = []
    talk = make_talker({"take": lambda *args: seen.append(list(args))})
    talk("t.take() t.take(nil) t.take(1, nil) t.take(nil, {}) t.take(nil, nil, nil)")
    assert seen == [[], [None], [1, None], [None, {}], [None, None, None]]


def test_a_large_value_crosses_both_ways(make_talker: Any) -> None:
    rows = [{"id": n, "name": f"row {n}", "tags": ["a", "b"], "score": n / 7, "none": None} for n in range(2000)]
    talk = make_talker({"rows": lambda: rows, "take": lambda value: value == rows})
    assert talk("return t.take(t.rows())") is True


def test_keys_that_many_maps_share_are_written_right(talk: Any) -> None:
    source = "local out = {} for i = 1, 3 do out[i] = {} for k = 1, 1500 do out[i]['key' .. k] = k end end return out"
    assert talk(source) == [{f"key{k}": k for k in range(1, 1501)}] * 3
