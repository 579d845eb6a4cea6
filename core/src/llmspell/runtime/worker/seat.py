"""``WorkerSeat``: a guest in a worker, as the driver of its conversation sees it."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from llmspell.engine import EngineSpec, GuestLimits, GuestUsage
from llmspell.engine.messages import Delivery, Emit, Failed, GuestMessage, Replies, Reply
from llmspell.errors import EngineCrashed, LlmspellError, MemoryExceeded
from llmspell.runtime.seat import SOFT, Isolation, Told
from llmspell.runtime.watchdog import Watchdog
from llmspell.runtime.worker.frames import frame
from llmspell.runtime.worker.hearing import Hearing
from llmspell.runtime.worker.levels import isolation_of
from llmspell.runtime.worker.line import Line, no_memory, received, unspoken, watches_sockets
from llmspell.runtime.worker.outgrown import frames_of
from llmspell.runtime.worker.process import WorkerProcess
from llmspell.runtime.worker.protocol import OUT_OF_MEMORY, Open
from llmspell.values.wire import encode

if TYPE_CHECKING:
    from llmspell.runtime.worker.pool import Kind, Workers

T = TypeVar("T")

GRACE = 0.04
"""Seconds between telling a guest that a limit is reached, which takes no time to obey, and killing its worker."""

CLEANUP_GRACE = 0.15
"""The same for a cancellation, after which a guest may run its clean-up handlers."""

_FATAL_GRACE = 1.0
"""The same for a fatal fault, which a guest hears as the answer to what it asked, and ends with."""


class WorkerSeat:
    """See :class:`~llmspell.runtime.seat.Seat`. Made by :meth:`Workers.seat`, used for one run."""

    __slots__ = (
        "_began", "_closed", "_hearing", "_kind", "_ladder", "_limits", "_line", "_lost", "_opening", "_port",
        "_principal", "_run", "_said", "_spec", "_stopping", "_unsent", "_warned", "_watchdog",
        "_worker", "_workers",
    )  # fmt: skip

    def __init__(
        self,
        workers: Workers,
        kind: Kind,
        principal: str,
        spec: EngineSpec,
        limits: GuestLimits,
        port: Any,
        watchdog: Watchdog,
    ) -> None:
        self._workers = workers
        self._kind = kind
        self._principal = principal
        self._spec = spec
        self._limits = limits
        self._port = port
        self._watchdog = watchdog
        self._worker: WorkerProcess | None = None
        self._hearing: Hearing | None = None
        self._line: Line | None = None
        self._opening = b""
        self._unsent: list[tuple[Delivery, bytes]] = []
        self._said: list[GuestMessage] = []
        self._run = 0
        self._began = 0.0
        self._stopping = ""
        self._ladder = 0
        self._lost = ""
        self._closed = False
        self._warned = False

    @property
    def isolation(self) -> Isolation:
        worker = self._worker
        if worker is None:
            return Isolation("none yet")
        hardened = self._kind.hardened
        return isolation_of(self._kind.plan, worker.applied, self._spec, hardened=hardened)

    def usage(self) -> GuestUsage:
        return GuestUsage() if self._hearing is None else self._hearing.usage

    # Steps

    def step(self, word: Delivery) -> list[GuestMessage]:
        worker = self._worker
        if worker is None:
            worker = self._take(self._find_worker())
        data, hearing = worker.data, self._hearing
        assert hearing is not None
        try:
            self._load(word)
            while True:
                outgoing = self._next()
                try:
                    data.sendall(outgoing)
                except OSError as error:
                    raise (unspoken(error) or self._gone()) from None
                worker.alert.stay()
                while (answer := self._heard(received(data, hearing.wants, 0))) is None:
                    pass
                if self._is_answered(answer):
                    return self._said
        except LlmspellError:
            worker.kill()
            raise
        except MemoryError as error:
            worker.kill()
            raise no_memory() from error

    def begin(self, word: Delivery, told: Told) -> None:
        if self._line is None and not watches_sockets(asyncio.get_running_loop()):
            _tell_of(_in_thread(self.step, word), told)
            return
        worker = self._worker
        if worker is None:
            warm = self._workers.take_warm(self._kind, self._principal)
            if warm is None:
                self._begin_cold(word, told)
                return
            worker = self._take(warm)
        try:
            self._load(word)
            self._say_next(told)
        except LlmspellError:
            worker.kill()
            raise
        except MemoryError as error:
            worker.kill()
            raise no_memory() from error

    def _begin_cold(self, word: Delivery, told: Told) -> None:
        """Begin in a worker that has to be made first, which takes a thread and a while."""
        taking = _in_thread(self._find_worker)

        def taken(taking: asyncio.Future[WorkerProcess]) -> None:
            try:
                self._take(taking.result())
                self.begin(word, told)
            except Exception as error:  # noqa: BLE001 - carried over to whoever waits
                told((), error)

        taking.add_done_callback(taken)

    def _say_next(self, told: Told) -> None:
        worker, hearing = self._worker, self._hearing
        assert worker is not None
        assert hearing is not None
        if self._line is None:
            awaiting = self._workers.awaiting
            self._line = Line(worker.data, worker.alert, awaiting, self._heard, lambda: hearing.wants)

        def answered(answer: Sequence[GuestMessage], failure: BaseException | None) -> None:
            if failure is None and not self._is_answered(answer):
                try:
                    self._say_next(told)
                    return
                except (LlmspellError, MemoryError) as error:
                    failure = error
            if failure is not None:
                worker.kill()
                failure = no_memory() if isinstance(failure, MemoryError) else failure
            told(self._said, failure)

        self._line.say(self._next(), answered)

    def leave(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _find_worker(self) -> WorkerProcess:
        """Take a worker. Not for longer than the run may last: a kill ends the search."""
        try:
            return self._workers.take(self._kind, self._principal, lambda: bool(self._lost))
        except EngineCrashed:
            if self._lost:
                raise EngineCrashed(self._lost) from None
            raise
        except MemoryError as error:
            raise no_memory() from error

    def _take(self, worker: WorkerProcess) -> WorkerProcess:
        """Begin the run in a worker."""
        worker.runs += 1
        self._run = worker.runs
        self._began = time.monotonic()
        self._hearing = Hearing(self._run, self._limits.value, self._port.emit)
        self._opening = frame(encode(Open(self._run, self._limits)))
        self._worker = worker
        if self._stopping:
            worker.interrupt(self._run, self._stopping)
        if self._lost:
            worker.kill()
        return worker

    def _load(self, word: Delivery) -> None:
        """Make ready to say a message, or several replies: they take more than one frame if they are large."""
        if self._lost:
            raise EngineCrashed(self._lost)
        self._said = []
        self._unsent = frames_of(word)

    def _next(self) -> bytes:
        """Return the next frame to send, and expect an answer to it."""
        hearing = self._hearing
        assert hearing is not None
        word, outgoing = self._unsent.pop(0)
        hearing.expect(word)
        if not self._ladder and _is_fatal(word):
            self._end_within(_FATAL_GRACE, "it was told to end")
        if self._opening:
            outgoing, self._opening = self._opening + outgoing, b""
        return outgoing

    def _is_answered(self, answer: Sequence[GuestMessage]) -> bool:
        """Take the answer to a frame; tell whether there is none left to send."""
        self._said += answer
        assert self._hearing is not None
        return not self._unsent or self._hearing.main is not None

    def _heard(self, data: bytes) -> list[GuestMessage] | None:
        if not data:
            raise self._gone()
        hearing = self._hearing
        assert hearing is not None
        answer = hearing.hear(data)
        if hearing.over is not None:
            if answer is not None and type(hearing.main) is not Failed:
                # Neither what it asks for in the same breath nor a good end counts any more.
                raise hearing.over
            self.interrupt("output")
        if answer is not None and not self._warned:
            self._warn(hearing.usage)
        return answer

    def _warn(self, usage: GuestUsage) -> None:
        """Warn once that the limit of memory is near, while there is still time."""
        limit, used = self._limits.memory, usage.memory
        if limit is not None and used is not None and used > SOFT * limit:
            self._warned = True
            self._port.emit(Emit("warning", {"limit": "memory", "value": limit, "used": used}))

    def _gone(self) -> LlmspellError:
        """Tell why the worker is no longer there."""
        if self._hearing is not None and self._hearing.over is not None:
            return self._hearing.over
        if self._lost:
            return EngineCrashed(self._lost)
        assert self._worker is not None
        status = self._workers.how_it_ended(self._worker)
        if status == OUT_OF_MEMORY:
            limit = self._limits.memory
            return MemoryExceeded("the worker ran out of memory", limit="memory", value=limit, language=self._spec.name)
        return EngineCrashed(f"the {self._spec.name} worker {_told(status)}")

    # Ending

    def interrupt(self, reason: str) -> None:
        if self._stopping or self._closed:
            return
        self._stopping = reason
        self._end_within(CLEANUP_GRACE if reason == "cancelled" else GRACE, reason)
        if self._worker is not None:
            self._worker.interrupt(self._run, reason)

    def _end_within(self, seconds: float, reason: str) -> None:
        if self._ladder:
            self._watchdog.unwatch(self._ladder)
        self._ladder = self._watchdog.watch(time.monotonic() + seconds, lambda: self.kill(reason))

    def kill(self, reason: str) -> None:
        if self._closed:
            return
        self._lost = self._lost or f"the script did not stop ({reason}); its worker was killed"
        if self._worker is not None:
            self._worker.kill()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._ladder:
            self._watchdog.unwatch(self._ladder)
        worker, hearing = self._worker, self._hearing
        if worker is None or hearing is None:
            return
        worker.seconds += time.monotonic() - self._began
        clean = hearing.clean and not self._stopping and not self._lost
        self._workers.give_back(worker, self._kind, self._principal, clean=clean)


def _is_fatal(word: Delivery) -> bool:
    """Tell whether a guest that hears this has to end."""
    if type(word) is Reply:
        return word.fault is not None and word.fault.fatal
    return type(word) is Replies and any(map(_is_fatal, word.replies))


def _in_thread(function: Callable[..., T], *args: Any) -> asyncio.Future[T]:
    try:
        return asyncio.get_running_loop().run_in_executor(None, function, *args)
    except RuntimeError as error:
        raise EngineCrashed(f"the worker cannot be waited for: {error}") from error


def _tell_of(step: asyncio.Future[list[GuestMessage]], told: Told) -> None:
    """Tell of a step that a thread takes, when it has."""

    def over(step: asyncio.Future[list[GuestMessage]]) -> None:
        if step.cancelled():
            return  # the loop is closing: nobody waits
        failure = step.exception()
        told(() if failure is not None else step.result(), failure)

    step.add_done_callback(over)


def _told(status: int | None) -> str:
    if status is None:
        return "is gone, nobody knows how"
    if status >= 0:
        return f"ended by itself with status {status}"
    name = signal.Signals(-status).name
    return {
        "SIGSYS": "made a forbidden system call and was killed (SIGSYS)",
        "SIGKILL": "was killed (SIGKILL): out of memory or processor time, or by somebody's hand",
    }.get(name, f"crashed ({name})")
