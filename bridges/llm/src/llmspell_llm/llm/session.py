"""A conversation that a script holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from llmspell.plugin import Call, HostObject, ScriptFunction, export
from llmspell_llm.conversation import Answer, Message, Settings
from llmspell_llm.llm.account import Account
from llmspell_llm.llm.asking import Asking


class ChatSession(HostObject):
    """A conversation with a model: every answer is remembered for the next question.

    Questions are answered one after the other, also when several are asked at once.

    Args:
        asking: Who asks.
        account: Makes the account that pays for a call.
        settings: How the model should answer.
        model: Which model.
        system: How it should behave.
        max_messages: How many messages are kept; the oldest are forgotten first.
    """

    def __init__(
        self,
        asking: Asking,
        account: Callable[[Call], Account],
        settings: Settings,
        *,
        model: str | None = None,
        system: str | None = None,
        max_messages: int | None = None,
    ) -> None:
        self._asking = asking
        self._account = account
        self._settings = settings
        self._model = model
        self._system = system
        self._max_messages = max_messages
        self._messages: list[Message] = []
        self._turn = asyncio.Lock()

    @export
    async def send(self, call: Call, text: str) -> str:
        """Say something and return the answer. What fails is not remembered."""
        async with self._turn:
            answer = await self._asking.complete(
                self._with(text), self._settings, model=self._model, account=self._account(call)
            )
            self._remember(text, answer)
            return answer.text

    @export
    async def stream(self, call: Call, text: str, receive: ScriptFunction) -> str:
        """Say something, receive the answer piece by piece, and return the whole of it.

        A function that returns ``false`` ends the answer; what came so far is remembered.
        """
        async with self._turn:
            stream = await self._asking.stream(
                self._with(text), self._settings, model=self._model, account=self._account(call)
            )
            async with aclosing(stream.pieces()) as pieces:
                async for piece in pieces:
                    if await receive(piece) is False:
                        break
            assert stream.answer is not None
            self._remember(text, stream.answer)
            return stream.answer.text

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

    def _with(self, text: str) -> list[Message]:
        first = [Message("system", self._system)] if self._system else []
        return [*first, *self._messages, Message("user", text)]

    def _remember(self, text: str, answer: Answer) -> None:
        self._messages += [Message("user", text), Message("assistant", answer.text)]
        if self._max_messages is not None:
            # Whole turns are forgotten, so that the conversation still begins with a question.
            excess = len(self._messages) - self._max_messages
            del self._messages[: excess + excess % 2 if excess > 0 else 0]
