"""Who listens to what, and telling them."""

from __future__ import annotations

import asyncio
import fnmatch
import itertools
from dataclasses import dataclass
from typing import Any

from llmspell.plugin import BridgeError, Call, ScriptFunction
from llmspell_std.ending import at_end
from llmspell_std.errors.shape import Failing, failure_of, raised
from llmspell_std.events.record import AnyFilter, Event, History

MAX_LISTENERS = 100
ERROR = "error"


@dataclass(frozen=True, slots=True)
class Listener:
    """One function that wants to be told.

    Attributes:
        pattern: A name, or with ``by_pattern`` a pattern of names.
        whole: It receives the event itself instead of its arguments.
    """

    id: int
    pattern: str
    fn: ScriptFunction
    once: bool = False
    by_pattern: bool = False
    whole: bool = False
    chosen: AnyFilter | None = None

    def wants(self, name: str) -> bool:
        return fnmatch.fnmatchcase(name, self.pattern) if self.by_pattern else name == self.pattern


class Hub:
    """Listeners and waiters. A listener is dropped when the run it came from ends."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.max_listeners = MAX_LISTENERS
        self.listeners: dict[int, Listener] = {}
        self._ids = itertools.count(1)
        self._waiters: list[tuple[str, asyncio.Future[list[Any]]]] = []

    def add(self, call: Call, pattern: str, fn: ScriptFunction, **options: Any) -> int:
        """Add a listener and return its id.

        Raises:
            BridgeError: ``too_many`` for one name.
        """
        if sum(known.pattern == pattern for known in self.listeners.values()) >= self.max_listeners:
            raise BridgeError(
                f"{pattern!r} has {self.max_listeners} listeners already; see set_max_listeners", code="too_many"
            )
        number = next(self._ids)
        self.listeners[number] = Listener(number, pattern, fn, **options)
        at_end(call, lambda: self.listeners.pop(number, None))
        return number

    def remove(self, pattern: str | None, which: int | ScriptFunction | None) -> int:
        """Remove listeners by id, by function, or all of a name; return how many."""
        gone = [
            number
            for number, known in self.listeners.items()
            if (pattern is None or known.pattern == pattern)
            and (which is None or number == which or (isinstance(which, ScriptFunction) and known.fn.ref == which.ref))
        ]
        for number in gone:
            del self.listeners[number]
        return len(gone)

    async def emit(self, call: Call, name: str, args: list[Any], *, record: bool = True) -> bool:
        """Tell everybody who listens to ``name``, in the order they came; return whether anybody did.

        A listener that fails does not keep others from being told: its error becomes an event ``error``. If nobody
        listens to that, the first error goes back to who emitted.
        """
        data = args[0] if len(args) == 1 else args
        event = self.history.add(name, data, call.run_id) if record else Event(0, name, data, 0.0, call.run_id)
        told = self._wake(name, args)
        failures: list[dict[str, Any]] = []
        for listener in [known for known in self.listeners.values() if known.wants(name)]:
            if listener.once and self.listeners.pop(listener.id, None) is None:
                continue
            if listener.chosen is not None and not await listener.chosen.matches(event):
                continue
            told = True
            try:
                await self._tell(listener, event, args)
            except Failing as error:
                failures.append(failure_of(error))
        if failures and (name == ERROR or not self._has(ERROR)):
            raise raised(failures[0])
        for failure in failures:
            await self.emit(call, ERROR, [failure, name], record=record)
        return told

    async def wait(self, names: list[str], seconds: float | None) -> dict[str, list[Any]]:
        """Return the arguments of the next event of each name, waiting from this moment on.

        Raises:
            BridgeError: ``timeout``.
        """
        loop = asyncio.get_running_loop()
        waiters: dict[str, asyncio.Future[list[Any]]] = {name: loop.create_future() for name in names}
        self._waiters.extend(waiters.items())
        try:
            async with asyncio.timeout(seconds):
                return {name: await future for name, future in waiters.items()}
        except TimeoutError:
            late = next(name for name, future in waiters.items() if not future.done() or future.cancelled())
            raise BridgeError(f"no event {late!r} within {seconds:g} s", code="timeout") from None
        finally:
            self._waiters = [entry for entry in self._waiters if entry[1] not in waiters.values()]

    async def _tell(self, listener: Listener, event: Event, args: list[Any]) -> None:
        if listener.whole:
            await listener.fn(event.as_dict())
        elif listener.by_pattern:
            await listener.fn(event.type, *args)
        else:
            await listener.fn(*args)

    def _wake(self, name: str, args: list[Any]) -> bool:
        waiting = [future for wanted, future in self._waiters if wanted == name and not future.done()]
        for future in waiting:
            future.set_result(args)
        return bool(waiting)

    def _has(self, name: str) -> bool:
        return any(known.wants(name) for known in self.listeners.values())
