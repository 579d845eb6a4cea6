"""The stop ladder: interrupt, grace, SIGKILL of the group, all within 250 ms of the deadline."""

import asyncio
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from llmspell.engine import messages as m
from llmspell.errors import EngineCrashed
from llmspell.policy import Policy
from llmspell.runtime.worker.seat import GRACE

BUSY = "while True: pass"
DEAF = "import re\nre.match('(a+)+$', 'a' * 60 + 'b')"
DEADLINE = 0.2
OVERSHOOT = 0.25


def test_a_busy_guest_is_interrupted_and_says_so_itself(each_level: Any) -> None:
    each_level.run("result = 1")
    outcome = each_level.run(BUSY, deadline=DEADLINE)
    assert outcome.failure.limit == "deadline"
    assert DEADLINE <= outcome.seconds < DEADLINE + OVERSHOOT


def test_a_deaf_guest_is_killed_within_the_overshoot(each_level: Any) -> None:
    each_level.run("result = 1")
    outcome = each_level.run(DEAF, deadline=DEADLINE)
    assert isinstance(outcome.error, EngineCrashed)
    assert "did not stop (deadline)" in outcome.error.message
    assert DEADLINE + GRACE <= outcome.seconds < DEADLINE + OVERSHOOT
    assert each_level.run("result = 'next'").value == "next"


def test_a_stopped_process_is_killed_too(bench: Any) -> None:
    bench.run("result = 1")
    seat = bench.seat()
    stop = threading.Timer(0.05, lambda: signal.pidfd_send_signal(seat._worker._pidfd, signal.SIGSTOP))
    interrupt = threading.Timer(DEADLINE, lambda: seat.interrupt("deadline"))
    began = time.monotonic()
    stop.start()
    interrupt.start()
    with pytest.raises(EngineCrashed, match="did not stop"):
        seat.step(bench.start(BUSY))
    seat.close()
    assert DEADLINE + GRACE <= time.monotonic() - began < DEADLINE + OVERSHOOT
    stop.join()
    interrupt.join()


def test_a_cancelled_guest_has_time_to_clean_up(bench: Any) -> None:
    text = """
import time
def work():  # Python may leave a bare loop between two instructions that no handler covers
    while True: pass
try:
    work()
finally:
    end = time.monotonic() + 0.1
    while time.monotonic() < end: pass
    write('cleaned up')
"""
    bench.run("result = 1")
    seat = bench.seat(port := bench.port())
    threading.Timer(0.1, seat.interrupt, ("cancelled",)).start()
    said = seat.step(bench.start(text))
    seat.close()
    assert said[0].failure.kind == "cancelled"
    assert port.text == "cleaned up"


def test_a_guest_that_floods_the_host_with_calls_is_stopped(bench: Any) -> None:
    bench.run("result = 1")
    outcome = bench.run("while True: call('a', 'b')", deadline=DEADLINE)
    assert outcome.failure.limit == "deadline"
    assert outcome.seconds < DEADLINE + OVERSHOOT


def test_processes_of_the_guest_die_with_it(bench: Any, wait_until: Any) -> None:
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
    warden = bench.workers._zygote._launch.process.pid
    before = family(warden)
    seat = bench.seat()
    thread = threading.Timer(0.4, lambda: seat.interrupt("deadline"))
    thread.start()
    said = seat.step(bench.start(text))
    thread.join()
    seat.close()
    assert said[0].failure.limit == "deadline"
    wait_until(lambda: family(warden) <= before)


def family(root: int) -> set[str]:
    """List a process's descendants, as the machine's /proc knows them."""
    found: set[str] = set()
    todo = [str(root)]
    while todo:
        for tasks in Path(f"/proc/{todo.pop()}").glob("task/*/children"):
            with suppress(FileNotFoundError, ProcessLookupError):
                children = tasks.read_text().split()
                found.update(children)
                todo += children
    return found


def test_an_interrupt_before_the_first_message_holds(bench: Any) -> None:
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


def test_a_kill_wakes_a_loop_that_waits(bench: Any, in_loop: Any) -> None:
    async def killed() -> float:
        await bench.arun("result = 1")
        seat = bench.seat()
        began = time.monotonic()
        asyncio.get_running_loop().call_later(0.1, seat.kill, "cancelled")
        with pytest.raises(EngineCrashed, match="did not stop"):
            await seat.astep(bench.start(DEAF))
        seat.close()
        return time.monotonic() - began

    assert in_loop(killed()) < 0.1 + OVERSHOOT


def test_closing_the_workers_ends_runs_under_way(bench: Any) -> None:
    ended = threading.Event()
    bench.run("result = 1")
    seat = bench.seat()

    def run() -> None:
        with pytest.raises(EngineCrashed):
            seat.step(bench.start(DEAF))
        seat.close()
        ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    threading.Timer(0.1, bench.workers.close).start()
    assert ended.wait(5)
    thread.join()


@pytest.mark.parametrize("text", [BUSY, DEAF], ids=["busy", "deaf"])
def test_the_overshoot_is_small_in_the_middle_and_bounded_at_the_end(bench: Any, text: str) -> None:
    """A short version of what tests/bench does a thousand times."""
    bench.policy = Policy.strict()
    bench.run("result = 1")
    over: list[float] = []

    def runs() -> None:
        for _ in range(5):
            over.append(bench.run(text, deadline=0.1).seconds - 0.1)

    threads = [threading.Thread(target=runs) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(over) < OVERSHOOT + 0.1  # a fork of a fresh worker may be in it
