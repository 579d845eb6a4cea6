"""Promises: calls that overlap, runs that end when everything has, and runs that cannot."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell.engine.messages import Call, Cancel, Done, Failed, Fault, Invoke, Reply


def test_asynchronous_exports_return_promises_and_synchronous_ones_values(stage: Any) -> None:
    assert stage.run("const p = kit.fetch(1); return [p instanceof Promise, await p, kit.echo(2)]") == [True, 1, 2]


def test_ten_calls_in_promise_all_are_said_together(stage: Any) -> None:
    code = "return await Promise.all(Array.from({ length: 10 }, (_, i) => kit.fetch(i)))"
    assert stage.run(code) == list(range(10))
    assert max(stage.rounds) == 10


def test_replies_may_come_in_any_order(stage: Any) -> None:
    said = stage.start(
        "const got = []; for (const p of [1, 2, 3].map((x) => kit.fetch(x).then((v) => got.push(v)))) await p; got"
    )
    calls = [word for word in said if isinstance(word, Call)]
    for call in reversed(calls):
        said = stage.guest.step(Reply(call.id, call.args[0]))
    assert said == [Done(0, [[3, 2, 1]])]


def test_calls_are_numbered_upwards_in_the_order_they_are_said(stage: Any) -> None:
    code = "const a = kit.fetch(1); kit.echo(2); const b = kit.fetch(3); kit.echo(4); return [await a, await b]"
    stage.run(code)
    kinds = [(call.id, call.method) for call in sorted(stage.calls, key=lambda call: call.id)]
    assert [method for _, method in kinds] == ["module", "fetch", "echo", "fetch", "echo"]
    assert len({number for number, _ in kinds}) == 5


def test_a_synchronous_call_says_the_asynchronous_ones_before_it(stage: Any) -> None:
    seen = []
    stage.bridges["kit"]["echo"] = lambda x: seen.append([call.method for call in stage.pending])
    stage.run("const a = kit.fetch(1); kit.echo(2); return await a")
    assert seen == [["fetch"]]


def test_calls_carry_their_line(stage: Any) -> None:
    stage.run("\nkit.echo(1)\nfunction f() {\n  return kit.fetch(2)\n}\nawait f()")
    assert [(call.method, call.line) for call in stage.calls] == [("module", 2), ("echo", 2), ("fetch", 4)]


def test_rejections_are_errors_with_code_and_the_line_of_the_call(stage: Any) -> None:
    failure = stage.failure("\nasync function f() {\n  return await kit.refuseLater('busy', 'too busy')\n}\nawait f()")
    assert (failure.kind, failure.code, failure.message, failure.line) == ("runtime", "busy", "too busy", 3)
    assert failure.fault == stage.calls[-1].id


def test_a_caught_rejection_is_handled(stage: Any) -> None:
    assert stage.run("try { await kit.refuseLater('busy') } catch (e) { return [e.code, e instanceof Error] }") == [
        "busy",
        True,
    ]


def test_a_rejection_nobody_handles_fails_the_run(stage: Any) -> None:
    failure = stage.failure("async function f() {\n  throw new RangeError('lost')\n}\nf();\n1")
    assert (failure.kind, failure.message, failure.line) == ("runtime", "RangeError: lost", 2)
    assert "nobody handled" in failure.hint


def test_a_rejection_handled_later_is_no_failure(stage: Any) -> None:
    assert stage.run("const p = Promise.reject(1); await kit.fetch(0); try { await p } catch (e) { return e }") == 1


def test_a_forgotten_call_that_fails_fails_the_run(stage: Any) -> None:
    assert stage.failure("kit.refuseLater('busy'); 1").code == "busy"


@pytest.mark.parametrize(
    ("source", "waits"),
    [
        ("await new Promise(() => {})", ["await new Promise(() => {}) (spell.js:1:1)"]),
        ("const gate = new Promise(() => {});\n\n  await gate", ["await gate (spell.js:3:3)"]),
        (
            "async function inner() { await never }\nconst never = new Promise(() => {});\nawait inner()",
            ["await never (spell.js:1:26)", "await inner() (spell.js:3:1)"],
        ),
        ("await kit.fetch(1); await Promise.race([])", ["await Promise.race([]) (spell.js:1:21)"]),
    ],
)
def test_a_run_that_waits_for_ever_says_for_what(stage: Any, source: str, waits: list[str]) -> None:
    failure = stage.failure(source)
    assert failure.code == "deadlock"
    for wait in waits:
        assert wait in failure.message


def test_a_result_that_is_never_settled_is_a_failure(stage: Any) -> None:
    failure = stage.failure("new Promise(() => {})")
    assert failure.code == "deadlock"
    assert "promise" in failure.message


def test_what_was_awaited_and_came_is_not_blamed(stage: Any) -> None:
    failure = stage.failure("await kit.fetch(1);\nawait kit.fetch(2);\nawait new Promise(() => {})")
    assert "spell.js:3:1" in failure.message
    assert "spell.js:1:1" not in failure.message


def test_subclasses_of_promise_work(stage: Any) -> None:
    code = """
    class Task extends Promise { get label() { return 'task' } }
    const t = Task.resolve(1).then((x) => x + 1);
    const bad = Task.reject(new Error('no')).catch((e) => e.message);
    return [t instanceof Task, t.label, await t, await bad, await Task.all([t, 3])]
    """
    assert stage.run(code) == [True, "task", 2, "no", [2, 3]]


def test_timers_are_sleeps_of_the_host(stage: Any) -> None:
    stage.run("await new Promise((done) => setTimeout(done, 1500)); setTimeout((a, b) => console.log(a + b), 0, 1, 2)")
    sleeps = [call.args for call in stage.calls if call.method == "sleep"]
    assert (sleeps, stage.output) == ([[1.5], [0]], "3\n")


def test_a_cleared_timer_neither_fires_nor_keeps_the_run_going(stage: Any) -> None:
    said = stage.start("const t = setTimeout(() => console.log('late'), 5000); clearTimeout(t); 7")
    assert [word for word in said if isinstance(word, Done)] == [Done(0, [7])]
    assert [word.method for word in said if isinstance(word, Call)] == ["sleep", "cancel"]


def test_an_interval_fires_until_it_is_cleared(stage: Any) -> None:
    stage.run("let n = 0; const t = setInterval(() => { console.log(++n); if (n === 3) clearInterval(t) }, 10)")
    assert stage.output == "1\n2\n3\n"


def test_microtasks_run_in_order(stage: Any) -> None:
    code = """
    const o = []; queueMicrotask(() => o.push(2)); Promise.resolve().then(() => o.push(3)); o.push(1); await null; o
    """
    assert stage.run(code) == [1, 2, 3]


def test_functions_of_the_script_are_invoked_while_it_waits(stage: Any) -> None:
    said = stage.start("""
    let n = 1;
    return await kit.fetch((x) => (n += x), async (x) => { await kit.fetch(0); throw new TypeError('t') })
    """)
    call = next(word for word in said if isinstance(word, Call))
    add, fail = call.args
    assert stage.invoke(add, 5) == 6
    assert stage.invoke(add, 2, id=2) == 8
    said = stage.guest.step(Invoke(3, fail.id, [1]))
    assert [word.method for word in said] == ["fetch"]
    said = stage.guest.step(Reply(said[0].id, None))
    assert isinstance(said[0], Failed)
    assert (said[0].id, said[0].failure.message) == (3, "TypeError: t")
    assert stage.guest.step(Reply(call.id, 1)) == [Done(0, [1])]


def test_an_unknown_function_is_refused(stage: Any, script_failed: Any) -> None:
    from llmspell.values import FunctionRef

    stage.start("await kit.fetch(1)")
    with pytest.raises(script_failed, match="no function 99"):
        stage.invoke(FunctionRef(99))


def test_a_cancelled_run_cleans_up_and_says_so(stage: Any) -> None:
    stage.start(
        "try { await kit.fetch(1) } catch (e) { console.log('caught ' + e.code) } finally { console.log('closed') }"
    )
    said = stage.cancel()
    assert [word.failure.kind for word in said] == ["cancelled"]
    assert stage.output == "caught cancelled\nclosed\n"


def test_clean_up_has_little_time_and_may_not_ask_the_host(stage: Any) -> None:
    stage.start(
        "try { await kit.fetch(1) } finally { try { kit.echo(2) } catch (e) { console.log(e.code) } for (;;); }"
    )
    said = stage.cancel()
    assert [word.failure.kind for word in said] == ["cancelled"]
    assert stage.output == "cancelled\n"


def test_a_single_invocation_can_be_cancelled(stage: Any) -> None:
    said = stage.start("return await kit.fetch(async () => { await kit.fetch(0) })")
    call = next(word for word in said if isinstance(word, Call))
    stage.guest.step(Invoke(1, call.args[0].id, []))
    said = stage.guest.step(Cancel("cancelled", 1))
    ends = [word for word in said if not isinstance(word, Call)]
    assert [(type(word), word.id, word.failure.kind) for word in ends] == [(Failed, 1, "cancelled")]
    assert stage.guest.step(Reply(call.id, 5)) == [Done(0, [5])]


def test_a_fatal_fault_ends_the_run_and_is_not_caught(stage: Any, refused: Any) -> None:
    def spend() -> None:
        raise refused("budget", "the budget is spent", {"limit": "tokens", "value": 10}, fatal=True)

    stage.bridges["kit"] |= {"spend": spend, "spend_later": spend}
    stage.waits.add("spend_later")
    for source in (
        "for (;;) try { kit.spend() } catch { console.log('caught') }",
        "try { await kit.spendLater() } finally { console.log('caught') }",
    ):
        failure = stage.failure(source)
        assert (failure.kind, failure.limit, failure.limit_value) == ("limit", "tokens", 10)
        assert failure.message == "the budget is spent"
    assert stage.output == ""


def test_a_late_reply_after_an_interrupt_ends_the_run(stage: Any) -> None:
    said = stage.start("await kit.fetch(1)")
    stage.guest.interrupt("deadline")
    said = stage.guest.step(Reply(said[0].id, 1, Fault("late", "late")))
    assert [word.failure.limit for word in said] == ["deadline"]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("await (async () => 5)()", 5),
        ("const x = await (1)\nx", 1),
        ("const x = await\n  Promise.resolve(2)\nx", 2),
        ("await `text`", "text"),
        ("const a = await [3]\na", [3]),
        ("await (kit.fetch(4)).then((x) => x + 1)", 5),
        ("const f = async () => await (6)\nf()", 6),
        ("export default await (await (async () => ({ json: async () => 7 }))()).json()", 7),
        ("let r = await (async () => { await (2)\n return await (8) })()\nr", 8),
        ("function f() { var await = 10; return await } f()", 10),
    ],
)
@pytest.mark.parametrize("name", ["spell.js", "spell.ts"])
def test_await_is_understood_before_whatever_stands_behind_it(stage: Any, source: str, value: Any, name: str) -> None:
    assert stage.run(source, name) == value


def test_await_may_be_the_authors_own_name(stage: Any) -> None:
    assert stage.run("const await = (x) => x + 1; await (8)") == 9


def test_what_is_awaited_in_parentheses_is_named_too(stage: Any) -> None:
    assert "await (new Promise(() => {})) (spell.js:2:1)" in stage.failure("1\nawait (new Promise(() => {}))").message


def test_await_in_a_function_that_is_not_async_is_told(stage: Any) -> None:
    assert "async functions" in stage.failure("function f() { await (1) } f()").hint
