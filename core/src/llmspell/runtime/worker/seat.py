"""``WorkerSeat``: a guest in a worker, as the driver of its conversation sees it."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

from llmspell.engine import EngineSpec, GuestLimits, GuestUsage
from llmspell.engine.messages import Failed, GuestMessage, HostMessage, Reply
from llmspell.errors import ConversionError, EngineCrashed, LlmspellError, MemoryExceeded, ResourceExhausted
from llmspell.runtime.seat import Isolation
from llmspell.runtime.watchdog import Watchdog
from llmspell.runtime.worker.frames import MAX_FRAME, FrameError, frame
from llmspell.runtime.worker.hearing import Hearing
from llmspell.runtime.worker.levels import isolation_of
from llmspell.runtime.worker.outgrown import too_large_reply, unspeakable_reply
from llmspell.runtime.worker.process import WorkerProcess
from llmspell.runtime.worker.protocol import OUT_OF_MEMORY, Open
from llmspell.values.wire import encode

if TYPE_CHECKING:
    from llmspell.runtime.worker.pool import Kind, Workers

GRACE = 0.04
"""Seconds between telling a guest that a limit is reached, which takes no time to obey, and killing its worker."""

CLEANUP_GRACE = 0.15
"""The same for a cancellation, after which a guest may run its clean-up handlers."""


class WorkerSeat:
    """See :class:`~llmspell.runtime.seat.Seat`. Made by :meth:`Workers.seat`, used for one run."""

    __slots__ = (
        "_began", "_closed", "_hearing", "_kind", "_ladder", "_limits", "_lost", "_opening", "_port", "_principal",
        "_run", "_spec", "_stopping", "_watchdog", "_worker", "_workers",
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
        self._opening = b""
        self._run = 0
        self._began = 0.0
        self._stopping = ""
        self._ladder = 0
        self._lost = ""
        self._closed = False

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

    def step(self, message: HostMessage) -> list[GuestMessage]:
        worker = self._worker
        if worker is None:
            worker = self._take(self._workers.take(self._kind, self._principal))
        try:
            return self._exchange_here(worker.data, self._begin_step(message))
        except LlmspellError:
            worker.kill()
            raise

    def _exchange_here(self, data: socket.socket, outgoing: bytes) -> list[GuestMessage]:
        """Send and receive in this thread."""
        try:
            data.sendall(outgoing)
        except OSError:
            raise self._gone() from None
        hearing = self._hearing
        assert hearing is not None
        while True:
            answer = self._heard(_receive(data, hearing.wants, 0))
            if answer is not None:
                return answer

    async def astep(self, message: HostMessage) -> list[GuestMessage]:
        worker = self._worker
        if worker is None:
            warm = self._workers.take_warm(self._kind, self._principal)
            if warm is None:
                warm = await asyncio.to_thread(self._workers.take, self._kind, self._principal)
            worker = self._take(warm)
        try:
            outgoing = self._begin_step(message)
            if _watches_sockets(asyncio.get_running_loop()):
                return await self._exchange_on_loop(worker.data, outgoing)
            return await asyncio.to_thread(self._exchange_here, worker.data, outgoing)
        except LlmspellError:
            worker.kill()
            raise

    async def _exchange_on_loop(self, data: socket.socket, outgoing: bytes) -> list[GuestMessage]:
        """Send and receive on the loop. The socket itself stays a blocking one, for steps from threads."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[list[GuestMessage]] = loop.create_future()
        descriptor = data.fileno()
        rest = memoryview(outgoing)
        hearing = self._hearing
        assert hearing is not None

        def send() -> None:
            nonlocal rest
            try:
                rest = rest[data.send(rest, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                return
            except OSError:
                fail(self._gone())
            if not rest:
                loop.remove_writer(descriptor)

        def receive() -> None:
            try:
                answer = self._heard(_receive(data, hearing.wants, socket.MSG_DONTWAIT))
            except BlockingIOError:
                return
            except Exception as error:  # noqa: BLE001 - carried over to whoever waits
                fail(error)
                return
            if answer is not None and not waiter.done():
                waiter.set_result(answer)

        def fail(error: Exception) -> None:
            if not waiter.done():
                waiter.set_exception(error)

        loop.add_reader(descriptor, receive)
        try:
            rest = rest[data.send(rest, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            pass
        except OSError:
            fail(self._gone())
        if rest and not waiter.done():
            loop.add_writer(descriptor, send)
        try:
            return await waiter
        finally:
            loop.remove_reader(descriptor)
            loop.remove_writer(descriptor)

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

    def _begin_step(self, message: HostMessage) -> bytes:
        if self._lost:
            raise EngineCrashed(self._lost)
        hearing = self._hearing
        assert hearing is not None
        hearing.expect(message)
        try:
            outgoing = frame(encode(message))
        except FrameError:
            if type(message) is not Reply:
                raise ResourceExhausted(
                    f"source, parameters or arguments take more than {MAX_FRAME:,} bytes, the limit of one message",
                    limit="message",
                    value=MAX_FRAME,
                ) from None
            outgoing = frame(encode(too_large_reply(message)))
        except ConversionError as error:
            if type(message) is not Reply:
                raise
            outgoing = frame(encode(unspeakable_reply(message, error)))
        if self._opening:
            outgoing, self._opening = self._opening + outgoing, b""
        return outgoing

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
        return answer

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
        grace = CLEANUP_GRACE if reason == "cancelled" else GRACE
        self._ladder = self._watchdog.watch(time.monotonic() + grace, lambda: self.kill(reason))
        if self._worker is not None:
            self._worker.interrupt(self._run, reason)

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


def _watches_sockets(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether a loop can watch a socket, and a blocking socket be used without blocking. Not so on Windows."""
    cannot = getattr(type(loop), "add_reader", None) in (None, asyncio.AbstractEventLoop.add_reader)
    return not cannot and hasattr(socket, "MSG_DONTWAIT")


def _receive(data: socket.socket, size: int, flags: int) -> bytes:
    """Read what is there; nothing once the other side is gone, in whatever way it went."""
    try:
        return data.recv(size, flags)
    except BlockingIOError:
        raise
    except OSError:
        return b""


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
