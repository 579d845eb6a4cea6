"""``EventsBridge``: what scripts see as ``events``."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any, Literal

from llmspell.plugin import Bridge, BridgeError, Call, ScriptFunction, Value, export
from llmspell_std.data import formats
from llmspell_std.ending import at_end
from llmspell_std.events.around import Interceptors, Place
from llmspell_std.events.emitter import Emitter, EmitterOps
from llmspell_std.events.hub import Hub
from llmspell_std.events.record import KEPT, KINDS, Aggregator, AnyFilter, Composite, Event, History, read_filter

_MAX_KEPT = 1_000


class EventsBridge(EmitterOps, Bridge):
    """Emit events and listen to them; ask what happened; replay it.

    Listeners live as long as the run that added them, the history as long as the session. Times are seconds.
    """

    name = "events"

    def __init__(self) -> None:
        self._history = History()
        self._hub = Hub(self._history)
        self._around = Interceptors()
        self._filters: dict[int, AnyFilter] = {}
        self._aggregators: dict[int, Aggregator] = {}
        self._ids = itertools.count(1)
        self._recorded_from: int | None = None
        self._replay: asyncio.Event | None = None
        self._replay_stopped = False

    @export
    def create_emitter(self) -> Emitter:
        """Return an emitter with listeners of its own."""
        return Emitter(Hub(History()))

    # The bus

    @export
    async def publish(self, call: Call, event: str | dict[str, Any], data: Value = None) -> bool:
        """Emit an event: a name and its data, or ``{type, data}``; return whether anybody listened."""
        kind = event
        if isinstance(event, dict):
            kind, data = event.get("type", ""), event.get("data")
        if not isinstance(kind, str) or not kind:
            raise BridgeError("an event needs a type", code="invalid_argument")
        return await self.emit(call, kind, data)

    @export
    def subscribe(self, call: Call, pattern: str, fn: ScriptFunction) -> int:
        """Have ``fn({id, type, data, timestamp, source})`` called at events whose type matches; return an id."""
        return self._hub.add(call, pattern, fn, by_pattern=True, whole=True)

    @export
    def subscribe_with_filter(self, call: Call, filter: int | dict[str, Any], fn: ScriptFunction) -> int:
        """Have ``fn(event)`` called at events that a filter lets through; return an id."""
        return self._hub.add(call, "*", fn, by_pattern=True, whole=True, chosen=self._filter(filter))

    @export
    def unsubscribe(self, subscription: int) -> bool:
        """End a subscription; tell whether there was one."""
        return self._hub.remove(None, subscription) > 0

    @export
    def subscription_count(self) -> int:
        """Return how many listeners there are."""
        return len(self._hub.listeners)

    @export
    def subscription_info(self, subscription: int) -> dict[str, Any] | None:
        """Return ``{id, pattern, once}``, or nothing."""
        known = self._hub.listeners.get(subscription)
        return None if known is None else {"id": known.id, "pattern": known.pattern, "once": known.once}

    # Filters

    @export
    def create_filter(self, call: Call, config: dict[str, Any]) -> int:
        """Make a filter for this run: ``{pattern, since, until, where = {path = value}, source, predicate}``."""
        return self._keep(call, read_filter(config))

    @export
    def create_composite_filter(
        self, call: Call, filters: list[int | dict[str, Any]], operator: Literal["AND", "OR"] = "AND"
    ) -> int:
        """Make a filter of several, all or any of which have to let an event through."""
        return self._keep(call, Composite(tuple(self._filter(each) for each in filters), operator == "AND"))

    # What happened

    @export
    async def query(self, query: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return the latest events that a filter lets through, oldest first, at most ``limit`` (100)."""
        return [event.as_dict() for event in await self._found(query or {})]

    @export
    def history(self, since: float | None = None, until: float | None = None) -> list[dict[str, Any]]:
        """Return the events between two points in time."""
        return [
            event.as_dict()
            for event in self._history.events
            if (since is None or event.timestamp >= since) and (until is None or event.timestamp <= until)
        ]

    @export
    def store_event(self, call: Call, event: str, data: Value = None) -> dict[str, Any]:
        """Note an event in the history without telling anybody."""
        return self._history.add(event, data, call.run_id).as_dict()

    @export
    def clear_history(self) -> int:
        """Forget what happened; return how many events that were."""
        count = len(self._history.events)
        self._history.events.clear()
        return count

    @export
    def start_recording(self) -> None:
        """Begin to record."""
        self._recorded_from = self._history.events[-1].id if self._history.events else 0

    @export
    def stop_recording(self) -> list[dict[str, Any]]:
        """End recording; return the events since its start, at most a thousand."""
        since, self._recorded_from = self._recorded_from, None
        return [] if since is None else [event.as_dict() for event in self._history.events if event.id > since]

    @export
    def is_recording(self) -> bool:
        """Tell whether events are recorded."""
        return self._recorded_from is not None

    # Replay

    @export
    async def replay(self, call: Call, query: dict[str, Any] | None = None, *, speed: float = 1.0) -> int:
        """Emit past events again, as far apart as they were, ``speed`` times as fast (0: at once); return how many."""
        if not speed >= 0:
            raise BridgeError("speed should not be negative", code="invalid_argument")
        if self._replay is not None:
            raise BridgeError("a replay is under way", code="busy")
        events = await self._found({"limit": KEPT, **(query or {})})
        self._replay = asyncio.Event()
        self._replay.set()
        self._replay_stopped = False
        done = 0
        try:
            for index, event in enumerate(events):
                if index and speed:
                    await asyncio.sleep(max(0.0, event.timestamp - events[index - 1].timestamp) / speed)
                await self._replay.wait()
                if self._replay_stopped:
                    break
                args = event.data if isinstance(event.data, list) else [event.data]
                await self._hub.emit(call, event.type, args, record=False)
                done += 1
        finally:
            self._replay = None
        return done

    @export
    def pause_replay(self) -> bool:
        """Hold a replay; tell whether there is one."""
        if self._replay is not None:
            self._replay.clear()
        return self._replay is not None

    @export
    def resume_replay(self) -> bool:
        """Go on with a replay; tell whether there is one."""
        if self._replay is not None:
            self._replay.set()
        return self._replay is not None

    @export
    def stop_replay(self) -> bool:
        """End a replay; tell whether there was one."""
        self._replay_stopped = True
        return self.resume_replay()

    # Texts and sums

    @export
    def serialize_event(self, event: dict[str, Any], format: Literal["json", "yaml"] = "json") -> str:
        """Write an event as a text."""
        return formats.write(event, format)

    @export(blocking=True)
    def deserialize_event(self, text: str, format: Literal["json", "yaml"] = "json") -> dict[str, Any]:
        """Read an event from a text."""
        found = formats.read(text, format)
        if not isinstance(found, dict) or not isinstance(found.get("type"), str):
            raise BridgeError("the text holds no event", code="invalid_argument")
        return found

    @export
    def create_aggregator(self, kind: str, *, pattern: str = "*", field: str = "", window_size: float = 300) -> int:
        """Make a ``count``, ``sum``, ``average``, ``min``, ``max`` or ``rate`` (a second) over the events of a window.

        ``field`` is the path of the number in an event's data, empty for the data itself.
        """
        if kind not in KINDS or not window_size > 0:
            raise BridgeError(
                f"an aggregator is one of {', '.join(KINDS)} over a positive window", code="invalid_argument"
            )
        if len(self._aggregators) >= _MAX_KEPT:
            raise BridgeError(f"there are {_MAX_KEPT:,} aggregators already", code="too_many")
        number = next(self._ids)
        self._aggregators[number] = Aggregator(kind, pattern, field, window_size)
        return number

    @export
    def get_aggregated_data(self, aggregator: int) -> dict[str, Any]:
        """Return ``{id, type, event_count, value, last_update}``."""
        known = self._aggregators.get(aggregator)
        if known is None:
            raise BridgeError(f"there is no aggregator {aggregator}", code="not_found")
        return {"id": aggregator, **known.over(self._history.events)}

    # Before, after and around

    @export
    def before(self, call: Call, event: str, fn: ScriptFunction) -> int:
        """Have ``fn(...)`` run before what ``execute`` does under a name; a list it returns replaces the arguments."""
        return self._around.add(call, event, "before", fn)

    @export
    def after(self, call: Call, event: str, fn: ScriptFunction) -> int:
        """Have ``fn(result, ...)`` run after what ``execute`` does under a name; what it returns is the new result."""
        return self._around.add(call, event, "after", fn)

    @export
    def around(self, call: Call, event: str, fn: ScriptFunction) -> int:
        """Have ``fn(next, ...)`` run in place of what ``execute`` does under a name; it may call ``next(...)``."""
        return self._around.add(call, event, "around", fn)

    @export
    async def execute(self, event: str, fn: ScriptFunction, *args: Value) -> Any:
        """Call a function under a name, with everything that stands before, around and after that name."""
        return await self._around.run(event, fn, list(args))

    @export
    def remove(self, event: str, kind: Place, id: int) -> bool:
        """Remove what ``before``, ``after`` or ``around`` added; tell whether it was there."""
        return self._around.remove(event, kind, id) > 0

    @export
    def clear(self, event: str | None = None, kind: Place | None = None) -> int:
        """Remove everything that ``before``, ``after`` and ``around`` added, or what fits; return how many."""
        return self._around.remove(event, kind, None)

    def _keep(self, call: Call, made: AnyFilter) -> int:
        number = next(self._ids)
        self._filters[number] = made
        at_end(call, lambda: self._filters.pop(number, None))
        return number

    def _filter(self, which: int | dict[str, Any]) -> AnyFilter:
        if isinstance(which, dict):
            return read_filter(which)
        known = self._filters.get(which)
        if known is None:
            raise BridgeError(f"there is no filter {which}", code="not_found")
        return known

    async def _found(self, query: dict[str, Any]) -> list[Event]:
        wanted, limit = read_filter(query), query.get("limit", 100)
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise BridgeError("limit should be a number of events", code="invalid_argument")
        found = [event for event in list(self._history.events) if await wanted.matches(event)]
        return found[-limit:] if limit else []
