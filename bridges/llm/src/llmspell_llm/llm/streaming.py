"""An answer that arrives piece by piece."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llmspell_llm.adapter import Connection
from llmspell_llm.conversation import Answer, Message, Settings, Usage
from llmspell_llm.errors import ModelError
from llmspell_llm.llm.account import Account, Report, expected_tokens, settle_quietly
from llmspell_llm.llm.retrying import retrying

if TYPE_CHECKING:
    from llmspell_llm.adapter.requests import Streaming

TOKENS_AHEAD = 64
"""How many tokens of an answer without ``max_tokens`` are set aside at a time."""


class AnswerStream:
    """An answer on its way. Draw it with :meth:`pieces`; afterwards :attr:`answer` is the whole of it.

    A request that fails before its first piece is sent again like any other. One that breaks off later is not, since
    its pieces were handed over already. Closing the generator early closes the request; the answer is then what came
    so far, with ``finish_reason`` ``"stopped"``.
    """

    def __init__(
        self, connection: Connection, messages: Sequence[Message], settings: Settings, account: Account
    ) -> None:
        self._connection = connection
        self._messages = messages
        self._settings = settings
        self._account = account
        self._reservations: list[Any] = []
        self._began = 0.0
        self.answer: Answer | None = None

    async def pieces(self) -> AsyncGenerator[str, None]:
        """Send the request and yield the answer as it comes.

        Raises:
            ModelError: The model cannot be asked, or the answer broke off.
            BudgetExceeded: The budget was used up in the middle of it.
        """
        streaming, stack, iterator, first = await retrying(
            self._begin, 0 if self._connection.is_pool else self._settings.retries
        )
        said: list[str] = []
        try:
            async with stack:
                piece = first
                while piece is not None:
                    said.append(piece)
                    self._pay_ahead(said)
                    yield piece
                    piece = await anext(iterator, None)
        except GeneratorExit:
            self._stopped(streaming, "".join(said))
            raise
        except BaseException as error:
            self._settle_quietly(streaming.usage, error)
            raise
        self.answer = streaming.answer
        self._account.settle(self._report(self.answer.usage), self._reservations)

    async def _begin(self) -> tuple[Streaming, AsyncExitStack, AsyncIterator[str], str | None]:
        """Open the stream and wait for its first piece."""
        from llmspell_llm.adapter.requests import stream

        self._began = time.perf_counter()
        self._reservations = [self._account.reserve(expected_tokens(self._messages, self._settings))]
        used = Usage(requests=1)
        async with AsyncExitStack() as stack:
            try:
                streaming = await stack.enter_async_context(stream(self._connection, self._messages, self._settings))
                used = streaming.usage
                iterator = aiter(streaming)
                first = await anext(iterator, None)
            except BaseException as error:
                self._settle_quietly(used, error)
                raise
            return streaming, stack.pop_all(), iterator, first

    def _pay_ahead(self, said: list[str]) -> None:
        """Set aside tokens for what is still to come, where nobody said how long the answer may be."""
        if self._settings.max_tokens is None and (len(said) - 1) % TOKENS_AHEAD == 0:
            self._reservations.append(self._account.reserve(TOKENS_AHEAD))

    def _stopped(self, streaming: Streaming, text: str) -> None:
        usage = streaming.usage
        self.answer = replace(streaming.answer, text=text, finish_reason="stopped", usage=usage)
        settle_quietly(self._account, self._report(usage), self._reservations)

    def _settle_quietly(self, usage: Usage, error: BaseException) -> None:
        failure = error if isinstance(error, ModelError) else None
        settle_quietly(self._account, self._report(usage, failure), self._reservations)

    def _report(self, usage: Usage, error: ModelError | None = None) -> Report:
        return Report(self._connection, usage, time.perf_counter() - self._began, error)
