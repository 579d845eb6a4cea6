"""Hearing a model while it writes, so that what it writes can be paid for and broken off."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol

from pydantic_ai import messages as theirs

from llmspell_llm.adapter.connection import Connection
from llmspell_llm.adapter.patience import Patience, drawn, enter_in_time
from llmspell_llm.adapter.translate import usage_from
from llmspell_llm.conversation import Usage
from llmspell_llm.errors import ConnectionFailedError

Receiver = Callable[[AsyncGenerator[str, None]], Awaitable[Any]]
"""Draws all the pieces of a text that is being written, and closes them."""


class Gauge(Protocol):
    """Hears everything a model writes.

    Attributes:
        so_far: Set to what tells the usage of an answer under way.
    """

    so_far: Callable[[], Usage] | None

    def grow(self, piece: str) -> None:
        """Hear a piece; raising ends the answer."""


def written_in(event: Any) -> str:
    """Return what a model wrote in one event of its stream: text, thoughts and arguments of tools alike."""
    if isinstance(event, theirs.PartDeltaEvent):
        delta = event.delta
        if isinstance(delta, theirs.TextPartDelta | theirs.ThinkingPartDelta):
            return delta.content_delta or ""
        if isinstance(delta, theirs.ToolCallPartDelta):
            return _arguments(delta.args_delta)
    elif isinstance(event, theirs.PartStartEvent):
        part = event.part
        if isinstance(part, theirs.TextPart | theirs.ThinkingPart):
            return part.content
        if isinstance(part, theirs.ToolCallPart):
            return f"{part.tool_name}{_arguments(part.args)}"
    return ""


def _arguments(given: Any) -> str:
    return given if isinstance(given, str) else "" if given is None else str(given)


def text_in(event: Any) -> str:
    """Return what of an event belongs to the answer's text."""
    if isinstance(event, theirs.PartDeltaEvent) and isinstance(event.delta, theirs.TextPartDelta):
        return event.delta.content_delta
    if isinstance(event, theirs.PartStartEvent) and isinstance(event.part, theirs.TextPart):
        return event.part.content
    return ""


async def heard(
    opened: Any,
    connection: Connection,
    timeout: float | None,
    asked: Callable[[], str],
    *,
    gauge: Gauge | None = None,
    receive: Receiver | None = None,
) -> Any:
    """Draw a whole response as a stream and return it.

    Args:
        opened: The stream, to be entered.
        connection: Which model was asked.
        timeout: Seconds it may take.
        asked: Gives the prompt, if it must be measured.
        gauge: Hears what the model writes.
        receive: Draws the text as it comes, to its end.

    Raises:
        ModelError: It went wrong.
    """
    response: Any = None

    async def pieces() -> AsyncGenerator[str, None]:
        nonlocal response
        patience = Patience(timeout)
        written: list[str] = []
        async with AsyncExitStack() as stack:
            stream = await enter_in_time(stack, opened, patience, connection)
            if gauge is not None:
                gauge.so_far = lambda: usage_from(stream.usage, connection, asked, "".join(written))
            async for event in drawn(stream, patience, connection):
                text = text_in(event)
                if gauge is not None and (piece := text or written_in(event)):
                    written.append(piece)
                    gauge.grow(piece)
                if text:
                    yield text
            check_ended(stream, connection)
            response = stream.get()

    if receive is not None:
        await receive(pieces())
    else:
        async for _ in pieces():
            """Nobody wants to hear it before it is whole."""
    return response


def check_ended(stream: Any, connection: Connection) -> None:
    """Make sure that a stream came to its end. Every provider says why an answer ends; one that just stops was cut.

    Raises:
        ConnectionFailedError: It was cut off.
    """
    answered = connection.that_answered(stream.provider_details)
    ended = stream.finish_reason or stream.get().finish_reason
    if ended is None and answered.endpoint.dialect != "made":
        raise ConnectionFailedError(
            f"the answer of {answered.name} broke off", provider=answered.provider.name, model=answered.model
        )
