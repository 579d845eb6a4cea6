"""Frames and the counting of what they hold, by themselves."""

import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell.runtime.worker import nodes
from llmspell.runtime.worker.frames import MAX_FRAME, FrameError, FrameReader, frame
from llmspell.values.wire import encode

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(max_size=40), inner, max_size=40),
    max_leaves=60,
)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=10), st.lists(st.integers(1, 200), min_size=1))
def test_payloads_come_out_as_they_went_in_however_the_stream_is_cut(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(frame, payloads))
    reader = FrameReader()
    out = []
    at = index = 0
    while at < len(stream):
        step = cuts[index % len(cuts)]
        reader.feed(stream[at : at + step])
        while (payload := reader.next()) is not None:
            out.append(bytes(payload))
        at, index = at + step, index + 1
    assert out == payloads
    assert reader.empty


@given(st.binary(max_size=500))
def test_any_bytes_are_frames_or_refused(data: bytes) -> None:
    reader = FrameReader()
    reader.feed(data)
    try:
        while reader.next() is not None:
            pass
    except FrameError:
        pass


def test_an_announced_length_over_the_cap_is_refused_before_anything_is_allocated() -> None:
    reader = FrameReader()
    tracemalloc.start()
    try:
        reader.feed((MAX_FRAME + 1).to_bytes(4, "big"))
        with pytest.raises(FrameError, match="8,388,609"):
            reader.next()
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_a_payload_over_the_cap_is_not_framed() -> None:
    with pytest.raises(FrameError):
        frame(bytes(MAX_FRAME + 1))


def count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(1 + count(part) for part in value.values())
    if isinstance(value, list):
        return 1 + sum(map(count, value))
    return 1


@given(values)
@settings(max_examples=200)
def test_counting_agrees_with_decoding(value: Any) -> None:
    data = encode(value)
    exact = count(value)
    assert nodes._walk(data, exact)
    assert exact == 1 or not nodes._walk(data, exact - 1)


@pytest.mark.parametrize(
    "value",
    [2**70, -(2**70), "\ud800", 1.5, 2**63, -(2**63), 300, -300, 70_000, -70_000, b"x" * 70_000, "é" * 70_000],
    ids=lambda value: repr(value)[:20],
)
def test_every_form_of_scalar_is_skipped_whole(value: Any) -> None:
    data = encode([value, [1, 2], value])
    assert nodes._walk(data, 6)
    assert not nodes._walk(data, 5)


def test_a_large_honest_value_passes() -> None:
    assert nodes.within(encode(["text"] * 500_000), 1_000_000)
    assert nodes.within(encode("ü" * 4_000_000), 1_000)
    assert nodes.within(encode({str(n): [n, {"a": n}] for n in range(100_000)}), 1_000_000)


@pytest.mark.parametrize(
    "bomb",
    [
        b"\xdd" + (8_000_000).to_bytes(4, "big") + b"\x90" * 8_000_000,
        b"\xdd" + (8_000_000).to_bytes(4, "big") + b"\xc0" * 8_000_000,
        b"\xdf" + (4_000_000).to_bytes(4, "big") + b"\xa0\x80" * 4_000_000,
        b"\x91" * 8_000_000,
        b"\xdd\xff\xff\xff\xff" + b"\x90" * 100_000,
    ],
    ids=["empty lists", "nils", "empty maps", "nesting", "a lie about the length"],
)
def test_a_bomb_does_not_pass(bomb: bytes) -> None:
    assert not nodes.within(bomb, 1_000_000)


def test_damaged_data_is_left_to_the_decoder() -> None:
    """Counting never fails; what it cannot follow, the decoder refuses."""
    for data in (b"", b"\xc1", b"\xdb\xff\xff\xff\xffx", b"\xdc", b"\x92\x01"):
        nodes._walk(data, 10)
        with pytest.raises(msgspec.DecodeError):
            msgspec.msgpack.decode(data)
