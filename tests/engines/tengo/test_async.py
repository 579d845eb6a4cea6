"""Tasks: their order, results, failures, cancellation, and what a run waits for at its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llmspell import Host, Policy
from llmspell.engine import Source
from llmspell.engine.messages import Cancel, Failed, Start

ASYNC = 'async := import("async"); kit := import("kit"); '


def test_a_spawned_task_starts_when_the_spawning_one_suspends(stage: Any) -> None:
    code = """
        seen := []
        t := async.spawn(func() { seen = append(seen, "task") })
        seen = append(seen, "main")
        async.await(t)
        export append(seen, "after")"""
    assert stage.run(ASYNC + code) == ["main", "task", "after"]


def test_tasks_take_turns_in_the_order_they_became_ready(stage: Any) -> None:
    code = """
        seen := []
        work := func(name) { for i in [1, 2] { seen = append(seen, name + i); async.yield() } }
        async.all([async.spawn(work, "a"), async.spawn(work, "b")])
        export seen"""
    assert stage.run(ASYNC + code) == ["a1", "b1", "a2", "b2"]


def test_await_gives_the_result_and_passes_plain_values_on(stage: Any) -> None:
    code = "export [async.await(async.spawn(func(a, b) { return a + b }, 1, 2)), async.await(7)]"
    assert stage.run(ASYNC + code) == [3, 7]


def test_an_error_value_a_task_returns_is_its_failure(stage: Any) -> None:
    code = """
        t := async.spawn(func() { return kit.fail("busy", "no") })
        e := async.await(t)
        export [is_error(e), e.value.code, t.status]"""
    assert stage.run(ASYNC + code) == [True, "busy", "failed"]


def test_a_failed_task_that_is_awaited_gives_an_error_value_in_the_references_words(stage: Any) -> None:
    code = 'export async.await(async.spawn(func() { return 1 + "a" })).value'
    assert stage.run(ASYNC + code) == {"code": "runtime", "message": "invalid operation: int + string"}


def test_a_failed_task_nobody_awaits_fails_the_run_with_its_own_place_and_where_it_was_spawned(stage: Any) -> None:
    failure = stage.fail('async := import("async")\nf := func() {\n  return 1 + "a"\n}\nasync.spawn(f)\nexport 1')
    assert (failure.message, failure.line) == ("invalid operation: int + string", 3)
    assert [frame.line for frame in failure.frames] == [3, 5]


def test_an_error_value_nobody_looks_at_does_not_fail_the_run(stage: Any) -> None:
    assert stage.run(ASYNC + 'async.spawn(func() { return error("ignored") }); export 1') == 1


def test_the_run_waits_for_its_tasks(stage: Any) -> None:
    code = 'fmt := import("fmt"); async.spawn(func() { async.sleep(5); fmt.print("late") }); export 1'
    assert stage.run(ASYNC + code) == 1
    assert (stage.text, stage.now) == ("late", 5)


def test_a_main_chunk_that_fails_ends_its_tasks(stage: Any) -> None:
    code = 'fmt := import("fmt"); async.spawn(func() { fmt.print("never") }); x := 1 + "a"'
    assert stage.fail(ASYNC + code).message == "invalid operation: int + string"
    assert stage.text == ""


def test_a_thousand_sleeps_take_as_long_as_one(stage: Any) -> None:
    code = """
        naps := []
        for i in range(0, 1000) { naps = append(naps, func() { async.sleep(0.01); return i }) }
        got := async.all(naps)
        export [len(got), got[999]]"""
    assert stage.run(ASYNC + code) == [1000, 999]
    assert stage.now == pytest.approx(0.01)


def test_all_gives_results_in_the_order_of_the_list(stage: Any) -> None:
    code = """
        slow := func() { async.sleep(2); return "slow" }
        export async.all([slow, async.spawn(func() { return "task" }), "value", func() { return "quick" }])"""
    assert stage.run(ASYNC + code) == ["slow", "task", "value", "quick"]


def test_all_gives_the_first_error_and_cancels_the_functions_it_began(stage: Any) -> None:
    code = """
        seen := []
        e := async.all([
          func() { async.sleep(9); seen = append(seen, "late") },
          func() { async.sleep(1); return error("first") },
          func() { async.sleep(2); return error("second") }
        ])
        export [e.value, seen]"""
    assert stage.run(ASYNC + code) == ["first", []]
    assert stage.now == 1
    assert len(stage.cancelled) == 2


def test_all_leaves_tasks_made_elsewhere_alone(stage: Any) -> None:
    code = """
        t := async.spawn(func() { async.sleep(3); return "done" })
        e := async.all([t, func() { return error("no") }])
        export [is_error(e), t.status, async.await(t)]"""
    assert stage.run(ASYNC + code) == [True, "running", "done"]


def test_all_of_nothing_is_nothing_and_race_of_nothing_an_error(stage: Any) -> None:
    code = "export [async.all([]), async.all_settled([]), async.race([]).value.code, async.any([]).value.code]"
    assert stage.run(ASYNC + code) == [[], [], "empty", "empty"]


def test_all_settled_tells_of_each(stage: Any) -> None:
    code = 'export async.all_settled([1, func() { return error("e") }, func() { return undefined() }])'
    assert stage.run(ASYNC + code) == [
        {"status": "fulfilled", "value": 1},
        {"status": "rejected", "error": {"code": "error", "message": "e"}},
        {"status": "rejected", "error": {"code": "runtime", "message": "not callable: undefined"}},
    ]


def test_race_gives_the_first_to_end_well_or_not_and_cancels_the_others(stage: Any) -> None:
    code = """
        nap := func(s, v) { return func() { async.sleep(s); return v } }
        bad := async.race([nap(2, 1), nap(1, error("e"))])
        export [async.race([nap(3, "c"), nap(1, "a"), nap(2, "b")]), bad.value]"""
    assert stage.run(ASYNC + code) == ["a", "e"]
    assert stage.now == 2


def test_any_gives_the_first_to_end_well_or_all_errors(stage: Any) -> None:
    code = """
        nap := func(s, v) { return func() { async.sleep(s); return v } }
        bad := async.any([nap(1, error("x")), error("y")])
        export [async.any([nap(1, error("e")), nap(2, "b")]), bad.value.code, len(bad.value.errors)]"""
    assert stage.run(ASYNC + code) == ["b", "all_failed", 2]


def test_map_keeps_the_order_and_never_runs_more_than_it_may(stage: Any) -> None:
    code = """
        now := 0
        most := 0
        got := async.map(range(0, 9), func(v, i) {
          now++
          if now > most { most = now }
          async.sleep(9 - v)
          now--
          return v * 10 + i
        }, {concurrency: 3})
        export [got, most]"""
    assert stage.run(ASYNC + code) == [[v * 11 for v in range(9)], 3]


def test_map_stops_at_the_first_error(stage: Any) -> None:
    code = """
        seen := []
        e := async.map([1, 2, 3, 4], func(v, i) {
          seen = append(seen, v)
          async.sleep(v)
          return v == 1 ? error("one") : v
        }, {concurrency: 2})
        export [e.value, seen]"""
    assert stage.run(ASYNC + code) == ["one", [1, 2]]


def test_map_refuses_an_unknown_option_by_name(stage: Any) -> None:
    failure = stage.fail(ASYNC + "async.map([1], func(v, i) { return v }, {concurency: 3})")
    assert "did you mean 'concurrency'" in failure.message


def test_timeout_cancels_what_takes_too_long(stage: Any) -> None:
    code = """
        seen := []
        e := async.timeout(1, func(s) { async.sleep(s); seen = append(seen, s) }, 5)
        quick := async.timeout(1, func() { return "quick" })
        async.sleep(10)
        export [e.value.code, quick, seen]"""
    assert stage.run(ASYNC + code) == ["timeout", "quick", []]


def test_awaiting_with_a_time_leaves_the_task_running(stage: Any) -> None:
    code = """
        t := async.spawn(func() { async.sleep(5); return "late" })
        first := async.await(t, 1)
        export [first.value.code, t.status, t.await()]"""
    assert stage.run(ASYNC + code) == ["timeout", "running", "late"]


def test_a_cancelled_task_ends_where_it_waits_and_its_host_call_is_cancelled(stage: Any) -> None:
    code = """
        seen := []
        t := async.spawn(func() { seen = append(seen, "began"); kit.hang(); seen = append(seen, "went on") })
        async.yield()
        t.cancel("enough")
        e := t.await()
        export [seen, t.status, e.value.code, e.value.message]"""
    assert stage.run(ASYNC + code) == [["began"], "cancelled", "cancelled", "enough"]
    hang = next(call for call in stage.calls if call.method == "hang")
    assert stage.cancelled == [hang.id]


def test_a_task_that_has_not_started_never_starts(stage: Any) -> None:
    code = "seen := []; t := async.spawn(func() { seen = append(seen, 1) }); t.cancel(); async.yield(); export seen"
    assert stage.run(ASYNC + code) == []


def test_a_task_that_cancels_itself_ends_there(stage: Any) -> None:
    code = """
        seen := []
        t := async.spawn(func() { seen = append(seen, 1); async.current().cancel(); seen = append(seen, 2) })
        async.await(t)
        export [seen, t.status]"""
    assert stage.run(ASYNC + code) == [[1], "cancelled"]


@pytest.mark.parametrize(
    "wait",
    [
        "async.sleep(9)",
        "kit.hang()",
        "async.all([func() { async.sleep(9) }])",
        "async.scope(func(s) { async.sleep(9) })",
        "async.map([1], func(v, i) { async.sleep(9) })",
        "async.timeout(9, func() { async.sleep(20) })",
        "async.await(async.spawn(func() { async.sleep(9) }), 12)",
        "channel.new().receive()",
        "channel.new().send(1)",
        "channel.select([{receive: channel.new()}])",
        "promise.new(func(resolve, reject) {}).await()",
    ],
)
def test_cancelling_works_at_every_place_a_task_can_wait(stage: Any, wait: str) -> None:
    code = f"""
        channel := import("channel"); promise := import("promise")
        t := async.spawn(func() {{ {wait}; return "went on" }})
        async.sleep(1)
        t.cancel()
        export [t.status, t.await().value.code]"""
    assert stage.run(ASYNC + code) == ["cancelled", "cancelled"]


def test_scope_waits_for_all_its_tasks(stage: Any) -> None:
    code = """
        seen := []
        v := async.scope(func(s) {
          s.spawn(func() { async.sleep(2); seen = append(seen, "task") })
          return "value"
        })
        export [v, seen]"""
    assert stage.run(ASYNC + code) == ["value", ["task"]]


def test_scope_cancels_the_others_when_one_fails(stage: Any) -> None:
    code = """
        seen := []
        e := async.scope(func(s) {
          s.spawn(func() { async.sleep(1); return 1 + "a" })
          s.spawn(func() { async.sleep(2); seen = append(seen, "late") })
          async.sleep(9)
          seen = append(seen, "body")
        })
        export [e.value.message, seen]"""
    assert stage.run(ASYNC + code) == ["invalid operation: int + string", []]
    assert stage.now == 1


def test_nothing_can_be_spawned_in_a_scope_that_has_ended(stage: Any) -> None:
    failure = stage.fail(ASYNC + "kept := undefined; async.scope(func(s) { kept = s }); kept.spawn(func() {})")
    assert failure.message == "the scope has ended"


def test_a_token_cancels_the_tasks_that_run_with_it(stage: Any) -> None:
    code = """
        token := async.token()
        heard := []
        token.on_cancel(func(reason) { heard = append(heard, reason) })
        t := async.with_token(token, func(n) { async.sleep(n) }, 9)
        async.sleep(1)
        before := [token.cancelled, is_undefined(token.check())]
        token.cancel("stop")
        async.yield()
        export [before, token.cancelled, token.reason, token.check().value.code, t.status, heard]"""
    assert stage.run(ASYNC + code) == [[False, True], True, "stop", "cancelled", "cancelled", ["stop"]]


def test_current_names_the_task_that_runs(stage: Any) -> None:
    code = "t := async.spawn(func() { return async.current().name }); export [async.current(), t.await() == t.name]"
    assert stage.run(ASYNC + code) == [None, True]


def test_a_channel_that_nobody_serves_keeps_nobody_who_gave_up() -> None:
    code = """
    async := import("async")
    channel := import("channel")
    busy := channel.new(); idle := channel.new()
    async.spawn(func() { for i := 0; i < 5000; i++ { busy.send(i) }; busy.close() })
    for true { r := channel.select([{receive: busy}, {receive: idle}]); if !r.ok { break } }
    export idle.info().receivers
    """
    with Host(config={}) as host, host.session(policy=Policy.at_level("minimal")) as session:
        result = session.eval("tengo", code)
    assert result.value == 0
    assert result.memory is not None
    assert result.memory < 600_000  # 5,000 who wait are more than a megabyte


def test_more_tasks_than_the_limit_are_refused(stage: Any) -> None:
    stage.limits = replace(stage.limits, tasks=10)
    failure = stage.fail(ASYNC + "for i in range(0, 11) { async.spawn(func() { async.sleep(1) }) }")
    assert "more than 10 tasks" in failure.message


def test_host_calls_of_several_tasks_are_outstanding_at_once(stage: Any) -> None:
    guest = stage.open()
    source = Source(ASYNC + "async.all([kit.hang, kit.hang, kit.hang])", "main.tengo", "tengo")
    assert stage.talk(Start(source, {}, ("kit",))) is None
    assert [call.method for call in stage.calls if call.target == "kit"] == ["hang"] * 3
    ended = guest.step(Cancel("cancelled"))
    assert isinstance(ended[-1], Failed)
    assert ended[-1].failure.kind == "cancelled"
    guest.close()


def test_a_deadlock_names_who_waits_for_what_and_where(stage: Any) -> None:
    failure = stage.fail('channel := import("channel")\nch := channel.new(0, "jobs")\nch.receive()')
    assert failure.code == "deadlock"
    assert failure.line == 3
    assert "main waits to receive from channel jobs at main.tengo:3" in failure.message


def test_a_limit_reached_in_a_task_ends_the_run(stage: Any) -> None:
    stage.limits = replace(stage.limits, steps=10_000)
    failure = stage.fail(ASYNC + "e := async.await(async.spawn(func() { for true {} })); export 1")
    assert (failure.kind, failure.limit) == ("limit", "steps")


def test_times_sleep_lets_other_tasks_run(stage: Any) -> None:
    code = """
        times := import("times")
        n := 0
        async.spawn(func() { n = 5 })
        for i := 0; i < 1; i++ { times.sleep(times.second) }
        export n"""
    assert stage.run(ASYNC + code) == 5


@pytest.mark.parametrize(
    ("function", "result"),
    [
        ("func(v) { return v * 10 }", [10, 20]),
        ("func(v, i) { return v * 10 + i }", [10, 21]),
        ("func(...a) { return len(a) }", [2, 2]),
        ("kit.echo", [1, 2]),
        ("string", ["1", "2"]),
    ],
)
def test_map_calls_a_function_with_what_it_takes(stage: Any, function: str, result: list[Any]) -> None:
    text = f'async := import("async"); kit := import("kit"); export async.map([1, 2], {function})'
    assert stage.run(text) == result
