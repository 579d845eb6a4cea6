"""Functions that bridges give to scripts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from llmspell.plugin import HostObject, export


class GivenFunction(HostObject):
    """An asynchronous Python function that a script holds and calls as its own.

    Args:
        name: What the script sees it as.
        function: Takes the arguments as they come.
    """

    handle_kind: ClassVar[str] = "function"

    def __init__(self, name: str, function: Callable[..., Awaitable[Any]]) -> None:
        self.handle_name = name
        self._function = function

    @export
    async def call(self, *args: Any) -> Any:
        """Call it."""
        return await self._function(*args)
