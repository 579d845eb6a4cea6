"""Answers that arrive piece by piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from llmspell.plugin import Call, ScriptFunction, export
from llmspell_llm.bridges.aliases import also
from llmspell_llm.bridges.llm.base import LlmBase, message_of
from llmspell_llm.llm.options import (
    MaxTokens,
    Retries,
    Seed,
    Stop,
    Temperature,
    Timeout,
    TopP,
    conversation_from,
    settings_from,
)
from llmspell_llm.llm.streaming import AnswerStream


class StreamExports(LlmBase):
    """The exports that stream."""

    @export
    async def stream(
        self,
        call: Call,
        prompt: str,
        receive: ScriptFunction,
        *,
        system: str | None = None,
        model: str | None = None,
        temperature: Temperature = None,
        max_tokens: MaxTokens = None,
        top_p: TopP = None,
        stop: Stop = None,
        seed: Seed = None,
        timeout: Timeout = None,
        retries: Retries = None,
        details: bool = False,
    ) -> Any:
        """Ask a model and hand over its answer piece by piece; return the whole of it.

        Args:
            prompt: The question.
            receive: Called with every piece; if it returns ``false``, the answer ends there.
            details: Return ``{content, model, provider, finish_reason, usage, ...}`` instead of the text.
        """
        given = locals()
        stream = await self._stream(call, conversation_from(prompt, None, self.system(system)), given)
        await _hand_over(stream, receive)
        assert stream.answer is not None
        return stream.answer.as_value() if details else stream.answer.text

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
        timeout: Timeout = None,
        retries: Retries = None,
    ) -> dict[str, Any]:
        """Continue a conversation, hand over the model's message piece by piece, and return it as ``chat`` does."""
        given = locals()
        stream = await self._stream(call, conversation_from("", messages, self.system(system)), given)
        await _hand_over(stream, receive)
        assert stream.answer is not None
        return message_of(stream.answer)

    @export
    async def chunks(
        self,
        call: Call,
        prompt: str = "",
        *,
        messages: list[dict[str, Any]] | None = None,
        system: str | None = None,
        model: str | None = None,
        temperature: Temperature = None,
        max_tokens: MaxTokens = None,
        top_p: TopP = None,
        stop: Stop = None,
        seed: Seed = None,
        timeout: Timeout = None,
        retries: Retries = None,
    ) -> AsyncGenerator[str, None]:
        """Ask a model and return its answer as a stream of pieces, to be drawn one by one in a loop."""
        given = locals()
        stream = await self._stream(call, conversation_from(prompt, messages, self.system(system)), given)
        async with aclosing(stream.pieces()) as pieces:
            async for piece in pieces:
                yield piece

    async def _stream(self, call: Call, conversation: list[Any], given: dict[str, Any]) -> AnswerStream:
        return await self.asking.stream(
            conversation,
            settings_from(given, self.defaults),
            model=self.model(given["model"]),
            account=self.account(call),
        )


async def _hand_over(stream: AnswerStream, receive: ScriptFunction) -> None:
    async with aclosing(stream.pieces()) as pieces:
        async for piece in pieces:
            if await receive(piece) is False:
                return
