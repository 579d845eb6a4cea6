"""Asking models: resolve, connect, ask with retries, check the answer and repair it once, count what it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from llmspell_llm.adapter import Connection, Connections
from llmspell_llm.conversation import Answer, Message, Settings, Usage
from llmspell_llm.errors import InvalidAnswerError
from llmspell_llm.llm.account import Account, FreeAccount, tokens_of
from llmspell_llm.llm.metering import Meter
from llmspell_llm.llm.retrying import retrying
from llmspell_llm.llm.streaming import AnswerStream
from llmspell_llm.providers import Directory
from llmspell_llm.structured import Constraint, Mismatch


class Asking:
    """Asks the models of a directory.

    Args:
        directory: Which models there are.
        connections: How they are reached.
    """

    def __init__(self, directory: Directory, connections: Connections) -> None:
        self.directory = directory
        self.connections = connections

    async def connect(self, model: str | None = None) -> Connection:
        """Return a connection to a model by name; None is the default model.

        Raises:
            ModelError: There is no such model.
        """
        return await self.connections.connect(self.directory.resolve(model))

    async def complete(
        self,
        messages: Sequence[Message],
        settings: Settings,
        *,
        model: str | None = None,
        constraint: Constraint | None = None,
        account: Account | None = None,
    ) -> Answer:
        """Ask a model and return its answer.

        A constrained answer is checked whatever the provider promises. One that does not fit is sent back once,
        with what is wrong with it. Without a temperature of its own a constrained answer is the most likely one.

        Raises:
            InvalidAnswerError: The second answer does not fit either.
            ModelError: The model cannot be asked.
        """
        account = account or FreeAccount()
        connection = await self.connect(model)
        if constraint is not None and settings.temperature is None:
            settings = replace(settings, temperature=0.0)
        answer = await self._ask(connection, messages, settings, constraint, account)
        if constraint is None:
            return answer
        try:
            return answer.with_value(_read(constraint, answer), answer.usage)
        except Mismatch as mismatch:
            if answer.finish_reason == "length":
                raise _invalid(mismatch, answer, connection) from None
            complaint = f"That answer does not fit: {mismatch}. {constraint.instruction}"
        again = [*messages, Message("assistant", answer.text), Message("user", complaint)]
        second = await self._ask(connection, again, settings, constraint, account)
        try:
            value = _read(constraint, second)
        except Mismatch as mismatch:
            raise _invalid(mismatch, second, connection) from None
        return second.with_value(value, answer.usage + second.usage, repaired=True)

    async def stream(
        self,
        messages: Sequence[Message],
        settings: Settings,
        *,
        model: str | None = None,
        account: Account | None = None,
    ) -> AnswerStream:
        """Return an answer that arrives piece by piece. Nothing is sent before its pieces are drawn.

        Raises:
            ModelError: There is no such model.
        """
        return AnswerStream(await self.connect(model), messages, settings, account or FreeAccount())

    async def _ask(
        self,
        connection: Connection,
        messages: Sequence[Message],
        settings: Settings,
        constraint: Constraint | None,
        account: Account,
    ) -> Answer:
        from llmspell_llm.adapter.requests import ask

        failures = 0

        async def attempt() -> Answer:
            nonlocal failures
            meter = Meter(account, connection, tokens_of(messages), settings)
            try:
                answer = await ask(connection, messages, settings, constraint, meter if meter.grows else None)
            except BaseException as error:
                failures += 1
                meter.fail(error)
                raise
            meter.settle(answer.usage)
            return answer

        # A pool goes through its members again by itself.
        answer = await retrying(attempt, 0 if connection.is_pool else settings.retries)
        if failures:
            answer = replace(answer, usage=answer.usage + Usage(requests=failures))
        return answer


def _read(constraint: Constraint, answer: Answer) -> Any:
    return constraint.read(answer.text, mend=answer.finish_reason != "length")


def _invalid(mismatch: Mismatch, answer: Answer, connection: Connection) -> InvalidAnswerError:
    cut = answer.finish_reason == "length"
    return InvalidAnswerError(
        f"the answer of {connection.name} does not fit: {mismatch}" + ("; it was cut off" if cut else ""),
        path=mismatch.path,
        answer=answer.text,
        provider=connection.provider.name,
        model=connection.model,
        hint="raise max_tokens" if cut else None,
    )
