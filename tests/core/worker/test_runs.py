"""A run in a worker is the same conversation as a run anywhere."""

import asyncio
import threading
from typing import Any

from llmspell.engine import GuestLimits
from llmspell.engine import messages as m

FORKED_ONLY: set[str] = set()


def test_a_spell_returns_its_value(each_level: Any) -> None:
    assert each_level.run("result = {'a': [1, 2.5, None, True, 'x', b'y', 2**80]}").value == {
        "a": [1, 2.5, None, True, "x", b"y", 2**80]
    }


def test_parameters_arrive(bench: Any) -> None:
    assert bench.run("result = params['n'] * 2", params={"n": 21}).value == 42


def test_the_limits_arrive(bench: Any) -> None:
    limits = GuestLimits(memory=12 << 20, steps=77, recursion=5)
    said = bench.run("l = guest.limits\nresult = [l.memory, l.steps, l.recursion, l.value.depth]", limits=limits)
    assert said.value == [12 << 20, 77, 5, 64]


def test_a_blocking_guest_gets_the_answers_to_its_calls(each_level: Any) -> None:
    text = "result = [call('math', 'add', n, 1) for n in range(50)]"
    assert each_level.run(text, answer=lambda _, __, a, b: a + b).value == list(range(1, 51))


def test_a_suspending_guest_gets_its_answers_in_any_order(bench: Any) -> None:
    seat = bench.seat()
    try:
        calls = seat.step(bench.start("later = [('a', 'x', 1), ('b', 'y', 2)]"))
        assert [(call.target, call.method, call.args) for call in calls] == [("a", "x", [1]), ("b", "y", [2])]
        assert seat.step(m.Reply(calls[1].id, "second")) == []
        assert seat.step(m.Reply(calls[0].id, "first"))[0].values == [["second", "first"]]
    finally:
        seat.close()


def test_a_message_that_comes_while_the_guest_asks_is_answered_with_nothing_and_kept(bench: Any) -> None:
    seat = bench.seat()
    try:
        text = "functions = {1: lambda a: a + 1}\nx = call('a', 'b')\nlater = [('c', 'd')]"
        (asked,) = seat.step(bench.start(text))
        assert seat.step(m.Invoke(1, 1, [41])) == []
        said = seat.step(m.Reply(asked.id, None))
        assert said[0].target == "c"
        assert said[1] == m.Done(1, [42])
    finally:
        seat.close()


def test_a_guest_that_hears_while_it_asks_answers_in_between(bench: Any) -> None:
    seat = bench.seat()
    try:
        text = "from llmspell.engine import messages as m\nfunctions = {1: lambda a: a + 1}\n"
        text += "guest.asking = True\nx = port.ask([m.Call(guest._next(), 'a', 'b', [])], hears=True).value\nresult = x"
        (asked,) = seat.step(bench.start(text))
        assert seat.step(m.Invoke(1, 1, [41])) == [m.Done(1, [42])]
        assert seat.step(m.Reply(asked.id, "b"))[0].values == ["b"]
    finally:
        seat.close()


def test_a_fault_reaches_the_script(bench: Any) -> None:
    fault = m.Reply(1, None, m.Fault("denied", "not for you"))
    text = "try:\n    call('a', 'b')\nexcept Exception as error:\n    result = [error.fault.code, str(error)]"
    assert bench.run(text, answer=lambda *_: fault).value == ["denied", "not for you"]


def test_output_passes_at_once_while_the_guest_goes_on(bench: Any, port: Any) -> None:
    released = threading.Event()
    seat = bench.seat(port)
    thread = threading.Thread(target=lambda: (port.heard.wait(10), released.set()))
    thread.start()
    try:
        # The call is answered only after the output was heard, in the middle of the step.
        seat.step(
            bench.start("write('now')\nimport time\nend = time.monotonic() + 0.2\nwhile time.monotonic() < end: pass")
        )
        assert released.is_set()
        assert port.text == "now"
    finally:
        thread.join()
        seat.close()


def test_output_larger_than_a_frame_arrives_whole(bench: Any) -> None:
    outcome = bench.run("write('é' * 5_000_000)")
    assert outcome.value is None
    assert outcome.port.text == "é" * 5_000_000


def test_every_run_gets_a_fresh_state_of_the_engine_in_the_same_worker(bench: Any) -> None:
    text = "result = [engine.opened, engine.closed, 'mine' in globals(), id(engine)]\nmine = 1"
    first, second = bench.run(text).value, bench.run(text).value
    assert first[:3] == [1, 0, False]
    assert second[:3] == [2, 1, False]
    assert first[3] == second[3]


def test_functions_of_the_script_can_be_invoked(bench: Any) -> None:
    seat = bench.seat()
    try:
        seat.step(bench.start("functions = {1: lambda *a: sum(a)}\nlater = [('a', 'b')]"))
        assert seat.step(m.Invoke(1, 1, [1, 2, 3])) == [m.Done(1, [6])]
    finally:
        seat.close()


def test_usage_is_what_the_guest_told_last(bench: Any) -> None:
    seat = bench.seat()
    assert seat.usage().memory is None
    seat.step(bench.start("result = 1"))
    assert seat.usage().memory > 0
    seat.close()


def test_an_engine_that_cannot_open_a_state_fails_the_run(bench: Any) -> None:
    failure = bench.run("result = 1", options={"greeting": "cannot open"}).failure
    assert failure.kind == "internal"
    assert "no state to be had" in failure.message


def test_options_reach_the_engine(bench: Any) -> None:
    assert bench.run("result = engine.greeting", options={"greeting": "hello"}).value == "hello"


def test_an_event_loop_is_not_blocked_by_a_busy_guest(bench: Any, in_loop: Any) -> None:
    async def both() -> tuple[Any, int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.005)
                ticks += 1

        ticking = asyncio.create_task(tick())
        busy = "import time\nend = time.monotonic() + 0.3\nwhile time.monotonic() < end: pass\nresult = 'done'"
        outcome = await bench.arun(busy)
        ticking.cancel()
        return outcome.value, ticks

    value, ticks = in_loop(both())
    assert value == "done"
    assert ticks > 10


def test_runs_of_one_loop_overlap(bench: Any, in_loop: Any, astep: Any) -> None:
    """Each of two guests waits for a word of the other's host side: one after the other they would never end."""

    async def both() -> list[Any]:
        first, second = bench.seat(), bench.seat()
        try:
            text = "result = call('a', 'b')"
            (one,), (two,) = await asyncio.gather(astep(first, bench.start(text)), astep(second, bench.start(text)))
            said = await asyncio.gather(astep(second, m.Reply(two.id, 2)), astep(first, m.Reply(one.id, 1)))
            return [each[0].values[0] for each in said]
        finally:
            for seat in (first, second):
                seat.leave()
                seat.close()

    assert in_loop(both()) == [2, 1]


def test_large_values_cross_both_ways_on_a_loop(bench: Any, in_loop: Any) -> None:
    large = ["x" * 1000] * 5000
    outcome = in_loop(bench.arun("result = call('a', 'b', params['v'])", params={"v": large}, answer=lambda *a: a[2]))
    assert outcome.value == large


def test_a_run_begun_in_a_thread_goes_on_in_a_loop(bench: Any, in_loop: Any, astep: Any) -> None:
    seat = bench.seat()
    (call,) = seat.step(bench.start("result = call('a', 'b')"))

    async def finish() -> Any:
        try:
            return await astep(seat, m.Reply(call.id, "from the loop"))
        finally:
            seat.leave()

    try:
        assert in_loop(finish())[0].values == ["from the loop"]
    finally:
        seat.close()


def test_many_threads_run_at_once(bench: Any) -> None:
    values: dict[int, Any] = {}

    def run(number: int) -> None:
        for round_ in range(5):
            text = f"result = [call('a', 'b', n) for n in range(5)] + [{number}, {round_}]"
            values[number * 10 + round_] = bench.run(text, answer=lambda _, __, n: n).value

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == {n * 10 + r: [0, 1, 2, 3, 4, n, r] for n in range(6) for r in range(5)}


def test_a_guest_that_gives_up_asking_says_so_at_the_answer(bench: Any) -> None:
    text = "port._hear = lambda: 1 / 0\ntry:\n    call('a', 'b')\nfinally:\n    del port._hear"
    seat = bench.seat()
    try:
        (call,) = seat.step(bench.start(text))
        assert seat.step(m.Reply(call.id, 1))[0].failure.message == "ZeroDivisionError: division by zero"
    finally:
        seat.close()
