"""``Pool``: ask one of several models, and another one when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from llmspell.errors import ArgumentError
from llmspell_llm.errors import ModelError, ProviderDownError
from llmspell_llm.pool.limiter import RateLimit
from llmspell_llm.pool.member import Health, Member
from llmspell_llm.pool.strategies import STRATEGIES

T = TypeVar("T")

TOGETHER = ("race", "consensus")
LONGEST_WAIT = 60.0
LEAST_INTERVAL = 100
"""Milliseconds between checks of members; more often would only be a load on whoever serves them."""
_WHOLE = ("max_retries", "circuit_threshold", "rate_limit")


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How a pool behaves.

    Attributes:
        max_retries: How often the members are gone through again after all of them failed.
        retry_delay: Milliseconds before that, unless a provider asked for a time (``Retry-After``); doubled each time.
        timeout: Milliseconds one member has for an answer; None for no limit of the pool's own.
        circuit_breaker: A member that fails too often in a row is left alone for a while.
        circuit_threshold: How often that is.
        circuit_rest: Milliseconds it is left alone.
        rate_limit: Requests that may begin in one second; None for no limit.
        health_check_interval: Milliseconds between checks of the members that rest, at least 100; None checks none.
        consensus_threshold: Share of members that must agree, for the strategy ``consensus``.
    """

    max_retries: int = 3
    retry_delay: float = 1000
    timeout: float | None = 30_000
    circuit_breaker: bool = True
    circuit_threshold: int = 5
    circuit_rest: float = 30_000
    rate_limit: int | None = None
    health_check_interval: float | None = None
    consensus_threshold: float = 0.5

    def changed(self, changes: dict[str, Any]) -> PoolSettings:
        """Return these settings with some changed.

        Raises:
            ArgumentError: There is no such setting, or it cannot have that value.
        """
        known = {field.name for field in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ArgumentError(f"a pool has no setting {name!r}; settings: {', '.join(sorted(known))}")
            if isinstance(value, bool) != (name == "circuit_breaker"):
                raise ArgumentError(f"setting {name!r} cannot be {value!r}", parameter=name)
            if value is not None and name != "circuit_breaker" and (not isinstance(value, int | float) or value < 0):
                raise ArgumentError(f"setting {name!r} should be a number that is not negative", parameter=name)
        interval = changes.get("health_check_interval")
        if interval is not None and interval < LEAST_INTERVAL:
            raise ArgumentError(
                f"setting 'health_check_interval' should be at least {LEAST_INTERVAL} ms, got {interval:g}",
                parameter="health_check_interval",
            )
        whole: dict[str, Any] = {name: int(changes[name]) for name in _WHOLE if changes.get(name) is not None}
        return replace(self, **{**changes, **whole})


class Pool:
    """Several models that stand in for one another. Safe to use from many tasks of one event loop.

    Args:
        name: What scripts call it.
        members: At least one.
        strategy: One of :data:`STRATEGIES`, ``"race"`` or ``"consensus"``.
        settings: How it behaves.

    Example:
        >>> Pool("both", [Member("a:x"), Member("b:y")], "failover").strategy
        'failover'
    """

    def __init__(
        self, name: str, members: Sequence[Member], strategy: str, settings: PoolSettings | None = None
    ) -> None:
        if not members:
            raise ArgumentError(f"pool {name!r} has no members", parameter="providers")
        if strategy not in STRATEGIES and strategy not in TOGETHER:
            known = ", ".join([*STRATEGIES, *TOGETHER])
            raise ArgumentError(f"there is no strategy {strategy!r}; strategies: {known}", parameter="strategy")
        self.name = name
        self.members = list(members)
        self.strategy = strategy
        self.retries = 0
        self._order = STRATEGIES[strategy]() if strategy in STRATEGIES else STRATEGIES["failover"]()
        self._limit: RateLimit | None = None
        self.settings = settings or PoolSettings()

    @property
    def settings(self) -> PoolSettings:
        return self._settings

    @settings.setter
    def settings(self, settings: PoolSettings) -> None:
        self._settings = settings
        self._limit = RateLimit(settings.rate_limit, 1.0) if settings.rate_limit else None

    def member(self, name: str) -> Member:
        """Return a member by name.

        Raises:
            ArgumentError: It is not in the pool.
        """
        for member in self.members:
            if member.name == name:
                return member
        names = ", ".join(member.name for member in self.members)
        raise ArgumentError(f"pool {self.name!r} has no member {name!r}; members: {names}", parameter="provider")

    def health(self) -> dict[str, Health]:
        """Return how each member is, by name."""
        return {member.name: member.health for member in self.members}

    def reset(self) -> None:
        """Forget what was counted."""
        self.retries = 0
        for member in self.members:
            member.reset()

    async def first(self, ask: Callable[[Member], Awaitable[T]]) -> T:
        """Ask the members, one after the other in the strategy's order, until one answers.

        Args:
            ask: Asks one member; when it raises a :class:`ModelError`, the next one is asked.

        Raises:
            ModelError: The last failure, when all failed as often as the settings allow. One that will not pass
                (a refused key) is not waited for.
        """
        failure: ModelError | None = None
        for again in range(self.settings.max_retries + 1):
            if again:
                assert failure is not None
                if not failure.transient:
                    break
                self.retries += 1
                await asyncio.sleep(self._pause(failure, again))
            for member in self._order(self._awake()):
                try:
                    return await self.ask(member, ask)
                except ModelError as error:
                    failure = error
        assert failure is not None
        raise failure

    async def race(self, ask: Callable[[Member], Awaitable[T]]) -> T:
        """Ask every member at once, return the first answer and cancel the others.

        Raises:
            ModelError: All failed; the last failure.
        """
        tasks = [asyncio.create_task(self.ask(member, ask)) for member in self._awake()]
        failure: ModelError | None = None
        try:
            for done in asyncio.as_completed(tasks):
                try:
                    return await done
                except ModelError as error:
                    failure = error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert failure is not None
        raise failure

    async def all(self, ask: Callable[[Member], Awaitable[T]]) -> list[T | ModelError]:
        """Ask every member at once and return what each answered, or how it failed."""

        async def one(member: Member) -> T | ModelError:
            try:
                return await self.ask(member, ask)
            except ModelError as error:
                return error

        return list(await asyncio.gather(*(one(member) for member in self._awake())))

    async def ask(self, member: Member, ask: Callable[[Member], Awaitable[T]]) -> T:
        """Ask one member, under the pool's time limit and rate, and count it.

        Raises:
            ModelError: It failed.
        """
        if self._limit is not None:
            await self._limit.wait()
        settings = self.settings
        began = member.begun()
        try:
            async with asyncio.timeout(None if settings.timeout is None else settings.timeout / 1000):
                answer = await ask(member)
        except TimeoutError as error:
            failure = ProviderDownError(
                f"{member.name} did not answer pool {self.name!r} within {settings.timeout:g} ms", provider=member.name
            )
            self._failed(member, failure)
            raise failure from error
        except ModelError as error:
            self._failed(member, error)
            raise
        except BaseException:
            member.abandoned()
            raise
        member.succeeded(began)
        return answer

    def _failed(self, member: Member, error: ModelError) -> None:
        settings = self.settings
        threshold = settings.circuit_threshold if settings.circuit_breaker else 0
        member.failed(error, threshold=threshold, rest=settings.circuit_rest / 1000)

    def _awake(self) -> list[Member]:
        """Return the members that do not rest; all of them if all rest, since somebody has to be asked."""
        return [member for member in self.members if not member.resting] or list(self.members)

    def _pause(self, failure: ModelError, again: int) -> float:
        asked = getattr(failure, "retry_after", None)
        if asked is not None:
            return float(min(asked, LONGEST_WAIT))
        return float(min(self.settings.retry_delay / 1000 * 2 ** (again - 1), LONGEST_WAIT))

    def as_value(self) -> dict[str, Any]:
        """Return what scripts see of the whole pool."""
        return {
            "name": self.name,
            "strategy": self.strategy,
            "total_requests": sum(member.requests for member in self.members),
            "successful_calls": sum(member.successes for member in self.members),
            "failed_calls": sum(member.failures for member in self.members),
            "retry_count": self.retries,
            "provider_metrics": {member.name: member.as_value() for member in self.members},
        }
