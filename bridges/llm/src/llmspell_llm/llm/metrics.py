"""How each provider is doing, as a session saw it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from llmspell_llm.conversation import Usage
from llmspell_llm.llm.account import Report


@dataclass(slots=True)
class ProviderMetrics:
    """What was asked of one provider."""

    requests: int = 0
    failures: int = 0
    seconds: float = 0.0
    usage: Usage = field(default_factory=Usage)
    last_error: str | None = None

    def count(self, report: Report) -> None:
        self.requests += 1
        self.usage = self.usage + report.usage
        if report.error is not None:
            self.failures += 1
            self.last_error = report.error.message
        else:
            self.seconds += report.seconds

    def as_value(self) -> dict[str, Any]:
        """Return what scripts see; latency in milliseconds."""
        answered = self.requests - self.failures
        return {
            "total_requests": self.requests,
            "successful_calls": answered,
            "failed_calls": self.failures,
            "average_latency": self.seconds / answered * 1000 if answered else None,
            "success_rate": answered / self.requests * 100 if self.requests else None,
            "usage": self.usage.as_value(),
            "last_error": self.last_error,
        }
