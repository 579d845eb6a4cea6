"""A conversation that a script holds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from llmspell.errors import ArgumentError
from llmspell.plugin import Call, HostObject, ScriptFunction, export
from llmspell_llm.conversation import Answer, Message
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
    image_from,
)
from llmspell_llm.llm.streaming import AnswerStream
from llmspell_llm.structured import Constraint


class Speaker(Protocol):
    """Asks models on behalf of a session's calls."""

    async def ask(
        self,
        call: Call,
        conversation: Sequence[Message],
        given: Mapping[str, Any],
        constraint: Constraint | None = None,
        model: str | None = None,
    ) -> Answer: ...

    async def begin(
        self, call: Call, conversation: Sequence[Message], given: Mapping[str, Any], model: str | None = None
    ) -> AnswerStream: ...

    async def finish(self, call: Call, stream: AnswerStream) -> Answer: ...


class ChatSession(HostObject):
    """A conversation with a model: every answer is remembered for the next question.

    Questions are answered one after the other, also when several are asked at once.

    Args:
        speaker: Who asks.
        options: How the model should answer.
        model: Which model.
        system: How it should behave.
        max_messages: How many messages are kept; the oldest are forgotten first.
    """

    def __init__(
        self,
        speaker: Speaker,
        options: Mapping[str, Any],
        *,
        model: str | None = None,
        system: str | None = None,
        max_messages: int | None = None,
    ) -> None:
        self._speaker = speaker
        self._options = options
        self._model = model
        self._system = system
        self._max_messages = max_messages
        self._messages: list[Message] = []
        self._turn = asyncio.Lock()

    @export
    async def send(
        self,
        call: Call,
        text: str,
        *,
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
        """Say something and return the answer. What fails is not remembered.

        Args:
            text: What to say.
            images: Pictures that go with it.
            details: Return ``{content, usage, ...}`` instead of the text.
        """
        given = self._chosen(locals())
        _must_say_something(text)
        asked = Message("user", text, tuple(image_from(image) for image in images or ()))
        async with self._turn:
            answer = await self._speaker.ask(call, self._with(asked), given, None, self._model)
            self._remember(asked, answer)
            return answer.as_value() if details else answer.text

    @export
    async def stream(
        self,
        call: Call,
        text: str,
        receive: ScriptFunction,
        *,
        temperature: Temperature = None,
        max_tokens: MaxTokens = None,
        top_p: TopP = None,
        stop: Stop = None,
        seed: Seed = None,
        presence_penalty: Penalty = None,
        frequency_penalty: Penalty = None,
        timeout: Timeout = None,
        retries: Retries = None,
    ) -> str:
        """Say something, receive the answer piece by piece, and return the whole of it.

        A function that returns ``false`` ends the answer; what came so far is remembered.
        """
        given = self._chosen(locals())
        _must_say_something(text)
        asked = Message("user", text)
        async with self._turn:
            stream = await self._speaker.begin(call, self._with(asked), given, self._model)
            await stream.hand_to(receive)
            answer = await self._speaker.finish(call, stream)
            self._remember(asked, answer)
            return answer.text

    @export
    def get_history(self) -> list[dict[str, Any]]:
        """Return the messages so far: ``{role, content}`` each, the system prompt first."""
        first = [{"role": "system", "content": self._system}] if self._system else []
        return [*first, *({"role": message.role, "content": message.content} for message in self._messages)]

    @export
    def clear(self) -> None:
        """Forget the conversation, but for the system prompt."""
        self._messages.clear()

    @export(name="export")
    def export_(self) -> dict[str, Any]:
        """Return ``{system_prompt, model, messages}``, which ``llm.chat_session`` takes up again."""
        return {
            "system_prompt": self._system,
            "model": self._model,
            "messages": [{"role": message.role, "content": message.content} for message in self._messages],
        }

    def restore(self, messages: list[Message]) -> None:
        """Go on from an earlier conversation."""
        self._messages = list(messages)

    def _chosen(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of one question over those of the conversation."""
        return {**self._options, **{name: given[name] for name in SETTINGS if given.get(name) is not None}}

    def _with(self, asked: Message) -> list[Message]:
        first = [Message("system", self._system)] if self._system else []
        return [*first, *self._messages, asked]

    def _remember(self, asked: Message, answer: Answer) -> None:
        self._messages += [asked, Message("assistant", answer.text)]
        if self._max_messages is not None:
            # Whole turns are forgotten, so that the conversation still begins with a question.
            excess = len(self._messages) - self._max_messages
            del self._messages[: excess + excess % 2 if excess > 0 else 0]


def _must_say_something(text: str) -> None:
    if not text.strip():
        raise ArgumentError("text is empty: what should be said?", parameter="text", position=1)
