"""Objects of the ``errors`` bridge: a builder, and ways to recover."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from llmspell.plugin import BridgeError, Call, HostObject, ScriptFunction, Value, export
from llmspell_std.errors.categories import Categories
from llmspell_std.errors.patience import Backoff, CircuitBreaker, Strategy, retry
from llmspell_std.errors.shape import Failing, as_error, failure_of

DEFAULT_CODE = "CUSTOM_ERROR"
StrategyName = Literal["exponential_backoff", "linear_backoff", "circuit_breaker", "fallback"]


class ErrorBuilder(HostObject):
    """Builds an error piece by piece; each step returns the builder."""

    def __init__(self) -> None:
        self._error: dict[str, Any] = {"code": DEFAULT_CODE, "message": "unknown error"}

    @export
    def with_message(self, message: str) -> ErrorBuilder:
        """Set the message."""
        self._error["message"] = message
        return self

    @export
    def with_code(self, code: str) -> ErrorBuilder:
        """Set the code."""
        self._error["code"] = code
        return self

    @export
    def with_context(self, context: dict[str, Any]) -> ErrorBuilder:
        """Add context."""
        self._error["context"] = {**self._error.get("context", {}), **context}
        return self

    @export
    def with_cause(self, cause: Value) -> ErrorBuilder:
        """Set what caused it."""
        self._error["cause"] = as_error(cause)
        return self

    @export
    def with_category(self, category: str) -> ErrorBuilder:
        """Set its category."""
        self._error["category"] = category
        return self

    @export
    def retryable(self, retryable: bool = True) -> ErrorBuilder:
        """Say whether trying again can help."""
        self._error["retryable"] = retryable
        return self

    @export
    def build(self) -> dict[str, Any]:
        """Return the error."""
        return dict(self._error)


class RecoveryStrategy(HostObject):
    """A way to recover from failures, made by ``errors.create_recovery_strategy``.

    Args:
        kind: Which.
        config: ``max_attempts``, ``initial_delay``, ``max_delay``, ``jitter`` for the two with backoff;
            ``failure_threshold``, ``timeout``, ``reset_timeout`` for the breaker; ``fallback`` (a function) or
            ``default`` (a value) for the last.
    """

    def __init__(self, categories: Categories, kind: StrategyName, config: dict[str, Any]) -> None:
        self._categories = categories
        self._kind = kind
        self._config = config
        self._backoff: Backoff | None = None
        if kind in ("exponential_backoff", "linear_backoff"):
            self._backoff = _backoff(config, "linear" if kind == "linear_backoff" else "exponential")
        self._breaker: CircuitBreaker | None = None

    @export
    async def apply(self, call: Call, fn: ScriptFunction) -> Value:
        """Call ``fn()`` under this strategy and return its result."""
        if self._backoff is not None:
            found: Value = await retry(call, fn, self._backoff, self._categories)
            return found
        if self._kind == "circuit_breaker":
            if self._breaker is None:
                self._breaker = self._make_breaker()
            found = await self._breaker.call(fn)
            return found
        try:
            result: Value = await fn()
        except Failing as error:
            failure = failure_of(error)
            instead = self._config.get("fallback")
            result = await instead(failure) if isinstance(instead, ScriptFunction) else self._config.get("default")
        return result

    def _make_breaker(self) -> CircuitBreaker:
        async def run(fn: ScriptFunction) -> Any:
            return await fn()

        config = self._config
        return CircuitBreaker(
            "recovery",
            run,
            int(_number(config, "failure_threshold", 5)),
            _number(config, "timeout", 60_000),
            _number(config, "reset_timeout", 30_000),
        )

    @export
    def describe(self) -> dict[str, Any]:
        """Return the kind and the settings in force."""
        return {"kind": self._kind, **(asdict(self._backoff) if self._backoff is not None else {})}


def _backoff(config: dict[str, Any], strategy: Strategy) -> Backoff:
    return Backoff(
        int(_number(config, "max_attempts", 3)),
        strategy,
        _number(config, "initial_delay", 1_000),
        _number(config, "max_delay", 30_000),
        config.get("jitter") is not False,
    )


def _number(config: dict[str, Any], name: str, default: float) -> float:
    found = config.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise BridgeError(f"{name} should be a number", code="invalid_argument")
    return found
