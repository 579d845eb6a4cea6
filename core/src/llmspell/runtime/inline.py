"""The inline placement: the guest lives in this process."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

from llmspell.engine import Guest, GuestLimits, GuestUsage, ScriptEngine
from llmspell.engine.messages import Call, Emit, GuestMessage, HostMessage, Reply
from llmspell.errors import EngineCrashed
from llmspell.runtime.seat import Isolation
from llmspell.runtime.steps import StepThreads

INLINE = Isolation("inline", {"deadline": "cooperative", "memory": "engine", "output": "host", "cancel": "cooperative"})


class InlineSeat:
    """A guest that can suspend, in this process.

    Its steps run in the caller's thread (``step``) or in one of the host's step threads (``astep``).
    """

    __slots__ = ("_busy", "_closed", "_guest", "_loop", "_lost", "_threads", "_waiter")

    def __init__(self, engine: ScriptEngine, limits: GuestLimits, port: Any, threads: StepThreads) -> None:
        self._guest: Guest = engine.open(limits, port)
        self._threads = threads
        self._busy = False
        self._lost = ""
        self._closed = False
        self._waiter: asyncio.Future[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def isolation(self) -> Isolation:
        return INLINE

    def step(self, message: HostMessage) -> Sequence[GuestMessage]:
        if self._lost:
            raise EngineCrashed(self._lost)
        self._busy = True
        try:
            return self._guest.step(message)
        finally:
            self._busy = False

    async def astep(self, message: HostMessage) -> Sequence[GuestMessage]:
        if self._lost:
            raise EngineCrashed(self._lost)
        loop = self._loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Sequence[GuestMessage]] = loop.create_future()
        self._waiter = waiter
        self._busy = True

        def work() -> None:
            said: Sequence[GuestMessage] = ()
            failure: BaseException | None = None
            try:
                said = self._guest.step(message)
            except BaseException as error:  # noqa: BLE001 - carried over to the loop
                failure = error
            self._busy = False
            if self._lost:
                self._threads.recovered()
                self._guest.close()
                return
            _tell(loop, waiter, said, failure)

        self._threads.submit(work)
        return await waiter

    def interrupt(self, reason: str) -> None:
        self._guest.interrupt(reason)

    def kill(self, reason: str) -> None:
        """Abandon a guest that does not come back: its thread and state are never used again."""
        self._guest.interrupt(reason)
        if not self._busy or self._lost:
            return
        self._lost = f"the script did not stop ({reason}); its state was abandoned"
        self._threads.abandon()
        if self._waiter is not None and self._loop is not None:
            _tell(self._loop, self._waiter, (), EngineCrashed(self._lost))

    def usage(self) -> GuestUsage:
        return GuestUsage() if self._busy else self._guest.usage()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            if not self._busy:
                self._guest.close()


def _tell(
    loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[Any], said: Any, failure: BaseException | None
) -> None:
    """Resolve a future from another thread; a loop or future that is gone wants no answer."""

    def resolve() -> None:
        if not waiter.done():
            if failure is not None:
                waiter.set_exception(failure)
            else:
                waiter.set_result(said)

    try:
        loop.call_soon_threadsafe(resolve)
    except RuntimeError:
        return


class _BlockingPort:
    """The port of a guest that blocks while it asks; it lives in a thread of its own."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self.inbox: queue.SimpleQueue[HostMessage | None] = queue.SimpleQueue()
        self.outbox: queue.SimpleQueue[Sequence[GuestMessage] | BaseException] = queue.SimpleQueue()
        self.kept: list[HostMessage] = []

    def emit(self, message: Emit) -> None:
        self._port.emit(message)

    def ask(self, calls: list[Call]) -> Reply:
        wanted = calls[-1].id
        self.outbox.put(list(calls))
        while True:
            message = self.inbox.get()
            if message is None:
                raise EngineCrashed("the run was ended")
            if type(message) is Reply and message.id == wanted:
                return message
            self.kept.append(message)
            self.outbox.put(())


class BlockingInlineSeat:
    """A guest that cannot suspend, in a thread of its own in this process (level ``minimal`` only)."""

    def __init__(self, engine: ScriptEngine, limits: GuestLimits, port: Any, threads: StepThreads) -> None:
        self._port = _BlockingPort(port)
        self._engine = engine
        self._limits = limits
        self._threads = threads
        self._guest: Guest | None = None
        self._reason = ""
        self._lost = ""
        self._closed = False
        self._opened = threading.Event()
        threads.dedicate(self._live)

    @property
    def isolation(self) -> Isolation:
        return INLINE

    def _live(self) -> None:
        outbox = self._port.outbox
        try:
            self._guest = self._engine.open(self._limits, self._port)
        except BaseException as error:  # noqa: BLE001 - carried over to whoever steps
            self._lost = f"the engine could not open a state: {error}"
            self._opened.set()
            outbox.put(error)
            return
        self._opened.set()
        try:
            while (message := self._port.inbox.get()) is not None:
                said = list(self._guest.step(message))
                while self._port.kept:
                    said.extend(self._guest.step(self._port.kept.pop(0)))
                outbox.put(said)
        except BaseException as error:  # noqa: BLE001 - carried over to whoever steps
            outbox.put(error)
        finally:
            if self._lost:
                self._threads.recovered()
            self._guest.close()

    def step(self, message: HostMessage) -> Sequence[GuestMessage]:
        if self._lost:
            raise EngineCrashed(self._lost)
        self._port.inbox.put(message)
        said = self._port.outbox.get()
        if isinstance(said, BaseException):
            raise said
        return said

    async def astep(self, message: HostMessage) -> Sequence[GuestMessage]:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Sequence[GuestMessage]] = loop.create_future()

        def work() -> None:
            try:
                _tell(loop, waiter, self.step(message), None)
            except BaseException as error:  # noqa: BLE001 - carried over to the loop
                _tell(loop, waiter, (), error)

        self._threads.submit(work)
        return await waiter

    def interrupt(self, reason: str) -> None:
        self._opened.wait()
        if self._guest is not None:
            self._guest.interrupt(reason)

    def kill(self, reason: str) -> None:
        self.interrupt(reason)
        if not self._lost:
            self._lost = f"the script did not stop ({reason}); its state was abandoned"
            self._threads.abandon()
            self._port.outbox.put(EngineCrashed(self._lost))
            self._port.inbox.put(None)

    def usage(self) -> GuestUsage:
        return GuestUsage()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._port.inbox.put(None)


def inline_seat(
    engine: ScriptEngine, suspends: bool, limits: GuestLimits, port: Any, threads: Callable[[], StepThreads]
) -> InlineSeat | BlockingInlineSeat:
    """Seat a guest of ``engine`` in this process."""
    return (InlineSeat if suspends else BlockingInlineSeat)(engine, limits, port, threads())
