"""Who pays for requests: told before each what it may take at most, and after each what it took."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from llmspell.errors import ResourceExhausted
from llmspell_llm.adapter import Connection
from llmspell_llm.conversation import Message, Settings, Usage, estimate
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
    """Pays for requests."""

    def reserve(self, tokens: int) -> Any:
        """Set tokens aside before they are used.

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

    def reserve(self, tokens: int) -> None:
        return None

    def settle(self, report: Report, reservations: Sequence[Any]) -> None:
        return None


def settle_quietly(account: Account, report: Report, reservations: Sequence[Any]) -> None:
    """Settle while another error is on its way, which an empty budget must not hide."""
    with suppress(ResourceExhausted):
        account.settle(report, reservations)


def expected_tokens(messages: Sequence[Message], settings: Settings) -> int:
    """Return how many tokens a request should be given: its prompt, estimated, and its longest answer if set."""
    return sum(estimate(message.content) for message in messages) + (settings.max_tokens or 0)
