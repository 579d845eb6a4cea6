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

    __slots__ = ("_relayed", "_tasks")

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[Reply], int] = {}
        self._relayed: dict[int, Relayed] = {}

    def __len__(self) -> int:
        return len(self._tasks) + len(self._relayed)

    def begin(self, call: Call, work: Coroutine[Any, Any, Reply]) -> asyncio.Task[Reply]:
        """Serve a call in a task, until it is said to have :meth:`ended`."""
        task = asyncio.get_running_loop().create_task(work, name=_name(call.target, call.method))
        self._tasks[task] = call.id
        return task

    def take_relayed(self, call: int, relayed: Relayed) -> None:
        """Remember a call that another guest serves, until :meth:`replied`."""
        self._relayed[call] = relayed

    def replied(self, call: int) -> None:
        self._relayed.pop(call, None)

    def ended(self, task: asyncio.Task[Reply]) -> None:
        """Forget a task that is over."""
        del self._tasks[task]

    def drop(self, call: int) -> None:
        """Cancel the work for a call that nobody waits for."""
        relayed = self._relayed.pop(call, None)
        if relayed is not None:
            relayed.cancel()
            return
        for task, number in self._tasks.items():
            if number == call and not task.cancelling():
                task.cancel()

    def cancel(self) -> list[asyncio.Task[Reply]]:
        """Cancel all of it; return what will take a while to end."""
        tasks = list(self._tasks)
        for task in tasks:
            if not task.cancelling():  # a second cancellation would cut its clean-up short
                task.cancel()
        relayed, self._relayed = self._relayed, {}
        for each in relayed.values():
            each.cancel()
        return tasks


@lru_cache(maxsize=1024)
def _name(target: str | int, method: str) -> str:
    return f"llmspell-call-{target}.{method}"
