"""Asking a model: one request, or one stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from pydantic_ai import messages as theirs
from pydantic_ai.direct import model_request, model_request_stream

from llmspell_llm.adapter.connection import Connection
from llmspell_llm.adapter.patience import Patience, drawn, enter_in_time, in_time
from llmspell_llm.adapter.translate import (
    answer_from,
    check_pictures,
    constrain,
    messages_for,
    settings_for,
    text_of,
    usage_from,
)
from llmspell_llm.conversation import Answer, Message, Settings, Usage
from llmspell_llm.errors import ConnectionFailedError, ContentFilteredError
from llmspell_llm.structured import Constraint


async def ask(
    connection: Connection,
    messages: Sequence[Message],
    settings: Settings,
    constraint: Constraint | None = None,
) -> Answer:
    """Send one request. The constraint shapes the answer where the provider can; it is not checked here.

    Raises:
        ModelError: What went wrong, in our words. Cancelling closes the request.
    """
    check_pictures(messages, connection)
    chosen, ignored = settings_for(settings, connection)
    asked, chosen, parameters = constrain(constraint, connection, messages, chosen)
    response = await in_time(
        settings.timeout,
        connection,
        model_request(
            connection.handle, messages_for(asked), model_settings=chosen, model_request_parameters=parameters
        ),
    )
    answer = answer_from(response, connection, lambda: text_of(asked), ignored)
    if answer.finish_reason == "content_filter":
        raise ContentFilteredError(
            f"{connection.name} withheld the answer",
            provider=connection.provider.name,
            model=connection.model,
        )
    return answer


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


class Streaming:
    """An answer that is being written. Iterate it for its pieces; then ask for :attr:`answer`."""

    def __init__(
        self,
        stream: Any,
        connection: Connection,
        asked: Sequence[Message],
        ignored: tuple[str, ...],
        patience: Patience,
    ) -> None:
        self._stream = stream
        self._patience = patience
        self._connection = connection
        self._asked = asked
        self._ignored = ignored
        self._pieces: list[str] = []

    async def __aiter__(self) -> AsyncIterator[str]:
        async for event in drawn(self._stream, self._patience, self._connection):
            if isinstance(event, theirs.PartDeltaEvent):
                delta = event.delta
                piece = delta.content_delta if isinstance(delta, theirs.TextPartDelta) else ""
            elif isinstance(event, theirs.PartStartEvent):
                piece = event.part.content if isinstance(event.part, theirs.TextPart) else ""
            else:
                continue
            if piece:
                self._pieces.append(piece)
                yield piece
        check_ended(self._stream, self._connection)

    @property
    def answer(self) -> Answer:
        """The whole answer; after the last piece."""
        return answer_from(self._stream.get(), self._connection, lambda: text_of(self._asked), self._ignored)

    @property
    def usage(self) -> Usage:
        """What was used so far: for a stream that broke off, or was cut, an estimate."""
        return usage_from(self._stream.usage, self._connection, lambda: text_of(self._asked), "".join(self._pieces))


@asynccontextmanager
async def stream(connection: Connection, messages: Sequence[Message], settings: Settings) -> AsyncIterator[Streaming]:
    """Send one request and receive its answer piece by piece.

    Leaving the block early, or being cancelled in it, closes the request.

    Raises:
        ModelError: What went wrong, before or within the answer.
    """
    check_pictures(messages, connection)
    chosen, ignored = settings_for(settings, connection)
    patience = Patience(settings.timeout)
    async with AsyncExitStack() as stack:
        opened = model_request_stream(connection.handle, messages_for(messages), model_settings=chosen)
        response = await enter_in_time(stack, opened, patience, connection)
        yield Streaming(response, connection, messages, ignored, patience)
