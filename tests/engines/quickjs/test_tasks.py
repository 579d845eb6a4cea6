"""The modules async and channel: what the conformance suite leaves to JavaScript's own manners."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from llmspell.engine.messages import Call, Cancel, Done, Failed, Fault, Invoke, Reply


def test_they_are_modules_and_globals(stage: Any) -> None:
    code = """
    import a, { sleep } from 'async'; import c from 'channel';
    export default [a === async, sleep === a.sleep, c === channel]
    """
    assert stage.run(code) == [True, True, True]
    assert stage.run("return require('async') === async && typeof channel.new") == "function"
    assert stage.calls == []


def test_a_task_is_a_promise(stage: Any) -> None:
    code = """
    const t = async.spawn(async (a, b) => a + b, 1, 2);
    return [t instanceof Promise, await t, await t.then((x) => x * 2), t.status, await Promise.all([t, t])]
    """
    assert stage.run(code) == [True, 3, 6, "done", [3, 3]]


def test_a_task_is_known_after_an_await_too(stage: Any) -> None:
    code = """
    const seen = [];
    const look = async () => {
      seen.push(async.current().name);
      await kit.fetch(1);
      seen.push(async.current().name);
      try { await kit.refuseLater('no') } catch { seen.push(async.current().name) }
      for await (const x of (async function* () { yield 1 })()) seen.push(async.current().name);
      await Promise.resolve().then(() => seen.push(async.current().name));
    };
    await Promise.all([async.spawn(look), async.spawn(look)]);
    seen.push(async.current());
    return [seen.filter((x) => x === 'look').length, seen.at(-1)]
    """
    assert stage.run(code) == [10, None]


def test_replies_heard_together_settle_in_their_order(stage: Any) -> None:
    first, second = stage.start("""
    const order = [];
    const ask = async (n) => { await kit.fetch(n); order.push(n); return kit.fetch(n * 10) };
    const all = await Promise.all([ask(1), ask(2)]);
    return [order, all, await kit.refuseLater('late').catch((e) => e.code)]
    """)
    calls = stage.guest.step_all([Reply(second.id, 2), Reply(first.id, 1)])
    assert [call.args for call in calls] == [[20], [10]]
    (late,) = stage.guest.step_all([Reply(call.id, call.args[0]) for call in calls])
    (done,) = stage.guest.step_all([stage.answer(late)])
    assert done.values == [[[2, 1], [10, 20], "late"]]


def test_a_task_cancelled_by_what_ran_since_its_answer_came_goes_no_further(stage: Any) -> None:
    first, second = stage.start("""
    let loser;
    const quick = async.spawn(async () => { await kit.fetch('quick'); loser.cancel('too late'); return 'won' });
    const seen = [];
    loser = async.spawn(async () => {
      try { await kit.fetch('slow'); seen.push('went on') } catch (error) { seen.push(error.code) }
    });
    return [await quick, await loser.catch((error) => error.message), seen]
    """)
    (done,) = stage.guest.step_all([Reply(first.id), Reply(second.id)])
    assert done.values == [["won", "too late", ["cancelled"]]]


def test_a_fatal_reply_among_others_ends_the_run(stage: Any) -> None:
    first, second = stage.start("return Promise.allSettled([kit.fetch(1), kit.fetch(2)])")
    over = Reply(first.id, None, Fault("budget", "nothing left", {"limit": "cost", "value": 1}, fatal=True))
    (failed,) = stage.guest.step_all([over, Reply(second.id, 2)])
    assert (failed.failure.kind, failed.failure.limit) == ("limit", "cost")


def test_a_task_is_cancelled_at_any_await(stage: Any) -> None:
    said = stage.start("""
    const t = async.spawn(async () => {
      await kit.fetch(1);
      try { await kit.fetch(2) } catch (e) { console.log('caught', e.code) }
      try { await kit.fetch(3) } catch (e) { console.log('again', e.code) }
      finally { console.log('closed') }
      await kit.fetch(4);
      console.log('went on');
    });
    await kit.fetch('main');
    t.cancel('enough');
    return [t.status, await t.catch((e) => e.message)]
    """)
    calls = {call.args[0]: call for call in said if isinstance(call, Call)}
    assert set(calls) == {1, "main"}
    [second] = stage.guest.step(Reply(calls[1].id, 1))
    assert second.args == [2]
    said = stage.guest.step(Reply(calls["main"].id, 0))
    assert [(word.method, word.args) for word in said if isinstance(word, Call)] == [("cancel", [second.id])]
    assert said[-1] == Done(0, [["cancelled", "enough"]])
    assert stage.output == "caught cancelled\nagain cancelled\nclosed\n"


def test_a_stream_in_a_task_ends_with_it(stage: Any) -> None:
    code = """
    let closed = false;
    const numbers = async function* () { try { for (let i = 0; ; i++) yield i } finally { closed = true } };
    const t = async.spawn(async () => { for await (const n of numbers()) if (n === 3) await kit.fetch('hang') });
    await kit.fetch('main');
    t.cancel();
    try { await t } catch {}
    for (let i = 0; i < 20; i++) await async.yield();
    return closed
    """
    said = stage.start(code)
    calls = {call.args[0]: call for call in said if isinstance(call, Call)}
    said = stage.guest.step(Reply(calls["main"].id, 0))
    assert said[-1] == Done(0, [True])


def test_other_code_is_not_taken_for_the_tasks(stage: Any) -> None:
    said = stage.start("""
    const t = async.spawn(async () => { await kit.fetch('task') });
    const p = kit.fetch('own');
    await async.yield();
    t.cancel();
    try { await t } catch {}
    return await p
    """)
    own = next(word for word in said if isinstance(word, Call) and word.args == ["own"])
    assert [word.args for word in said if isinstance(word, Call) and word.method == "cancel"] != [[own.id]]
    assert stage.guest.step(Reply(own.id, 7))[-1] == Done(0, [7])


def test_the_error_of_a_task_ends_with_the_place_it_was_spawned_at(stage: Any) -> None:
    failure = stage.failure("function begin() {\n  return async.spawn(() => {\n    null.x\n  })\n}\n\nbegin();\n1")
    assert [f.line for f in failure.frames] == [3, 2, 7]
    assert "nobody handled" in failure.hint


def test_a_failing_main_part_does_not_wait_for_tasks(stage: Any) -> None:
    said = stage.start("async.spawn(async () => { await kit.fetch(1) }); await async.yield(); throw new Error('main')")
    assert said[-1].failure.message == "main"


def test_limits_of_tasks_and_channels_name_themselves(stage: Any) -> None:
    stage.limits = replace(stage.limits, tasks=3, channels=2)
    assert stage.run("for (let i = 0; i < 9; i++) await async.spawn(() => i); return 1") == 1
    code = "try { for (;;) async.spawn(async () => { await kit.fetch(1) }) } catch (e) { return [e.code, e.message] }"
    assert stage.run(code) == ["too_many_tasks", "more than 3 tasks (limit: tasks)"]
    code = "try { for (;;) channel.new() } catch (e) { return e.code }"
    assert stage.run(code) == "too_many_channels"
    assert stage.run("for (let i = 0; i < 9; i++) channel.new().close(); return 2") == 2


def test_a_deadlock_names_what_tasks_wait_for(stage: Any) -> None:
    worker = "async function worker() { await jobs.receive() }"
    failure = stage.failure(f"const jobs = channel.new(0, 'jobs');\nasync.spawn({worker});\n1")
    assert failure.code == "deadlock"
    assert "await jobs.receive() (spell.js:2:" in failure.message
    assert "worker waits to receive from 'jobs'" in failure.message


def test_ten_thousand_values_pass_a_channel(stage: Any) -> None:
    code = """
    const ch = channel.new(16); let sum = 0;
    async.spawn(async () => { for (let i = 0; i < 10000; i++) await ch.send(i); ch.close() });
    for await (const v of ch) sum += v;
    return sum
    """
    assert stage.run(code) == 49995000


def test_wrong_arguments_are_refused(stage: Any) -> None:
    for code in (
        "async.spawn(1)", "async.sleep(-1)", "async.sleep('x')", "async.all(5)", "async.map([1])", "channel.new(1.5)",
        "async.map([1], () => 1, { concurrency: 0 })", "await channel.select(5)", "async.withToken({}, () => 1)",
        "channel.new().send.call({}, 1)", "async.token().onCancel(1)",
    ):  # fmt: skip
        assert stage.run(f"try {{ {code}; return 'no error' }} catch (e) {{ return e.name }}") == "TypeError", code


def test_tampering_with_built_ins_changes_no_task(stage: Any) -> None:
    code = """
    const seen = () => { throw new Error('seen') };
    Map.prototype.set = Map.prototype.get = Map.prototype.delete = Map.prototype.forEach = seen;
    WeakMap.prototype.get = WeakMap.prototype.set = Array.prototype.push = Array.prototype.shift = seen;
    const ch = channel.new(1);
    const t = async.spawn(async () => (await ch.receive()).value);
    await ch.send(5);
    return [await t, (await async.all([() => 1, t])).length]
    """
    assert stage.run(code) == [5, 2]


def test_a_cancelled_call_by_the_host_takes_its_own_calls_along(stage: Any) -> None:
    said = stage.start("return await kit.fetch(async () => { await kit.fetch(1); await kit.fetch(2) })")
    outer = next(word for word in said if isinstance(word, Call))
    [inner] = stage.guest.step(Invoke(1, outer.args[0].id, []))
    said = stage.guest.step(Cancel("cancelled", 1))
    assert [(word.method, word.args) for word in said if isinstance(word, Call)] == [("cancel", [inner.id])]
    assert [word.id for word in said if isinstance(word, Failed)] == [1]
    assert stage.guest.step(Reply(outer.id, 5)) == [Done(0, [5])]


def test_the_timers_of_a_cancelled_task_end_with_it(stage: Any) -> None:
    said = stage.start("""
    const t = async.spawn(async () => { await new Promise((done) => setTimeout(done, 3000)) });
    await kit.fetch('main');
    t.cancel();
    return t.status
    """)
    calls = {call.method: call for call in said if isinstance(call, Call)}
    said = stage.guest.step(Reply(calls["fetch"].id, 0))
    assert [word.args for word in said if isinstance(word, Call)] == [[calls["sleep"].id]]
    assert said[-1] == Done(0, ["cancelled"])
