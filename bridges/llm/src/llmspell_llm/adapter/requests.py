"""Asking a model: one request, or one stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from pydantic_ai.direct import model_request_stream

from llmspell_llm.adapter.connection import Connection
from llmspell_llm.adapter.hearing import Gauge, check_ended, response_to, text_in, written_in
from llmspell_llm.adapter.patience import Patience, drawn, enter_in_time
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
from llmspell_llm.errors import ContentFilteredError
from llmspell_llm.structured import Constraint


async def ask(
    connection: Connection,
    messages: Sequence[Message],
    settings: Settings,
    constraint: Constraint | None = None,
    gauge: Gauge | None = None,
) -> Answer:
    """Send one request. The constraint shapes the answer where the provider can; it is not checked here.

    With a ``gauge`` the answer is asked for as a stream, of which it hears each piece, and may break it off.

    Raises:
        ModelError: What went wrong, in our words. Cancelling closes the request.
    """
    check_pictures(messages, connection)
    chosen, ignored = settings_for(settings, connection)
    asked, chosen, parameters = constrain(constraint, connection, messages, chosen)
    sent = messages_for(asked)

    def prompt() -> str:
        return text_of(asked)

    heard = await response_to(sent, connection, chosen, parameters, settings.timeout, prompt, gauge=gauge)
    answer = answer_from(heard.response, connection, prompt, ignored)
    if answer.finish_reason == "content_filter":
        raise ContentFilteredError(
            f"{connection.name} withheld the answer",
            provider=connection.provider.name,
            model=connection.model,
        )
    return answer


class Streaming:
    """An answer that is being written. Iterate it for its pieces; then ask for :attr:`answer`."""

    def __init__(
        self,
        stream: Any,
        connection: Connection,
        asked: Sequence[Message],
        ignored: tuple[str, ...],
        patience: Patience,
        gauge: Gauge | None,
    ) -> None:
        self._stream = stream
        self._gauge = gauge
        self._patience = patience
        self._connection = connection
        self._asked = asked
        self._ignored = ignored
        self._pieces: list[str] = []

    async def __aiter__(self) -> AsyncIterator[str]:
        async for event in drawn(self._stream, self._patience, self._connection):
            piece = text_in(event)
            if self._gauge is not None and (written := piece or written_in(event)):
                self._gauge.grow(written)
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
async def stream(
    connection: Connection, messages: Sequence[Message], settings: Settings, gauge: Gauge | None = None
) -> AsyncIterator[Streaming]:
    """Send one request and receive its answer piece by piece; ``gauge`` hears them too.

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
        yield Streaming(response, connection, messages, ignored, patience, gauge)
