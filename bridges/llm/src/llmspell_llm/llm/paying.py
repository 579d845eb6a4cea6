"""A run pays for the requests its script makes; an agent may have a budget of its own within it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from llmspell.gate.budget import Budget
from llmspell.plugin import Call
from llmspell.policy import Limits
from llmspell_llm.llm.account import Report
from llmspell_llm.llm.metrics import ProviderMetrics

_purses: ContextVar[Budget | None] = ContextVar("llmspell_purse", default=None)
"""The budget of the innermost agent that is at work here and has one."""


class RunAccount:
    """Books requests on the budget of the run that a call belongs to, counts them, and tells observers of each."""

    def __init__(self, call: Call, metrics: dict[str, ProviderMetrics]) -> None:
        self._call = call
        self._metrics = metrics
        self._budget = budget_of(call)

    @property
    def bounded(self) -> bool:
        return self._budget.bounded

    @property
    def bounds_cost(self) -> bool:
        return self._budget.bounds_cost

    def reserve(self, tokens: int, cost: float = 0.0) -> Any:
        return self._budget.reserve(tokens, cost)

    def settle(self, report: Report, reservations: Sequence[Any]) -> None:
        usage = report.usage
        self._metrics.setdefault(report.connection.provider.name, ProviderMetrics()).count(report)
        self._call.event(
            "model",
            {
                "provider": report.connection.provider.name,
                "model": report.connection.model,
                "seconds": report.seconds,
                "error": None if report.error is None else report.error.code,
                **usage.as_value(),
            },
        )
        self._budget.settle(
            *reservations,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            requests=usage.requests,
            cost=usage.cost,
        )


def budget_of(call: Call) -> Budget:
    """Return the budget that a call draws on: its run's, or that of the agent it is made for."""
    run: Budget = call.run.budget
    purse = _purses.get()
    return purse if purse is not None and purse.draws_on(run) else run


@contextmanager
def purse(call: Call, owner: str, tokens: int | None, cost: float | None) -> Iterator[Budget | None]:
    """Have all requests made within draw on a budget of their own, which draws on the one outside.

    Args:
        call: On whose behalf.
        owner: Whose budget it is, for messages.
        tokens: How many tokens it has; None for no limit of its own.
        cost: How many US dollars.
    """
    if tokens is None and cost is None:
        yield None
        return
    made = Budget(Limits(tokens=tokens, cost=cost), budget_of(call), owner=owner)
    token = _purses.set(made)
    try:
        yield made
    finally:
        _purses.reset(token)
