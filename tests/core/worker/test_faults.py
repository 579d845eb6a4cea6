"""Faults at each step of a worker's life: a typed error, nothing left behind, and the next run works."""

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from llmspell.engine import messages as m
from llmspell.errors import EngineCrashed

FORKED_ONLY = {"test_the_zygote_dies_between_two_runs_and_during_one"}

ASKS = "result = call('a', 'b')"
KILLS = [signal.SIGKILL]  # process 1 of a namespace heeds no other that comes from outside


@pytest.fixture
def few_descriptors() -> Iterator[Any]:
    """Use up descriptors until only so many are left, and give them back."""
    held: list[int] = []
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def leave(count: int) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        try:
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            for _ in range(count):
                os.close(held.pop())

    def give_back() -> None:
        while held:
            os.close(held.pop())
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    leave.give_back = give_back  # type: ignore[attr-defined]
    yield leave
    give_back()


def killed(seat: Any, number: int) -> None:
    signal.pidfd_send_signal(seat._worker._pidfd, number)


@pytest.mark.parametrize("number", KILLS)
def test_a_worker_killed_before_its_first_step(bench: Any, number: int) -> None:
    assert bench.run("result = 1").value == 1
    ((_, _, worker),) = bench.workers._idle
    signal.pidfd_send_signal(worker._pidfd, number)
    assert worker.wait(5)
    assert bench.run("result = 2").value == 2


@pytest.mark.parametrize("number", KILLS)
def test_a_worker_killed_while_the_host_works_for_it(bench: Any, number: int) -> None:
    seat = bench.seat()
    (call,) = seat.step(bench.start(ASKS))
    killed(seat, number)
    assert seat._worker.wait(5)
    with pytest.raises(EngineCrashed):
        seat.step(m.Reply(call.id, 1))
    seat.close()
    assert bench.run("result = 2").value == 2


def test_a_worker_that_is_stopped_in_the_middle_is_ended_at_its_deadline(bench: Any) -> None:
    text = "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nresult = 'woke'"
    outcome = bench.run(text, deadline=0.2)
    assert isinstance(outcome.error, EngineCrashed) or outcome.value == "woke"
    assert bench.run("result = 2").value == 2


def test_the_zygote_dies_between_two_runs_and_during_one(bench: Any) -> None:
    seat = bench.seat()
    (call,) = seat.step(bench.start(ASKS))
    process = bench.workers._source._launch.process
    process.kill()
    process.wait()
    began = time.monotonic()
    with pytest.raises(EngineCrashed):
        # The kernel takes the worker along with its zygote, in its own time on a busy machine.
        while time.monotonic() - began < 30:
            seat.step(m.Reply(call.id, 1))
    seat.close()
    assert bench.run("result = 2").value == 2


@pytest.mark.parametrize("left", range(6))
def test_no_descriptors_are_left_in_the_host(bench: Any, few_descriptors: Any, left: int) -> None:
    few_descriptors(left)
    outcome = bench.run("result = 1")
    few_descriptors.give_back()
    assert isinstance(outcome.error, EngineCrashed) or outcome.value == 1
    assert bench.run("result = 2").value == 2


def test_no_process_can_be_started(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(12, "Cannot allocate memory")

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", refuse)
        outcome = bench.run("result = 1")
    assert isinstance(outcome.error, EngineCrashed)
    assert "Cannot allocate memory" in outcome.error.message
    assert bench.run("result = 2").value == 2


def test_a_host_with_thousands_of_descriptors_still_has_workers(bench: Any) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip(f"2,048 open files are missing: at most {hard} here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(1100)]
    try:
        assert bench.run("result = 1").value == 1
        assert isinstance(bench.run("import os\nos._exit(3)").error, EngineCrashed)
    finally:
        for each in held:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert threading.active_count() < 20
