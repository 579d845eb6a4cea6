"""The driver: one guest's conversation, from ``Start`` to ``Done`` or ``Failed``.

It begins in the caller's thread, without an event loop, and stays there as long as every answer is at hand.
The first export that has to be awaited moves the rest of it to the host's home loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from llmspell.engine.messages import (
    MAIN,
    Call,
    Cancel,
    Done,
    Emit,
    Failed,
    GuestMessage,
    HostMessage,
    Reply,
)
from llmspell.errors import (
    Cancelled,
    EngineCrashed,
    LlmspellError,
)
from llmspell.gate import Gate
from llmspell.gate.gate import Relayed
from llmspell.gate.living import revive
from llmspell.runtime.delivery import next_of
from llmspell.runtime.hostwork import HostWork
from llmspell.runtime.invocations import Invocations
from llmspell.runtime.outcome import error_from
from llmspell.runtime.results import emit, result_of
from llmspell.runtime.run import Run
from llmspell.runtime.seat import Seat

GRACE = 0.2
"""Seconds between asking a guest to end and ending it."""


class Driver:
    """Drive one guest.

    Args:
        run: The run it belongs to.
        gate: Where its calls go.
        seat: Where the guest is.
        serves: The guest has no main chunk: it waits to be invoked until it is stopped.
    """

    # Thousands may wait at once, so each is small: slots, no queue but a list, no event but a future in need.
    __slots__ = (
        "_busy", "_failure", "_going", "_gone", "_inbox", "_invocations", "_killer", "_loop", "_on_replied",
        "_on_served", "_parked", "_stop_sent", "_wakes", "_work", "ended", "gate", "over", "run", "seat", "serves",
        "watch",
    )  # fmt: skip

    def __init__(self, run: Run, gate: Gate, seat: Seat, *, serves: bool = False) -> None:
        self.serves = serves
        self.run = run
        self.gate = gate
        self.seat = seat
        self.ended: Done | Failed | None = None
        self.watch = 0
        self.over = False
        self._inbox: list[HostMessage] = []
        self._parked: dict[int, tuple[Call, Any]] = {}
        self._invocations = Invocations()
        self._work = HostWork()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wakes: asyncio.Future[None] | None = None  # whoever drives
        self._gone: asyncio.Future[None] | None = None
        self._failure: BaseException | None = None
        self._going = False  # words still pass between guest and host, on the loop
        self._busy = False
        self._stop_sent = False
        self._killer: asyncio.TimerHandle | None = None
        run.drop = self.drop

    def say(self, message: HostMessage) -> None:
        """Put a message for the guest in line."""
        self._inbox.append(message)

    def stop(self, reason: str, error: LlmspellError | None = None) -> None:
        """End the conversation soon; from any thread, any time. The first reason wins."""
        run = self.run
        if run.stopping:
            return
        run.stopping = reason
        if error is not None:
            run.stop_error = error
        self.seat.interrupt(reason)
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._stop_on_loop)
            except RuntimeError:
                return

    def dismiss(self) -> None:
        """End a guest that serves others, on the loop: one that does nothing now leaves a place fit for the next run.

        One that does something is stopped.
        """
        loop = self._loop
        busy = self._busy or self._inbox or self._work or self._invocations or self._stop_sent
        if loop is None or not self._going or busy or self.run.stopping:
            self.stop("cancelled")
            return
        self._stop_sent = True
        self._inbox.append(Cancel())
        self._killer = loop.call_later(GRACE, self.seat.kill, "cancelled")
        self._go_on()

    @property
    def only_asks(self) -> bool:
        """Nothing goes on but that a person is asked: the guest is idle, and so is everything it waits for."""
        asking = self.run.asking
        return asking > 0 and not self._busy and not self._inbox and len(self._work) <= asking

    # Without a loop

    def talk(self) -> bool:
        """Drive the conversation in this thread as long as nothing has to be awaited.

        Returns:
            True if it has ended; False if the rest needs :meth:`finish`.
        """
        inbox, seat, gate, run = self._inbox, self.seat, self.gate, self.run
        while inbox:
            for said in seat.step(next_of(inbox)):
                kind = type(said)
                if kind is Call:
                    answer = gate.call(run, said, self._replied)  # type: ignore[arg-type]
                    if type(answer) is Reply:
                        inbox.append(answer)
                    else:
                        self._parked[said.id] = (said, answer)  # type: ignore[assignment,union-attr]
                elif kind is Emit:
                    emit(run, said, self.stop)  # type: ignore[arg-type]
                elif said.id == MAIN:  # type: ignore[union-attr]
                    self.ended = said  # type: ignore[assignment]
                    self._drop_parked()
                    return True
                else:
                    raise EngineCrashed("the guest answered an invocation that nobody made")
        if not self._parked:
            raise EngineCrashed("the guest waits for something that nobody was asked for")
        return False

    def _drop_parked(self) -> None:
        for _, work in self._parked.values():
            work.close()
        self._parked.clear()

    # On the loop

    @property
    def is_driven(self) -> bool:
        """Somebody drives it on a loop, and has not left."""
        return self._loop is not None and self._wakes is not None

    def until_gone(self) -> asyncio.Future[None]:
        """Return what is done once guest and host work have ended; to be asked on the loop, while it is driven."""
        assert self._loop is not None
        if self._gone is None:
            self._gone = self._loop.create_future()
        return self._gone

    async def finish(self) -> None:
        """Drive the rest of the conversation on this loop.

        A cancellation of the awaiting task ends guest and host work first, and is then raised.
        """
        self.attach()
        loop = asyncio.get_running_loop()
        wakes = self._wakes = loop.create_future()
        self._going = True
        self._on_replied, self._on_served = self._replied, self._served  # or each call would keep two of its own
        for call, work in self._parked.values():
            self._begin(call, work)
        self._parked.clear()
        if self.run.stopping:
            self._stop_on_loop()
        self._go_on()
        # All goes on in callbacks, so that a cancellation of this task never meets the guest in the middle of a step.
        try:
            await wakes
        except asyncio.CancelledError:
            self.stop("cancelled", Cancelled("the run was cancelled"))
            self._stop_on_loop()
            await asyncio.wait([loop.create_task(self._see_to_the_end())])
            raise
        if self._work:
            ending = loop.create_task(self._see_to_the_end())
            try:
                await asyncio.wait([ending])
            except asyncio.CancelledError:
                await asyncio.wait([ending])
                raise
        else:
            self._leave()
        failure, self._failure = self._failure, None
        try:
            if failure is not None:
                raise failure
        finally:
            del failure  # or it and this frame would keep each other

    async def _see_to_the_end(self) -> None:
        """End what still goes on, in a task of its own: nobody who waits for it can cut it short."""
        try:
            if self._going:
                self._wakes = asyncio.get_running_loop().create_future()
                await self._wakes
            tasks = self._work.cancel()
            if tasks:
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._leave()

    def _conclude(self, failure: BaseException | None = None) -> None:
        """Let no more words pass, and wake whoever drives."""
        self._going = False
        self._failure = failure
        if failure is not None:
            self._invocations.fail(failure if isinstance(failure, LlmspellError) else EngineCrashed(str(failure)))
        if self._wakes is not None and not self._wakes.done():
            self._wakes.set_result(None)

    def _leave(self) -> None:
        """Leave the loop, where nothing goes on any more."""
        self.seat.leave()
        if self._killer is not None:
            self._killer.cancel()
        self._drop_parked()
        if self._invocations:
            ended = self.ended
            failed = error_from(ended.failure, self.run) if isinstance(ended, Failed) else None
            self._invocations.fail(failed or Cancelled("the script's run has ended"))
        self._loop = None
        del self._on_replied, self._on_served
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    def _go_on(self) -> None:
        """Bring the guest what is in line, unless it is busy with what it was told before.

        Called for every word there is for the guest, so each is on its way as soon as it can be; those that come
        while the guest is busy wait, and go together where they can.
        """
        if self._busy or not self._going:
            return
        if self._inbox:
            self._busy = True
            try:
                self.seat.begin(next_of(self._inbox), self._heard)
            except Exception as error:  # noqa: BLE001 - raised by whoever drives
                self._conclude(error)
        elif not (self._work or self.serves):
            self._conclude(EngineCrashed("the guest waits for something that nobody was asked for"))

    def _heard(self, said: Sequence[GuestMessage], failure: BaseException | None) -> None:
        """Take what the guest said; called on the loop when it has."""
        self._busy = False
        if not self._going:
            return
        if failure is None:
            try:
                self._take(said)
            except Exception as error:  # noqa: BLE001 - raised by whoever drives
                failure = error
        if failure is not None:
            self._conclude(failure)
        elif self.ended is not None:
            self._conclude()
        else:
            self._go_on()

    def _take(self, said_all: Sequence[GuestMessage]) -> None:
        gate, run = self.gate, self.run
        for said in said_all:
            kind = type(said)
            if kind is Call:
                answer = gate.call(run, said, self._on_replied)  # type: ignore[arg-type]
                if type(answer) is Reply:
                    self._inbox.append(answer)
                elif type(answer) is Relayed:
                    self._work.take_relayed(said.id, answer)  # type: ignore[union-attr]
                else:
                    self._begin(said, answer)  # type: ignore[arg-type]
            elif kind is Emit:
                emit(run, said, self.stop)  # type: ignore[arg-type]
            elif said.id == MAIN:  # type: ignore[union-attr]
                self.ended = said  # type: ignore[assignment]
                return
            else:
                self._answered(said)  # type: ignore[arg-type]

    def _begin(self, call: Call, work: Coroutine[Any, Any, Reply]) -> None:
        """Start host work."""
        self._work.begin(call, work).add_done_callback(self._on_served)

    def _replied(self, reply: Reply) -> None:
        """Put the reply of host work in line; called by the work itself, in its last step."""
        self._work.replied(reply.id)
        self._inbox.append(reply)
        self._go_on()

    def _served(self, task: asyncio.Task[Reply]) -> None:
        self._work.ended(task)
        if task.cancelled():
            # Dropped by the guest, or the run is ending: nobody waits for an answer.
            self._go_on()
        elif (error := task.exception()) is not None:
            self._heard((), error)

    def _answered(self, said: Done | Failed) -> None:
        """Hand on what the guest answered to an invocation, to whoever waits for it."""
        heard = self._invocations.end(said.id)
        if heard is None:
            return
        if isinstance(said, Failed):
            heard(None, error_from(said.failure, self.run))
            return
        try:
            values = [revive(self.run, value) for value in said.values]
        except LlmspellError as error:
            heard(None, error)
        else:
            heard(values, None)

    def drop(self, call: int) -> None:
        """Cancel the host work of a call that the guest no longer waits for; it gets no reply."""
        parked = self._parked.pop(call, None)
        if parked is not None:
            parked[1].close()
            return
        self._work.drop(call)

    def _stop_on_loop(self) -> None:
        """Cancel the host work under way, tell the guest, and end it if it does not end itself."""
        if self._stop_sent or self.ended is not None or self._loop is None:
            return
        self._stop_sent = True
        self._work.cancel()
        self._invocations.fail(self.run.stop_error or Cancelled("the run was stopped"))
        self._inbox.insert(0, Cancel(self.run.stopping))
        self._killer = self._loop.call_later(GRACE, self.seat.kill, self.run.stopping)
        self._go_on()

    def outcome(self) -> Any:
        """Return the first result of a run that has ended, as another guest may have it.

        Raises:
            LlmspellError: The run failed.
        """
        ended = self.ended
        if isinstance(ended, Failed):
            raise error_from(ended.failure, self.run)
        assert ended is not None
        return result_of(self.run, ended.values[0]) if ended.values else None

    def attach(self) -> None:
        """Make the running loop the conversation's own; from here on it can be spoken to."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
