"""The ``pool`` bridge."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from llmspell.errors import ArgumentError, BridgeError, LlmspellError
from llmspell.plugin import Bridge, BridgeContext, export
from llmspell_llm.bridges.llm import LlmBridge
from llmspell_llm.bridges.providers import ProvidersBridge, members_from
from llmspell_llm.names import snake_keys
from llmspell_llm.pool.member import Member
from llmspell_llm.pool.pool import Pool, PoolSettings
from llmspell_llm.pool.provider import PoolProvider


class PoolBridge(Bridge):
    """Several models that share the work and stand in for one another.

    A pool is asked like any model: ``llm.complete("...", {model = "my-pool"})``, and so is it in streams, chats and
    agents.
    """

    name = "pool"
    requires = ("llm", "providers")

    async def open(self, context: BridgeContext) -> None:
        """Stand on the session's ``llm``."""
        llm, providers = context.bridges["llm"], context.bridges["providers"]
        assert isinstance(llm, LlmBridge)
        assert isinstance(providers, ProvidersBridge)
        self._llm = llm
        self._pools: dict[str, PoolProvider] = {}
        self._watches: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """End the health checks."""
        for name in list(self._watches):
            await self._unwatch(name)

    @export
    async def create(
        self,
        name: str,
        providers: list[str | dict[str, Any]],
        strategy: str = "round_robin",
        *,
        settings: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Make a pool.

        Args:
            name: What ``model = "name"`` will say.
            providers: Models, ``"provider:model"`` or ``{provider, weight}`` each.
            strategy: ``round_robin``, ``failover``, ``fastest``, ``weighted``, ``least_used``, ``race`` or
                ``consensus``.
            settings: ``max_retries`` (3), ``retry_delay`` (1000 ms, doubled each time), ``timeout`` (30000 ms),
                ``circuit_breaker`` (true), ``circuit_threshold`` (5 failures in a row), ``circuit_rest`` (30000 ms),
                ``rate_limit`` (requests per second), ``health_check_interval`` (ms), ``consensus_threshold`` (0.5).
        """
        directory = self._llm.asking.directory
        if name in self._pools or name in directory.kinds or ":" in name or not name:
            raise BridgeError(f"{name!r} is taken, or no name for a pool", code="name_taken")
        pool = Pool(
            name, members_from(providers, directory), strategy, PoolSettings().changed(snake_keys(settings or {}))
        )
        provider = PoolProvider(pool, directory, self._llm.asking.connections)
        directory.add(provider)
        self._pools[name] = provider
        self._watch(provider)
        return pool.as_value()

    @export
    def get(self, name: str) -> dict[str, Any]:
        """Tell about a pool: ``{name, strategy, total_requests, ..., provider_metrics}``."""
        return self._pool(name).as_value()

    @export(name="list")
    def list_(self) -> list[str]:
        """Return the names of the session's pools."""
        return sorted(self._pools)

    @export
    async def remove(self, name: str) -> None:
        """Forget a pool. Its members stay."""
        self._pool(name)
        await self._unwatch(name)
        self._llm.asking.connections.forget(self._pools.pop(name))
        self._llm.asking.directory.remove(name)

    @export
    def metrics(self, name: str) -> dict[str, Any]:
        """Tell what a pool did: counts, and for each member requests, failures, latency and health."""
        return self._pool(name).as_value()

    @export
    def reset_metrics(self, name: str) -> None:
        """Forget what was counted, and close every circuit."""
        self._pool(name).reset()

    @export(name="health")
    def members_health(self, name: str) -> list[dict[str, Any]]:
        """Tell how each member is: ``{provider, status, last_error, last_error_time, success_rate}``.

        ``status`` is ``healthy``, ``degraded`` (it failed last time), ``open`` (it is left alone for a while) or
        ``unknown`` (it was never asked).
        """
        kept = ("provider", "status", "last_error", "last_error_time", "success_rate")
        return [{key: member.as_value()[key] for key in kept} for member in self._pool(name).members]

    @export
    async def check(self, name: str) -> dict[str, Any]:
        """Ask every member whether it is there: ``{healthy, members = {name: {ok, error}}}``. Costs nothing."""
        pool = self._pool(name)
        results = await asyncio.gather(*(self._probe(member) for member in pool.members))
        told = {
            member.name: {"ok": error is None, "error": error}
            for member, error in zip(pool.members, results, strict=True)
        }
        return {"healthy": all(entry["ok"] for entry in told.values()), "members": told}

    @export
    def settings(self, name: str) -> dict[str, Any]:
        """Return a pool's settings."""
        return asdict(self._pool(name).settings)

    @export
    async def configure(self, name: str, settings: dict[str, Any]) -> dict[str, Any]:
        """Change settings of a pool and return all of them."""
        pool = self._pool(name)
        pool.settings = pool.settings.changed(snake_keys(settings))
        await self._unwatch(name)
        self._watch(self._pools[name])
        return asdict(pool.settings)

    @export
    def set_weight(self, name: str, provider: str, weight: float) -> None:
        """Change a member's weight, for the strategy ``weighted``."""
        if weight < 0:
            raise ArgumentError("weight should not be negative", parameter="weight", position=3)
        self._pool(name).member(provider).weight = weight

    @export
    def rebalance(self, name: str) -> dict[str, float]:
        """Set the weights by how the members did: more for those that answer, and answer fast. Return them.

        A member that was never asked gets the average weight.
        """
        pool = self._pool(name)
        scores = {member.name: _score(member) for member in pool.members}
        known = [score for score in scores.values() if score is not None]
        average = sum(known) / len(known) if known else 1.0
        total = sum(average if score is None else score for score in scores.values()) or 1.0
        for member in pool.members:
            score = scores[member.name]
            member.weight = (average if score is None else score) / total
        return {member.name: member.weight for member in pool.members}

    def _pool(self, name: str) -> Pool:
        try:
            return self._pools[name].pool
        except KeyError:
            known = ", ".join(sorted(self._pools)) or "none"
            raise BridgeError(f"there is no pool {name!r}; pools: {known}", code="not_found") from None

    async def _probe(self, member: Member) -> str | None:
        """Return why a member is not there, or None if it is."""
        asking = self._llm.asking
        try:
            await asking.connections.list_models(asking.directory.resolve(member.name).provider)
        except LlmspellError as error:
            # A policy that forbids to reach it is as good a reason as a server that is down.
            return error.message
        return None

    def _watch(self, provider: PoolProvider) -> None:
        interval = provider.pool.settings.health_check_interval
        if interval:
            self._watches[provider.name] = asyncio.create_task(self._keep_checking(provider.pool, interval / 1000))

    async def _unwatch(self, name: str) -> None:
        watch = self._watches.pop(name, None)
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _keep_checking(self, pool: Pool, seconds: float) -> None:
        """Wake members that rest as soon as they are there again."""
        while True:
            await asyncio.sleep(seconds)
            for member in pool.members:
                if member.resting and await self._probe(member) is None:
                    member.wake()


def _score(member: Member) -> float | None:
    done = member.successes + member.failures
    if not done or member.latency is None:
        return 0.0 if member.failures else None
    return member.successes / done / max(member.latency, 1e-3)
