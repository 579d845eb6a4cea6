"""Random concurrent programs, and a small model of what must come of them.

A program is data: channels with one sender and one receiver each, tasks that are lists of steps, and victims, which
wait for ever and are cancelled. Where a step would be free to choose (``select``), what it leaves behind is not, so$
every fair schedule gives the same results: values, failures, or a deadlock. The scripts in ``programs/`` run them.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

BIG = 1000003
VICTIMS = ("receive", "send", "select", "sleep", "all", "scope", "timeout")
PROGRAMS = Path(__file__).parent / "programs"

Waits = Generator[Callable[[], bool], None, None]


def make_program(seed: int) -> dict[str, Any]:
    """Make a program; about one in four cannot end."""
    rng = random.Random(seed)
    count = rng.randint(1, 5)
    channels: list[int] = []
    tasks: list[list[list[Any]]] = [[] for _ in range(count)]
    merged: dict[int, list[int]] = {}
    for _ in range(rng.randint(0, 6)):
        sender, receiver = rng.randrange(count), rng.randrange(count)
        number = len(channels)
        channels.append(rng.choice((0, 0, 1, 2, 5)))
        values = rng.randint(0, 5)
        sends: list[list[Any]] = [["send", number, rng.randint(0, 99)] for _ in range(values)]
        if rng.random() < 0.9:
            sends.append(["close", number])
            if rng.random() < 0.05:
                sends.append(rng.choice((["send", number, 1], ["close", number])))
        _weave(rng, tasks[sender], sends)
        if sender != receiver and rng.random() < 0.3:
            merged.setdefault(receiver, []).append(number)
        else:
            _weave(rng, tasks[receiver], [["receive", number] for _ in range(values + rng.randint(0, 1))])
    for receiver, numbers in merged.items():
        tasks[receiver].append(["merge", numbers])
    for at, steps in enumerate(tasks):
        others = [other for other in range(count) if other != at]
        for _ in range(rng.randint(0, 3)):
            extra = rng.choice(
                [
                    ["yield"], ["yield"], ["child", rng.randint(0, 9), rng.random() < 0.3],
                    ["scope", rng.randint(1, 4), rng.random() < 0.3], ["race", rng.randint(0, 9)],
                    ["map", rng.randint(0, 6), rng.randint(1, 3)], ["buffer", rng.randint(0, 3), rng.randint(0, 4)],
                    ["scatter", rng.randint(0, 6), rng.randint(1, 3), rng.randint(0, 2)],
                ]
            )  # fmt: skip
            steps.insert(rng.randint(0, len(steps)), extra)
        if others and rng.random() < 0.3:
            steps.insert(rng.randint(len(steps) // 2, len(steps)), ["await", rng.choice(others)])
        if rng.random() < 0.1:
            steps.insert(rng.randint(0, len(steps)), ["fail", rng.choice(("red", "blue"))])
    victims = [rng.choice(VICTIMS) for _ in range(rng.choice((0, 0, 1, 2, 3)))]
    return {"channels": channels, "tasks": tasks, "victims": victims, "yields": rng.randint(0, 4)}


def _weave(rng: random.Random, steps: list[list[Any]], more: list[list[Any]]) -> None:
    """Put steps between others, keeping the order of both."""
    at = 0
    for step in more:
        at = rng.randint(at, len(steps))
        steps.insert(at, step)
        at += 1


class Failed(Exception):
    """A task of the program failed."""


class Channel:
    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.items: deque[int] = deque()
        self.closed = False


class Model:
    """Runs a program by trying every task in turn until none can go on."""

    def __init__(self, program: dict[str, Any]) -> None:
        self.channels = [Channel(capacity) for capacity in program["channels"]]
        self.results: list[dict[str, Any] | None] = [None] * len(program["tasks"])
        self.victims = len(program["victims"])
        self.programs = program["tasks"]

    def outcome(self) -> dict[str, Any] | str:
        """Return what the script returns, or ``"deadlock"``."""
        running = {at: self.work(at) for at in range(len(self.programs))}
        waits: dict[int, Callable[[], bool]] = {at: lambda: True for at in running}
        moved = True
        while moved:
            moved = False
            for at in list(running):
                while at in running and waits[at]():
                    moved = True
                    try:
                        waits[at] = next(running[at])
                    except StopIteration:
                        del running[at]
                    except Failed as error:
                        self.results[at] = {"failed": str(error)}
                        del running[at]
        if running:
            return "deadlock"
        return {"tasks": self.results, "victims": ["cancelled"] * self.victims}

    def work(self, at: int) -> Waits:
        total, log = at + 1, []
        for name, *rest in self.programs[at]:
            if name == "send":
                channel = self.channels[rest[0]]
                if channel.closed:
                    raise Failed("closed")
                channel.items.append((total + rest[1]) % BIG)
                yield self.sent(channel)
            elif name == "receive":
                yield from self.receive(self.channels[rest[0]], log)
                if log[-1] != "closed":
                    total = (total * 3 + log[-1]) % BIG
            elif name == "close":
                channel = self.channels[rest[0]]
                if channel.closed:
                    raise Failed("closed")
                channel.closed = True
            elif name == "await":
                yield lambda other=rest[0]: self.results[other] is not None
                result = self.results[rest[0]]
                assert result is not None
                log.append(result.get("failed", result.get("sum")))
            elif name == "merge":
                parts: list[list[Any]] = [[] for _ in rest[0]]
                while not all(part[-1:] == ["closed"] for part in parts):
                    yield lambda numbers=rest[0], parts=parts: any(
                        part[-1:] != ["closed"] and self.ready(self.channels[number])
                        for number, part in zip(numbers, parts, strict=True)
                    )
                    for number, part in zip(rest[0], parts, strict=True):
                        if part[-1:] != ["closed"] and self.ready(self.channels[number]):
                            self.take(self.channels[number], part)
                for part in parts:
                    log += [*part[:-1], "end"]
            elif name == "fail":
                raise Failed(rest[0])
            else:
                log += _closed_in_itself(name, *rest)
        self.results[at] = {"sum": total, "log": log}

    def sent(self, channel: Channel) -> Callable[[], bool]:
        """A sender goes on when all it has sent but what the channel holds has been taken."""
        return lambda: len(channel.items) <= channel.capacity

    def ready(self, channel: Channel) -> bool:
        return bool(channel.items) or channel.closed

    def take(self, channel: Channel, log: list[Any]) -> None:
        log.append(channel.items.popleft() if channel.items else "closed")

    def receive(self, channel: Channel, log: list[Any]) -> Waits:
        yield lambda: self.ready(channel)
        self.take(channel, log)


def _closed_in_itself(name: str, *rest: Any) -> list[Any]:
    """What a step logs that nobody else can disturb."""
    first = rest[0] if rest else 0
    if name == "child":
        return ["child" if rest[1] else first]
    if name == "scope":
        return ["scope" if rest[1] else first * (first + 1) // 2]
    if name == "race":
        return [first]
    if name == "map":
        return [sum(n * n for n in range(1, first + 1))]
    if name == "buffer":
        taken = min(first, rest[1])
        return [taken, taken > 0, "receive" if taken > 1 else "default"]
    if name == "scatter":
        return [first * (first + 1) // 2]
    assert name == "yield"
    return []


@pytest.fixture(scope="session")
def program_maker() -> Callable[[int], dict[str, Any]]:
    return make_program


@pytest.fixture(scope="session")
def model() -> Callable[[dict[str, Any]], dict[str, Any] | str]:
    return lambda program: Model(program).outcome()


@pytest.fixture(scope="session")
def interpreter() -> Callable[[str], Path]:
    return lambda ending: PROGRAMS / f"interpreter.{ending}"
