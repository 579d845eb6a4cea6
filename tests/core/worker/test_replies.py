"""Several replies can be brought to a guest at once; it is as if each had come alone."""

from typing import Any

import pytest

from llmspell.engine import messages as m
from llmspell.runtime.worker.frames import MAX_FRAME
from llmspell.runtime.worker.outgrown import frames_of


@pytest.fixture
def three(bench: Any) -> Any:
    """A seat whose guest waits for three calls, and these calls."""
    seat = bench.seat()
    yield seat, seat.step(bench.start("later = [('a', 'x'), ('a', 'y'), ('a', 'z')]"))
    seat.close()


def replies(calls: list[m.Call], *values: Any) -> m.Replies:
    return m.Replies([m.Reply(call.id, value) for call, value in zip(calls, values, strict=True)])


def test_they_are_heard_in_their_order_and_answered_together(three: Any) -> None:
    seat, calls = three
    assert seat.step(replies([calls[2], calls[0]], "z", "x")) == []
    assert seat.step(m.Reply(calls[1].id, "y"))[0].values == [["z", "x", "y"]]


def test_they_are_brought_on_a_loop_as_well(three: Any, in_loop: Any, astep: Any) -> None:
    seat, calls = three

    async def bring() -> Any:
        try:
            return await astep(seat, replies(calls, 1, 2, 3))
        finally:
            seat.leave()

    assert in_loop(bring())[0].values == [[1, 2, 3]]


def test_large_ones_take_several_frames(three: Any, in_loop: Any, astep: Any) -> None:
    seat, calls = three
    large = "x" * (MAX_FRAME * 2 // 3)

    async def bring() -> Any:
        try:
            return await astep(seat, replies(calls, large, "small", large))
        finally:
            seat.leave()

    (failed,) = in_loop(bring())
    assert failed.failure.limit == "message"  # it has heard them all: only its result, made of them, is too large


def test_one_that_is_too_large_does_not_spoil_the_others() -> None:
    framed = frames_of(m.Replies([m.Reply(1, "a"), m.Reply(2, "x" * MAX_FRAME), m.Reply(3, 2**5000), m.Reply(4, "b")]))
    said = [each for word, _ in framed for each in (word.replies if isinstance(word, m.Replies) else [word])]
    assert [reply.id for reply in said] == [1, 2, 3, 4]
    assert all(len(frame) < MAX_FRAME for _, frame in framed)


def test_a_guest_that_asks_gets_its_own_and_the_others_later(bench: Any) -> None:
    seat = bench.seat()
    try:
        text = "from llmspell.engine import messages as m\n"
        text += "early = m.Call(guest._next(), 'a', 'x', [])\nlast = m.Call(guest._next(), 'a', 'y', [])\n"
        text += "asked = port.ask([early, last]).value\n"
        text += "later = []\n"
        text += "guest._step = lambda message: [m.Done(0, [[asked, message.value]])]"
        early, last = seat.step(bench.start(text))
        assert seat.step(replies([early, last], "kept", "now"))[0].values == [["now", "kept"]]
    finally:
        seat.close()


def test_none_is_heard_after_the_end(bench: Any) -> None:
    seat = bench.seat()
    try:
        text = "from llmspell.engine import messages as m\nlater = [('a', 'x'), ('a', 'y')]\n"
        text += "guest._step = lambda message: [m.Done(0, [message.value])]"
        calls = seat.step(bench.start(text))
        assert [word.values for word in seat.step(replies(calls, "first", "second"))] == [["first"]]
    finally:
        seat.close()
    assert bench.run("result = engine.opened").value == 2  # the worker is as good as new
