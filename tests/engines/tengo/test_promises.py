"""The module promise."""

from __future__ import annotations

from typing import Any

import pytest

PROMISE = 'promise := import("promise"); async := import("async"); '


def test_new_calls_its_function_at_once(stage: Any) -> None:
    code = "seen := []; p := promise.new(func(y, n) { seen = append(seen, 1); y(2) }); export [seen, p.await()]"
    assert stage.run(PROMISE + code) == [[1], 2]


def test_only_the_first_decision_counts(stage: Any) -> None:
    assert stage.run(PROMISE + "export promise.new(func(y, n) { y(1); y(2); n(3) }).await()") == 1


def test_a_rejection_is_an_error_value(stage: Any) -> None:
    code = """
        a := promise.reject("plain").await()
        b := promise.reject(error("wrapped")).await()
        export [is_error(a), a.value, b.value]"""
    assert stage.run(PROMISE + code) == [True, "plain", "wrapped"]


def test_status_tells_how_it_stands(stage: Any) -> None:
    code = """
        p := promise.new(func(y, n) {})
        q := promise.reject(1)
        q.on_error(func(e) {})
        export [p.status, promise.resolve(1).status, q.status]"""
    assert stage.run(PROMISE + code) == ["pending", "fulfilled", "rejected"]


@pytest.mark.parametrize("name", ["and_then", "next", "andThen"])
def test_and_then_gives_a_promise_of_what_the_handler_returns(stage: Any, name: str) -> None:
    assert stage.run(PROMISE + f"export promise.resolve(2).{name}(func(v) {{ return v * 21 }}).await()") == 42


@pytest.mark.parametrize("name", ["on_error", "catch", "onError"])
def test_on_error_turns_a_failure_into_a_value(stage: Any, name: str) -> None:
    assert (
        stage.run(PROMISE + f'export promise.reject("no").{name}(func(e) {{ return e.value + "!" }}).await()') == "no!"
    )


@pytest.mark.parametrize("name", ["on_finally", "finally", "onFinally"])
def test_on_finally_sees_nothing_and_passes_the_outcome_on(stage: Any, name: str) -> None:
    code = f"""
        seen := 0
        a := promise.resolve(1).{name}(func() {{ seen++; return 5 }}).await()
        b := promise.reject("no").{name}(func() {{ seen++ }}).await()
        export [a, b.value, seen]"""
    assert stage.run(PROMISE + code) == [1, "no", 2]


def test_on_finally_waits_for_a_promise_of_the_handler(stage: Any) -> None:
    assert stage.run(PROMISE + "export promise.resolve(1).on_finally(func() { return promise.sleep(4) }).await()") == 1
    assert stage.now == 4


def test_and_then_passes_a_failure_to_its_second_handler(stage: Any) -> None:
    code = "export promise.reject(5).and_then(func(v) { return v }, func(e) { return e.value + 1 }).await()"
    assert stage.run(PROMISE + code) == 6


def test_a_failure_passes_handlers_that_are_not_for_it(stage: Any) -> None:
    assert stage.run(PROMISE + "export promise.reject(5).and_then(func(v) { return 1 }).await().value") == 5


def test_handlers_run_after_the_current_task_suspends(stage: Any) -> None:
    code = """
        seen := []
        promise.resolve(1).and_then(func(v) { seen = append(seen, "handler") })
        seen = append(seen, "main")
        async.yield()
        export seen"""
    assert stage.run(PROMISE + code) == ["main", "handler"]


def test_handlers_may_suspend_and_may_return_promises(stage: Any) -> None:
    code = """
        p := promise.resolve(1).and_then(func(v) { async.sleep(1); return promise.resolve(v + 1) })
        export p.and_then(func(v) { return async.spawn(func() { return v * 10 }) }).await()"""
    assert stage.run(PROMISE + code) == 20


def test_a_handler_that_fails_rejects(stage: Any) -> None:
    code = """
        p := promise.resolve("a").and_then(func(v) { return 1 + v })
        export p.on_error(func(e) { return e.value.message }).await()"""
    assert stage.run(PROMISE + code) == "invalid operation: int + string"


def test_a_promise_that_waits_for_itself_is_rejected(stage: Any) -> None:
    code = """
        p := undefined
        p = promise.resolve(1).and_then(func(v) { return p })
        export p.await().value.code"""
    assert stage.run(PROMISE + code) == "cycle"


def test_a_rejection_nobody_handles_fails_the_run_at_its_end(stage: Any) -> None:
    failure = stage.fail('fmt := import("fmt"); promise := import("promise")\npromise.reject("lost")\nfmt.print("end")')
    assert failure.code == "unhandled_rejection"
    assert "lost" in failure.message
    assert failure.line == 2
    assert stage.text == "end"


def test_the_combinators_give_promises(stage: Any) -> None:
    code = """
        nap := func(s, v) { return func() { async.sleep(s); return v } }
        bad := promise.all([promise.reject("x"), 1]).await()
        export [
          promise.all([nap(1, 1), promise.resolve(2), 3]).await(),
          promise.race([nap(2, "slow"), nap(1, "quick")]).await(),
          promise.any([promise.reject(1), 2]).await(),
          promise.all_settled([promise.reject("e")]).await()[0].status,
          bad.value
        ]"""
    assert stage.run(PROMISE + code) == [[1, 2, 3], "quick", 2, "rejected", "x"]


def test_async_makes_a_function_that_gives_promises(stage: Any) -> None:
    code = """
        later := promise.async(func(a, b) { async.sleep(1); return a - b })
        nine := promise.spawn(func(a) { return a }, 9)
        export [later(5, 3).await(), nine.await(), promise.await(promise.resolve(4))]"""
    assert stage.run(PROMISE + code) == [2, 9, 4]


def test_awaiting_with_a_time_gives_an_error(stage: Any) -> None:
    code = "p := promise.sleep(9); export [p.await(1).value.code, promise.await(p, 1).value.code, p.status]"
    assert stage.run(PROMISE + code) == ["timeout", "timeout", "pending"]


def test_an_unknown_member_is_refused_and_the_near_one_named(stage: Any) -> None:
    assert "did you mean 'and_then'" in stage.fail(PROMISE + "promise.resolve(1).and_than(func(v) {})").message


def test_a_promise_does_not_leave_the_script(stage: Any) -> None:
    failure = stage.fail(PROMISE + "export [promise.resolve(1)]")
    assert (failure.kind, failure.path) == ("conversion", "$[0]")
