"""The stop ladder: interrupt, grace, SIGKILL of the group, all within 250 ms of the deadline."""

import asyncio
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from llmspell.engine import messages as m
from llmspell.errors import EngineCrashed
from llmspell.runtime.worker import seat as seats

FORKED_ONLY = {"test_processes_of_the_guest_die_with_it"}
BUSY = "write('busy')\nwhile True: pass"
DEAF = "guest.interrupt = lambda reason: None\nwrite('busy')\nwhile True: pass"
OVERSHOOT = 0.25
TRIES = 20


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give guests that are told to end all the time in the world: a busy machine must not decide a test."""
    monkeypatch.setattr(seats, "GRACE", 60.0)
    monkeypatch.setattr(seats, "CLEANUP_GRACE", 60.0)


def in_time(attempt: Callable[[], float]) -> bool:
    """Tell whether an end comes within the overshoot, if only once: the rest is the machine's load, and measured."""
    return any(attempt() < OVERSHOOT for _ in range(TRIES))


def test_the_ladder_ends_well_within_the_overshoot() -> None:
    assert seats.GRACE < seats.CLEANUP_GRACE < OVERSHOOT - 0.05


def test_a_busy_guest_is_interrupted_and_says_so_itself(each_level: Any, patient: None) -> None:
    outcome = each_level.once_busy(BUSY, lambda seat: seat.interrupt("deadline"))
    assert outcome.failure.limit == "deadline"


def test_a_deaf_guest_is_killed(each_level: Any) -> None:
    outcome = each_level.once_busy(DEAF, lambda seat: seat.interrupt("deadline"))
    assert isinstance(outcome.error, EngineCrashed)
    assert "did not stop (deadline)" in outcome.error.message
    assert each_level.run("result = 'next'").value == "next"


@pytest.mark.parametrize("text", [BUSY, DEAF], ids=["busy", "deaf"])
def test_a_guest_is_ended_within_the_overshoot(bench: Any, text: str) -> None:
    """Whether always, tests/bench measures over a thousand runs."""
    bench.run("result = 1")

    def attempt() -> float:
        seconds: float = bench.run(text, deadline=0.1).seconds - 0.1
        assert seconds > 0
        bench.run("result = 1")
        return seconds

    assert in_time(attempt)


def test_a_stopped_process_is_killed_too(bench: Any) -> None:
    def stop(seat: Any) -> None:
        signal.pidfd_send_signal(seat._worker._pidfd, signal.SIGSTOP)
        seat.interrupt("deadline")

    outcome = bench.once_busy(BUSY, stop)
    assert isinstance(outcome.error, EngineCrashed)
    assert "did not stop" in outcome.error.message


def test_a_cancelled_guest_has_time_to_clean_up(bench: Any, patient: None) -> None:
    text = """
def work():  # Python may leave a bare loop between two instructions that no handler covers
    write('working')
    while True: pass
try:
    work()
finally:
    write(', cleaned up')
"""
    outcome = bench.once_busy(text, lambda seat: seat.interrupt("cancelled"))
    assert outcome.failure.kind == "cancelled"
    assert outcome.port.text == "working, cleaned up"


def test_a_guest_that_floods_the_host_with_calls_is_stopped(bench: Any, patient: None) -> None:
    outcome = bench.run("while True: call('a', 'b')", deadline=0.1)
    assert outcome.failure.limit == "deadline"


def test_processes_of_the_guest_die_with_it(bench: Any, family: Any, wait_until: Any, patient: None) -> None:
    """At level standard nothing forbids a fork; the child holds the socket, and leaves group and session."""
    text = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        while True: time.sleep(1)
    while True: time.sleep(1)
write('forked')
while True: pass
"""
    bench.run("result = 1")
    warden = bench.workers._source._launch.process.pid
    before = family(warden)
    outcome = bench.once_busy(text, lambda seat: seat.interrupt("deadline"))
    assert outcome.failure.limit == "deadline"
    wait_until(lambda: family(warden) <= before)


def test_an_interrupt_before_the_first_message_holds(bench: Any, patient: None) -> None:
    bench.run("result = 1")
    seat = bench.seat()
    seat.interrupt("cancelled")
    try:
        assert seat.step(bench.start(BUSY))[0].failure.kind == "cancelled"
    finally:
        seat.close()


def test_a_kill_before_the_first_message_holds(bench: Any) -> None:
    seat = bench.seat()
    seat.kill("cancelled")
    with pytest.raises(EngineCrashed, match="cancelled"):
        seat.step(bench.start("result = 1"))
    seat.close()


def test_a_late_interrupt_does_not_reach_the_next_run_of_the_worker(bench: Any) -> None:
    first = bench.seat()
    first.step(bench.start("result = 1"))
    worker, run = first._worker, first._run
    first.close()
    worker.interrupt(run, "deadline")
    second = bench.seat()
    try:
        text = "import time\nend = time.monotonic() + 0.1\nwhile time.monotonic() < end: pass\nresult = 'whole'"
        assert second.step(bench.start(text))[0].values == ["whole"]
        assert second._worker is worker
    finally:
        second.close()


def test_an_interrupted_worker_is_not_used_again_even_if_the_run_ended_well(bench: Any) -> None:
    seat = bench.seat()
    seat.step(bench.start("result = 1"))
    worker = seat._worker
    seat.interrupt("cancelled")
    seat.close()
    other = bench.seat()
    other.step(bench.start("result = 1"))
    assert other._worker is not worker
    other.close()


def test_a_cancellation_reaches_a_guest_that_waits_for_an_answer(bench: Any) -> None:
    seat = bench.seat()
    try:
        seat.step(bench.start("call('a', 'b')"))
        said = seat.step(m.Cancel("cancelled"))
        assert said[0].failure.code == "cancelled"
    finally:
        seat.close()


def test_cancelling_one_invocation_leaves_a_waiting_guest_waiting(bench: Any) -> None:
    seat = bench.seat()
    try:
        (call,) = seat.step(bench.start("result = call('a', 'b')\nguest._step = lambda message: []"))
        assert seat.step(m.Cancel("cancelled", 7)) == []
        assert seat.step(m.Reply(call.id, "there"))[0].values == ["there"]
    finally:
        seat.close()


def test_a_kill_wakes_a_loop_that_waits(bench: Any, in_loop: Any, astep: Any) -> None:
    async def killed() -> None:
        port = bench.port()
        seat = bench.seat(port)
        step = asyncio.create_task(astep(seat, bench.start(DEAF)))
        await asyncio.to_thread(port.heard.wait)
        seat.kill("cancelled")
        with pytest.raises(EngineCrashed, match="did not stop"):
            await step
        seat.leave()
        seat.close()

    in_loop(killed())


def test_closing_the_workers_ends_runs_under_way(bench: Any) -> None:
    closing: list[threading.Thread] = []

    def close(seat: Any) -> None:
        closing.append(threading.Thread(target=bench.workers.close))
        closing[0].start()

    outcome = bench.once_busy(DEAF, close)
    closing[0].join()
    assert isinstance(outcome.error, EngineCrashed)
