"""Emitting and listening: the functions of ``events`` itself and the methods of emitters."""

from __future__ import annotations

from typing import Any

from llmspell.plugin import BridgeError, Call, ScriptFunction, Value, export
from llmspell_std.events.hub import Hub
from llmspell_std.handle import Handle


class EmitterOps:
    """Mixed into the bridge and into :class:`Emitter`."""

    _hub: Hub
    _prefix: str = ""

    @export
    def on(self, call: Call, event: str, fn: ScriptFunction) -> int:
        """Have ``fn(...)`` called at every event of a name, in this run; return an id for ``off``."""
        return self._hub.add(call, self._prefix + event, fn)

    @export
    def once(self, call: Call, event: str, fn: ScriptFunction) -> int:
        """Have ``fn(...)`` called at the next event of a name; return an id for ``off``."""
        return self._hub.add(call, self._prefix + event, fn, once=True)

    @export
    def off(self, event: str, which: int | ScriptFunction | None = None) -> int:
        """Stop listening: with an id or a function that listener, else all of the name; return how many."""
        return self._hub.remove(self._prefix + event, which)

    @export
    async def emit(self, call: Call, event: str, *args: Value) -> bool:
        """Tell everybody who listens; return whether anybody did.

        A listener that fails causes an event ``error``; if nobody listens to that, the failure comes back here.
        """
        return await self._hub.emit(call, self._prefix + event, list(args))

    @export
    def listener_count(self, event: str) -> int:
        """Return how many listen to an event."""
        return sum(known.wants(self._prefix + event) for known in self._hub.listeners.values())

    @export
    def event_names(self) -> list[str]:
        """Return the names and patterns that are listened to."""
        names = dict.fromkeys(known.pattern for known in self._hub.listeners.values())
        return [name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix)]

    @export
    def remove_all_listeners(self, event: str | None = None) -> int:
        """Stop all listening, or all to one name; return how many listeners there were."""
        if event is None and self._prefix:
            return sum(self._hub.remove(self._prefix + name, None) for name in self.event_names())
        return self._hub.remove(None if event is None else self._prefix + event, None)

    @export
    def set_max_listeners(self, count: int) -> None:
        """Allow so many listeners to one name."""
        if not 1 <= count <= 10_000:
            raise BridgeError("the number of listeners should be between 1 and 10,000", code="invalid_argument")
        self._hub.max_listeners = count

    @export
    async def wait_for(self, event: str, timeout: float | None = None) -> list[Any]:
        """Wait for the next event of a name and return its arguments; ``timeout`` is seconds."""
        name = self._prefix + event
        return (await self._hub.wait([name], timeout))[name]

    @export
    async def aggregate(self, events: list[str], timeout: float | None = None) -> dict[str, list[Any]]:
        """Wait until each of several events has happened; return their arguments by name."""
        found = await self._hub.wait([self._prefix + event for event in events], timeout)
        return {name.removeprefix(self._prefix): args for name, args in found.items()}

    @export
    def filter(self, call: Call, pattern: str, fn: ScriptFunction) -> int:
        """Have ``fn(event, ...)`` called at every event whose name matches a pattern; return an id for ``off``."""
        return self._hub.add(call, self._prefix + pattern, fn, by_pattern=True)

    @export
    def namespace(self, prefix: str) -> Emitter:
        """Return an emitter over the same listeners, in which every name begins with ``prefix:``."""
        return Emitter(self._hub, f"{self._prefix}{prefix}:")


class Emitter(EmitterOps, Handle):
    """An emitter that a script holds."""

    def __init__(self, hub: Hub, prefix: str = "") -> None:
        self._hub = hub
        self._prefix = prefix
