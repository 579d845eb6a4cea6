"""A conversation: a driven guest of which others ask to call its functions, and to run modules for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from llmspell.bridge.function import Heard
from llmspell.engine.messages import Cancel, HostMessage, Invoke, Load
from llmspell.engine.source import Source
from llmspell.errors import Cancelled, EngineCrashed, SessionClosedError
from llmspell.gate import Gate
from llmspell.runtime.driver import Driver
from llmspell.runtime.invocations import into
from llmspell.runtime.run import Run
from llmspell.runtime.seat import Seat
from llmspell.values import FunctionRef


class Conversation(Driver):
    """Drive one guest, and ask it what others want of it.

    Args:
        run: The run it belongs to; it finds its functions' guest through it.
        gate: Where its calls go.
        seat: Where the guest is.
        serves: The guest has no main chunk: it waits to be invoked until it is stopped.
        calls_each: The guest calls a function with several items in one exchange.
    """

    __slots__ = ()

    def __init__(self, run: Run, gate: Gate, seat: Seat, *, serves: bool = False, calls_each: bool = False) -> None:
        super().__init__(run, gate, seat, serves=serves)
        run.invoker = self.invoke
        run.relay = self.relay
        run.feeder = self.feed if calls_each else None

    async def invoke(self, ref: FunctionRef, args: list[Any]) -> list[Any]:
        """Call a function of the guest and wait for its results.

        Raises:
            ScriptError: It raised.
            ConversionError: An argument cannot cross.
        """
        loop = self._loop
        if loop is not None and asyncio.get_running_loop() is not loop:
            future = asyncio.run_coroutine_threadsafe(self.invoke(ref, args), loop)
            return await asyncio.wrap_future(future)
        return await self._ask_guest(self._invocation(ref, args))

    async def feed(self, ref: FunctionRef, items: list[Any]) -> int | None:
        """Call a function of the guest with each of some items, until a call returns ``false``.

        Returns:
            How many calls there were, where one returned ``false``; else None.

        Raises:
            ScriptError: It raised.
            ConversionError: An item cannot cross.
        """
        loop = self._loop
        if loop is not None and asyncio.get_running_loop() is not loop:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.feed(ref, items), loop))
        values = await self._ask_guest(self._invocation(ref, items, each=True))
        calls = values[0] if values else None
        if calls is not None and not (type(calls) is int and 0 < calls <= len(items)):
            lost = EngineCrashed("the guest told of calls that it was not asked to make")
            self._heard((), lost)
            raise lost
        return calls

    def relay(self, ref: FunctionRef, args: list[Any], heard: Heard) -> Callable[[], None] | None:
        """Call a function of the guest on behalf of another guest, without a task that waits.

        Args:
            heard: Called with its results, or with what it raised, at once when they are there.

        Returns:
            What calls it off; None where this is no place for it, and :meth:`invoke` is to be used.

        Raises:
            ConversionError: An argument cannot cross.
            BridgeError: The recursion between languages is too deep.
        """
        loop = self._loop
        if loop is None or self.ended is not None or asyncio.get_running_loop() is not loop:
            return None
        number = self._ask(self._invocation(ref, args), heard)
        return lambda: self._call_off(number)

    def _invocation(self, ref: FunctionRef, args: list[Any], *, each: bool = False) -> Callable[[int], HostMessage]:
        if self.ended is not None:
            raise SessionClosedError(f"the script function {ref.name or ref.id} is gone: its run has ended")
        run = self.run
        values = [run.converter.to_value(arg, run.naming) for arg in args]
        return lambda number: Invoke(number, ref.id, values, each)

    async def load(self, source: Source, chain: tuple[str, ...] = ()) -> Any:
        """Have the guest run a module, and return its exports: functions among them are awaitable.

        Args:
            source: The module.
            chain: The files that wait for it.

        Raises:
            ScriptError: It does not compile, or raised.
        """
        values = await self._ask_guest(lambda number: Load(number, source, chain))
        return values[0] if values else None

    async def _ask_guest(self, message: Callable[[int], HostMessage]) -> list[Any]:
        if self._loop is None:
            raise Cancelled("the run is not being driven")
        answer: asyncio.Future[list[Any]] = self._loop.create_future()
        number = self._ask(message, into(answer))
        try:
            return await answer
        except asyncio.CancelledError:
            self._call_off(number)
            raise

    def _ask(self, message: Callable[[int], HostMessage], heard: Heard) -> int:
        if self._loop is None or self.ended is not None:
            raise Cancelled("the run is not being driven")
        number = self._invocations.begin(heard)
        self._inbox.append(message(number))
        self._go_on()
        return number

    def _call_off(self, number: int) -> None:
        """Have the guest end what nobody waits for any more."""
        if self._invocations.end(number) is not None and self.ended is None:
            self._inbox.append(Cancel("cancelled", number))
            self._go_on()
