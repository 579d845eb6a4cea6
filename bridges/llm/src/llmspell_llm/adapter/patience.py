"""How long an answer may take: as a whole, however slowly its bytes drip, and in silence."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import coroutine
from typing import Any, TypeVar

from llmspell_llm.adapter.connection import Connection
from llmspell_llm.adapter.failures import raise_translated, translated
from llmspell_llm.errors import ModelTimeoutError

T = TypeVar("T")
LONGEST = 600.0
"""Seconds an answer may take, or keep silent in a stream, where nobody said how long."""
LONGEST_STREAM = 3600.0
"""The same for the whole of a stream."""


async def in_time(seconds: float | None, connection: Connection, request: Awaitable[T]) -> T:
    """Wait for a whole answer, however slowly its bytes drip.

    Raises:
        ModelTimeoutError: It took longer.
        ModelError: What else went wrong, in our words.
    """
    with translated(connection):
        try:
            async with asyncio.timeout(LONGEST if seconds is None else seconds):
                return await request
        except TimeoutError as error:
            raise late(seconds, connection) from error


async def drawn(events: Any, patience: Patience, connection: Connection) -> AsyncGenerator[Any, None]:
    """Yield what a stream brings while there is patience left. What the consumer does meanwhile does not count.

    Raises:
        ModelTimeoutError: It was silent, or took, too long.
        ModelError: What else went wrong, in our words.
    """
    iterator = aiter(events)
    while True:
        # Written out, not in context managers: it is passed by every piece of every answer. Most are there already, and
        # are drawn without the timer that waiting for one takes.
        began = time.monotonic()
        try:
            coming = anext(iterator).__await__()
            there, event = await _at_once(coming)
            if not there:
                async with asyncio.timeout(min(patience.left, LONGEST)):
                    event = await _the_rest(coming, event)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise late(patience.whole, connection) from error
        except Exception as error:  # noqa: BLE001 - translated
            raise_translated(error, connection)
        patience.left -= time.monotonic() - began
        if patience.left <= 0:
            raise late(patience.whole, connection)
        yield event


Steps = Generator[Any, Any, Any]
_TURNS = 100
"""Turns of the loop in which a piece may come without being waited for."""


@coroutine
def _at_once(steps: Steps) -> Generator[Any, Any, tuple[bool, Any]]:
    """Begin an awaitable, but wait for nothing more than the next turns of the loop.

    Returns:
        ``(True, result)``, or ``(False, what it waits for)``.
    """
    step: Callable[[Any], Any] = steps.send
    told: Any = None
    for _ in range(_TURNS):
        try:
            waiting = step(told)
        except StopIteration as there:
            return True, there.value
        if waiting is not None:
            return False, waiting
        step, told = yield from _pass_on(steps, None)
    return False, None


@coroutine
def _the_rest(steps: Steps, waiting: Any) -> Generator[Any, Any, Any]:
    """Go on with an awaitable that was begun, and waits."""
    while True:
        step, told = yield from _pass_on(steps, waiting)
        try:
            waiting = step(told)
        except StopIteration as there:
            return there.value


def _pass_on(steps: Steps, waiting: Any) -> Generator[Any, Any, tuple[Callable[[Any], Any], Any]]:
    """Wait for what ``steps`` wait for; return what they are to be told, and how."""
    try:
        return steps.send, (yield waiting)
    except GeneratorExit:
        steps.close()
        raise
    except BaseException as error:  # noqa: BLE001 - theirs to handle
        return steps.throw, error


async def enter_in_time(
    stack: AsyncExitStack, opened: AbstractAsyncContextManager[T], patience: Patience, connection: Connection
) -> T:
    """Open a stream, within its time.

    Raises:
        ModelTimeoutError: It took longer.
        ModelError: What else went wrong, in our words.
    """
    began = time.monotonic()
    with translated(connection):
        try:
            async with asyncio.timeout(min(patience.left, LONGEST)):
                return await stack.enter_async_context(opened)
        except TimeoutError as error:
            raise late(patience.whole, connection) from error
        finally:
            patience.left -= time.monotonic() - began


class Patience:
    """How long an answer that streams may still take.

    Args:
        whole: Seconds of waiting in all, or None.

    Attributes:
        left: Seconds that are left of it.
    """

    def __init__(self, whole: float | None) -> None:
        self.whole = whole
        self.left = LONGEST_STREAM if whole is None else whole


def late(seconds: float | None, connection: Connection) -> ModelTimeoutError:
    """Return the error of an answer that did not come in time."""
    return ModelTimeoutError(
        f"{connection.name} did not answer within {LONGEST if seconds is None else seconds:g} s",
        provider=connection.provider.name,
        model=connection.model,
    )
