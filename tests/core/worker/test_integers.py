"""Integers without end, which a hostile worker or a careless bridge may say, are a typed error on either side."""

from typing import Any

from llmspell.errors import ConversionError, EngineCrashed

FORKED_ONLY: set[str] = set()


def test_the_result_of_a_spell_is_refused_where_it_is_said(shared_bench: Any) -> None:
    outcome = shared_bench.run("result = 1 << 5000")
    assert outcome.failure.kind == "conversion"
    assert "4,096 bits" in outcome.failure.message
    assert shared_bench.run("result = [1 << 4000]").value == [1 << 4000]


def test_an_argument_is_refused_before_the_host_hears_of_the_call(shared_bench: Any) -> None:
    heard: list[Any] = []
    outcome = shared_bench.run("result = call('a', 'b', [1 << 5000])", answer=lambda *call: heard.append(call))
    assert outcome.failure.code == "conversion"
    assert heard == []


def test_what_a_bridge_returns_is_a_fault_that_the_script_is_told(shared_bench: Any) -> None:
    outcome = shared_bench.run("result = call('a', 'b')", answer=lambda *_: {"n": 1 << 5000})
    assert outcome.failure.code == "conversion"
    assert shared_bench.run("result = call('a', 'b')", answer=lambda *_: 1 << 4000).value == 1 << 4000


def test_parameters_are_refused_and_the_worker_is_replaced(shared_bench: Any) -> None:
    outcome = shared_bench.run("result = params['n']", params={"n": 1 << 5000})
    assert isinstance(outcome.error, ConversionError)
    assert shared_bench.run("result = 'next'").value == "next"


def test_a_worker_that_says_one_all_the_same_is_killed(shared_bench: Any) -> None:
    text = (
        "import os, struct, msgspec\n"
        "big = msgspec.msgpack.Ext(1, b'\\x7f' * 1000)\n"
        "done = {'type': 'done', 'id': 0, 'values': [big]}\n"
        "said = {'type': 'said', 'run': port._run, 'messages': [done]}\n"
        "payload = msgspec.msgpack.encode(said)\n"
        "os.write(port._data, struct.pack('!I', len(payload)) + payload)\n"
        "while True: pass"
    )
    outcome = shared_bench.run(text, deadline=5)
    assert isinstance(outcome.error, EngineCrashed)
    assert "4,096 bits" in outcome.error.message
