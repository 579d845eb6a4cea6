"""Values themselves: what counts as one, how large it is, and its form on the wire."""

from __future__ import annotations

import datetime
import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell.engine import Source
from llmspell.engine import messages as m
from llmspell.errors import ConversionError
from llmspell.values import FunctionRef, HostRef, MethodRef, ValueLimits, check_value, decoder, encode, size_of

HANDLE = HostRef(3, "Counter", (MethodRef("add"), MethodRef("wait", True)), "stream")
TEXTS = st.text(st.characters(codec=None, categories=None)) | st.text()
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.binary()
    | st.builds(FunctionRef, st.integers(1, 99), st.just("f")) | st.just(HANDLE)
    | st.datetimes(timezones=st.just(datetime.UTC))
)  # fmt: skip
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5))


def same(left: object, right: object) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return (math.isnan(left) and math.isnan(right)) or (
            left == right and math.copysign(1, left) == math.copysign(1, right)
        )
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return left == right


@settings(max_examples=120, deadline=None)
@given(VALUES)
def test_every_value_survives_the_wire(value) -> None:
    check_value(value)
    assert same(decoder(object).decode(encode(value)), value)


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, max_size=3), TEXTS)
def test_every_value_survives_inside_messages(values, text) -> None:
    def heard(said: m.GuestMessage) -> m.GuestMessage:
        return decoder(m.GuestMessage).decode(encode(said))

    assert same(heard(m.Call(1, "kit", "echo", values)).args, values)
    assert same(heard(m.Done(2, values)).values, values)
    assert same(heard(m.Emit("output", text)).data, text)
    assert same(heard(m.Failed(m.Failure(kind="runtime", message="x", value=values))).failure.value, values)


@pytest.mark.parametrize(
    "message",
    [
        m.Start(Source("return 1", "a.lua", "lua", "/root"), {"n": [1, {"x": b"y"}]}, ("kit",), "check"),
        m.Load(4, Source("x")),
        m.Reply(1, {"a": HANDLE}, None),
        m.Reply(1, None, m.Fault("code", "message", {"d": 1}, True)),
        m.Invoke(1, 2, [FunctionRef(1, "f")]),
        m.Cancel("deadline", 3),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_the_host_says_survives_the_wire(message) -> None:
    assert decoder(m.HostMessage).decode(encode(message)) == message


def test_params_may_have_names_with_lone_surrogates() -> None:
    start = m.Start(Source("x"), {"a\ud800": 2**70})
    assert decoder(m.HostMessage).decode(encode(start)).params == start.params


@pytest.mark.parametrize(
    "message",
    [
        m.Failed(m.Failure(kind="runtime", message="a\ud800b")),
        m.Failed(
            m.Failure(kind="runtime", message="x", frames=(m.FrameInfo("lua", "f\ud800", 1, 0, "g", {"l\ud800": "v"}),))
        ),
        m.Call(1, "k\ud800", "m\ud800", ["v\ud800"]),
    ],
)
def test_a_lone_surrogate_in_words_for_people_does_not_break_the_protocol(message) -> None:
    heard = decoder(m.GuestMessage).decode(encode(message))
    assert type(heard) is type(message)
    if isinstance(heard, m.Call):
        assert (heard.target, heard.method, heard.args) == ("k?", "m?", ["v\ud800"])
    else:
        repr(heard).encode()


def test_an_unknown_extension_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown extension 99"):
        decoder(object).decode(msgspec.msgpack.encode(msgspec.msgpack.Ext(99, b"x")))


@pytest.mark.parametrize("code", [2, 3])
def test_a_handle_that_does_not_parse_is_refused(code) -> None:
    with pytest.raises((msgspec.ValidationError, msgspec.DecodeError)):
        decoder(object).decode(msgspec.msgpack.encode(msgspec.msgpack.Ext(code, b"\xc1garbage")))


def test_what_is_no_value_has_no_wire_form() -> None:
    with pytest.raises(TypeError, match="no wire form"):
        encode({"a": object()})


# check_value


@pytest.mark.parametrize(
    ("value", "path", "words"),
    [
        ({1, 2}, "$", "a set cannot cross"),
        ((1, 2), "$", "a tuple cannot cross"),
        ({"a": [0, {"b": (1,)}]}, "$.a[1].b", "a tuple cannot cross"),
        ({1: 2}, "$", "a dict key must be a text, not int"),
        (object(), "$", "a object cannot cross"),
    ],
)
def test_what_is_no_value_is_named_with_its_path(value, path, words) -> None:
    with pytest.raises(ConversionError, match=words) as caught:
        check_value(value)
    assert caught.value.path == path


def test_a_cycle_is_found_and_sharing_is_none() -> None:
    shared = [1]
    check_value({"a": shared, "b": [shared, shared]})
    ring: list[object] = [1]
    ring.append({"back": ring})
    with pytest.raises(ConversionError, match="contains itself") as caught:
        check_value(ring)
    assert caught.value.path == "$[1].back"


def test_limits_are_held_without_recursion() -> None:
    deep: object = 0
    for _ in range(200_000):
        deep = [deep]
    with pytest.raises(ConversionError, match="deeper than 64"):
        check_value(deep)
    check_value([[[1]]], ValueLimits(depth=3))
    for value, limits in (
        ([[[[1]]]], ValueLimits(depth=3)),
        ([1] * 10, ValueLimits(nodes=10)),
        (["é" * 6], ValueLimits(bytes=10)),
        ({"k" * 11: 1}, ValueLimits(bytes=10)),
        (b"x" * 11, ValueLimits(bytes=10)),
    ):
        with pytest.raises(ConversionError, match="limit: value"):
            check_value(value, limits)


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_size_grows_with_every_part(value) -> None:
    size = size_of(value, 10**9)
    assert size_of([value], 10**9) == size + 8
    assert size_of({"é": value}, 10**9) == size + 10


def test_counting_stops_where_it_is_told() -> None:
    assert 100 < size_of(["x" * 60] * 1_000_000, 100) < 1000
    assert size_of("🐝" * 1000, 10) == 1000


# Handles


def test_handles_are_compared_by_what_they_name() -> None:
    assert FunctionRef(1, "f") == FunctionRef(1, "f")
    assert FunctionRef(1) != FunctionRef(2)
    assert FunctionRef(1) != HostRef(1, "f")
    assert len({HANDLE, HostRef(*HANDLE._fields()[:2], HANDLE.methods, "stream")}) <= 2
    assert hash(FunctionRef(1, "f")) == hash(FunctionRef(1, "f"))
    assert "Counter" in repr(HANDLE)


@pytest.mark.parametrize("number", [2**4096 - 1, -(2**4096) + 1, 2**4095])
def test_an_integer_of_4096_bits_crosses(number: int) -> None:
    assert decoder(object).decode(encode([number])) == [number]
    assert str(number)


@pytest.mark.parametrize("number", [2**4096, -(2**4096), 1 << 200_000], ids=["just", "negative", "far"])
def test_an_integer_of_more_bits_is_refused_when_said(number: int) -> None:
    with pytest.raises(ConversionError, match="integer of more than 4,096 bits"):
        encode({"a": [number]})


def test_an_integer_of_more_bits_is_refused_when_heard() -> None:
    said = msgspec.msgpack.encode([msgspec.msgpack.Ext(1, b"\x7f" * 514)])
    with pytest.raises(ConversionError, match="integer of more than 4,096 bits"):
        decoder(object).decode(said)
