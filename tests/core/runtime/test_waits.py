"""What a guest that cannot suspend hears while it waits in the middle of a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from llmspell.engine.messages import HOST, MAIN, Call, Cancel, Delivery, Done, GuestMessage, Invoke, Replies, Reply
from llmspell.runtime.waits import DEEPEST, Waits


class Guest:
    """Does what a test says for each invocation, and waits by itself for call 1.

    Attributes:
        said: What was answered while it waited.
    """

    def __init__(self, words: list[Delivery], *, hears: bool = True) -> None:
        self.words = words
        self.hears = hears
        self.said: list[list[GuestMessage]] = []
        self.heard: list[Any] = []
        self.does: dict[int, Callable[[], list[GuestMessage]]] = {}
        self.waits = Waits(self.step, lambda: self.words.pop(0), self.said.append)

    def ask(self, call: int) -> Reply:
        self.said.append(self.waits.with_unsaid([Call(call, "a", "b")]))
        return self.waits.until(call, hears=self.hears)

    def step(self, word: Delivery) -> list[GuestMessage]:
        self.heard.append(word)
        if type(word) is Invoke:
            return self.does.get(word.id, list)() or [Done(word.id, ["done"])]
        return []

    def run(self) -> tuple[Reply, list[GuestMessage]]:
        """Ask, and return the reply and what the step says in the end."""
        replies: list[Reply] = []
        self.does[100] = lambda: replies.append(self.ask(1)) or [Done(100, ["the end"])]  # type: ignore[func-returns-value]
        said = self.waits.take(Invoke(100, 1))
        return replies[0], said


@pytest.mark.parametrize("words", [[Reply(1, "x")], [Replies([Reply(1, "x")])], [Reply(7, "y"), Reply(1, "x")]])
def test_the_reply_ends_the_wait(words: list[Delivery]) -> None:
    assert Guest(words).run()[0].value == "x"


def test_a_step_is_taken_meanwhile_and_answered() -> None:
    guest = Guest([Invoke(2, 1), Reply(1)])
    assert guest.run()[1] == [Done(100, ["the end"])]
    assert guest.said[1] == [Done(2, ["done"])]


def test_one_that_does_not_hear_is_told_after_its_step() -> None:
    guest = Guest([Invoke(2, 1), Reply(1)], hears=False)
    assert guest.run()[1] == [Done(100, ["the end"]), Done(2, ["done"])]
    assert guest.said[1] == []


def test_a_wait_inside_a_wait_may_end_after_the_outer_ones_reply_came() -> None:
    guest = Guest([Invoke(2, 1), Reply(1, "outer"), Reply(3, "inner")])
    inner: list[Reply] = []
    guest.does[2] = lambda: inner.append(guest.ask(3)) or [Done(2, ["both"])]  # type: ignore[func-returns-value]
    reply, said = guest.run()
    assert (reply.value, inner[0].value) == ("outer", "inner")
    assert said == [Done(2, ["both"]), Done(100, ["the end"])]


def test_replies_that_come_together_end_the_waits_they_belong_to() -> None:
    guest = Guest([Invoke(2, 1), Replies([Reply(1, "outer"), Reply(9, "other"), Reply(3, "inner")])])
    inner: list[Reply] = []
    guest.does[2] = lambda: inner.append(guest.ask(3)) or []  # type: ignore[func-returns-value]
    reply, said = guest.run()
    assert (reply.value, inner[0].value) == ("outer", "inner")
    assert said == [Done(2, ["done"]), Done(100, ["the end"])]
    assert guest.heard[-1] == Replies([Reply(9, "other")])


def test_an_end_of_the_run_inside_ends_the_wait_and_is_not_said_there() -> None:
    guest = Guest([Invoke(2, 1)])
    guest.does[2] = lambda: [Done(MAIN)]
    reply, _ = guest.run()
    assert reply.fault is not None
    assert reply.fault.fatal
    assert len(guest.said) == 1


def test_what_the_guest_calls_off_is_answered_here() -> None:
    guest = Guest([Invoke(2, 1)])
    off = Call(4, HOST, "cancel", [1])
    guest.does[2] = lambda: [off]
    reply, said = guest.run()
    assert reply.fault is not None
    assert (reply.fault.code, reply.fault.fatal) == ("cancelled", False)
    assert said == [off, Done(100, ["the end"])]


@pytest.mark.parametrize("reason", ["cancelled", "deadline"])
def test_the_end_of_the_run_ends_the_wait_by_its_reason(reason: str) -> None:
    reply, _ = Guest([Cancel(reason)]).run()
    assert reply.fault is not None
    assert (reply.fault.code, reply.fault.fatal) == (reason, True)


def test_in_the_deepest_wait_nothing_is_heard_until_it_is_over() -> None:
    words: list[Delivery] = [Invoke(call, 1) for call in range(2, DEEPEST + 3)]
    replies = [Reply(call) for call in range(DEEPEST + 1, 0, -1)]
    guest = Guest([*words, *replies])
    for call in range(2, DEEPEST + 2):
        guest.does[call] = lambda call=call: guest.ask(call) and [Done(call, ["done"])]  # type: ignore[misc]
    _, said = guest.run()
    told = [word.id for words in [*guest.said, said] for word in words if isinstance(word, Done)]
    assert told == [DEEPEST + 1, DEEPEST + 2, *range(DEEPEST, 1, -1), 100]
