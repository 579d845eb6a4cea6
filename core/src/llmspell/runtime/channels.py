"""Channels between the runs of one session."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from llmspell.bridge import HostObject, export
from llmspell.errors import BridgeError, ConversionError
from llmspell.values import ValueConverter

MAX_CHANNELS = 1_000

_plain = ValueConverter()
"""Refuses live things: a function or handle of one run is nothing in another."""


class SharedChannel(HostObject):
    """A channel of the host: values are copied when they cross, and a full one holds its senders back.

    All its methods run on the host's home loop, so it needs no lock.
    """

    def __init__(self, name: str, capacity: int) -> None:
        self.name = name
        self.capacity = capacity
        self._items: deque[Any] = deque()
        self._senders: deque[tuple[Any, asyncio.Future[None]]] = deque()
        self._receivers: deque[asyncio.Future[list[Any]]] = deque()
        self._closed = False

    @export
    async def send(self, value: Any) -> None:
        """Send; waits while the channel is full."""
        self._check(value)
        if self._give(value):
            return
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (value, sent)
        self._senders.append(entry)
        try:
            await sent
        except asyncio.CancelledError:
            if entry in self._senders:
                self._senders.remove(entry)
            raise

    @export
    async def receive(self) -> list[Any]:
        """Return ``[value, True]``, or ``[None, False]`` when closed and empty."""
        got = self._take()
        if got is not None:
            return got
        waiting: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._receivers.append(waiting)
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting in self._receivers:
                self._receivers.remove(waiting)
            elif waiting.done() and not waiting.cancelled():
                # The value had been handed over already: give it back, in front.
                self._items.appendleft(waiting.result()[0])
            raise

    @export
    async def try_send(self, value: Any) -> bool:
        """Send if it goes at once."""
        self._check(value)
        return self._give(value)

    @export
    async def try_receive(self) -> list[Any]:
        """Receive if there is something; else ``[None, False]``."""
        return self._take() or [None, False]

    @export(name="close")
    async def close_channel(self) -> None:
        """Take no more values; what is buffered can still be received."""
        if self._closed:
            raise self._closed_error()
        self._closed = True
        while self._receivers:
            self._receivers.popleft().set_result([None, False])
        while self._senders:
            self._senders.popleft()[1].set_exception(self._closed_error())

    @export
    async def info(self) -> dict[str, Any]:
        """Tell how it stands."""
        return {
            "id": f"shared:{self.name}",
            "name": self.name,
            "capacity": self.capacity,
            "length": len(self._items),
            "closed": self._closed,
            "senders": len(self._senders),
            "receivers": len(self._receivers),
        }

    def _check(self, value: Any) -> None:
        try:
            _plain.to_value(value)
        except ConversionError as error:
            raise BridgeError(
                f"only data can be sent to another run through the channel {self.name!r}, no functions or objects",
                code="not_data",
                details={"path": error.path},
            ) from error

    def _give(self, value: Any) -> bool:
        if self._closed:
            raise self._closed_error()
        while self._receivers:
            waiting = self._receivers.popleft()
            if not waiting.done():
                waiting.set_result([value, True])
                return True
        if len(self._items) < self.capacity:
            self._items.append(value)
            return True
        return False

    def _take(self) -> list[Any] | None:
        if self._items:
            value = self._items.popleft()
            if self._senders:
                following, sent = self._senders.popleft()
                self._items.append(following)
                if not sent.done():
                    sent.set_result(None)
            return [value, True]
        if self._senders:
            value, sent = self._senders.popleft()
            if not sent.done():
                sent.set_result(None)
            return [value, True]
        return [None, False] if self._closed else None

    def _closed_error(self) -> BridgeError:
        return BridgeError(f"the channel {self.name!r} is closed", code="closed")


class SharedChannels:
    """The channels of one session, by name."""

    def __init__(self) -> None:
        self._channels: dict[str, SharedChannel] = {}

    def get(self, name: str, capacity: int = 0) -> SharedChannel:
        """Return the channel ``name``, made with ``capacity`` if it is new.

        Raises:
            BridgeError: There are too many, or the capacity is impossible.
        """
        channel = self._channels.get(name)
        if channel is None:
            if len(self._channels) >= MAX_CHANNELS:
                raise BridgeError(f"a session has at most {MAX_CHANNELS} shared channels", code="too_many_channels")
            if not 0 <= capacity <= 1_000_000:
                raise BridgeError(f"a channel cannot have a capacity of {capacity}", code="invalid_argument")
            channel = self._channels[name] = SharedChannel(name, capacity)
        return channel
