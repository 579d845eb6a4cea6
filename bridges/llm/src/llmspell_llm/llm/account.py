"""Who pays for requests: told before each what it may take at most, and after each what it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from llmspell_llm.adapter import Connection
from llmspell_llm.conversation import Message, Usage, estimate
from llmspell_llm.errors import ModelError


@dataclass(frozen=True, slots=True)
class Report:
    """One request that has ended.

    Attributes:
        connection: Which model was asked.
        usage: What it took.
        seconds: How long.
        error: Why it failed, or None.
    """

    connection: Connection
    usage: Usage
    seconds: float
    error: ModelError | None = None


class Account(Protocol):
    """Pays for requests.

    Attributes:
        bounded: Tokens or cost can run out.
        bounds_cost: Cost can run out.
    """

    @property
    def bounded(self) -> bool: ...

    @property
    def bounds_cost(self) -> bool: ...

    def reserve(self, tokens: int, cost: float = 0.0) -> Any:
        """Set tokens and US dollars aside before they are used.

        Raises:
            BudgetExceeded: They are not there.
        """

    def settle(self, report: Report, reservations: Sequence[Any]) -> None:
        """Book what a request took, and free what was set aside for it.

        Raises:
            BudgetExceeded: It took more than there was; it is booked all the same.
        """


class FreeAccount:
    """Pays for everything and keeps no books."""

    bounded = False
    bounds_cost = False

    def reserve(self, tokens: int, cost: float = 0.0) -> None:
        return None

    def settle(self, report: Report, reservations: Sequence[Any]) -> None:
        return None


def tokens_of(messages: Sequence[Message]) -> int:
    """Return about how many tokens messages have."""
    return sum(estimate(message.content) for message in messages)
