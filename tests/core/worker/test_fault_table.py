"""Every step of the conversation, and everything that can go wrong at it: a typed error or the right answer, nothing
left behind, and the next run works.

The whole table, on a loop, at both levels and with spawned workers too, is ``slow``; one way through it is not.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from llmspell.engine import messages as m
from llmspell.errors import EngineCrashed, LlmspellError
from llmspell.policy import Policy
from llmspell.runtime.worker import parent, pool, seat

SPELL = "functions = {1: lambda *a: sum(a)}\nwrite('output')\nx = call('a', 'b')\nlater = [('c', 'd', x)]"
RIGHT = [("a", "b", []), ("c", "d", [1]), 6, ["two"]]

SAID = ("ready", "output", "call", "suspended call", "answer to an invocation", "end", "output of a second run")
TOLD = {"opening": 0, "start": 1, "reply": 2, "invoke": 3, "last reply": 4, "start of a second run": 6}
FAULTS = (
    "garbage",
    "noise",
    "truncate",
    "oversize",
    "zero",
    "replay",
    "stale",
    "drop",
    "reorder",
    "eof",
    "kill",
    "stop",
)
SILENT = frozenset({"drop", "reorder", "stale", "stop"})
"""After these perhaps nobody says anything any more: only the deadline helps."""
PLAIN = frozenset({"garbage", "noise", "truncate", "oversize", "zero", "eof"})
"""These nobody can take for anything else."""

ERRNOS = ("ENOMEM", "EMFILE", "EPIPE", "ECONNRESET", "ENOBUFS", "ENOSPC", "EINTR")
ERRORS = (*ERRNOS, "MemoryError", "KeyboardInterrupt")
NORMAL = ("forked", "standard", "thread")
WAYS = [
    pytest.param(way, id="-".join(way), marks=() if way == NORMAL else pytest.mark.slow)
    for way in (
        (source, level, driver)
        for source in ("forked", "spawned")
        for level in ("standard", "strict")
        for driver in ("thread", "loop")
    )
]


def slowly(cases: Iterable[Any], *slow: Any) -> list[Any]:
    """Mark some cases as those of the whole table only."""
    return [pytest.param(case, marks=pytest.mark.slow) if case in slow else case for case in cases]


def error_named(name: str) -> BaseException:
    if name in ERRNOS:
        return OSError(getattr(errno, name), os.strerror(getattr(errno, name)))
    return {"MemoryError": MemoryError, "KeyboardInterrupt": KeyboardInterrupt, "RuntimeError": RuntimeError}[name](
        f"injected {name}"
    )


def conversation(start: m.Start) -> Any:
    """Answer a guest: yields messages, is sent what the guest said, and returns all that came of it."""
    first = only((yield start), m.Call)
    second = only((yield m.Reply(first.id, 1)), m.Call)
    summed = only((yield m.Invoke(1, 1, [1, 2, 3])), m.Done)
    done = only((yield m.Reply(second.id, "two")), m.Done)
    calls = [(call.target, call.method, call.args) for call in (first, second)]
    return [*calls, summed.values[0], done.values[0]]


def only(said: Any, kind: type) -> Any:
    """Go on as a driver would: with the one message it waits for."""
    if len(said) == 1 and isinstance(said[0], kind):
        return said[0]
    raise EngineCrashed(f"a guest that is waited for said {said}")


class Table:
    """A bench for one way through the table, which knows what it looks like when nothing is under way."""

    def __init__(self, bench: Any, source: str, level: str, driver: str, traces: Any, family: Any, astep: Any) -> None:
        self.bench = bench
        self.source = source
        self.policy = Policy.at_level(level)
        self._driver = driver
        self._traces, self._family, self._astep = traces, family, astep
        self.between: list[Any] = []
        self.seat: Any = None
        self.runner = asyncio.Runner()
        self.runner.get_loop()
        assert self.converse() == RIGHT
        bench.watchdog.watch(0.0, lambda: None)  # its thread stays
        self.quieten()
        self._before = traces()

    def converse(self) -> Any:
        """Lead the conversation twice, the second time in the same worker if it is still good."""
        said = self._once()
        assert self._once() == said
        return said

    def _once(self) -> Any:
        self.seat = self.bench.seat(policy=self.policy)
        try:
            talk = conversation(self.bench.start(SPELL))
            if self._driver == "loop":
                return self.runner.run(self._on_loop(talk))
            message = next(talk)
            while True:
                message = talk.send(self.seat.step(message))
        except StopIteration as end:
            return end.value
        except KeyboardInterrupt:
            self.runner.close()  # cancels what was under way
            self.runner = asyncio.Runner()
            self.runner.get_loop()
            raise
        finally:
            self.seat.close()

    async def _on_loop(self, talk: Any) -> Any:
        message = next(talk)
        try:
            while True:
                said = await self._astep(self.seat, message)
                try:
                    message = talk.send(said)
                except StopIteration as end:
                    return end.value
        finally:
            self.seat.leave()

    def deadline_passes(self) -> None:
        self.seat.interrupt("deadline")

    def quieten(self) -> None:
        """Let go of every worker, and of whoever stands between."""
        workers = self.bench.workers
        workers._discard_spares()
        while workers._idle:
            workers._idle.pop()[2].discard()
        while self.between:
            self.between.pop().close()

    def forget_source(self) -> None:
        """Have the next worker come from a source that is started anew."""
        workers = self.bench.workers
        if workers._source is not None:
            workers._source.close()
            workers._source = None
        self.quieten()

    def left_behind(self) -> str:
        """Say what is there that was not."""
        now, workers = self._traces(), self.bench.workers
        if len(now.descriptors) > len(self._before.descriptors):
            return f"descriptors: {sorted(now.descriptors)} after {sorted(self._before.descriptors)}"
        if now.threads - self._before.threads:
            return f"threads: {now.threads - self._before.threads}"
        if workers._lent:
            return "a worker that is still lent"
        if made := getattr(workers._source, "_made", ()):
            return f"{len(made)} spawned workers"
        launch = getattr(workers._source, "_launch", None)
        return "workers of the zygote" if launch and len(self._family(launch.process.pid)) > 1 else ""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("table", WAYS, indirect=True, scope="module")


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest, traces: Any, family: Any, astep: Any, open_benches: Any) -> Iterator[Table]:
    source, level, driver = request.param
    with open_benches(source) as make, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "_DEMAND", 10**9)  # nobody is forked ahead, so that everybody can be counted
        table = Table(make(), source, level, driver, traces, family, astep)
        yield table
        table.runner.close()


@pytest.fixture
def survives(table: Table, monkeypatch: pytest.MonkeyPatch, wait_until: Any) -> Callable[..., Any]:
    """Lead a conversation in which something goes wrong, and check all that must hold; return what was raised."""

    def check(raises: Any = LlmspellError, then: Callable[[], None] = lambda: None) -> BaseException | None:
        raised: BaseException | None = None
        try:
            assert table.converse() == RIGHT
        except raises as error:
            raised = error
        finally:
            then()
            monkeypatch.undo()
        assert table.converse() == RIGHT
        table.quieten()
        try:
            wait_until(lambda: not table.left_behind())
        except AssertionError:
            pytest.fail(f"left behind: {table.left_behind()}")
        return raised

    return check


def next_worker(table: Table, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], None]) -> None:
    """Do something to the next worker that is ordered."""
    order = table.bench.workers._order
    left = [change]

    def ordered(*args: Any) -> Any:
        worker = order(*args)
        if left:
            left.pop()(worker)
        return worker

    monkeypatch.setattr(table.bench.workers, "_order", ordered)


def meddle(table: Table, monkeypatch: pytest.MonkeyPatch, way: str, name: str, at: int) -> Any:
    """Have a fault happen between the host and the next worker."""
    from meddling import Between, Fault

    workers: list[Any] = []

    def send(number: int) -> None:
        (worker,) = workers
        if worker._pidfd >= 0:  # else it was not even born, and the zygote is going to be asked again
            signal.pidfd_send_signal(worker._pidfd, number)

    acts = {"kill": lambda: send(signal.SIGKILL), "stop": lambda: send(signal.SIGSTOP)}
    then = table.deadline_passes if name in SILENT else lambda: None
    fault = Fault(name, at, acts, then)

    def change(worker: Any) -> None:
        workers.append(worker)
        between = Between(worker.data, **{way: fault})
        table.between.append(between)
        worker.data = between.outer

    next_worker(table, monkeypatch, change)
    return fault


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", range(len(SAID)), ids=SAID)
def test_what_a_worker_says(table: Table, survives: Any, monkeypatch: Any, step: int, fault: str) -> None:
    before = 1 if table.source == "spawned" else 0  # its birth, which a zygote tells for others
    meddling = meddle(table, monkeypatch, "up", fault, step + before)
    raised = survives()
    assert meddling.done
    if fault in PLAIN and 0 < step < len(SAID):
        assert isinstance(raised, EngineCrashed), raised


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (step, fault)
        for step in TOLD
        for fault in ("drop", "eof", "kill", "stop", "replay", "truncate")
        if (step, fault) != ("opening", "replay")  # a second opening is another fresh state
    ],
)
def test_what_a_worker_is_told(table: Table, survives: Any, monkeypatch: Any, step: str, fault: str) -> None:
    """The host does not lie to itself; but what it says may not arrive, or arrive to somebody who is not there."""
    meddling = meddle(table, monkeypatch, "down", fault, TOLD[step])
    survives()
    assert meddling.done


@pytest.mark.parametrize("error", slowly(ERRORS, "ECONNRESET", "ENOBUFS", "ENOSPC", "EINTR"))
@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("method", ["send", "recv"])
def test_what_the_hosts_own_kernel_refuses(
    table: Table, survives: Any, monkeypatch: Any, method: str, at: int, error: str
) -> None:
    from meddling import Failing

    failing: list[Any] = []

    def change(worker: Any) -> None:
        failing.append(Failing(worker.data, method, at, error_named(error)))
        worker.data = failing[0]

    next_worker(table, monkeypatch, change)
    survives((LlmspellError, KeyboardInterrupt) if error == "KeyboardInterrupt" else LlmspellError)
    assert failing[0].done


ZYGOTE = {"greeting": 0, "first birth": 1}
"""The zygote's words, by the number of their frame. A second birth is the first's code once more."""


@pytest.mark.parametrize("fault", slowly(FAULTS, "noise", "oversize", "zero", "stale", "reorder", "eof"))
@pytest.mark.parametrize("step", ZYGOTE)
def test_what_the_zygote_says(
    table: Table, survives: Any, monkeypatch: Any, children_of: Any, step: str, fault: str
) -> None:
    from meddling import Between, Fault

    if table.source == "spawned":
        pytest.skip("spawned workers have no zygote")
    if fault in SILENT:
        monkeypatch.setattr(parent, "_PATIENCE", 0.2)
    begin, end = parent.ZygoteProcess.__init__, parent.ZygoteProcess.close
    faults: list[Any] = []
    between: dict[Any, Any] = {}

    def begun(source: Any, *args: Any) -> None:
        begin(source, *args)
        if faults:
            return
        warden = source._launch.process
        acts = {
            "kill": warden.kill,
            "stop": lambda: [os.kill(pid, signal.SIGSTOP) for pid in children_of(warden.pid)],
        }
        faults.append(Fault(fault, ZYGOTE[step], acts))
        between[source] = Between(socket.socket(fileno=os.dup(source._control.fileno())), up=faults[0])
        source._control = between[source].outer

    def ended(source: Any) -> None:
        if source in between:
            source._control.close()
            between.pop(source).close()
        end(source)

    monkeypatch.setattr(parent.ZygoteProcess, "__init__", begun)
    monkeypatch.setattr(parent.ZygoteProcess, "close", ended)
    table.forget_source()
    try:
        survives(then=table.forget_source)
    finally:
        for source in list(between):
            ended(source)
    assert faults[0].done or fault in SILENT  # so short a patience may end before a slow zygote's first word


CALLS: dict[str, tuple[Any, str, tuple[str, ...]]] = {
    "a pair of sockets": (socket, "socketpair", ("EMFILE", "ENOMEM", "MemoryError")),
    "a process": (subprocess, "Popen", ("ENOMEM", "EMFILE", "EAGAIN", "MemoryError")),
    "sending descriptors": (socket, "send_fds", ("EPIPE", "ENOBUFS", "ETOOMANYREFS", "ENOMEM", "MemoryError")),
    "receiving descriptors": (socket, "recv_fds", ("ENOMEM", "ECONNRESET", "EINTR", "MemoryError")),
    "a descriptor of a process": (os, "pidfd_open", ("EMFILE", "ENOMEM", "ESRCH")),
    "a signal": (signal, "pidfd_send_signal", ("EPERM", "ESRCH", "ENOMEM")),
}


@pytest.mark.parametrize("at", slowly([0, 1], 1))
@pytest.mark.parametrize(
    ("call", "error"), [(call, error) for call, (_, _, errors) in CALLS.items() for error in errors]
)
def test_what_the_host_asks_of_its_system(
    table: Table, survives: Any, monkeypatch: Any, call: str, error: str, at: int
) -> None:
    """From nothing: the source of workers is started anew, too."""
    owner, name, _ = CALLS[call]
    table.forget_source()
    really = getattr(owner, name)
    count = [at]
    raised = OSError(getattr(errno, error), os.strerror(getattr(errno, error))) if error[0] == "E" else MemoryError()

    def fails(*args: Any, **more: Any) -> Any:
        count[0] -= 1
        if count[0] == -1:
            raise raised
        return really(*args, **more)

    if owner is subprocess:
        fails = type(
            "Popen", (really,), {"__init__": lambda self, *a, **k: fail_first(count, raised, self, really, a, k)}
        )
    monkeypatch.setattr(owner, name, fails)
    survives()


def fail_first(count: list[int], raised: BaseException, process: Any, really: Any, args: Any, more: Any) -> None:
    count[0] -= 1
    if count[0] == -1:
        process.returncode = 0
        raise raised
    really.__init__(process, *args, **more)


@pytest.mark.parametrize("name", ["asyncio", "llmspell-watchdog", "llmspell-spawner"])
def test_no_thread_can_be_started(table: Table, survives: Any, monkeypatch: Any, name: str) -> None:
    table.forget_source()
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith(name):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    survives()


def test_interrupts_that_are_lost_end_in_a_kill(table: Table, survives: Any, monkeypatch: Any) -> None:
    from meddling import Failing

    def change(worker: Any) -> None:
        worker._control = Failing(worker._control, "send", 0, error_named("ENOBUFS"))

    monkeypatch.setattr(seat, "GRACE", 0.0)
    next_worker(table, monkeypatch, change)
    outcome = table.bench.once_busy("write('x')\nwhile True: pass", lambda seat: seat.interrupt("deadline"))
    assert isinstance(outcome.error, EngineCrashed)
    survives()
