"""``testing``: suites that really run, assertions that really fail."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest


def declare(spell: Any, name: str, *tests: tuple[str, Any], **options: bool) -> None:
    """Open a suite and declare tests in it."""

    async def body() -> None:
        for title, function in tests:
            await spell.acall("testing.it", title, spell.fn(function))

    spell.call("testing.describe", name, spell.fn(body), *([options] if options else []))


def outcome(report: Any) -> dict[str, str]:
    return {test["name"]: test["status"] for test in report["tests"]}


@pytest.fixture
def fail(raised: Any) -> Any:
    def work() -> None:
        raise raised("no")

    return work


def test_suites_run_and_report(spell: Any, fail: Any) -> None:
    declare(spell, "math", ("adds", lambda: None), ("breaks", fail))
    spell.call("testing.it", "alone", spell.fn(lambda: None))
    report = spell.call("testing.run")
    assert {key: report[key] for key in ("total", "passed", "failed", "skipped")} == {
        "total": 3, "passed": 2, "failed": 1, "skipped": 0,
    }  # fmt: skip
    assert outcome(report) == {"alone": "passed", "adds": "passed", "breaks": "failed"}
    assert report["tests"][2]["error"] == "no"
    assert report["tests"][2]["suite"] == "math"
    assert "FAILED math > breaks: no\n3 tests: 2 passed, 1 failed, 0 skipped" in spell.printed
    assert spell.call("testing.get_results") == report
    spell.call("testing.reset")
    assert spell.call("testing.get_results") is None
    assert spell.call("testing.run", {"quiet": True})["total"] == 0


def test_suites_nest_with_what_runs_around_them(spell: Any) -> None:
    steps: list[str] = []

    def note(text: str) -> Any:
        return spell.fn(lambda: steps.append(text))

    async def inner() -> None:
        await spell.acall("testing.before_each", note("inner before"))
        await spell.acall("testing.after_each", note("inner after"))
        await spell.acall("testing.it", "b", note("b"))

    async def outer() -> None:
        await spell.acall("testing.before_all", note("first"))
        await spell.acall("testing.after_all", note("last"))
        await spell.acall("testing.before_each", note("outer before"))
        await spell.acall("testing.after_each", note("outer after"))
        await spell.acall("testing.it", "a", note("a"))
        await spell.acall("testing.describe", "inner", spell.fn(inner))

    spell.call("testing.describe", "outer", spell.fn(outer))
    report = spell.call("testing.run", {"quiet": True})
    assert steps == [
        "first", "outer before", "a", "outer after", "outer before", "inner before", "b", "inner after", "outer after",
        "last",
    ]  # fmt: skip
    assert report["tests"][1]["suite"] == "outer > inner"
    assert spell.printed == ""


def test_skip_and_only(spell: Any, fail: Any) -> None:
    spell.call("testing.skip", "skipped", spell.fn(fail))
    declare(spell, "off", ("in it", fail), skip=True)
    spell.call("testing.it", "runs", spell.fn(lambda: None))
    assert outcome(spell.call("testing.run")) == {"skipped": "skipped", "runs": "passed", "in it": "skipped"}
    spell.call("testing.only", "alone", spell.fn(lambda: None))
    assert outcome(spell.call("testing.run"))["runs"] == "skipped"
    assert outcome(spell.call("testing.run", {"pattern": "alo"})) == {"alone": "passed"}


def test_failures_around_a_test_fail_it(spell: Any, fail: Any) -> None:
    async def body() -> None:
        await spell.acall("testing.before_all", spell.fn(fail))
        await spell.acall("testing.after_all", spell.fn(fail))
        await spell.acall("testing.it", "a", spell.fn(lambda: None))

    spell.call("testing.describe", "broken", spell.fn(body))
    assert outcome(spell.call("testing.run")) == {"a": "failed", "after_all": "failed"}


def test_a_test_that_takes_too_long_fails(spell: Any) -> None:
    spell.call("testing.it", "slow", spell.fn(lambda: asyncio.sleep(60)), {"timeout": 20})
    report = spell.call("testing.run")
    assert "longer than 20 ms" in report["tests"][0]["error"]


def test_a_suite_that_fails_to_declare_leaves_order_behind(spell: Any, fail: Any) -> None:
    spell.fails("testing.describe", "broken", spell.fn(fail))
    spell.call("testing.it", "a", spell.fn(lambda: None))
    assert spell.call("testing.run")["tests"][0]["suite"] == ""


def test_tests_belong_to_their_run(spells: Any) -> None:
    first = spells()
    first.call("testing.it", "a", first.fn(lambda: None))
    second = spells()
    assert second.call("testing.run")["total"] == 0


F = object()
"""Stands for a function of the script."""

HOLDING: list[tuple[Any, ...]] = [
    ("equals", {"a": [1, 2.0]}, {"a": [1.0, 2]}), ("deep_equals", [], []), ("not_equals", 1, True), ("truthy", 0),
    ("falsy", False), ("is_nil", None), ("not_nil", 0), ("type", "x", "string"), ("type", 1, "number"),
    ("type", 1, "integer"), ("type", [1], "array"), ("type", {"a": 1}, "table"), ("type", F, "function"),
    ("greater_than", 2, 1), ("less_than", "a", "b"), ("greater_or_equal", 1, 1), ("less_or_equal", 1, 1.5),
    ("between", 2, 1, 3), ("contains", "hello", "ell"), ("contains", [1, [2]], [2]), ("has_value", {"a": 1}, 1),
    ("matches", "abc123", "[0-9]+$"), ("starts_with", "abc", "ab"), ("ends_with", "abc", "bc"),
    ("has_key", {"a": 1}, "a"),
    ("length", [1, 2], 2), ("length", "abc", 3), ("empty", {}), ("empty", None), ("not_empty", [0]),
]  # fmt: skip
FAILING: list[tuple[Any, ...]] = [
    ("equals", {"a": 1}, {"a": 2}), ("equals", 1, True), ("equals", float("nan"), 0), ("deep_equals", [1], [1, 2]),
    ("not_equals", [1], [1.0]), ("truthy", None), ("falsy", 0), ("is_nil", 0), ("not_nil", None), ("type", 1, "string"),
    ("type", True, "number"), ("greater_than", 1, 1), ("less_than", 1, 1), ("greater_or_equal", 0, 1),
    ("less_or_equal", 2, 1), ("less_than", 1, "a"), ("less_than", True, 2), ("between", 4, 1, 3), ("between", 0, 1, 3),
    ("contains", "hello", "x"), ("contains", 5, 5), ("has_value", {"a": 1}, 2), ("matches", "abc", "[0-9]"),
    ("matches", 5, "5"), ("starts_with", "abc", "b"), ("ends_with", "abc", "b"), ("has_key", {"a": 1}, "b"),
    ("length", [1], 2), ("length", 5, 1), ("empty", [1]), ("not_empty", ""), ("not_empty", None),
]  # fmt: skip


@pytest.mark.parametrize("case", HOLDING, ids=lambda case: case[0])
def test_assertions_hold(spell: Any, case: tuple[Any, ...]) -> None:
    args = [spell.fn(lambda: 1) if arg is F else arg for arg in case[1:]]
    spell.call(f"testing.assert_{case[0]}", *args)


@pytest.mark.parametrize("case", FAILING, ids=lambda case: case[0])
def test_assertions_fail(spell: Any, case: tuple[Any, ...]) -> None:
    fault = spell.fails(f"testing.assert_{case[0]}", *case[1:], "because")
    assert fault.code == "assertion"
    assert fault.message.startswith("because: ")


def test_an_assertion_says_what_it_saw(spell: Any) -> None:
    assert spell.fails("testing.assert_equals", {"a": b"x"}, None).message == 'expected nothing, got {"a":"<1 bytes>"}'
    assert len(spell.fails("testing.assert_equals", "x" * 9000, 1).message) < 300
    assert spell.fails("testing.fail").code == "assertion"


def test_assertions_that_make_no_sense_are_told(spell: Any) -> None:
    assert spell.fails("testing.assert_type", 1, "thing").code == "invalid_argument"
    assert spell.fails("testing.assert_matches", "x", "(").code == "invalid_argument"


@pytest.mark.parametrize(
    ("value", "true_in"),
    [
        (0, {"lua"}), (0.0, {"lua", "tengo"}), (float("nan"), {"lua"}), ("", {"lua"}), ([], {"lua", "javascript"}),
        ({}, {"lua", "javascript"}), ("a", {"lua", "javascript", "tengo"}), (False, set()), (None, set()),
    ],
)  # fmt: skip
def test_truth_is_the_languages(spells: Any, value: Any, true_in: set[str]) -> None:
    for language in ("lua", "javascript", "tengo"):
        name = "testing.assert_truthy" if language in true_in else "testing.assert_falsy"
        spells(language).call(name, value)


def test_errors_are_expected(spell: Any, raised: Any) -> None:
    def bad() -> None:
        raise raised({"code": "BAD", "message": "no luck today"})

    bad_fn, good = spell.fn(bad), spell.fn(lambda: 1)
    assert spell.call("testing.assert_error", bad_fn) == {"code": "BAD", "message": "no luck today"}
    spell.call("testing.assert_error", bad_fn, "BAD")
    spell.call("testing.assert_error", bad_fn, "luck")
    spell.call("testing.assert_error_matches", bad_fn, "luck.*y$")
    spell.call("testing.assert_no_error", good)
    for name, args in (
        ("assert_error", (good,)), ("assert_error", (bad_fn, "other")), ("assert_error_matches", (bad_fn, "^luck")),
        ("assert_error_matches", (good, ".")), ("assert_no_error", (bad_fn,)),
    ):  # fmt: skip
        assert spell.fails(f"testing.{name}", *args).code == "assertion"


@pytest.mark.parametrize(
    ("value", "method", "args", "holds"),
    [
        (1, "to_equal", (1.0,), True), ([1], "to_deep_equal", ([2],), False), (0, "to_be_truthy", (), True),
        (None, "to_be_falsy", (), True), (None, "to_be_nil", (), True), (1, "to_be_nil", (), False),
        ("x", "to_be_type", ("string",), True), ([1], "to_contain", (1,), True), ("abc", "to_match", ("^b",), False),
        (2, "to_be_greater_than", (1,), True), (2, "to_be_less_than", (1,), False),
        (0.3, "to_be_close_to", (0.30001, 0.1), True),
        (0.3, "to_be_close_to", (0.4,), False), ("x", "to_be_close_to", (1,), False),
    ],
)  # fmt: skip
def test_expectations_read_from_left_to_right(spell: Any, value: Any, method: str, args: Any, holds: bool) -> None:
    expectation = spell.call("testing.expect", value)
    opposite = spell.call((expectation, "negate"))
    (spell.call if holds else spell.fails)((expectation, method), *args)
    (spell.fails if holds else spell.call)((opposite, method), *args)


def test_throwing_is_expected(spell: Any, fail: Any) -> None:
    bad, good = (spell.call("testing.expect", spell.fn(fn)) for fn in (fail, lambda: 1))
    spell.call((bad, "to_throw"))
    spell.call((bad, "to_throw"), "no")
    assert spell.fails((bad, "to_throw"), "yes").code == "assertion"
    assert spell.fails((good, "to_throw")).code == "assertion"
    spell.call((spell.call((good, "negate")), "to_throw"))
    assert spell.fails((spell.call("testing.expect", 1), "to_throw")).code == "invalid_argument"


def test_mocks_do_what_they_are_told(spell: Any) -> None:
    mock = spell.call("testing.mock", "m")
    fn, control = (mock["fn"], "call"), mock["control"]
    assert spell.call(fn, 1) is None
    spell.call((control, "returns"), 5)
    assert spell.call(fn, {"a": 1}) == 5
    spell.call((control, "returns_sequence"), 1, 2)
    assert [spell.call(fn) for _ in range(3)] == [1, 2, 5]
    spell.call((control, "returns_for"), [7], "seven")
    spell.call((control, "throws_for"), [8], "eight")
    assert spell.call(fn, 7) == "seven"
    assert spell.fails(fn, 8).message == "eight"
    spell.call((control, "throws"), {"code": "BAD", "message": "no"})
    assert spell.fails(fn).code == "BAD"
    spell.call((control, "calls_through"), spell.fn(lambda n: n * 2))
    assert spell.call(fn, 4) == 8
    assert spell.call((control, "called")) is True
    assert spell.call((control, "call_count")) == 9
    assert spell.call((control, "called_times"), 9) is True
    assert spell.call((control, "called_with"), {"a": 1}) is True
    assert spell.call((control, "called_with"), 99) is False
    assert spell.call((control, "get_calls"))[:2] == [[1], [{"a": 1}]]
    spell.call((control, "reset"))
    assert spell.call((control, "called")) is False


def test_spies_call_what_they_watch(spell: Any) -> None:
    spy = spell.call("testing.spy", spell.fn(lambda n: n + 1))
    assert spell.call((spy["fn"], "call"), 1) == 2
    assert spell.call((spy["control"], "get_calls")) == [[1]]


def test_functions_are_measured(spell: Any, fail: Any) -> None:
    calls: list[int] = []
    found = spell.call("testing.benchmark", "b", spell.fn(lambda: calls.append(1)), {"iterations": 20, "warmup": 5})
    assert len(calls) == 25
    assert found["min_time"] <= found["avg_time"] <= found["max_time"]
    assert found["ops_per_sec"] > 0
    assert spell.fails("testing.benchmark", "b", spell.fn(fail)).message == "no"
    assert spell.fails("testing.benchmark", "b", spell.fn(fail), {"iterations": 0}).code == "invalid_argument"


def test_load_comes_from_several_calls_at_once(spell: Any, raised: Any) -> None:
    now, most = [0], [0]

    async def work() -> None:
        now[0] += 1
        most[0] = max(most[0], now[0])
        await asyncio.sleep(0)
        now[0] -= 1
        if most[0] == 4:
            raise raised("no")

    found = spell.call("testing.load_test", spell.fn(work), {"concurrent": 4, "iterations": 40})
    assert (found["requests"], most[0]) == (40, 4)
    assert found["errors"] > 0
    assert found["p50_latency"] <= found["p95_latency"] <= found["p99_latency"]
    assert spell.fails("testing.load_test", spell.fn(work), {"concurrent": 0}).code == "invalid_argument"


def test_measuring_ends_at_the_deadline(spell: Any) -> None:
    spell.run.deadline = time.monotonic() - 1
    assert spell.fails("testing.load_test", spell.fn(lambda: 1)).fatal
    assert spell.fails("testing.benchmark", "b", spell.fn(lambda: 1)).fatal
