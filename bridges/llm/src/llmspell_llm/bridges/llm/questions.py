"""Questions and answers."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from pydantic import Field

from llmspell.errors import ArgumentError
from llmspell.plugin import Call, export
from llmspell_llm.bridges.aliases import also
from llmspell_llm.bridges.llm.base import LlmBase, message_of
from llmspell_llm.errors import ModelError
from llmspell_llm.llm.options import (
    SETTINGS,
    MaxTokens,
    Penalty,
    Retries,
    Seed,
    Stop,
    Temperature,
    Timeout,
    TopP,
    conversation_from,
    message_from,
    settings_from,
)
from llmspell_llm.llm.session import ChatSession

Concurrency = Annotated[int, Field(ge=1, le=100)]


class QuestionExports(LlmBase):
    """The exports that ask and wait for the whole answer."""

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
        schema: Any = None,
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
            model: ``"provider:model"``, ``"provider"``, a pool, or a configured alias.
            choices: The answers to choose from.
            schema: A JSON Schema of the answer, a short description of one, or the name of a kept one.
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
        constraint = self.constraint(choices, schema)
        conversation = conversation_from(prompt, messages, self.system(system), images)
        answer = await self.ask(call, conversation, given, constraint, model)
        if details:
            return answer.as_value()
        return answer.text if constraint is None else answer.value

    generate = also(complete, "generate")
    quick_prompt = also(complete, "quick_prompt")

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
            messages: ``{role, content}`` each; the last one is the user's. A message that ``chat`` returned can be
                among them as it is.

        Returns:
            ``{role = "assistant", content, model, provider, finish_reason, usage}``.
        """
        given = locals()
        conversation = conversation_from("", messages, self.system(system))
        return message_of(await self.ask(call, conversation, given, model=model))

    generate_message = also(chat, "generate_message")

    @export
    async def batch_process(
        self,
        call: Call,
        prompts: list[str],
        *,
        concurrency: Concurrency = 5,
        on_error: str = "raise",
        system: str | None = None,
        model: str | None = None,
        choices: list[Any] | None = None,
        schema: Any = None,
        temperature: Temperature = None,
        max_tokens: MaxTokens = None,
        top_p: TopP = None,
        stop: Stop = None,
        seed: Seed = None,
        presence_penalty: Penalty = None,
        frequency_penalty: Penalty = None,
        timeout: Timeout = None,
        retries: Retries = None,
    ) -> list[Any]:
        """Ask the same model many questions, several at a time, and return the answers in order.

        Args:
            prompts: The questions.
            concurrency: How many are in flight at once.
            on_error: ``raise`` ends everything at the first failure; ``collect`` returns ``{ok, value, error}`` each.

        Progress is told after each answer.
        """
        given = locals()
        if on_error not in ("raise", "collect"):
            raise ArgumentError("option 'on_error' should be 'raise' or 'collect'", parameter="on_error")
        constraint = self.constraint(choices, schema)
        conversations = [conversation_from(prompt, None, self.system(system)) for prompt in prompts]
        turns = asyncio.Semaphore(concurrency)
        ended = 0

        async def one(index: int) -> Any:
            async with turns:
                answer = await self.ask(call, conversations[index], given, constraint, model)
                return answer.text if constraint is None else answer.value

        async def counted(index: int) -> Any:
            nonlocal ended
            value = await ask(index)
            ended += 1
            call.progress(ended / len(prompts), f"{ended} of {len(prompts)}")
            return value

        async def collected(index: int) -> dict[str, Any]:
            try:
                return {"ok": True, "value": await one(index), "error": None}
            except ModelError as error:
                return {"ok": False, "value": None, "error": {"code": error.code, "message": error.message}}

        ask = one if on_error == "raise" else collected
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(counted(index)) for index in range(len(prompts))]
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [task.result() for task in tasks]

    batch_complete = also(batch_process, "batch_complete")

    @export
    async def chat_session(
        self,
        system_prompt: str | None = None,
        *,
        messages: list[dict[str, Any]] | None = None,
        max_messages: Annotated[int, Field(ge=2)] | None = None,
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
    ) -> ChatSession:
        """Begin a conversation that remembers: ``send``, ``stream``, ``get_history``, ``clear``, ``export``.

        Args:
            system_prompt: How the model should behave.
            messages: An earlier conversation to go on from, as ``export`` gave it.
            max_messages: How many messages are kept; the oldest turns are forgotten first.
        """
        given = locals()
        settings_from(given, {})
        session = ChatSession(
            self,
            {name: given[name] for name in SETTINGS if given.get(name) is not None},
            model=self.model(model),
            system=self.system(system_prompt),
            max_messages=max_messages,
        )
        session.restore([message_from(message, index) for index, message in enumerate(messages or (), 1)])
        return session
