"""An answer that arrives piece by piece."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llmspell_llm.adapter import Connection
from llmspell_llm.conversation import CHARACTERS_PER_TOKEN, Answer, Message, Settings, Usage
from llmspell_llm.errors import ModelError
from llmspell_llm.llm.account import Account, Report, expected_tokens, settle_quietly
from llmspell_llm.llm.retrying import retrying

if TYPE_CHECKING:
    from llmspell_llm.adapter.requests import Streaming

TOKENS_AHEAD = 64
"""How many tokens of an answer without ``max_tokens`` are set aside at a time."""
LONGEST_TOKEN = 16
"""Characters; what is written has at least this fraction of tokens, whatever a provider may claim."""


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
        self.messages = messages
        self._settings = settings
        self._account = account
        self._reservations: list[Any] = []
        self._began = 0.0
        self._set_aside = 0
        self._pieces = 0
        self._characters = 0
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
                    self._pay_ahead(piece)
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
        self._reservations = [self._account.reserve(expected_tokens(self.messages, self._settings))]
        self._set_aside = self._settings.max_tokens or 0
        used = Usage(requests=1)
        async with AsyncExitStack() as stack:
            try:
                streaming = await stack.enter_async_context(stream(self._connection, self.messages, self._settings))
                used = streaming.usage
                iterator = aiter(streaming)
                first = await anext(iterator, None)
            except BaseException as error:
                self._settle_quietly(used, error)
                raise
            return streaming, stack.pop_all(), iterator, first

    def _pay_ahead(self, piece: str) -> None:
        """Set aside tokens for what is still to come, where nobody said how long the answer may be, or it is longer."""
        self._pieces += 1
        self._characters += len(piece)
        if self._settings.max_tokens is None:
            written = max(self._pieces, -(-self._characters // CHARACTERS_PER_TOKEN))
        else:
            written = self._characters // LONGEST_TOKEN
        if written > self._set_aside:
            more = max(TOKENS_AHEAD, written - self._set_aside)
            self._reservations.append(self._account.reserve(more))
            self._set_aside += more

    def _stopped(self, streaming: Streaming, text: str) -> None:
        usage = streaming.usage
        self.answer = replace(streaming.answer, text=text, finish_reason="stopped", usage=usage)
        settle_quietly(self._account, self._report(usage), self._reservations)

    def _settle_quietly(self, usage: Usage, error: BaseException) -> None:
        failure = error if isinstance(error, ModelError) else None
        settle_quietly(self._account, self._report(usage, failure), self._reservations)

    def _report(self, usage: Usage, error: ModelError | None = None) -> Report:
        return Report(self._connection, usage, time.perf_counter() - self._began, error)


class SaidStream(AnswerStream):
    """An answer that was known without asking a model; it comes in one piece."""

    def __init__(self, answer: Answer) -> None:
        self.messages = ()
        self.answer = answer

    async def pieces(self) -> AsyncGenerator[str, None]:
        assert self.answer is not None
        yield self.answer.text
