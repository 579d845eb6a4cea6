"""Pools: who is asked, who is asked instead, who is left alone, and what is counted."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pytest

from llmspell.errors import ArgumentError, BridgeCallError
from llmspell_llm.errors import AuthenticationError, ModelError, ProviderDownError, RateLimitedError
from llmspell_llm.pool import STRATEGIES, Member, Pool, PoolSettings
from llmspell_llm.pool.limiter import RateLimit
from llmspell_llm.pool.strategies import weighted

QUICK = PoolSettings(retry_delay=1)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def members(*names: str, clock: Clock | None = None) -> list[Member]:
    return [Member(name, clock=clock or time.monotonic) for name in names]


def answering(**failures: ModelError) -> Any:
    async def ask(member: Member) -> str:
        if member.name in failures:
            raise failures[member.name]
        return member.name

    return ask


def asked(pool: Pool, times: int, ask: Any = None) -> list[str]:
    async def main() -> list[str]:
        return [await pool.first(ask or answering()) for _ in range(times)]

    return asyncio.run(main())


DOWN = ProviderDownError("down")


def test_failover_asks_the_first_while_it_works() -> None:
    assert asked(Pool("p", members("a", "b"), "failover"), 3) == ["a", "a", "a"]
    assert asked(Pool("p", members("a", "b"), "failover"), 2, answering(a=DOWN)) == ["b", "b"]


def test_round_robin_asks_each_in_turn() -> None:
    assert asked(Pool("p", members("a", "b", "c"), "round_robin"), 5) == ["a", "b", "c", "a", "b"]


def test_round_robin_goes_on_from_one_that_fails() -> None:
    assert asked(Pool("p", members("a", "b", "c"), "round_robin"), 3, answering(b=DOWN)) == ["a", "c", "c"]


def test_fastest_asks_the_one_that_answered_fastest() -> None:
    clock = Clock()
    a, b = members("a", "b", clock=clock)
    for member, took in ((a, 0.5), (b, 0.1)):
        began = member.begun()
        clock.now += took
        member.succeeded(began)
    assert asked(Pool("p", [a, b, Member("new")], "fastest"), 3)[1:] == ["new", "new"]
    assert asked(Pool("p", [a, b], "fastest"), 1) == ["b"]


def test_a_latency_is_a_moving_average() -> None:
    clock = Clock()
    (a,) = members("a", clock=clock)
    for took in (1.0, 2.0):
        began = a.begun()
        clock.now += took
        a.succeeded(began)
    assert a.latency == pytest.approx(1.3)


def test_weighted_asks_each_as_often_as_its_weight_says() -> None:
    a, b, none = members("a", "b", "none")
    a.weight, b.weight, none.weight = 3.0, 1.0, 0.0
    order = weighted(random.Random(7))
    firsts = [order([a, b, none])[0].name for _ in range(2000)]
    assert firsts.count("none") == 0
    assert 0.70 < firsts.count("a") / 2000 < 0.80
    assert {member.name for member in order([a, b, none])} == {"a", "b", "none"}


def test_least_used_asks_the_one_with_the_fewest_in_flight() -> None:
    a, b = members("a", "b")
    a.begun()
    assert [member.name for member in STRATEGIES["least_used"]()([a, b])] == ["b", "a"]


def test_a_member_that_fails_too_often_is_left_alone_and_tried_again_later() -> None:
    clock = Clock()
    pool = Pool("p", members("a", "b", clock=clock), "failover", PoolSettings(circuit_threshold=2, circuit_rest=10_000))
    tried: list[str] = []

    async def ask(member: Member) -> str:
        tried.append(member.name)
        if member.name == "a" and clock.now < 105:
            raise DOWN
        return member.name

    assert asked(pool, 3, ask) == ["b", "b", "b"]
    assert tried == ["a", "b", "a", "b", "b"]
    assert pool.health()["a"] == "open"
    clock.now += 11
    assert asked(pool, 1, ask) == ["a"]
    assert pool.health()["a"] == "healthy"


def test_without_a_circuit_breaker_nobody_is_left_alone() -> None:
    pool = Pool("p", members("a", "b"), "failover", PoolSettings(circuit_breaker=False, circuit_threshold=1))
    asked(pool, 3, answering(a=DOWN))
    assert pool.members[0].failures == 3


def test_when_all_rest_they_are_asked_all_the_same() -> None:
    pool = Pool("p", members("a"), "failover", PoolSettings(circuit_threshold=1, max_retries=0))
    with pytest.raises(ProviderDownError):
        asked(pool, 1, answering(a=DOWN))
    assert asked(pool, 1) == ["a"]


def test_when_all_fail_they_are_gone_through_again() -> None:
    pool = Pool("p", members("a", "b"), "failover", QUICK)
    failing = [DOWN, DOWN, DOWN]

    async def ask(member: Member) -> str:
        if failing:
            raise failing.pop()
        return member.name

    assert asked(pool, 1, ask) == ["b"]
    assert pool.retries == 1


def test_a_wait_a_provider_asked_for_is_kept() -> None:
    pool = Pool("p", members("a"), "failover", PoolSettings(retry_delay=60_000, max_retries=1))
    failing: list[ModelError] = [RateLimitedError("slow down", retry_after=0.05)]

    async def ask(member: Member) -> str:
        if failing:
            raise failing.pop()
        return member.name

    began = time.perf_counter()
    assert asked(pool, 1, ask) == ["a"]
    assert 0.04 < time.perf_counter() - began < 10


def test_what_will_not_pass_is_not_waited_for() -> None:
    pool = Pool("p", members("a", "b"), "failover", PoolSettings(retry_delay=60_000))
    refused = AuthenticationError("no")
    with pytest.raises(AuthenticationError):
        asked(pool, 1, answering(a=refused, b=refused))
    assert pool.retries == 0


def test_a_member_that_takes_too_long_has_failed() -> None:
    async def ask(member: Member) -> str:
        if member.name == "a":
            await asyncio.Event().wait()
        return member.name

    pool = Pool("p", members("a", "b"), "failover", PoolSettings(timeout=20))
    assert asked(pool, 1, ask) == ["b"]
    assert "did not answer" in str(pool.members[0].last_error)


def test_cancelling_is_no_failure() -> None:
    async def main() -> Pool:
        pool = Pool("p", members("a"), "failover")
        never = asyncio.Event()
        task = asyncio.create_task(pool.first(lambda member: never.wait()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return pool

    member = asyncio.run(main()).members[0]
    assert (member.active, member.failures, member.requests) == (0, 0, 0)


def test_a_race_is_won_by_the_first_and_the_others_are_cancelled() -> None:
    cancelled: list[str] = []

    async def ask(member: Member) -> str:
        if member.name == "broken":
            raise DOWN
        if member.name == "slow":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(member.name)
                raise
        return member.name

    pool = Pool("p", members("broken", "slow", "quick"), "race")
    assert asyncio.run(pool.race(ask)) == "quick"
    assert cancelled == ["slow"]
    assert [member.active for member in pool.members] == [0, 0, 0]


def test_no_more_requests_begin_than_the_rate_allows() -> None:
    async def main() -> float:
        limit = RateLimit(5, 0.2)
        began = time.perf_counter()
        await asyncio.gather(*(limit.wait() for _ in range(11)))
        return time.perf_counter() - began

    assert asyncio.run(main()) >= 0.39


def test_a_thousand_requests_at_once_are_all_counted() -> None:
    async def main() -> Pool:
        pool = Pool("p", members("a", "b", "c"), "least_used", QUICK)
        chance = random.Random(3)

        async def ask(member: Member) -> str:
            await asyncio.sleep(0)
            if chance.random() < 0.1:
                raise DOWN
            return member.name

        await asyncio.gather(*(pool.first(ask) for _ in range(1000)))
        return pool

    pool = asyncio.run(main())
    assert sum(member.successes for member in pool.members) == 1000
    assert all(member.active == 0 for member in pool.members)
    assert all(member.requests == member.successes + member.failures for member in pool.members)
    shares = [member.successes for member in pool.members]
    assert max(shares) - min(shares) < 150


@pytest.mark.parametrize(
    "changes", [{"max_retries": -1}, {"nope": 1}, {"circuit_breaker": 1}, {"timeout": True}, {"rate_limit": "x"}]
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        PoolSettings().changed(changes)


# As spells use it


def test_a_pool_is_asked_like_a_model(spells: Any) -> None:
    *_, first, second, metrics = spells.calls(
        ("providers.fake", "a", ["from a", "from a again"]),
        ("providers.fake", "b", ["from b"]),
        ("pool.create", "both", ["a", "b"], "round_robin"),
        ("llm.complete", "x", {"model": "both"}),
        ("llm.complete", "y", {"model": "both", "details": True}),
        ("pool.metrics", "both"),
    )
    assert first == "from a"
    assert (second["content"], second["provider"]) == ("from b", "b")
    assert (metrics["total_requests"], metrics["successful_calls"], metrics["failed_calls"]) == (2, 2, 0)
    assert metrics["provider_metrics"]["a"]["status"] == "healthy"


def test_a_pool_can_be_streamed_and_constrained(spells: Any) -> None:
    spells.fake.say("ignored")
    value = spells.value(
        lua="""providers.fake("broken", {{error = "down", status = 500}, {error = "down", status = 500}})
            providers.fake("sound", {"one two", '{"choice": "yes"}'})
            pool.create("both", {"broken", "sound"}, "failover", {settings = {max_retries = 0}})
            local got = {}
            local all = llm.stream("x", function(p) got[#got + 1] = p end, {model = "both"})
            return {all, got, llm.complete("?", {model = "both", choices = {"yes", "no"}})}""",
        javascript="""providers.fake("broken", [{error: "down", status: 500}, {error: "down", status: 500}]);
            providers.fake("sound", ["one two", '{"choice": "yes"}']);
            await pool.create("both", ["broken", "sound"], "failover", {settings: {max_retries: 0}});
            const got = [];
            const all = await llm.stream("x", p => { got.push(p) }, {model: "both"});
            return [all, got, await llm.complete("?", {model: "both", choices: ["yes", "no"]})]""",
    )
    assert value == ["one two", ["one ", "two"], "yes"]


def test_health_says_what_went_wrong(spells: Any) -> None:
    *_, health, checked = spells.calls(
        ("providers.fake", "broken", [{"error": "out of order", "status": 500}]),
        ("pool.create", "p", ["broken", "fake"], "failover"),
        ("llm.complete", "x", {"model": "p"}),
        ("pool.health", "p"),
        ("pool.check", "p"),
    )
    assert [entry["status"] for entry in health] == ["degraded", "healthy"]
    assert "out of order" in health[0]["last_error"]
    assert checked == {
        "healthy": True,
        "members": {"broken": {"ok": True, "error": None}, "fake": {"ok": True, "error": None}},
    }


def test_pools_are_listed_told_reset_and_removed(spells: Any) -> None:
    _, names, told, _, _, reset, _, left = spells.calls(
        ("pool.create", "p", [{"provider": "fake", "weight": 2}], "weighted"),
        ("pool.list",),
        ("pool.get", "p"),
        ("llm.complete", "x", {"model": "p"}),
        ("pool.reset_metrics", "p"),
        ("pool.metrics", "p"),
        ("pool.remove", "p"),
        ("pool.list",),
    )
    assert (names, left) == (["p"], [])
    assert (told["strategy"], told["provider_metrics"]["fake"]["weight"]) == ("weighted", 2)
    assert reset["total_requests"] == 0


def test_settings_are_told_and_changed(spells: Any) -> None:
    _, before, after = spells.calls(
        ("pool.create", "p", ["fake"], "failover", {"settings": {"max_retries": 1}}),
        ("pool.settings", "p"),
        ("pool.configure", "p", {"timeout": 5, "health_check_interval": 50_000}),
    )
    assert (before["max_retries"], before["timeout"], before["circuit_threshold"]) == (1, 30_000, 5)
    assert (after["max_retries"], after["timeout"]) == (1, 5)


def test_weights_are_set_and_rebalanced(spells: Any) -> None:
    *_, told, weights = spells.calls(
        ("providers.fake", "broken", [{"error": "down", "status": 500}]),
        ("pool.create", "p", ["broken", "fake"], "failover"),
        ("llm.complete", "x", {"model": "p"}),
        ("pool.set_weight", "p", "fake", 3),
        ("pool.get", "p"),
        ("pool.rebalance", "p"),
    )
    assert told["provider_metrics"]["fake"]["weight"] == 3
    assert weights == {"broken": 0, "fake": 1}


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("create", ["p", ["fake"], "nope"], "no strategy 'nope'"),
        ("create", ["p", [], "failover"], "no members"),
        ("create", ["fake", ["fake"], "failover"], "taken"),
        ("get", ["nope"], "no pool 'nope'"),
        ("remove", ["nope"], "no pool 'nope'"),
        ("set_weight", ["nope", "fake", 1], "no pool 'nope'"),
    ],
)
def test_what_makes_no_sense_is_refused(spells: Any, name: str, args: list[Any], message: str) -> None:
    with pytest.raises(BridgeCallError, match=message):
        spells.call(f"pool.{name}", *args)
