"""What a run has spent, and what it may still spend; a child's spending is its parent's too."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from llmspell.errors import BudgetExceeded
from llmspell.policy import Limits


@dataclass(slots=True)
class Usage:
    """Models used in one run, its children included.

    Attributes:
        input_tokens, output_tokens: As the providers counted them.
        requests: Requests to models.
        cost: US dollars of what has a known price.
        unpriced: Requests whose price is unknown; ``cost`` does not hold them.
        calls: Host calls.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 0
    cost: float = 0.0
    unpriced: int = 0
    calls: int = 0

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data; ``cost`` is None when nothing had a known price but something was spent."""
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "requests": self.requests,
            "cost": None if self.unpriced and not self.cost else self.cost,
            "unpriced_requests": self.unpriced,
            "calls": self.calls,
        }


@dataclass(frozen=True, slots=True)
class Reservation:
    """Tokens and dollars set aside before a request whose real size is not known yet."""

    tokens: int
    cost: float


class Budget:
    """Calls, tokens and cost of one run, as a node of a tree.

    ``reserve`` before a request, ``settle`` after it: what is reserved counts as spent until settled, here and
    in every parent, so that concurrent requests cannot together overspend.
    """

    def __init__(self, limits: Limits, parent: Budget | None = None) -> None:
        self.limits = limits
        self.parent = parent
        self.usage = Usage()
        self._reserved_tokens = 0
        self._reserved_cost = 0.0
        self._lock: threading.Lock = parent._lock if parent is not None else threading.Lock()

    def count_call(self) -> None:
        """Count one host call.

        Raises:
            BudgetExceeded: It is one too many, here or in a parent.
        """
        usage = self.usage
        usage.calls += 1
        limit = self.limits.calls
        if limit is not None and usage.calls > limit:
            raise BudgetExceeded(f"the run made more than {limit:,} host calls", limit="calls", value=limit)
        if self.parent is not None:
            self.parent.count_call()

    def reserve(self, tokens: int = 0, cost: float = 0.0) -> Reservation:
        """Set aside what a request may use at most.

        Raises:
            BudgetExceeded: It would not fit; nothing is reserved then.
        """
        with self._lock:
            node: Budget | None = self
            while node is not None:
                node._check(tokens, cost)
                node = node.parent
            self._add(tokens, cost)
        return Reservation(tokens, cost)

    def settle(self, reservation: Reservation | None = None, **used: Any) -> None:
        """Book what was really used and free the reservation.

        Args:
            used: ``input_tokens``, ``output_tokens``, ``requests``, ``cost`` (None if the price is unknown).

        Raises:
            BudgetExceeded: The budget is now overdrawn. What was used is booked all the same.
        """
        with self._lock:
            if reservation is not None:
                self._add(-reservation.tokens, -reservation.cost)
            node: Budget | None = self
            while node is not None:
                node._book(used)
                node = node.parent
            node = self
            while node is not None:
                node._check(0, 0.0)
                node = node.parent

    def _add(self, tokens: int, cost: float) -> None:
        node: Budget | None = self
        while node is not None:
            node._reserved_tokens += tokens
            node._reserved_cost += cost
            node = node.parent

    def _book(self, used: dict[str, Any]) -> None:
        self.usage.input_tokens += used.get("input_tokens") or 0
        self.usage.output_tokens += used.get("output_tokens") or 0
        self.usage.requests += used.get("requests") or 0
        if used.get("cost") is not None:
            self.usage.cost += used["cost"]
        elif used.get("requests"):
            self.usage.unpriced += used["requests"]

    def _check(self, tokens: int, cost: float) -> None:
        limits, usage = self.limits, self.usage
        if limits.tokens is not None:
            total = usage.tokens + self._reserved_tokens + tokens
            if total > limits.tokens:
                raise BudgetExceeded(
                    f"the run's budget of {limits.tokens:,} tokens is used up "
                    f"({usage.tokens:,} spent, {self._reserved_tokens:,} reserved, {tokens:,} asked)",
                    limit="tokens",
                    value=limits.tokens,
                )
        if limits.cost is not None and usage.cost + self._reserved_cost + cost > limits.cost:
            raise BudgetExceeded(
                f"the run's budget of ${limits.cost:g} is used up (${usage.cost:.4f} spent)",
                limit="cost",
                value=limits.cost,
            )
