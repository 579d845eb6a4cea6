"""Live things of the host that scripts hold in a special shape: streams and functions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, ClassVar

from llmspell.bridge import HostObject, ScriptFunction, export
from llmspell.bridge.function import Heard
from llmspell.errors import BridgeError


class HostStream(HostObject):
    """An async generator of an export, drawn item by item: each ``next`` is one, so there is back-pressure."""

    handle_kind: ClassVar[str] = "stream"

    def __init__(self, items: AsyncGenerator[Any, None]) -> None:
        self._items = items
        self._drawing = False

    @export
    async def next(self) -> list[Any]:
        """Return ``[done, value]``."""
        if self._drawing:
            raise BridgeError("the stream is already being read by another task", code="busy")
        self._drawing = True
        try:
            return [False, await anext(self._items)]
        except StopAsyncIteration:
            return [True, None]
        finally:
            self._drawing = False

    @export(name="close")
    async def close_stream(self) -> None:
        """End the stream early; its generator runs its clean-up."""
        await self._items.aclose()

    async def aclose(self) -> None:
        """Called when the run ends."""
        if not self._drawing:
            await self._items.aclose()


class HostFunction(HostObject):
    """A function of the host, or of another guest, that a script may call."""

    handle_kind: ClassVar[str] = "function"

    def __init__(self, name: str, function: Callable[..., Awaitable[Any]]) -> None:
        self.handle_name = name or "function"
        self._function = function

    @property
    def script_function(self) -> ScriptFunction | None:
        """The function of another guest, which is what exports and other guests are to get."""
        return self._function if isinstance(self._function, ScriptFunction) else None

    @export
    async def call(self, *args: Any) -> Any:
        """Call it."""
        return await self._function(*args)

    def relay_call(self, args: list[Any], heard: Heard) -> Callable[[], None] | None:
        """Call it without a task that waits, if it is of another guest; see :class:`~llmspell.gate.gate.Door`."""
        function = self._function
        return function.relay(args, heard) if isinstance(function, ScriptFunction) else None
