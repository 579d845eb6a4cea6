"""Sizes are limited everywhere, and a limit is named with its value."""

from typing import Any

import pytest

from llmspell.engine import messages as m
from llmspell.errors import ResourceExhausted
from llmspell.runtime.worker.frames import MAX_FRAME

FORKED_ONLY: set[str] = set()

BIG = f"'x' * {MAX_FRAME}"


def test_a_result_too_large_for_a_message_is_a_limit(shared_bench: Any) -> None:
    failure = shared_bench.run(f"result = {BIG}").failure
    assert (failure.kind, failure.limit, failure.limit_value) == ("limit", "message", MAX_FRAME)


def test_arguments_too_large_for_a_message_are_a_fault_of_the_call(shared_bench: Any) -> None:
    text = f"try:\n    call('a', 'b', {BIG})\nexcept Exception as error:\n    result = error.fault.code"
    assert shared_bench.run(text).value == "too_large"


def test_the_other_calls_said_at_once_are_answered(shared_bench: Any) -> None:
    text = f"""
from llmspell.engine.messages import Call
calls = [Call(1, 'a', 'small', []), Call(2, 'a', 'large', [{BIG}])]
result = port.ask(calls).fault.code
guest.calls = 2
"""
    asked = []
    outcome = shared_bench.run(text, answer=lambda _, method: asked.append(method))
    assert outcome.value == "too_large"
    assert asked == ["small"]


def test_a_suspended_guest_gets_the_fault_as_a_reply(shared_bench: Any) -> None:
    outcome = shared_bench.run(f"later = [('a', 'small'), ('a', 'large', {BIG})]", answer=lambda *_: "there")
    assert outcome.value == [None, "there"]


def test_a_reply_too_large_for_a_message_is_a_fault_of_the_call(shared_bench: Any) -> None:
    text = "try:\n    call('a', 'b')\nexcept Exception as error:\n    result = error.fault.code"
    assert shared_bench.run(text, answer=lambda *_: "x" * MAX_FRAME).value == "too_large"


def test_many_words_that_fit_alone_but_not_together_all_arrive(shared_bench: Any) -> None:
    text = "later = [('a', 'b', 'x' * 3_000_000) for _ in range(5)]"
    assert shared_bench.run(text, answer=lambda _, __, x: len(x)).value == [3_000_000] * 5


def test_parameters_too_large_for_a_message_are_refused_before_anything_runs(shared_bench: Any) -> None:
    outcome = shared_bench.run("result = 1", params={"big": "x" * MAX_FRAME})
    assert isinstance(outcome.error, ResourceExhausted)
    assert (outcome.error.limit, outcome.error.value) == ("message", MAX_FRAME)


def test_an_account_of_a_failure_too_large_for_a_message_is_shortened(shared_bench: Any) -> None:
    failure = shared_bench.run(f"raise ValueError({BIG})").failure
    assert failure.kind == "runtime"
    assert failure.message.startswith("ValueError: xxx")
    assert len(failure.message) <= 64 * 1024


def test_an_event_too_large_for_a_message_is_reported_as_dropped(shared_bench: Any) -> None:
    text = f"from llmspell.engine.messages import Emit\nport.emit(Emit('warning', {{'x': {BIG}}}))"
    outcome = shared_bench.run(text)
    assert outcome.port.said == [m.Emit("warning", outcome.port.said[0].data)]
    assert outcome.port.said[0].data["code"] == "too_large"


def test_output_stops_at_its_limit_and_the_guest_says_so(shared_bench: Any, make_port: Any) -> None:
    outcome = shared_bench.run("while True: write('x' * 1000)", port=make_port(limit=10_000))
    assert outcome.failure.limit == "output"
    assert len(outcome.port.text) == 11_000


@pytest.mark.parametrize("size", [MAX_FRAME - 200, MAX_FRAME // 2])
def test_what_fits_a_message_crosses(shared_bench: Any, size: int) -> None:
    assert len(shared_bench.run(f"result = 'x' * {size - 1024}").value) == size - 1024
