"""``ErrorsBridge``: what scripts see as ``errors``."""

from __future__ import annotations

import time
from typing import Any, NoReturn

from llmspell.plugin import Bridge, Call, ScriptFunction, Value, export
from llmspell_std.data import jsontext
from llmspell_std.ending import at_end
from llmspell_std.errors.categories import BUILT_IN, Categories, Category
from llmspell_std.errors.objects import DEFAULT_CODE, ErrorBuilder, RecoveryStrategy, StrategyName
from llmspell_std.errors.patience import Backoff, CircuitBreaker, Strategy, limited, retry
from llmspell_std.errors.shape import Failing, as_error, failure_of, raised, text_of
from llmspell_std.function import GivenFunction
from llmspell_std.subscriptions import Subscriptions


class ErrorsBridge(Bridge):
    """Make, inspect and survive errors.

    An error is a table ``{code, message}`` with, where known, ``context``, ``cause``, ``category``, ``retryable``
    and ``fatal``; a text counts as its message. Times are milliseconds. Limits of the policy and cancellation are
    never caught here.
    """

    name = "errors"

    def __init__(self) -> None:
        self._categories = Categories()
        self._subscriptions = Subscriptions()

    @property
    def categories_known(self) -> Categories:
        """What this session knows of categories, for bridges that retry."""
        return self._categories

    # Making

    @export
    def create(self, message: str, code: str = DEFAULT_CODE, context: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return an error. Raise it with the language's own ``error`` or ``throw``, or with ``errors.raise``."""
        made: dict[str, Any] = {"code": code, "message": message, "time": time.time()}
        return made | ({"context": context} if context else {})

    @export
    def new(self, code: str, message: str, context: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return an error; ``create`` with the code first."""
        return self.create(message, code, context)

    @export
    def builder(self) -> ErrorBuilder:
        """Return a builder of an error."""
        return ErrorBuilder()

    @export
    def throw(self, error: Value, code: str | None = None) -> NoReturn:
        """Fail with an error, or with a text and a code."""
        failure = as_error(error)
        raise raised({**failure, "code": code or failure["code"]})

    raise_ = throw

    @export
    def wrap(self, error: Value, message: str | dict[str, Any] | None = None) -> dict[str, Any]:
        """Return an error caused by another; ``message`` may be a table of context instead."""
        cause = as_error(error)
        outer: dict[str, Any] = {"code": cause["code"], "message": cause["message"], "cause": cause}
        if isinstance(message, str):
            outer["message"] = message
        elif message:
            outer["context"] = message
        return outer

    @export
    def unwrap(self, error: Value) -> dict[str, Any] | None:
        """Return what caused an error, or nothing."""
        cause = as_error(error).get("cause")
        return None if cause is None else as_error(cause)

    @export
    def chain(self, errors: list[Any]) -> dict[str, Any] | None:
        """Return the first error, caused by the second, caused by the third ..."""
        linked: dict[str, Any] | None = None
        for error in reversed(errors):
            here = as_error(error)
            linked = here if linked is None else {**here, "cause": linked}
        return linked

    @export
    def aggregate(self, errors: list[Any], message: str | None = None) -> dict[str, Any]:
        """Return one error that stands for several."""
        found = [as_error(error) for error in errors]
        told = message or f"{len(found)} errors: " + "; ".join(error["message"] for error in found[:5])
        return {"code": "AGGREGATE_ERROR", "message": told, "errors": found}

    # Looking at

    @export
    def to_json(self, error: Value) -> str:
        """Write an error as JSON."""
        return jsontext.write(as_error(error))

    @export
    def from_json(self, text: str) -> dict[str, Any]:
        """Read an error from JSON."""
        return as_error(jsontext.parse(text))

    @export
    def to_string(self, error: Value) -> str:
        """Say an error and its causes in one line."""
        return text_of(as_error(error))

    @export
    def get_context(self, error: Value) -> dict[str, Any]:
        """Return the context of an error."""
        context = as_error(error).get("context")
        return context if isinstance(context, dict) else {}

    @export
    def add_context(self, error: Value, key: str, value: Value) -> dict[str, Any]:
        """Return the error with more context."""
        found = as_error(error)
        return {**found, "context": {**self.get_context(found), key: value}}

    @export
    def is_type(self, error: Value, code: str) -> bool:
        """Tell whether an error, or one that caused it, has a code."""
        here: Any = error
        for _ in range(100):
            found = as_error(here)
            if found["code"] == code:
                return True
            here = found.get("cause")
            if here is None:
                return False
        return False

    @export
    async def categorize(self, error: Value) -> str:
        """Return ``network``, ``ratelimit``, ``validation``, ``authentication``, ``authorization``, ``system``, a
        category of your own, or ``unknown``."""
        return (await self._categories.find(as_error(error))).name

    @export
    async def is_retryable(self, error: Value) -> bool:
        """Tell whether trying again is likely to help."""
        return await self._categories.is_retryable(as_error(error))

    @export
    async def is_fatal(self, error: Value) -> bool:
        """Tell whether there is no use in going on."""
        return await self._categories.is_fatal(as_error(error))

    @export
    def register_category(
        self,
        call: Call,
        name: str,
        matcher: ScriptFunction | None = None,
        *,
        codes: list[str] | None = None,
        words: list[str] | None = None,
        retryable: bool = False,
        fatal: bool = False,
    ) -> None:
        """Add a category: by ``matcher(error)``, by codes, or by words in messages."""
        category = Category(
            name, frozenset(code.lower() for code in codes or ()), tuple(word.lower() for word in words or ()),
            retryable, fatal, matcher,
        )  # fmt: skip
        self._categories.add(category)
        if matcher is not None:
            at_end(call, lambda: self._categories.drop(category))

    @export
    def categories(self) -> dict[str, Any]:
        """Return the categories there are, with ``{retryable, fatal}``."""
        return {
            name: {"retryable": category.retryable, "fatal": category.fatal}
            for name, category in self._categories.all().items()
        }

    @export
    def codes(self) -> dict[str, list[str]]:
        """Return the codes that mean each built-in category."""
        return {category.name: sorted(category.codes) for category in BUILT_IN}

    # Surviving

    @export(name="try")
    async def try_(
        self, fn: ScriptFunction, catch: ScriptFunction | None = None, finally_: ScriptFunction | None = None
    ) -> Any:
        """Call ``fn()``; if it fails, return what ``catch(error)`` returns; in any case call the third function.

        Without ``catch`` the failure goes on.
        """
        try:
            try:
                return await fn()
            except Failing as error:
                failure = failure_of(error)
                if catch is None:
                    raise raised(failure) from error
                return await catch(failure)
        finally:
            if finally_ is not None:
                await finally_()

    @export
    def safe(self, fn: ScriptFunction, default: Value = None) -> GivenFunction:
        """Return a function that gives ``default`` where ``fn`` fails."""

        async def call(*args: Any) -> Any:
            try:
                return await fn(*args)
            except Failing as error:
                failure_of(error)
                return default

        return GivenFunction(f"safe {fn.name}".strip(), call)

    @export
    def fallback(self, primary: ScriptFunction, fallback: ScriptFunction) -> GivenFunction:
        """Return a function that calls ``fallback`` with the same arguments where ``primary`` fails."""

        async def call(*args: Any) -> Any:
            try:
                return await primary(*args)
            except Failing as error:
                first = failure_of(error)
            try:
                return await fallback(*args)
            except Failing as error:
                raise raised({**failure_of(error), "cause": first}) from error

        return GivenFunction(f"{primary.name} or {fallback.name}".strip(), call)

    @export
    async def retry(
        self,
        call: Call,
        fn: ScriptFunction,
        *,
        max_attempts: int = 3,
        strategy: Strategy = "exponential",
        initial_delay: float = 1_000,
        max_delay: float = 30_000,
        jitter: bool = True,
        retry_if: ScriptFunction | None = None,
    ) -> Value:
        """Call ``fn()`` until it succeeds, or trying again cannot help, or ``retry_if(error)`` says no."""
        backoff = Backoff(max_attempts, strategy, initial_delay, max_delay, jitter)
        found: Value = await retry(call, fn, backoff, self._categories, retry_if)
        return found

    @export
    def circuit_breaker(
        self,
        fn: ScriptFunction,
        *,
        failure_threshold: int = 5,
        timeout: float = 60_000,
        reset_timeout: float = 30_000,
    ) -> CircuitBreaker:
        """Return a function that fails at once with ``circuit_open`` while ``fn`` has failed too often in a row."""
        return CircuitBreaker(fn.name, fn, failure_threshold, timeout, reset_timeout)

    @export
    def timeout(self, fn: ScriptFunction, milliseconds: float) -> GivenFunction:
        """Return a function that stops ``fn`` when it takes too long, and fails with ``timeout``."""

        async def call(*args: Any) -> Any:
            return await limited(fn, milliseconds, *args)

        return GivenFunction(f"timed {fn.name}".strip(), call)

    @export
    def create_recovery_strategy(self, kind: StrategyName, config: dict[str, Any] | None = None) -> RecoveryStrategy:
        """Return a way to recover that can be applied to functions."""
        return RecoveryStrategy(self._categories, kind, config or {})

    # Telling

    @export
    async def log_error(self, call: Call, kind: str, details: Value = None) -> None:
        """Tell the host's observers and this run's subscribers of an error."""
        error = as_error(details) if details is not None else {"code": kind, "message": kind}
        call.event("error", {"type": kind, "code": error["code"], "message": error["message"][:1000]})
        await self._subscriptions.tell(kind, {**error, "type": kind})

    @export
    def subscribe_to_errors(self, call: Call, kinds: list[str], fn: ScriptFunction) -> int:
        """Have ``fn(error)`` called for errors logged with one of these types, all if none is given; for this run."""
        return self._subscriptions.add(call, kinds, fn)

    @export
    def unsubscribe(self, subscription: int) -> bool:
        """End a subscription; tell whether there was one."""
        return self._subscriptions.remove(subscription)
