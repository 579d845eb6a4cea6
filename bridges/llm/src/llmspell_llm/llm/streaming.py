"""An answer that arrives piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from llmspell_llm.adapter import Connection
from llmspell_llm.conversation import Answer, Message, Settings
from llmspell_llm.llm.account import Account, tokens_of
from llmspell_llm.llm.metering import Meter
from llmspell_llm.llm.retrying import retrying

if TYPE_CHECKING:
    from llmspell.plugin import ScriptFunction
    from llmspell_llm.adapter.requests import Streaming

PIECES_AHEAD = 64
"""How many pieces of an answer may wait for a script; they were sent and are paid for anyway."""


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
        self._said: list[str] = []
        self.answer: Answer | None = None

    async def pieces(self) -> AsyncGenerator[str, None]:
        """Send the request and yield the answer as it comes.

        Raises:
            ModelError: The model cannot be asked, or the answer broke off.
            BudgetExceeded: The budget was used up in the middle of it.
        """
        meter, streaming, stack, iterator, first = await retrying(
            self._begin, 0 if self._connection.is_pool else self._settings.retries
        )
        said = self._said
        try:
            async with stack:
                piece = first
                while piece is not None:
                    said.append(piece)
                    yield piece
                    piece = await anext(iterator, None)
        except (GeneratorExit, asyncio.CancelledError):
            usage = streaming.usage
            self.answer = replace(streaming.answer, text="".join(said), finish_reason="stopped", usage=usage)
            meter.fail(usage=usage)
            raise
        except BaseException as error:
            meter.fail(error)
            raise
        self.answer = streaming.answer
        meter.settle(self.answer.usage)

    async def hand_to(self, receive: ScriptFunction) -> None:
        """Call a script's function with every piece; once it returns ``false``, the answer is what it was given.

        Raises:
            ModelError: As :meth:`pieces`, after the pieces that came before.
            ScriptError: The function raised. The request is closed.
        """
        heard = await receive.each(self.pieces(), ahead=PIECES_AHEAD)
        if heard is not None:
            assert self.answer is not None
            self.answer = replace(self.answer, text="".join(self._said[:heard]), finish_reason="stopped")

    async def _begin(self) -> tuple[Meter, Streaming, AsyncExitStack, AsyncIterator[str], str | None]:
        """Open the stream and wait for its first piece."""
        from llmspell_llm.adapter.requests import stream

        meter = Meter(self._account, self._connection, tokens_of(self.messages), self._settings)
        async with AsyncExitStack() as stack:
            try:
                streaming = await stack.enter_async_context(
                    stream(self._connection, self.messages, self._settings, meter)
                )
                meter.so_far = lambda: streaming.usage
                iterator = aiter(streaming)
                first = await anext(iterator, None)
            except BaseException as error:
                meter.fail(error)
                raise
            return meter, streaming, stack.pop_all(), iterator, first


class SaidStream(AnswerStream):
    """An answer that was known without asking a model; it comes in one piece."""

    def __init__(self, answer: Answer) -> None:
        self.messages = ()
        self._said = [answer.text]
        self.answer = answer

    async def pieces(self) -> AsyncGenerator[str, None]:
        assert self.answer is not None
        yield self.answer.text
