"""The driver: one guest's conversation, from ``Start`` to ``Done`` or ``Failed``.

It begins in the caller's thread, without an event loop, and stays there as long as every answer is at hand.
The first export that has to be awaited moves the rest of it to the host's home loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import lru_cache
from typing import Any

from llmspell.engine.messages import (
    MAIN,
    Call,
    Cancel,
    Delivery,
    Done,
    Emit,
    Failed,
    GuestMessage,
    HostMessage,
    Invoke,
    Load,
    Replies,
    Reply,
)
from llmspell.engine.source import Source
from llmspell.errors import (
    BridgeError,
    Cancelled,
    ConversionError,
    EngineCrashed,
    LlmspellError,
    ResourceExhausted,
    SessionClosedError,
)
from llmspell.gate import Gate
from llmspell.runtime.outcome import error_from
from llmspell.runtime.run import Run
from llmspell.runtime.seat import Seat
from llmspell.values import FunctionRef, HostRef, size_of

GRACE = 0.2
"""Seconds between asking a guest to end and ending it."""

MAX_INVOCATIONS = 500
"""Calls of script functions open at once in one guest: what bounds recursion across languages."""

MOST_REPLIES = 200
"""Replies that are brought to a guest together: enough to share the cost of the way, few enough to be stopped in."""


class Conversation:
    """Drive one guest.

    Args:
        run: The run it belongs to.
        gate: Where its calls go.
        seat: Where the guest is.
        serves: The guest has no main chunk: it waits to be invoked until it is stopped.
    """

    # Thousands may wait at once, so each is small: slots, no queue but a list, no event but a future in need.
    __slots__ = (
        "_busy",
        "_driving",
        "_host_tasks",
        "_inbox",
        "_invocations",
        "_killer",
        "_loop",
        "_next_invoke",
        "_parked",
        "_stop_sent",
        "driven",
        "ended",
        "gate",
        "over",
        "run",
        "seat",
        "serves",
        "watch",
    )

    def __init__(self, run: Run, gate: Gate, seat: Seat, *, serves: bool = False) -> None:
        self.serves = serves
        self.run = run
        self.gate = gate
        self.seat = seat
        self.ended: Done | Failed | None = None
        self.watch = 0
        self.over = False
        self._inbox: list[HostMessage] = []
        self._parked: list[tuple[Call, Any]] = []
        self._invocations: dict[int, asyncio.Future[list[Any]]] = {}
        self._next_invoke = 0
        self._host_tasks: dict[asyncio.Task[Reply], int] = {}
        self.driven: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._driving: asyncio.Future[None] | None = None
        self._busy = False
        self._stop_sent = False
        self._killer: asyncio.TimerHandle | None = None
        run.invoker = self.invoke
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

    @property
    def only_asks(self) -> bool:
        """Nothing goes on but that a person is asked: the guest is idle, and so is everything it waits for."""
        asking = self.run.asking
        return asking > 0 and not self._busy and not self._inbox and len(self._host_tasks) <= asking

    # Without a loop

    def talk(self) -> bool:
        """Drive the conversation in this thread as long as nothing has to be awaited.

        Returns:
            True if it has ended; False if the rest needs :meth:`finish`.
        """
        inbox, seat, gate, run = self._inbox, self.seat, self.gate, self.run
        while inbox:
            for said in seat.step(_next(inbox)):
                kind = type(said)
                if kind is Call:
                    answer = gate.call(run, said)  # type: ignore[arg-type]
                    if type(answer) is Reply:
                        inbox.append(answer)
                    else:
                        self._parked.append((said, answer))  # type: ignore[arg-type]
                elif kind is Emit:
                    self._emitted(said)  # type: ignore[arg-type]
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
        for _, work in self._parked:
            work.close()
        self._parked.clear()

    # On the loop

    async def finish(self) -> None:
        """Drive the rest of the conversation on this loop.

        A cancellation of the awaiting task ends guest and host work first, and is then raised.
        """
        self.attach()
        # In a task of its own, so that a cancellation never meets the guest in the middle of a step.
        loop = asyncio.get_running_loop()
        self.driven = drive = loop.create_task(self._drive(), name=f"llmspell-run-{self.run.id}")
        ended: asyncio.Future[None] = loop.create_future()

        def tell(_: asyncio.Task[None]) -> None:
            if not ended.done():
                ended.set_result(None)

        drive.add_done_callback(tell)
        try:
            await ended
            drive.result()
        except asyncio.CancelledError:
            self.stop("cancelled", Cancelled("the run was cancelled"))
            self._stop_on_loop()
            await asyncio.wait([drive])
            if not drive.cancelled():
                drive.exception()
            raise

    async def _drive(self) -> None:
        loop = self._loop
        assert loop is not None
        over = self._driving = loop.create_future()
        for call, work in self._parked:
            self._begin(call, work)
        self._parked.clear()
        if self.run.stopping:
            self._stop_on_loop()
        self._go_on()
        try:
            await over
        except Exception as error:
            self._fail_invocations(error if isinstance(error, LlmspellError) else EngineCrashed(str(error)))
            raise
        finally:
            self.seat.leave()
            if self._killer is not None:
                self._killer.cancel()
            await self._end_host_work()
            self._loop = None

    def _go_on(self) -> None:
        """Bring the guest what is in line, unless it is busy with what it was told before.

        Called for every word there is for the guest, so each is on its way as soon as it can be; those that come
        while the guest is busy wait, and go together where they can.
        """
        over = self._driving
        if self._busy or over is None or over.done():
            return
        if self._inbox:
            self._busy = True
            try:
                self.seat.begin(_next(self._inbox), self._heard)
            except Exception as error:  # noqa: BLE001 - raised by whoever drives
                over.set_exception(error)
        elif not (self._host_tasks or self.serves):
            over.set_exception(EngineCrashed("the guest waits for something that nobody was asked for"))

    def _heard(self, said: Sequence[GuestMessage], failure: BaseException | None) -> None:
        """Take what the guest said; called on the loop when it has."""
        self._busy = False
        over = self._driving
        if over is None or over.done():
            return
        if failure is None:
            try:
                self._take(said)
            except Exception as error:  # noqa: BLE001 - raised by whoever drives
                failure = error
        if failure is not None:
            over.set_exception(failure)
        elif self.ended is not None:
            over.set_result(None)
        else:
            self._go_on()

    def _take(self, said_all: Sequence[GuestMessage]) -> None:
        gate, run = self.gate, self.run
        for said in said_all:
            kind = type(said)
            if kind is Call:
                answer = gate.call(run, said)  # type: ignore[arg-type]
                if type(answer) is Reply:
                    self._inbox.append(answer)
                else:
                    self._begin(said, answer)  # type: ignore[arg-type]
            elif kind is Emit:
                self._emitted(said)  # type: ignore[arg-type]
            elif said.id == MAIN:  # type: ignore[union-attr]
                self.ended = said  # type: ignore[assignment]
                return
            else:
                self._answered(said)  # type: ignore[arg-type]

    def _begin(self, call: Call, work: Coroutine[Any, Any, Reply]) -> None:
        """Start host work; its reply goes in line when it is there."""
        task = asyncio.get_running_loop().create_task(work, name=_task_name(call.target, call.method))
        self._host_tasks[task] = call.id
        task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[Reply]) -> None:
        del self._host_tasks[task]
        # Cancelled: dropped by the guest, or the run is ending. Nobody waits for an answer.
        if not task.cancelled():
            self._inbox.append(task.result())
        self._go_on()

    def drop(self, call: int) -> None:
        """Cancel the host work of a call that the guest no longer waits for; it gets no reply."""
        for at, (said, work) in enumerate(self._parked):
            if said.id == call:
                work.close()
                del self._parked[at]
                return
        for task, number in list(self._host_tasks.items()):
            if number == call and not task.cancelling():
                task.cancel()

    def _stop_on_loop(self) -> None:
        """Cancel the host work under way, tell the guest, and end it if it does not end itself."""
        if self._stop_sent or self.ended is not None or self._loop is None:
            return
        self._stop_sent = True
        for task in list(self._host_tasks):
            if not task.cancelling():
                task.cancel()
        self._fail_invocations(self.run.stop_error or Cancelled("the run was stopped"))
        self._inbox.insert(0, Cancel(self.run.stopping))
        self._killer = self._loop.call_later(GRACE, self.seat.kill, self.run.stopping)
        self._go_on()

    async def _end_host_work(self) -> None:
        self._drop_parked()
        tasks = list(self._host_tasks)
        for task in tasks:
            if not task.cancelling():  # a second cancellation would cut its clean-up short
                task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)
        self._fail_invocations(Cancelled("the script's run has ended"))
        self._invocations.clear()

    def _fail_invocations(self, error: BaseException) -> None:
        """Tell whoever waits for a script function that no answer will come."""
        for future in self._invocations.values():
            if not future.done():
                future.set_exception(error)
                future.exception()

    # Functions of the script

    async def invoke(self, ref: FunctionRef, args: list[Any]) -> list[Any]:
        """Call a function of the guest and wait for its results.

        Raises:
            ScriptError: It raised.
            ConversionError: An argument cannot cross.
        """
        if self.ended is not None:
            raise SessionClosedError(f"the script function {ref.name or ref.id} is gone: its run has ended")
        if self._loop is None:
            raise Cancelled("the run is not being driven")
        if asyncio.get_running_loop() is not self._loop:
            future = asyncio.run_coroutine_threadsafe(self.invoke(ref, args), self._loop)
            return await asyncio.wrap_future(future)
        values = [self.run.converter.to_value(arg, self.run.naming) for arg in args]
        return await self._ask_guest(lambda number: Invoke(number, ref.id, values))

    async def load(self, source: Source) -> Any:
        """Have the guest run a module, and return its exports: functions among them are awaitable.

        Raises:
            ScriptError: It does not compile, or raised.
        """
        values = await self._ask_guest(lambda number: Load(number, source))
        return values[0] if values else None

    async def _ask_guest(self, message: Callable[[int], HostMessage]) -> list[Any]:
        loop = self._loop
        if loop is None or self.ended is not None:
            raise Cancelled("the run is not being driven")
        if len(self._invocations) >= MAX_INVOCATIONS:
            raise BridgeError(
                f"more than {MAX_INVOCATIONS} calls of script functions are open at once: the recursion between host "
                "and script, or between languages, is too deep",
                code="too_deep",
            )
        self._next_invoke += 1
        number = self._next_invoke
        answer: asyncio.Future[list[Any]] = loop.create_future()
        self._invocations[number] = answer
        self._inbox.append(message(number))
        self._go_on()
        try:
            return await answer
        except asyncio.CancelledError:
            if self._invocations.pop(number, None) is not None and self.ended is None:
                self._inbox.append(Cancel("cancelled", number))
                self._go_on()
            raise

    def _answered(self, said: Done | Failed) -> None:
        answer = self._invocations.pop(said.id, None)
        if answer is None or answer.done():
            return
        if isinstance(said, Done):
            try:
                answer.set_result([self.receive(value) for value in said.values])
            except LlmspellError as error:
                answer.set_exception(error)
        else:
            answer.set_exception(error_from(said.failure, self.run))

    def receive(self, value: Any) -> Any:
        """Put live things where the guest named them."""
        from llmspell.gate.gate import revive

        return revive(self.run, value)

    def outcome(self) -> Any:
        """Return the first result of a run that has ended, as another guest may have it.

        Raises:
            LlmspellError: The run failed.
        """
        ended = self.ended
        if isinstance(ended, Failed):
            raise error_from(ended.failure, self.run)
        assert ended is not None
        return self.receive_result(ended.values[0]) if ended.values else None

    def attach(self) -> None:
        """Make the running loop the conversation's own; from here on it can be spoken to."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()

    def receive_result(self, value: Any) -> Any:
        """Turn a result of the run into what the embedder gets: handles become the objects they stand for.

        Raises:
            ConversionError: A function of the script, which is gone with the run.
            ResourceExhausted: It is larger than the policy allows.
        """
        limit = self.run.policy.limits.result
        if limit is not None and size_of(value, limit) > limit:
            raise ResourceExhausted(f"the result is larger than {limit:,} bytes", limit="result", value=limit)
        return receive_result(self.run, value, "$")

    def _emitted(self, said: Emit) -> None:
        emit(self.run, said, self.stop)


@lru_cache(maxsize=1024)
def _task_name(target: str | int, method: str) -> str:
    return f"llmspell-call-{target}.{method}"


def _next(inbox: list[HostMessage]) -> Delivery:
    """Take the next message out of the line, or all replies until the next word of another kind."""
    first = inbox.pop(0)
    if type(first) is not Reply or not inbox or type(inbox[0]) is not Reply:
        return first
    replies = [first]
    for word in inbox[: MOST_REPLIES - 1]:
        if type(word) is not Reply:
            break
        replies.append(word)
    del inbox[: len(replies) - 1]
    return Replies(replies)


def emit(run: Run, said: Emit, stop: Callable[[str, LlmspellError | None], None] | None) -> None:
    """Take an ``Emit``: output goes to the run's output, warnings to its events.

    Raises:
        OutputExceeded: The limit is reached, and there is no ``stop`` to call with it.
    """
    try:
        if said.kind in ("output", "error_output"):
            run.output(str(said.data), said.kind)
        elif isinstance(said.data, dict):
            run.warned(said.kind, said.data)
    except ResourceExhausted as error:
        run.stop_error = error
        if stop is None:
            raise
        stop("output", error)


def receive_result(run: Run, value: Any, path: str) -> Any:
    kind = type(value)
    if kind is dict:
        return {key: receive_result(run, part, f"{path}.{key}") for key, part in value.items()}
    if kind is list:
        return [receive_result(run, part, f"{path}[{index}]") for index, part in enumerate(value)]
    if kind is HostRef:
        return run.object_of(value.id)
    if kind is FunctionRef:
        raise ConversionError("a function of the script cannot outlive its run", path=path)
    return value
