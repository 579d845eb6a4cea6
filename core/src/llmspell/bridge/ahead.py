"""Streams whose generator runs ahead of the script, so that one exchange carries all items that are there."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, ClassVar

from llmspell.bridge.base import HostObject
from llmspell.bridge.export import export
from llmspell.errors import BridgeError

LINGER = 0.01
"""Seconds that items may wait for more of a burst: an exchange with a guest costs as much as making several items."""


class AheadStream(HostObject):
    """An async generator of an export that said ``ahead``; see :func:`~llmspell.bridge.export.export`.

    The generator runs in a task of its own from the first draw on. Every item arrives as it was yielded, in order, and
    a failure after the items before it. Back-pressure: the generator rests once ``most`` items wait here.

    Args:
        items: The generator.
        most: How many items may wait here, and so be taken at once.
    """

    handle_kind: ClassVar[str] = "stream"
    handle_name: ClassVar[str] = "HostStream"

    def __init__(self, items: AsyncGenerator[Any, None], most: int) -> None:
        self._items = items
        self._most = most
        self._waiting: deque[Any] = deque()
        self._failure: BaseException | None = None
        self._producer: asyncio.Task[None] | None = None
        self._ended = False
        self._drawing = False
        self._taken = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    @export
    async def take(self) -> list[Any]:
        """Return ``[ended, count, item, ...]``: all items that wait, at least one unless the stream has ended."""
        await self._arrival()
        if self._taken:
            await self._burst()
        self._taken = True
        taken = list(self._waiting)
        self._waiting.clear()
        self._room.set()
        return [self._ended and self._failure is None, len(taken), *taken]

    @export
    async def next(self) -> list[Any]:
        """Return ``[done, value]``."""
        await self._arrival()
        if not self._waiting:
            return [True, None]
        self._room.set()
        return [False, self._waiting.popleft()]

    @export(name="close")
    async def close_stream(self) -> None:
        """End the stream early; its generator runs its clean-up."""
        await self._stop()
        self._tell_failure()

    async def aclose(self) -> None:
        """Called when the run ends."""
        await self._stop()

    async def _arrival(self) -> None:
        """Wait until an item is there or the stream has ended; raise what ended it once no item is left."""
        if self._drawing:
            raise BridgeError("the stream is already being read by another task", code="busy")
        if self._producer is None and not self._ended:
            self._producer = asyncio.create_task(self._produce())
        while not self._waiting and not self._ended:
            self._news.clear()
            await self._wait(self._news.wait())
        if not self._waiting:
            self._tell_failure()

    async def _burst(self) -> None:
        """Wait for more while every turn of the loop brings some. The first item of all does not wait for others."""
        until, before = time.monotonic() + LINGER, 0
        while before < len(self._waiting) < self._most and not self._ended and time.monotonic() < until:
            before = len(self._waiting)
            await self._wait(asyncio.sleep(0))

    async def _wait(self, until: Coroutine[Any, Any, Any]) -> None:
        """Wait as the one reader; to be cancelled meanwhile ends the stream."""
        self._drawing = True
        try:
            await until
        except asyncio.CancelledError:
            await self._stop()
            raise
        finally:
            self._drawing = False

    async def _produce(self) -> None:
        try:
            async with aclosing(self._items):
                async for item in self._items:
                    if self._ended:
                        break
                    self._waiting.append(item)
                    self._news.set()
                    while len(self._waiting) >= self._most:
                        self._room.clear()
                        await self._room.wait()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - told to who draws, in its turn
            if not (self._ended and isinstance(error, asyncio.CancelledError)):  # stopped by us
                self._failure = error
        finally:
            self._ended = True
            self._news.set()

    async def _stop(self) -> None:
        """Close the generator, wherever it is; what waits is dropped."""
        ended, self._ended = self._ended, True
        if ended:
            self._failure = None  # it lies ahead of where the script left
        if self._producer is not None and not self._producer.done():
            if not ended:
                self._producer.cancel()
            await asyncio.wait([self._producer])
        # One that was cancelled before its first step has not closed what it was to draw from.
        await self._items.aclose()
        self._waiting.clear()
        self._news.set()

    def _tell_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure


def running_ahead(function: Callable[..., AsyncGenerator[Any, None]], most: int) -> Callable[..., AheadStream]:
    """Return the function with its stream running ahead."""
    return lambda *args, **kwargs: AheadStream(function(*args, **kwargs), most)
