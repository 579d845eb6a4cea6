"""The inline placement: the guest lives in this process."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from llmspell.engine import Capabilities, Guest, GuestLimits, GuestUsage, ScriptEngine
from llmspell.engine.messages import Delivery, GuestMessage, Reply
from llmspell.engine.spec import Limit
from llmspell.errors import EngineCrashed
from llmspell.runtime.delivery import deliver
from llmspell.runtime.seat import Isolation, Told
from llmspell.runtime.steps import StepThreads
from llmspell.runtime.waits import Waits

_HOW = {"deadline": "cooperative", "cancel": "cooperative"}


@cache
def _isolation(enforced: frozenset[Limit]) -> Isolation:
    """Describe what holds a run in this process: what its engine enforces, and the host's count of its output."""
    how: dict[str, str] = {name: _HOW.get(name, "engine") for name in sorted(enforced)}
    return Isolation("inline", how | {"output": "host"})


class InlineSeat:
    """A guest that can suspend, in this process.

    Its steps run in the caller's thread (``step``) or in one of the host's step threads (``begin``).
    """

    __slots__ = (
        "_abandoned", "_begun", "_busy", "_closed", "_guest", "_loop", "_lost", "_threads", "_told", "isolation",
    )  # fmt: skip

    isolation: Isolation

    def __init__(self, engine: ScriptEngine, limits: GuestLimits, port: Any, threads: StepThreads) -> None:
        self._guest: Guest = engine.open(limits, port)
        self._threads = threads
        self._busy = self._begun = self._abandoned = False
        self._lost = ""
        self._closed = False
        self._told: Told | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def step(self, word: Delivery) -> Sequence[GuestMessage]:
        if self._lost:
            raise EngineCrashed(self._lost)
        self._busy = self._begun = True
        try:
            return deliver(self._guest, word)
        finally:
            self._busy = self._begun = False

    def begin(self, word: Delivery, told: Told) -> None:
        if self._lost:
            raise EngineCrashed(self._lost)
        loop = self._loop = asyncio.get_running_loop()
        self._told = told
        self._busy = True
        context = contextvars.copy_context()

        def work() -> None:
            said: Sequence[GuestMessage] = ()
            failure: BaseException | None = None
            self._begun = True
            if not self._lost:
                try:
                    said = deliver(self._guest, word)
                except BaseException as error:  # noqa: BLE001 - carried over to the loop
                    failure = error
            self._busy = self._begun = False
            if self._lost:
                if self._abandoned:
                    self._threads.recovered()
                self._guest.close()
                return
            _call_on(loop, context, self._answer, said, failure)

        self._threads.submit(work)

    def _answer(self, said: Sequence[GuestMessage], failure: BaseException | None) -> None:
        told, self._told = self._told, None
        if told is not None:
            told(said, failure)

    def leave(self) -> None:
        self._told = None

    def interrupt(self, reason: str) -> None:
        self._guest.interrupt(reason)

    def kill(self, reason: str) -> None:
        """Abandon a guest that does not come back: its thread and state are never used again.

        One that still waits for a thread is never stepped again, and costs none.
        """
        self._guest.interrupt(reason)
        if not self._busy or self._lost:
            return
        self._lost = f"the script did not stop ({reason}); its state was abandoned"
        if self._begun:
            self._abandoned = True
            self._threads.abandon()
        if self._loop is not None:
            _call_on(self._loop, None, self._answer, (), EngineCrashed(self._lost))

    def usage(self) -> GuestUsage:
        return GuestUsage() if self._busy else self._guest.usage()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            if not self._busy:
                self._guest.close()


def _call_on(
    loop: asyncio.AbstractEventLoop, context: contextvars.Context | None, told: Told, said: Any, failure: Any
) -> None:
    """Tell somebody on a loop, from another thread; a loop that is gone wants no answer."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(told, said, failure, context=context)


class _BlockingPort:
    """The port of a guest that blocks while it asks; it lives in a thread of its own."""

    guest: Guest

    def __init__(self, port: Any) -> None:
        self.emit = port.emit
        self.inbox: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self.outbox: queue.SimpleQueue[Sequence[GuestMessage] | BaseException] = queue.SimpleQueue()
        self._waits = Waits(lambda word: list(deliver(self.guest, word)), self._word, self.outbox.put)

    def ask(self, said: list[GuestMessage], *, hears: bool = False) -> Reply:
        self.outbox.put(self._waits.with_unsaid(said))
        return self._waits.until(said[-1].id, hears=hears)  # type: ignore[union-attr]

    def _word(self) -> Delivery:
        word = self.inbox.get()
        if word is None:
            raise EngineCrashed("the run was ended")
        return word

    def serve(self) -> None:
        """Have the guest hear what is brought, until nothing more is."""
        while (word := self.inbox.get()) is not None:
            self.outbox.put(self._waits.take(word))


class BlockingInlineSeat:
    """A guest that cannot suspend, in a thread of its own in this process (level ``minimal`` only)."""

    isolation: Isolation

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

    def _live(self) -> None:
        outbox = self._port.outbox
        try:
            guest = self._guest = self._port.guest = self._engine.open(self._limits, self._port)
        except BaseException as error:  # noqa: BLE001 - carried over to whoever steps
            self._lost = f"the engine could not open a state: {error}"
            self._opened.set()
            outbox.put(error)
            return
        self._opened.set()
        try:
            self._port.serve()
        except BaseException as error:  # noqa: BLE001 - carried over to whoever steps
            outbox.put(error)
        finally:
            if self._lost:
                self._threads.recovered()
            guest.close()

    def step(self, word: Delivery) -> Sequence[GuestMessage]:
        if self._lost:
            raise EngineCrashed(self._lost)
        self._port.inbox.put(word)
        said = self._port.outbox.get()
        if isinstance(said, BaseException):
            raise said
        return said

    def begin(self, word: Delivery, told: Told) -> None:
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()

        def work() -> None:
            try:
                _call_on(loop, context, told, self.step(word), None)
            except BaseException as error:  # noqa: BLE001 - carried over to the loop
                _call_on(loop, context, told, (), error)

        self._threads.submit(work)

    def leave(self) -> None:
        """Nothing of it is on the loop."""

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
    engine: ScriptEngine, can: Capabilities, limits: GuestLimits, port: Any, threads: Callable[[], StepThreads]
) -> InlineSeat | BlockingInlineSeat:
    """Seat a guest of ``engine`` in this process."""
    made = (InlineSeat if can.suspends else BlockingInlineSeat)(engine, limits, port, threads())
    made.isolation = _isolation(can.inline)
    return made
