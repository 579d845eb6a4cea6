"""``errors``: making, looking at, and surviving errors."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest


@pytest.fixture
def failing(spell: Any, raised: Any) -> Any:
    """Make a script function that raises these values one after the other, and then returns ``"done"``."""

    def make(*values: Any) -> Any:
        left = list(values)

        def work(*args: Any) -> Any:
            if left:
                raise raised(left.pop(0))
            return "done"

        return spell.fn(work)

    return make


def test_errors_are_plain_tables(spell: Any) -> None:
    made = spell.call("errors.create", "no luck", "BAD", {"n": 1})
    assert {key: made[key] for key in ("code", "message", "context")} == {
        "code": "BAD",
        "message": "no luck",
        "context": {"n": 1},
    }
    assert spell.call("errors.create", "x")["code"] == "CUSTOM_ERROR"
    assert spell.call("errors.new", "BAD", "x")["code"] == "BAD"


def test_raising_keeps_code_and_table(spell: Any) -> None:
    for name in ("raise", "throw"):
        fault = spell.fails(f"errors.{name}", {"code": "BAD", "message": "no", "extra": 1})
        assert (fault.code, fault.message) == ("BAD", "no")
        assert fault.details == {"error": {"code": "BAD", "message": "no", "extra": 1}}
    assert spell.fails("errors.raise", "no", "WORSE").code == "WORSE"


def test_a_builder_builds(spell: Any) -> None:
    builder = spell.call("errors.builder")
    for method, args in (
        ("with_message", ("no",)), ("with_code", ("BAD",)), ("with_context", ({"a": 1},)),
        ("with_context", ({"b": 2},)),
        ("with_cause", ("root",)), ("with_category", ("network",)), ("retryable", ()),
    ):  # fmt: skip
        assert spell.call((builder, method), *args) == builder
    assert spell.call((builder, "build")) == {
        "code": "BAD",
        "message": "no",
        "context": {"a": 1, "b": 2},
        "cause": {"code": "error", "message": "root"},
        "category": "network",
        "retryable": True,
    }


def test_errors_are_wrapped_chained_and_gathered(spell: Any) -> None:
    root = {"code": "ROOT", "message": "deep"}
    wrapped = spell.call("errors.wrap", root, "outer")
    assert wrapped == {"code": "ROOT", "message": "outer", "cause": root}
    assert spell.call("errors.wrap", root, {"n": 1})["context"] == {"n": 1}
    assert spell.call("errors.unwrap", wrapped) == root
    assert spell.call("errors.unwrap", root) is None
    chain = spell.call("errors.chain", ["a", root])
    assert chain == {"code": "error", "message": "a", "cause": root}
    assert spell.call("errors.chain", []) is None
    gathered = spell.call("errors.aggregate", ["a", root])
    assert (gathered["code"], gathered["message"]) == ("AGGREGATE_ERROR", "2 errors: a; deep")
    assert spell.call("errors.aggregate", ["a"], "all bad")["message"] == "all bad"
    assert spell.call("errors.to_string", wrapped) == "ROOT: outer; caused by ROOT: deep"
    assert spell.call("errors.is_type", wrapped, "ROOT") is True
    assert spell.call("errors.is_type", wrapped, "OTHER") is False


def test_errors_travel_as_json(spell: Any) -> None:
    error = {"code": "BAD", "message": "no"}
    assert spell.call("errors.from_json", spell.call("errors.to_json", error)) == error
    assert spell.call("errors.from_json", '"just text"') == {"code": "error", "message": "just text"}


def test_context_is_read_and_added(spell: Any) -> None:
    error = spell.call("errors.add_context", "no", "n", 1)
    assert spell.call("errors.get_context", error) == {"n": 1}
    assert spell.call("errors.get_context", "no") == {}


@pytest.mark.parametrize(
    ("error", "category", "retryable", "fatal"),
    [
        ({"code": "RATE_LIMITED", "message": ""}, "ratelimit", True, False),
        ({"code": "connect_failed", "message": ""}, "network", True, False),
        ("the connection timed out", "network", True, False),
        ({"code": "denied", "message": ""}, "authorization", False, True),
        ({"code": "UNAUTHORIZED", "message": ""}, "authentication", False, True),
        ({"code": "invalid_argument", "message": "timeout"}, "validation", False, False),
        ({"code": "INTERNAL_ERROR", "message": ""}, "system", False, True),
        ("boom", "unknown", False, False),
        ({"code": "x", "message": "", "category": "network"}, "network", True, False),
        ({"code": "x", "message": "", "retryable": True, "fatal": True}, "unknown", True, True),
    ],
)
def test_errors_have_categories(spell: Any, error: Any, category: str, retryable: bool, fatal: bool) -> None:
    assert spell.call("errors.categorize", error) == category
    assert spell.call("errors.is_retryable", error) is retryable
    assert spell.call("errors.is_fatal", error) is fatal


def test_a_script_adds_categories(spell: Any) -> None:
    spell.call("errors.register_category", "quota", None, {"codes": ["OUT"], "words": ["Quota"], "retryable": True})
    spell.call("errors.register_category", "odd", spell.fn(lambda error: error["message"] == "odd"))
    assert spell.call("errors.categorize", {"code": "out", "message": ""}) == "quota"
    assert spell.call("errors.categorize", "over quota") == "quota"
    assert spell.call("errors.categorize", "odd") == "odd"
    assert spell.call("errors.categories")["quota"] == {"retryable": True, "fatal": False}
    assert "timeout" in spell.call("errors.codes")["network"]
    spell.end()
    assert spell.call("errors.categorize", "odd") == "unknown"


def test_try_catches_and_always_ends(spell: Any, failing: Any) -> None:
    ended: list[int] = []
    end = spell.fn(lambda: ended.append(1))
    assert spell.call("errors.try", spell.fn(lambda: 1), None, end) == 1
    caught = spell.call("errors.try", failing({"code": "BAD", "message": "no"}), spell.fn(lambda error: error), end)
    assert caught == {"code": "BAD", "message": "no"}
    fault = spell.fails("errors.try", failing({"code": "BAD", "message": "no"}), None, end)
    assert (fault.code, fault.message) == ("BAD", "no")
    assert len(ended) == 3


def test_try_does_not_catch_limits(spell: Any) -> None:
    from llmspell.errors import Cancelled

    def stop() -> None:
        raise Cancelled("the run was cancelled")

    fault = spell.fails("errors.try", spell.fn(stop), spell.fn(lambda error: "caught"))
    assert fault.fatal


def test_try_does_not_catch_the_wish_to_end(spell: Any) -> None:
    from llmspell.errors import ScriptExitError

    def leave() -> None:
        raise ScriptExitError("exit", status=3)

    fault = spell.fails("errors.try", spell.fn(leave), spell.fn(lambda error: "caught"))
    assert fault.message == "exit"


def test_safe_and_fallback(spell: Any, failing: Any) -> None:
    safe = spell.call("errors.safe", failing("no"), "default")
    assert [spell.call((safe, "call")) for _ in range(2)] == ["default", "done"]
    either = spell.call("errors.fallback", failing("no"), spell.fn(lambda n: n * 2))
    assert spell.call((either, "call"), 4) == 8
    neither = spell.call("errors.fallback", failing("one"), failing("two"))
    fault = spell.fails((neither, "call"))
    assert fault.details["error"]["cause"]["message"] == "one"
    assert fault.message == "two"


def test_retry_tries_until_it_works(spell: Any, failing: Any) -> None:
    quick = {"initial_delay": 1}
    assert spell.call("errors.retry", failing("a", "b"), quick) == "done"
    fault = spell.fails("errors.retry", failing("a", "b", "c"), quick)
    assert (fault.message, fault.details["error"]["attempts"]) == ("c (after 3 attempts)", 3)
    assert (
        spell.call("errors.retry", failing("a", "b", "c"), {**quick, "max_attempts": 4, "strategy": "linear"}) == "done"
    )


def test_retry_stops_when_it_cannot_help(spell: Any, failing: Any) -> None:
    denied = {"code": "denied", "message": "no"}
    assert spell.fails("errors.retry", failing(denied), {"initial_delay": 1}).details["error"]["attempts"] == 1
    stubborn = {"code": "x", "message": "no", "retryable": False}
    assert spell.fails("errors.retry", failing(stubborn), {"initial_delay": 1}).code == "x"


def test_retry_asks_the_script(spell: Any, failing: Any) -> None:
    asked: list[Any] = []

    def again(error: Any, attempt: int) -> bool:
        asked.append((error["message"], attempt))
        return error["message"] == "a"

    options = {"initial_delay": 1, "retry_if": spell.fn(again), "max_attempts": 5}
    spell.fails("errors.retry", failing("a", "b"), options)
    assert asked == [("a", 1), ("b", 2)]


@pytest.mark.parametrize(
    "options", [{"max_attempts": 0}, {"max_attempts": 10**9}, {"initial_delay": -1}, {"max_delay": float("inf")}]
)
def test_impossible_retries_are_refused(spell: Any, failing: Any, options: Any) -> None:
    assert spell.fails("errors.retry", failing(), options).code == "invalid_argument"


def test_retry_waits_longer_and_longer(spell: Any, failing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(round(seconds, 3))

    monkeypatch.setattr("llmspell_std.errors.patience.asyncio.sleep", sleep)
    options = {"initial_delay": 100, "max_delay": 500, "jitter": False, "max_attempts": 5}
    spell.call("errors.retry", failing("a", "b", "c", "d"), options)
    spell.call("errors.retry", failing("a", "b", "c"), {**options, "strategy": "linear"})
    spell.call("errors.retry", failing("a", "b"), {**options, "strategy": "constant"})
    assert waited == [0.1, 0.2, 0.4, 0.5, 0.1, 0.2, 0.3, 0.1, 0.1]


def test_retry_ends_at_the_deadline(spell: Any, failing: Any) -> None:
    spell.run.deadline = time.monotonic() - 1
    assert spell.fails("errors.retry", failing("a"), {"initial_delay": 1}).fatal


def test_a_breaker_opens_and_probes(spell: Any, failing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("llmspell_std.errors.patience.time.monotonic", lambda: now[0])
    options = {"failure_threshold": 2, "reset_timeout": 1000}
    guarded = spell.call("errors.circuit_breaker", failing("a", "b", "c"), options)
    codes = [spell.fails((guarded, "call")).code for _ in range(3)]
    assert codes == ["error", "error", "circuit_open"]
    now[0] += 2
    assert spell.fails((guarded, "call")).code == "error"
    assert spell.fails((guarded, "call")).code == "circuit_open"
    now[0] += 2
    assert spell.call((guarded, "call")) == "done"
    assert spell.call((guarded, "call")) == "done"


def test_a_breaker_lets_one_probe_through(spell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = asyncio.Event()
    calls: list[int] = []

    async def work() -> str:
        calls.append(1)
        if len(calls) > 1:
            await gate.wait()
            return "done"
        from llmspell.plugin import BridgeError

        raise BridgeError("no")

    guarded = spell.call("errors.circuit_breaker", spell.fn(work), {"failure_threshold": 1, "reset_timeout": 0})
    spell.fails((guarded, "call"))

    async def race() -> Any:
        probe = asyncio.ensure_future(spell.acall((guarded, "call")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(Exception, match="left alone"):
            await spell.acall((guarded, "call"))
        gate.set()
        return await probe

    assert spell._session.runner.run(race()) == "done"
    assert len(calls) == 2


def test_time_limits_stop_a_function(spell: Any) -> None:
    stopped: list[bool] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.append(True)
            raise

    limited = spell.call("errors.timeout", spell.fn(slow), 20)
    fault = spell.fails((limited, "call"))
    assert (fault.code, stopped) == ("timeout", [True])
    quick = spell.call("errors.timeout", spell.fn(lambda n: n), 1000)
    assert spell.call((quick, "call"), 3) == 3
    assert spell.fails((spell.call("errors.timeout", spell.fn(lambda: 1), 0), "call")).code == "invalid_argument"


def test_strategies_are_applied(spell: Any, failing: Any) -> None:
    config = {"initial_delay": 1, "max_attempts": 3}
    for kind in ("exponential_backoff", "linear_backoff"):
        strategy = spell.call("errors.create_recovery_strategy", kind, config)
        assert spell.call((strategy, "apply"), failing("a", "b")) == "done"
        assert spell.call((strategy, "describe"))["max_attempts"] == 3
    breaker = spell.call("errors.create_recovery_strategy", "circuit_breaker", {"failure_threshold": 1})
    assert spell.fails((breaker, "apply"), failing("a")).code == "error"
    assert spell.fails((breaker, "apply"), failing()).code == "circuit_open"
    instead = spell.call("errors.create_recovery_strategy", "fallback", {"fallback": spell.fn(lambda e: e["message"])})
    assert spell.call((instead, "apply"), failing("a")) == "a"
    default = spell.call("errors.create_recovery_strategy", "fallback", {"default": 7})
    assert spell.call((default, "apply"), failing("a")) == 7
    assert spell.fails("errors.create_recovery_strategy", "linear_backoff", {"max_attempts": "x"}).code == (
        "invalid_argument"
    )


def test_logged_errors_reach_subscribers_and_observers(spells: Any, session: Any) -> None:
    spell = spells()
    heard: list[Any] = []
    number = spell.call("errors.subscribe_to_errors", ["db"], spell.fn(lambda error: heard.append(error)))
    every = spell.call("errors.subscribe_to_errors", [], spell.fn(lambda error: heard.append("any")))
    spell.call("errors.log_error", "db", {"code": "BAD", "message": "no"})
    spell.call("errors.log_error", "net")
    assert heard == [{"code": "BAD", "message": "no", "type": "db"}, "any", "any"]
    assert ("error", {"type": "db", "code": "BAD", "message": "no"}) in session.events
    assert spell.call("errors.unsubscribe", number) is True
    assert spell.call("errors.unsubscribe", number) is False
    spell.end()
    spells().call("errors.log_error", "db")
    assert every
    assert len(heard) == 3
