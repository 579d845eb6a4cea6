"""``HostWork``: what the host is doing for the calls of one guest."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any

from llmspell.engine.messages import Call, Reply
from llmspell.gate.gate import Relayed


class HostWork:
    """The calls under way: most are tasks of the loop, those to another guest wait for it without one."""

    __slots__ = ("_leaving", "_relayed", "_tasks")

    def __init__(self) -> None:
        self._tasks: dict[int, asyncio.Task[Reply]] = {}  # by the ids of calls
        self._leaving: set[asyncio.Task[Reply]] | None = None  # cancelled, and cleaning up
        self._relayed: dict[int, Relayed] = {}

    def __len__(self) -> int:
        return len(self._tasks) + len(self._relayed) + len(self._leaving or ())

    def begin(self, call: Call, work: Coroutine[Any, Any, Reply]) -> asyncio.Task[Reply]:
        """Serve a call in a task, until it is said to have :meth:`ended`."""
        task = asyncio.get_running_loop().create_task(work, name=_name(call.target, call.method))
        self._tasks[call.id] = task
        return task

    def take_relayed(self, call: int, relayed: Relayed) -> None:
        """Remember a call that another guest serves, until :meth:`replied`."""
        self._relayed[call] = relayed

    def replied(self, call: int) -> None:
        self._relayed.pop(call, None)

    def ended(self, task: asyncio.Task[Reply]) -> None:
        """Forget a task that is over."""
        if self._leaving is not None and task in self._leaving:
            self._leaving.remove(task)
        elif not task.cancelled() and task.exception() is None:
            del self._tasks[task.result().id]
        else:  # cancelled by itself, or failed in a way of its own: it cannot say whose it was
            self._tasks = {call: other for call, other in self._tasks.items() if other is not task}

    def drop(self, call: int) -> None:
        """Cancel the work for a call that nobody waits for."""
        relayed = self._relayed.pop(call, None)
        task = self._tasks.pop(call, None)
        if relayed is not None:
            relayed.cancel()
        elif task is not None:
            self._cancel(task)

    def cancel(self) -> list[asyncio.Task[Reply]]:
        """Cancel all of it; return what will take a while to end."""
        tasks, self._tasks = self._tasks, {}
        for task in tasks.values():
            self._cancel(task)
        relayed, self._relayed = self._relayed, {}
        for each in relayed.values():
            each.cancel()
        return list(self._leaving or ())

    def _cancel(self, task: asyncio.Task[Reply]) -> None:
        """Cancel a task once: a second cancellation would cut its clean-up short."""
        if self._leaving is None:
            self._leaving = set()
        self._leaving.add(task)
        if not task.cancelling():
            task.cancel()


@lru_cache(maxsize=1024)
def _name(target: str | int, method: str) -> str:
    return f"llmspell-call-{target}.{method}"
