"""What a run has spent, and what it may still spend; a child's spending is its parent's too."""

from __future__ import annotations

import threading
from collections.abc import Iterator
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
    """Calls, tokens and cost of one run, as a node of a tree: child spells and agents draw on their parent.

    ``reserve`` before a request, ``settle`` after it: what is reserved counts as spent until settled, here and
    in every parent, so that concurrent requests cannot together spend more than was there and reserved.

    Args:
        limits: What may be spent here.
        parent: Where it is spent too.
        owner: Whose budget it is, for messages.

    Example:
        >>> run = Budget(Limits(tokens=100))
        >>> agent = Budget(Limits(tokens=60), run, owner="agent 'a'")
        >>> held = agent.reserve(50)
        >>> run.reserve(60)
        Traceback (most recent call last):
        ...
        llmspell.errors.BudgetExceeded: the run's budget of 100 tokens is used up (0 spent, 50 reserved, 60 asked)
        >>> agent.settle(held, input_tokens=5, output_tokens=20)
        >>> run.usage.tokens
        25
    """

    def __init__(self, limits: Limits, parent: Budget | None = None, *, owner: str = "the run") -> None:
        self.limits = limits
        self.parent = parent
        self.usage = Usage()
        self._owner = owner
        self._open = 0
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
            raise self._exceeded(f"the run made more than {limit:,} host calls", "calls", limit)
        if self.parent is not None:
            self.parent.count_call()

    @property
    def bounded(self) -> bool:
        """Tokens or cost can run out, here or in a parent."""
        return any(node.limits.tokens is not None or node.limits.cost is not None for node in self._path())

    @property
    def bounds_cost(self) -> bool:
        """Cost can run out, here or in a parent."""
        return any(node.limits.cost is not None for node in self._path())

    def draws_on(self, other: Budget) -> bool:
        """Tell whether what is spent here is spent there too."""
        return any(node is other for node in self._path())

    def reserve(self, tokens: int = 0, cost: float = 0.0) -> Reservation:
        """Set aside what a request may use at most.

        Raises:
            BudgetExceeded: It would not fit; nothing is reserved then.
        """
        with self._lock:
            for node in self._path():
                node._check(tokens, cost)
            self._add(1, tokens, cost)
        return Reservation(tokens, cost)

    def settle(self, *reservations: Reservation | None, **used: Any) -> None:
        """Book what was really used and free what was reserved for it.

        Args:
            used: ``input_tokens``, ``output_tokens``, ``requests``, ``cost`` (None if the price is unknown).

        Raises:
            BudgetExceeded: More is spent now than there was. What was used is booked all the same.
        """
        with self._lock:
            for reservation in reservations:
                if reservation is not None:
                    self._add(-1, -reservation.tokens, -reservation.cost)
            for node in self._path():
                node._book(used)
            for node in self._path():
                node._check_spent()

    def _path(self) -> Iterator[Budget]:
        node: Budget | None = self
        while node is not None:
            yield node
            node = node.parent

    def _add(self, count: int, tokens: int, cost: float) -> None:
        for node in self._path():
            node._open += count
            node._reserved_tokens += tokens
            # Sums of fractions drift; where nothing is reserved, nothing is.
            node._reserved_cost = node._reserved_cost + cost if node._open else 0.0

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
        if limits.tokens is not None and usage.tokens + self._reserved_tokens + tokens > limits.tokens:
            raise self._exceeded(
                f"{self._owner}'s budget of {limits.tokens:,} tokens is used up "
                f"({usage.tokens:,} spent, {self._reserved_tokens:,} reserved, {tokens:,} asked)",
                "tokens",
                limits.tokens,
            )
        if limits.cost is not None and usage.cost + self._reserved_cost + cost > limits.cost:
            raise self._exceeded(
                f"{self._owner}'s budget of ${limits.cost:g} is used up (${usage.cost:.4f} spent, "
                f"${self._reserved_cost:.4f} reserved, ${cost:.4f} asked)",
                "cost",
                limits.cost,
            )

    def _check_spent(self) -> None:
        limits, usage = self.limits, self.usage
        if limits.tokens is not None and usage.tokens > limits.tokens:
            raise self._exceeded(
                f"{self._owner}'s budget of {limits.tokens:,} tokens is overdrawn ({usage.tokens:,} spent)",
                "tokens",
                limits.tokens,
            )
        if limits.cost is not None and usage.cost > limits.cost:
            raise self._exceeded(
                f"{self._owner}'s budget of ${limits.cost:g} is overdrawn (${usage.cost:.4f} spent)",
                "cost",
                limits.cost,
            )

    def _exceeded(self, message: str, limit: str, value: float) -> BudgetExceeded:
        return BudgetExceeded(message, limit=limit, value=value, spent=self.usage.as_dict(), budget=self)
