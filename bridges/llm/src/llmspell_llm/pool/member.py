"""One model of a pool: how it is doing, and whether it may be asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

Health = Literal["unknown", "healthy", "degraded", "open"]

_SMOOTHING = 0.3
"""Weight of the newest latency in the moving average."""


class Member:
    """A model of a pool. All of it happens on one event loop, so nothing is locked.

    Attributes:
        name: What ``llm`` would take: ``"openai:gpt-4o"``.
        weight: Its share, for the strategy ``weighted``.
        requests, successes, failures: Counts since the last reset.
        active: Requests in flight.
        latency: Moving average of seconds to an answer; None before the first.
        failed_in_a_row: What the circuit breaker counts.
    """

    def __init__(self, name: str, weight: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.weight = weight
        self._clock = clock
        self.active = 0
        self.reset()

    def reset(self) -> None:
        """Forget what was counted, and close the circuit."""
        self.requests = 0
        self.successes = 0
        self.failures = 0
        self.latency: float | None = None
        self.failed_in_a_row = 0
        self.last_error: str | None = None
        self.last_error_at: float | None = None
        self._open_until = 0.0

    def begun(self) -> float:
        """Count a request in and return when it began."""
        self.requests += 1
        self.active += 1
        return self._clock()

    def succeeded(self, began: float) -> None:
        """Count an answer."""
        self.active -= 1
        self.successes += 1
        self.failed_in_a_row = 0
        self._open_until = 0.0
        took = self._clock() - began
        self.latency = took if self.latency is None else self.latency + _SMOOTHING * (took - self.latency)

    def failed(self, error: Exception, *, threshold: int, rest: float) -> None:
        """Count a failure; after ``threshold`` in a row the member rests for ``rest`` seconds."""
        self.active -= 1
        self.failures += 1
        self.failed_in_a_row += 1
        self.last_error = str(error)
        self.last_error_at = time.time()
        if threshold and self.failed_in_a_row >= threshold:
            self._open_until = self._clock() + rest

    def abandoned(self) -> None:
        """Count out a request that was cancelled: neither an answer nor a failure."""
        self.active -= 1
        self.requests -= 1

    def wake(self) -> None:
        """End its rest."""
        self._open_until = 0.0
        self.failed_in_a_row = 0

    @property
    def resting(self) -> bool:
        """Its circuit is open: it failed too often and is left alone for a while. Then one request may try it."""
        return self._open_until > self._clock()

    @property
    def health(self) -> Health:
        if self.resting:
            return "open"
        if not self.successes and not self.failures:
            return "unknown"
        return "degraded" if self.failed_in_a_row else "healthy"

    def as_value(self) -> dict[str, Any]:
        """Return what scripts see; latency in milliseconds."""
        done = self.successes + self.failures
        return {
            "provider": self.name,
            "weight": self.weight,
            "requests": self.requests,
            "successes": self.successes,
            "failures": self.failures,
            "active": self.active,
            "average_latency": None if self.latency is None else self.latency * 1000,
            "success_rate": self.successes / done if done else None,
            "status": self.health,
            "last_error": self.last_error,
            "last_error_time": self.last_error_at,
        }
