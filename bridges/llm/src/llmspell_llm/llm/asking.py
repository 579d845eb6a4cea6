"""Asking models: resolve, connect, ask with retries, check the answer and repair it once, count what it took."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from llmspell.errors import ResourceExhausted
from llmspell_llm.adapter import Connection, Connections
from llmspell_llm.conversation import Answer, Message, Settings, Usage
from llmspell_llm.errors import InvalidAnswerError, ModelError
from llmspell_llm.llm.retrying import retrying
from llmspell_llm.providers import Directory
from llmspell_llm.structured import Constraint, Mismatch


class Spend(Protocol):
    """Told what every single request took, as soon as it is known; may raise to stop."""

    def __call__(self, usage: Usage, connection: Connection, error: ModelError | None = None) -> None: ...


Receiver = Callable[[str], Awaitable[Any]]


def _nobody(usage: Usage, connection: Connection, error: ModelError | None = None) -> None:
    return None


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
        spend: Spend = _nobody,
    ) -> Answer:
        """Ask a model and return its answer.

        A constrained answer is checked whatever the provider promises. One that does not fit is sent back once,
        with what is wrong with it.

        Raises:
            InvalidAnswerError: The second answer does not fit either.
            ModelError: The model cannot be asked.
        """
        connection = await self.connect(model)
        answer = await self._ask(connection, messages, settings, constraint, spend)
        if constraint is None:
            return answer
        try:
            return answer.with_value(_read(constraint, answer), answer.usage)
        except Mismatch as mismatch:
            if answer.finish_reason == "length":
                raise _invalid(mismatch, answer, connection) from None
            again = [*messages, Message("assistant", answer.text), Message("user", _complaint(mismatch, constraint))]
        second = await self._ask(connection, again, settings, constraint, spend)
        try:
            value = _read(constraint, second)
        except Mismatch as mismatch:
            raise _invalid(mismatch, second, connection) from None
        return second.with_value(value, answer.usage + second.usage, repaired=True)

    async def _ask(
        self,
        connection: Connection,
        messages: Sequence[Message],
        settings: Settings,
        constraint: Constraint | None,
        spend: Spend,
    ) -> Answer:
        from llmspell_llm.adapter.requests import ask

        failures = 0

        def failed(error: ModelError) -> None:
            nonlocal failures
            failures += 1
            spend(Usage(requests=1), connection, error)

        answer = await retrying(lambda: ask(connection, messages, settings, constraint), settings.retries, failed)
        spend(answer.usage, connection)
        if failures:
            answer = replace(answer, usage=answer.usage + Usage(requests=failures))
        return answer

    async def stream(
        self,
        messages: Sequence[Message],
        settings: Settings,
        receive: Receiver,
        *,
        model: str | None = None,
        spend: Spend = _nobody,
    ) -> Answer:
        """Ask a model and hand its answer over piece by piece; return the whole of it.

        A receiver that returns False (not None) ends the stream; the answer is then what came so far, with
        ``finish_reason`` ``"stopped"``. A request that fails before its first piece is sent again like any other;
        one that breaks off later is not, since its pieces were handed over already.

        Raises:
            ModelError: The model cannot be asked, or the answer broke off.
        """
        connection = await self.connect(model)
        begun = False

        async def noted(piece: str) -> Any:
            nonlocal begun
            begun = True
            return await receive(piece)

        def failed(error: ModelError) -> None:
            if begun:
                raise _Final(error)

        try:
            return await retrying(
                lambda: self._stream(connection, messages, settings, noted, spend), settings.retries, failed
            )
        except _Final as final:
            raise final.error from final.error.__cause__

    async def _stream(
        self,
        connection: Connection,
        messages: Sequence[Message],
        settings: Settings,
        receive: Receiver,
        spend: Spend,
    ) -> Answer:
        from llmspell_llm.adapter.requests import stream

        used = Usage(requests=1)
        try:
            async with stream(connection, messages, settings) as streaming:
                stopped = False
                pieces: list[str] = []
                try:
                    async for piece in streaming:
                        pieces.append(piece)
                        if await receive(piece) is False:
                            stopped = True
                            break
                finally:
                    used = streaming.usage
                answer = streaming.answer
        except BaseException as error:
            # What was spent is booked all the same, and another error than the budget's is on its way already.
            with suppress(ResourceExhausted):
                spend(used, connection, error if isinstance(error, ModelError) else None)
            raise
        if stopped:
            answer = replace(answer, text="".join(pieces), finish_reason="stopped", usage=used)
        spend(answer.usage, connection)
        return answer


class _Final(Exception):
    """A failure that must not be followed by another attempt."""

    def __init__(self, error: ModelError) -> None:
        super().__init__(str(error))
        self.error = error


def _read(constraint: Constraint, answer: Answer) -> Any:
    return constraint.read(answer.text, mend=answer.finish_reason != "length")


def _complaint(mismatch: Mismatch, constraint: Constraint) -> str:
    return f"That answer does not fit: {mismatch}. {constraint.instruction}"


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
