"""What one request takes of a budget: set aside before it is sent and while its answer comes, settled at its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from llmspell.errors import BudgetExceeded, ResourceExhausted
from llmspell_llm.adapter import Connection
from llmspell_llm.conversation import CHARACTERS_PER_TOKEN, Settings, Usage
from llmspell_llm.errors import ModelError
from llmspell_llm.llm.account import Account, Report
from llmspell_llm.prices import cost_of

TOKENS_AHEAD = 64
"""How many tokens of an answer without ``max_tokens`` are set aside at a time."""
LONGEST_TOKEN = 16
"""Characters; what is written has at least this fraction of tokens, whatever a provider may claim."""


class Meter:
    """Meters one request. Where the answer's length is unknown, what is set aside grows with it.

    Args:
        account: Who pays.
        connection: Which model is asked.
        prompt: Tokens of the question, estimated.
        settings: ``max_tokens`` bounds the answer, if set.

    Attributes:
        so_far: Tells what was used of an answer under way; set by who draws it.
    """

    def __init__(self, account: Account, connection: Connection, prompt: int, settings: Settings) -> None:
        self._account = account
        self._connection = connection
        self._longest = settings.max_tokens
        self._pieces = 0
        self._characters = 0
        self.so_far: Callable[[], Usage] | None = None
        self._began = time.perf_counter()
        self._held: list[Any] = []
        self._set_aside = self._longest or 0
        if self.grows:
            self._set_aside = self._hold(prompt, 1)
        else:
            self._held.append(self._reserve(prompt, self._set_aside))

    @property
    def grows(self) -> bool:
        """The budget can run out in the middle of the answer, which must then be heard piece by piece."""
        return self._account.bounded and self._longest is None and self._connection.asks_one

    def grow(self, piece: str) -> None:
        """Hear a piece of the answer, and set aside tokens for what is still to come.

        Raises:
            BudgetExceeded: There are none left.
        """
        self._pieces += 1
        self._characters += len(piece)
        if self._longest is None:
            # The next piece is paid for before it comes: what has come cannot be sent back.
            needed = max(self._pieces, -(-self._characters // CHARACTERS_PER_TOKEN)) + 1
        else:
            needed = self._characters // LONGEST_TOKEN
        if needed > self._set_aside:
            self._set_aside += self._hold(0, needed - self._set_aside)

    def _hold(self, prompt: int, least: int) -> int:
        """Set aside some tokens of the answer ahead, or just those that are needed near a budget's end; tell how many.

        Raises:
            BudgetExceeded: There are not even those.
        """
        ahead = max(TOKENS_AHEAD, least)
        try:
            self._held.append(self._reserve(prompt, ahead))
        except BudgetExceeded:
            self._held.append(self._reserve(prompt, least))
            return least
        return ahead

    def settle(self, usage: Usage) -> None:
        """Book what the request took.

        Raises:
            BudgetExceeded: It took more than there was.
        """
        self._account.settle(self._report(usage), self._held)

    def fail(self, error: BaseException | None = None, usage: Usage | None = None) -> None:
        """Book what a request took that was broken off, without hiding the error that broke it off."""
        if usage is None:
            usage = Usage(requests=1) if self.so_far is None else self.so_far()
        with suppress(ResourceExhausted):
            self._account.settle(self._report(usage, error if isinstance(error, ModelError) else None), self._held)

    def _reserve(self, prompt: int, answer: int) -> Any:
        cost = 0.0
        provider = self._connection.provider
        if self._account.bounds_cost and not provider.free:
            expected = Usage(input_tokens=prompt, output_tokens=answer)
            cost = cost_of(provider.prices, self._connection.model, expected) or 0.0
        return self._account.reserve(prompt + answer, cost)

    def _report(self, usage: Usage, error: ModelError | None = None) -> Report:
        return Report(self._connection, usage, time.perf_counter() - self._began, error)
