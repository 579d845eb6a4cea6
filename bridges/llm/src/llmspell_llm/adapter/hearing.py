"""Hearing a model while it writes, so that what it writes can be paid for and broken off."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic_ai import messages as theirs
from pydantic_ai.direct import model_request, model_request_stream
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.settings import ModelSettings

from llmspell_llm.adapter.connection import Connection
from llmspell_llm.adapter.patience import Patience, drawn, enter_in_time, in_time
from llmspell_llm.adapter.translate import usage_from
from llmspell_llm.conversation import Usage
from llmspell_llm.errors import ConnectionFailedError

Receiver = Callable[[AsyncGenerator[str, None]], Awaitable[int | None]]
"""Draws the pieces of a text that is being written and closes them; returns how many it wanted, None if all."""


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


@dataclass(frozen=True, slots=True)
class Heard:
    """A response that was heard.

    Attributes:
        response: The whole of it; what had come of it, if its receiver wanted no more.
        said: The text that such a receiver was given; None if it was heard to its end.
        usage: What it took until then.
    """

    response: Any
    said: str | None = None
    usage: Usage | None = None


async def response_to(
    messages: list[theirs.ModelMessage],
    connection: Connection,
    settings: ModelSettings,
    parameters: ModelRequestParameters,
    timeout: float | None,
    asked: Callable[[], str],
    *,
    gauge: Gauge | None = None,
    receive: Receiver | None = None,
) -> Heard:
    """Send one request and hear its whole response: as a stream, if somebody wants to hear it before it is whole.

    Args:
        messages: What is said.
        connection: Which model is asked.
        settings: How it should answer.
        parameters: What it may use.
        timeout: Seconds it may take.
        asked: Gives the prompt, if it must be measured.
        gauge: Hears what the model writes.
        receive: Draws the text as it comes.

    Raises:
        ModelError: It went wrong.
    """
    given: dict[str, Any] = {"model_settings": settings, "model_request_parameters": parameters}
    if receive is None and gauge is None:
        return Heard(await in_time(timeout, connection, model_request(connection.handle, messages, **given)))
    stream: Any = None
    said: list[str] = []
    written: list[str] = []

    async def pieces() -> AsyncGenerator[str, None]:
        nonlocal stream
        patience = Patience(timeout)
        async with AsyncExitStack() as stack:
            opened = model_request_stream(connection.handle, messages, **given)
            stream = await enter_in_time(stack, opened, patience, connection)
            if gauge is not None:
                gauge.so_far = usage
            async for event in drawn(stream, patience, connection):
                text = text_in(event)
                if piece := text or written_in(event):
                    written.append(piece)
                    if gauge is not None:
                        gauge.grow(piece)
                if text:
                    said.append(text)
                    yield text
            check_ended(stream, connection)

    def usage() -> Usage:
        return usage_from(stream.usage, connection, asked, "".join(written))

    wanted = None
    if receive is not None:
        wanted = await receive(pieces())
    else:
        async for _ in pieces():
            """Nobody wants to hear it before it is whole."""
    if wanted is None:
        return Heard(stream.get())
    return Heard(stream.get(), "".join(said[:wanted]), usage())


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
