"""Staying awake for an answer that is near, and sleeping when it is not."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Iterator
from itertools import pairwise

import pytest

from llmspell.engine.messages import Done
from llmspell.runtime.worker import waiting
from llmspell.runtime.worker.line import Line
from llmspell.runtime.worker.waiting import Alert

pytestmark = pytest.mark.skipif(not hasattr(select, "poll"), reason="needs select.poll")


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[socket.socket, socket.socket]]:
    monkeypatch.setattr(waiting, "_ALONE", False)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


class Looks:
    """Counts how often an alert looks."""

    def __init__(self, alert: Alert) -> None:
        self.count = 0
        self._poll = alert._poll
        assert self._poll is not None
        alert._poll = self

    def __call__(self, milliseconds: float) -> object:
        self.count += 1
        assert self._poll is not None
        return self._poll(milliseconds)

    def during(self, alert: Alert) -> int:
        before = self.count
        alert.stay()
        return self.count - before


def test_what_is_there_is_seen_at_the_first_look_and_left_to_be_read(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    alert = Alert(ours.fileno())
    looks = Looks(alert)
    theirs.send(b"word")
    assert looks.during(alert) == 1
    assert ours.recv(16) == b"word"


def test_who_was_awake_in_vain_does_so_less_and_less_often(pair: tuple[socket.socket, socket.socket]) -> None:
    alert = Alert(pair[0].fileno())
    looks = Looks(alert)
    awake = [number for number in range(1_000) if looks.during(alert)]
    pauses = [after - before for before, after in pairwise(awake)]
    assert pauses[:7] == [2, 4, 8, 16, 32, 64, 128]
    assert set(pauses[7:]) == {129}


def test_answers_that_come_in_time_are_waited_for_again_at_once(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    alert = Alert(ours.fileno())
    looks = Looks(alert)
    for _ in range(200):
        alert.stay()
    theirs.send(b"word")
    while not looks.during(alert):
        pass
    assert [looks.during(alert) for _ in range(50)] == [1] * 50


def test_the_end_of_the_other_side_is_seen(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    alert = Alert(ours.fileno())
    looks = Looks(alert)
    theirs.close()
    assert looks.during(alert) == 1


def test_nobody_stays_awake_on_the_only_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_ALONE", True)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        alert = Alert(ours.fileno())
        assert alert._poll is None
        alert.stay()


def test_a_loop_stays_awake_for_one_line_and_not_for_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that stayed awake in turns would keep the loop from hearing each other's answers."""
    monkeypatch.setattr(waiting, "_ALONE", False)

    async def looks_while(awaited: int) -> int:
        pairs = [socket.socketpair() for _ in range(awaited)]
        awaiting: set[Line] = set()
        looks = []
        told = asyncio.Event()
        for ours, _ in pairs:
            alert = Alert(ours.fileno())
            looks.append(Looks(alert))
            line = Line(ours, alert, awaiting, lambda data: [Done(0, [data])], lambda: 16)
            line.say(b"word", lambda said, failure: told.set())
        await asyncio.sleep(0)
        for _, theirs in pairs:
            assert theirs.recv(16) == b"word"
            theirs.send(b"answer")
        await told.wait()
        while awaiting:
            await asyncio.sleep(0)
        for pair in pairs:
            asyncio.get_running_loop().remove_reader(pair[0].fileno())
            for each in pair:
                each.close()
        return sum(each.count for each in looks)

    assert asyncio.run(looks_while(1)) > 0
    assert asyncio.run(looks_while(2)) == 0
