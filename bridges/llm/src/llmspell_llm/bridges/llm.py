"""The ``llm`` bridge."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from llmspell.plugin import Bridge, BridgeContext, Call, ScriptFunction, export
from llmspell_llm.bridges.modelinfo import ModelInfoBridge
from llmspell_llm.conversation import Answer
from llmspell_llm.llm.asking import Asking
from llmspell_llm.llm.options import (
    MaxTokens,
    Penalty,
    Retries,
    Seed,
    Stop,
    Temperature,
    Timeout,
    TopP,
    constraint_from,
    conversation_from,
    settings_from,
)
from llmspell_llm.llm.paying import RunAccount
from llmspell_llm.llm.streaming import AnswerStream
from llmspell_llm.providers import Directory


class LlmBridge(Bridge):
    """Ask language models.

    Without a ``model`` the default is asked: the configured one, else the first provider whose key is in the
    environment, else the embedded model. Every answer's tokens and cost count against the run's budget.
    """

    name = "llm"
    requires = ("modelinfo",)
    permissions = ("model",)

    def __init__(self) -> None:
        self._asking: Asking | None = None
        self._defaults: dict[str, Any] = {}

    async def open(self, context: BridgeContext) -> None:
        """Stand on the host's models."""
        hub = context.bridges["modelinfo"]
        assert isinstance(hub, ModelInfoBridge)
        self._asking = Asking(Directory(parent=hub.directory), hub.connections)

    async def close(self) -> None:
        """Close the session's own providers."""
        if self._asking is not None:
            await self._asking.directory.close()

    @property
    def asking(self) -> Asking:
        """What asks; other bridges of the family stand on it."""
        assert self._asking is not None, "the bridge is not open"
        return self._asking

    @export
    async def complete(
        self,
        call: Call,
        prompt: str = "",
        *,
        messages: list[dict[str, Any]] | None = None,
        system: str | None = None,
        model: str | None = None,
        choices: list[Any] | None = None,
        schema: dict[str, Any] | None = None,
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
        details: bool = False,
    ) -> Any:
        """Ask a model and return its answer.

        The answer is a text; with ``choices`` one of them, with ``schema`` the data that fits it. Both are
        enforced where the provider can, checked always, and mended by asking again once.

        Args:
            prompt: The question. Leave it out to give ``messages``.
            messages: A conversation: ``{role = "user", content = "..."}`` and so on.
            system: How the model should behave.
            model: ``"provider:model"``, ``"provider"``, or a configured alias.
            choices: The answers to choose from.
            schema: A JSON Schema of the answer.
            images: Pictures that go with the prompt: ``{url}`` or ``{data, media_type}``.
            temperature: 0 for the most likely answer, up to 2 for more variety.
            max_tokens: Longest answer.
            stop: Texts that end the answer.
            seed: For the same answer again, where the provider supports it.
            timeout: Seconds one request may take.
            retries: How often a request is sent again after a failure that may pass; 2 by default.
            details: Return ``{content, value, model, provider, finish_reason, usage, ignored, repaired}`` instead.
        """
        given = locals()
        constraint = constraint_from(choices, schema)
        answer = await self.asking.complete(
            conversation_from(prompt, messages, system or self._defaults.get("system"), images),
            settings_from(given, self._defaults),
            model=model or self._defaults.get("model"),
            constraint=constraint,
            account=RunAccount(call),
        )
        if details:
            return answer.as_value()
        return answer.text if constraint is None else answer.value

    @export
    async def chat(
        self,
        call: Call,
        messages: list[dict[str, Any]],
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
        """Continue a conversation and return the model's message.

        Args:
            messages: ``{role, content}`` each; the last one is the user's.

        Returns:
            ``{role = "assistant", content, model, provider, finish_reason, usage}``: it can be appended to the
            messages as it is.
        """
        given = locals()
        answer = await self.asking.complete(
            conversation_from("", messages, system or self._defaults.get("system")),
            settings_from(given, self._defaults),
            model=model or self._defaults.get("model"),
            account=RunAccount(call),
        )
        return message_of(answer)

    @export
    async def stream(
        self,
        call: Call,
        prompt: str,
        receive: ScriptFunction,
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
        details: bool = False,
    ) -> Any:
        """Ask a model and hand over its answer piece by piece; return the whole of it.

        Args:
            prompt: The question.
            receive: Called with every piece; if it returns ``false``, the answer ends there.
            details: Return ``{content, model, provider, finish_reason, usage, ...}`` instead of the text.
        """
        given = locals()
        stream = await self._stream(call, prompt, given)
        async with aclosing(stream.pieces()) as pieces:
            async for piece in pieces:
                if await receive(piece) is False:
                    break
        assert stream.answer is not None
        return stream.answer.as_value() if details else stream.answer.text

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
        """Ask a model and return its answer as a stream of pieces, to be drawn one by one."""
        given = locals()
        stream = await self._stream(call, prompt, given)
        async with aclosing(stream.pieces()) as pieces:
            async for piece in pieces:
                yield piece

    @export
    async def models(self, *, provider: str | None = None) -> list[dict[str, Any]]:
        """List the models that can be asked: ``{name, provider, model, default}`` each.

        ``name`` is what the option ``model`` takes. Servers of one's own are asked what they serve; of the large
        providers the price list tells.

        Args:
            provider: Only this provider's.
        """
        from llmspell_llm.llm.listing import reachable_models

        return await reachable_models(self.asking, provider)

    async def _stream(self, call: Call, prompt: str, given: dict[str, Any]) -> AnswerStream:
        return await self.asking.stream(
            conversation_from(prompt, given["messages"], given["system"] or self._defaults.get("system")),
            settings_from(given, self._defaults),
            model=given["model"] or self._defaults.get("model"),
            account=RunAccount(call),
        )


def message_of(answer: Answer) -> dict[str, Any]:
    """Return an answer as a message that can be appended to a conversation."""
    return {
        "role": "assistant",
        "content": answer.text,
        "model": answer.model,
        "provider": answer.provider,
        "finish_reason": answer.finish_reason,
        "usage": answer.usage.as_value(),
    }
