"""Work that has been made and may never be awaited."""

from __future__ import annotations

from collections.abc import Awaitable
from types import CoroutineType
from typing import Any


class Begun:
    """Holds an awaitable until somebody awaits it; a coroutine that nobody came for is closed with its holder.

    A call can be dropped before its first step: the script's task was cancelled in the step that made it.

    Example:
        >>> async def work():
        ...     return 1
        >>> held = Begun(work())
        >>> del held  # without a warning that the coroutine was never awaited
    """

    __slots__ = ("_work",)

    def __init__(self, work: Awaitable[Any]) -> None:
        self._work: Awaitable[Any] | None = work

    def __call__(self) -> Awaitable[Any]:
        """Give it away."""
        work, self._work = self._work, None
        assert work is not None
        return work

    def __del__(self) -> None:
        if type(self._work) is CoroutineType:
            self._work.close()
