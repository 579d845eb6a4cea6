"""A function of the script, as a bridge holds it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from llmspell.values import FunctionRef, Value

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

Invoker = Callable[[FunctionRef, list[Any]], Awaitable[list[Any]]]
Heard = Callable[["list[Any] | None", "BaseException | None"], None]
Feeder = Callable[[FunctionRef, list[Any]], Awaitable["int | None"]]
Relayer = Callable[[FunctionRef, list[Any], Heard], "Callable[[], None] | None"]


class ScriptFunction:
    """A function that lives in a script: ``await fn(1, "a")`` runs it in its guest.

    It lives as long as the run it came from; calling it afterwards raises
    :class:`~llmspell.errors.SessionClosedError`. Errors the script raises arrive as
    :class:`~llmspell.errors.ScriptError`. Annotate a parameter of an export with it to accept a function.
    """

    __slots__ = ("_feed", "_invoke", "_relay", "host", "ref")

    def __init__(
        self, ref: FunctionRef, invoke: Invoker, relay: Relayer | None = None, feed: Feeder | None = None
    ) -> None:
        self.ref = ref
        self._invoke = invoke
        self._relay = relay
        self._feed = feed
        self.host: Any = None  # what guests of other languages hold of it, once one does

    async def __call__(self, *args: Any) -> Any:
        """Run it; return its first result, or None if it returns nothing."""
        values = await self._invoke(self.ref, list(args))
        return values[0] if values else None

    async def call_all(self, *args: Any) -> list[Value]:
        """Run it; return all its results (Lua functions may return several)."""
        return await self._invoke(self.ref, list(args))

    async def each(self, items: AsyncGenerator[Any, None], *, ahead: int = 64) -> int | None:
        """Call it with every item of a stream, in order and one after the other, until a call returns ``False``.

        The stream runs ahead by up to ``ahead`` items, and those that are there reach the script in one exchange. It
        is closed at the end, whatever the end is.

        Args:
            items: The stream.
            ahead: How many items may wait here.

        Returns:
            How many calls there were, where the last of them returned ``False``; None where the stream ended.

        Raises:
            ScriptError: A call raised; there are no further ones.
            Exception: What the stream raised, after a call with each item before it.
        """
        from llmspell.bridge.ahead import AheadStream

        stream = AheadStream(items, ahead)
        calls = 0
        try:
            while True:
                ended, count, *taken = await stream.take()
                stopped = await self._call_each(taken) if count else None
                if stopped is not None:
                    return calls + stopped
                if ended:
                    return None
                calls += count
        finally:
            await stream.aclose()

    async def _call_each(self, items: list[Any]) -> int | None:
        if self._feed is not None:
            return await self._feed(self.ref, items)
        for calls, item in enumerate(items, 1):
            if await self(item) is False:
                return calls
        return None

    def relay(self, args: list[Any], heard: Heard) -> Callable[[], None] | None:
        """Call it for another guest, without a task that waits; not part of the plugin contract.

        Returns:
            What calls it off; None if it has to be awaited after all.
        """
        return None if self._relay is None else self._relay(self.ref, args, heard)

    def lives_in(self, invoke: Invoker) -> bool:
        """Tell whether it lives in the guest that ``invoke`` reaches, where it is known by its ``ref``."""
        return self._invoke == invoke

    @property
    def name(self) -> str:
        return self.ref.name

    def __repr__(self) -> str:
        return f"<ScriptFunction {self.ref.name or self.ref.id}>"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls, cls_repr="function")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "object", "format": "function"}
