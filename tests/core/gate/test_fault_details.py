"""What an export tells with its failure is converted as its results are, and never takes the run down."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pytest

from llmspell.plugin import Bridge, BridgeError, export
from llmspell.testing.harness import BridgeHarness
from llmspell.testing.scripted import CallFailed

NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Place:
    line: int


DETAILS: dict[str, Any] = {
    "plain": {"tried": [1, 2]},
    "clock": {"at": NOON.replace(tzinfo=None)},
    "instant": {"at": NOON},
    "path": {"file": PurePosixPath("a/b")},
    "record": {"place": Place(3)},
    "keys": {1: "one"},
    "foreign": {"inner": [object()]},
}


class Failing(Bridge):
    name = "failing"

    @export
    def fail(self, which: str) -> None:
        """Fail, with details."""
        raise BridgeError("it did not work", code="failed", details=DETAILS[which])


def caught(which: str) -> CallFailed:
    seen: list[CallFailed] = []

    def script() -> Any:
        try:
            yield ("failing", "fail", which)
        except CallFailed as error:
            seen.append(error)

    with BridgeHarness(Failing) as harness:
        harness.run(script)
    return seen[0]


@pytest.mark.parametrize(
    ("which", "details"),
    [
        ("plain", {"tried": [1, 2]}),
        ("clock", {"at": "2026-01-31T12:00:00"}),
        ("instant", {"at": "2026-01-31T12:00:00+00:00"}),
        ("path", {"file": "a/b"}),
        ("record", {"place": {"line": 3}}),
        ("keys", {"1": "one"}),
    ],
)
def test_details_are_values(which: str, details: Any) -> None:
    assert caught(which).details == details


def test_details_that_cannot_cross_are_left_out_and_the_message_says_so() -> None:
    fault = caught("foreign")
    assert (fault.code, fault.details) == ("failed", None)
    assert fault.message == (
        "it did not work (its details cannot cross: a object cannot cross to a script (at $.inner[0]))"
    )
