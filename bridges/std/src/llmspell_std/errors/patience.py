"""Trying again, giving up in time, and leaving a broken thing alone for a while."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from llmspell.plugin import BridgeError, Call, ScriptFunction
from llmspell_std.errors.categories import Categories
from llmspell_std.errors.shape import Failing, failure_of, raised
from llmspell_std.function import GivenFunction

Strategy = Literal["exponential", "linear", "constant"]
MAX_ATTEMPTS = 1_000
_MAX_DELAY = 3_600_000


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often and after what pause something is tried again. Times are milliseconds."""

    max_attempts: int = 3
    strategy: Strategy = "exponential"
    initial_delay: float = 1_000
    max_delay: float = 30_000
    jitter: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.max_attempts <= MAX_ATTEMPTS:
            raise BridgeError(f"max_attempts should be between 1 and {MAX_ATTEMPTS:,}", code="invalid_argument")
        if not (0 <= self.initial_delay <= _MAX_DELAY and 0 <= self.max_delay <= _MAX_DELAY):
            raise BridgeError("a delay should be between 0 ms and an hour", code="invalid_argument")

    def pause(self, failures: int) -> float:
        """Return the seconds to wait after so many failures."""
        factor = {"exponential": 2.0 ** min(failures - 1, 40), "linear": float(failures), "constant": 1.0}
        delay = min(self.initial_delay * factor[self.strategy], self.max_delay)
        if self.jitter:
            delay *= random.uniform(0.5, 1)  # noqa: S311 - spreads load, guards nothing
        return delay / 1000


async def retry(
    call: Call,
    fn: Callable[..., Awaitable[Any]],
    backoff: Backoff,
    categories: Categories,
    retry_if: ScriptFunction | None = None,
) -> Any:
    """Call a function until it succeeds, its attempts are used up, or trying again cannot help.

    Raises:
        BridgeError: With the code of the last failure.
    """
    for attempt in range(1, backoff.max_attempts + 1):
        try:
            return await fn()
        except Failing as error:
            failure = failure_of(error)
            if retry_if is not None:
                again = await retry_if(failure, attempt) not in (None, False)
            else:
                again = not await categories.is_hopeless(failure)
            if not again or attempt == backoff.max_attempts:
                tried = f" (after {attempt} attempts)" if attempt > 1 else ""
                raise raised({**failure, "attempts": attempt}, failure["message"] + tried) from error
        call.checkpoint()
        await asyncio.sleep(backoff.pause(attempt))
    raise AssertionError("unreachable")


async def limited(fn: Callable[..., Awaitable[Any]], milliseconds: float, *args: Any) -> Any:
    """Call a function and stop it when its time is up.

    Raises:
        BridgeError: ``timeout``.
    """
    if not 0 < milliseconds <= _MAX_DELAY * 24:
        raise BridgeError("a time limit is a positive number of milliseconds", code="invalid_argument")
    try:
        async with asyncio.timeout(milliseconds / 1000) as scope:
            return await fn(*args)
    except TimeoutError:
        if not scope.expired():
            raise
        raise BridgeError(f"the function took longer than {milliseconds:g} ms", code="timeout") from None


class CircuitBreaker(GivenFunction):
    """A function that is not called for a while once it has failed too often in a row.

    Args:
        threshold: Failures in a row that open the circuit.
        timeout: Milliseconds one call may take, 0 for any.
        reset: Milliseconds after which one call is let through again, as a probe.
    """

    def __init__(
        self, name: str, fn: Callable[..., Awaitable[Any]], threshold: int, timeout: float, reset: float
    ) -> None:
        if threshold < 1 or timeout < 0 or reset < 0:
            raise BridgeError("thresholds and times of a circuit breaker are positive", code="invalid_argument")
        self._fn = fn
        self._threshold = threshold
        self._timeout = timeout
        self._reset = reset / 1000
        self._failures = 0
        self._opened = 0.0
        self._probing = False
        super().__init__(f"guarded {name}".strip(), self._guarded)

    async def _guarded(self, *args: Any) -> Any:
        probe = self._failures >= self._threshold
        if probe and (self._probing or time.monotonic() - self._opened < self._reset):
            raise BridgeError(
                f"the function failed {self._failures} times in a row and is left alone for a while",
                code="circuit_open",
            )
        self._probing = probe
        try:
            result = await (limited(self._fn, self._timeout, *args) if self._timeout else self._fn(*args))
        except Failing as error:
            self._failures += 1
            self._opened = time.monotonic()
            raise raised(failure_of(error)) from error
        finally:
            if probe:
                self._probing = False
        self._failures = 0
        return result
