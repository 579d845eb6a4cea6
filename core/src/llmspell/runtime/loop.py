"""The home loop: where a host's asynchronous work runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from llmspell.errors import LlmspellError

T = TypeVar("T")

WIND_DOWN = 5.0
"""Seconds that cancelled work is waited for."""


class HomeLoop:
    """The one event loop a host's bridges live on.

    Either the loop that entered the host (``async with Host()``), or a thread of the host's own, started when
    first needed.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def adopt(self) -> None:
        """Make the running loop the home loop, if there is none yet."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()

    @property
    def is_here(self) -> bool:
        """Tell whether the caller runs on the home loop."""
        try:
            return self._loop is not None and asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    @property
    def started(self) -> bool:
        return self._loop is not None

    def _ensure(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                started = threading.Event()

                def live() -> None:
                    asyncio.set_event_loop(loop)
                    loop.call_soon(started.set)
                    loop.run_forever()

                self._thread = threading.Thread(target=live, name="llmspell-loop", daemon=True)
                self._thread.start()
                started.wait()
                self._loop = loop
            return self._loop

    def submit(self, work: Coroutine[Any, Any, T]) -> tuple[Future[T], threading.Event]:
        """Start ``work`` on the home loop from any thread.

        Returns:
            Its future, and an event that is set when it has really ended: a cancelled future says so before its
            work has wound down.
        """
        ended = threading.Event()

        async def tracked() -> T:
            try:
                return await work
            finally:
                ended.set()

        return asyncio.run_coroutine_threadsafe(tracked(), self._ensure()), ended

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` on the home loop and wait for it; a KeyboardInterrupt cancels it first.

        Raises:
            LlmspellError: Called on the home loop itself, which would wait for itself.
        """
        if self.is_here:
            work.close()
            raise LlmspellError(
                "a synchronous call on the host's own event loop would block it", hint="await the a... form instead"
            )
        future, ended = self.submit(work)
        try:
            return future.result()
        except BaseException:
            if future.cancel() or future.cancelled():
                ended.wait(WIND_DOWN)
            raise

    async def arun(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` on the home loop from any loop; cancelling the caller cancels it and waits for it."""
        if self.is_here:
            return await work
        future, ended = self.submit(work)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.to_thread(ended.wait, WIND_DOWN))
            raise

    def close(self) -> None:
        """Stop the loop's thread, if it is ours."""
        if self._thread is None or self._loop is None:
            return
        loop = self._loop
        asyncio.run_coroutine_threadsafe(_drain(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()
        loop.close()
        self._thread = self._loop = None


async def _drain() -> None:
    """Cancel and await whatever still runs on a loop that is about to end."""
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    loop = asyncio.get_running_loop()
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
