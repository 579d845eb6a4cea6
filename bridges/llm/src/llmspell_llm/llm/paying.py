"""A run pays for the requests its script makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmspell.plugin import Call
from llmspell_llm.llm.account import Report
from llmspell_llm.llm.metrics import ProviderMetrics


class RunAccount:
    """Books requests on the budget of the run that a call belongs to, counts them, and tells observers of each."""

    def __init__(self, call: Call, metrics: dict[str, ProviderMetrics]) -> None:
        self._call = call
        self._metrics = metrics

    def reserve(self, tokens: int) -> Any:
        return self._call.run.budget.reserve(tokens)

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
        *earlier, last = reservations or [None]
        for reservation in earlier:
            self._call.run.budget.settle(reservation)
        self._call.spend(
            reservation=last,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            requests=usage.requests,
            cost=usage.cost,
        )
