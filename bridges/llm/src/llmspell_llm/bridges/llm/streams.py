"""Answers that arrive piece by piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import Call, ScriptFunction, export
from llmspell_llm.bridges.aliases import also
from llmspell_llm.bridges.llm.base import LlmBase, message_of
from llmspell_llm.errors import ModelError
from llmspell_llm.llm.options import (
    MaxTokens,
    Penalty,
    Retries,
    Seed,
    Stop,
    Temperature,
    Timeout,
    TopP,
    conversation_from,
)
from llmspell_llm.llm.streaming import PIECES_AHEAD


class StreamExports(LlmBase):
    """The exports that stream."""

    @export
    async def stream(
        self,
        call: Call,
        prompt: str = "",
        receive: ScriptFunction | None = None,
        *,
        messages: list[dict[str, Any]] | None = None,
        system: str | None = None,
        model: str | None = None,
        images: list[dict[str, Any]] | None = None,
        temperature: Temperature = None,
        max_tokens: MaxTokens = None,
        top_p: TopP = None,
        stop: Stop = None,
        seed: Seed = None,
        presence_penalty: Penalty = None,
        frequency_penalty: Penalty = None,
        timeout: Timeout = None,
        retries: Retries = None,
        on_content: ScriptFunction | None = None,
        on_complete: ScriptFunction | None = None,
        on_error: ScriptFunction | None = None,
        details: bool = False,
    ) -> Any:
        """Ask a model and hand over its answer piece by piece; return the whole of it.

        Args:
            prompt: The question. Leave it out to give ``messages``.
            receive: Called with every piece; if it returns ``false``, the answer ends there.
            messages: A conversation, as ``complete`` takes it.
            images: Pictures that go with the prompt: ``{url}`` or ``{data, media_type}``.
            on_content: The same as ``receive``, for the form with one table.
            on_complete: Called at the end with ``{content, model, usage, ...}``.
            on_error: Called with ``{code, message}`` if the model fails; nothing is raised and null returned then.
            details: Return ``{content, model, provider, finish_reason, usage, ...}`` instead of the text.
        """
        given = locals()
        handler = receive or on_content
        if handler is None:
            raise ArgumentError("stream needs a function that receives the pieces", parameter="receive", position=2)
        conversation = conversation_from(prompt, messages, self.system(system), images)
        try:
            stream = await self.begin(call, conversation, given, model)
            await stream.hand_to(handler)
        except ModelError as error:
            if on_error is None:
                raise
            await on_error({"code": error.code, "message": error.message})
            return None
        answer = await self.finish(call, stream)
        if on_complete is not None:
            await on_complete(answer.as_value())
        return answer.as_value() if details else answer.text

    streaming_response = also(stream, "streaming_response")

    @export
    async def stream_message(
        self,
        call: Call,
        messages: list[dict[str, Any]],
        receive: ScriptFunction,
        *,
        system: str | None = None,
        model: str | None = None,
        temperature: Temperature = None,
        max_tokens: MaxTokens = None,
        top_p: TopP = None,
        stop: Stop = None,
        seed: Seed = None,
        presence_penalty: Penalty = None,
        frequency_penalty: Penalty = None,
        timeout: Timeout = None,
        retries: Retries = None,
    ) -> dict[str, Any]:
        """Continue a conversation, hand over the model's message piece by piece, and return it as ``chat`` does."""
        given = locals()
        stream = await self.begin(call, conversation_from("", messages, self.system(system)), given, model)
        await stream.hand_to(receive)
        return message_of(await self.finish(call, stream))

    @export(ahead=PIECES_AHEAD)
    async def chunks(
        self,
        call: Call,
        prompt: str = "",
        *,
        messages: list[dict[str, Any]] | None = None,
        system: str | None = None,
        model: str | None = None,
        images: list[dict[str, Any]] | None = None,
        temperature: Temperature = None,
        max_tokens: MaxTokens = None,
        top_p: TopP = None,
        stop: Stop = None,
        seed: Seed = None,
        presence_penalty: Penalty = None,
        frequency_penalty: Penalty = None,
        timeout: Timeout = None,
        retries: Retries = None,
    ) -> AsyncGenerator[str, None]:
        """Ask a model and return its answer as a stream of pieces, to be drawn one by one in a loop."""
        given = locals()
        conversation = conversation_from(prompt, messages, self.system(system), images)
        stream = await self.begin(call, conversation, given, model)
        async with aclosing(stream.pieces()) as pieces:
            async for piece in pieces:
                yield piece
        await self.finish(call, stream)
