# ruff: noqa: E501 - a line is a program
"""Concurrency in JavaScript's own manners: native promises, `for await`, `finally`, early exits, deadlocks by line.

What the three languages have in common is in the conformance cases.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest

from llmspell import Host, Policy, ScriptRuntimeError, Session
from llmspell.plugin import Bridge, BridgeSpec, export, hookimpl


class Desk(Bridge):
    """Things that take their time."""

    name = "desk"

    def __init__(self) -> None:
        self.waiting = self.closed = 0

    @export
    async def echo(self, value: Any = None) -> Any:
        """Return the value a turn later."""
        await asyncio.sleep(0)
        return value

    @export
    async def wait(self) -> None:
        """Wait until cancelled."""
        self.waiting += 1
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.waiting -= 1

    @export
    async def numbers(self, last: int) -> AsyncIterator[int]:
        """Count."""
        try:
            for number in range(last):
                await asyncio.sleep(0)
                yield number
        finally:
            self.closed += 1

    @export
    def left(self) -> list[int]:
        """Tell how many wait, and how many streams were closed."""
        return [self.waiting, self.closed]


class Plugin:
    @hookimpl
    def llmspell_bridges(self) -> Any:
        yield BridgeSpec("desk", factory=Desk)


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with Host(config={}) as host:
        host.register(Plugin(), name="desk")
        yield host


@pytest.fixture
def session(host: Host) -> Iterator[Session]:
    policy = Policy.at_level("minimal").grant(bridges={"desk"})
    with host.session(replace(policy, limits=replace(policy.limits, time=30.0))) as session:
        yield session


SUSPENDED = {
    "sleep": "await async.sleep(30)",
    "a call of the host": "await desk.wait()",
    "a task": "await async.spawn(() => async.sleep(0.05))",
    "async.await": "await async.await(desk.wait(), 30)",
    "async.all": "await async.all([() => desk.wait(), () => 1])",
    "async.allSettled": "await async.allSettled([() => desk.wait()])",
    "async.race": "await async.race([() => desk.wait()])",
    "async.any": "await async.any([() => desk.wait()])",
    "async.map": "await async.map([1, 2], () => desk.wait())",
    "async.timeout": "await async.timeout(30, () => desk.wait())",
    "async.scope": "await async.scope(async (scope) => { scope.spawn(() => desk.wait()); await desk.wait() })",
    "the end of a scope": "await async.scope((scope) => { scope.spawn(() => desk.wait()) })",
    "receive": "await gate.receive()",
    "receive with a time": "await gate.receive(30)",
    "send": "await gate.send(1)",
    "select": "await channel.select([{ receive: gate }])",
    "select with a time": "await channel.select([{ send: gate, value: 1 }], { timeout: 30 })",
    "a channel drawn from": "for await (const value of gate) value",
    "a stream": "for await (const number of desk.numbers(1e9)) await desk.wait()",
    "a promise of its own": "await new Promise((resolve) => setTimeout(resolve, 30000))",
    "Promise.all": "await Promise.all([desk.wait(), desk.wait()])",
    "an async function": "await (async () => { await desk.wait() })()",
    "an async generator": "for await (const value of (async function* () { yield await desk.wait() })()) value",
}


@pytest.mark.parametrize("what", SUSPENDED)
def test_a_task_is_cancelled_wherever_it_is_suspended(session: Session, what: str) -> None:
    own = "a task" in what or what in ("Promise.all", "an async function")
    result = session.eval(
        "javascript",
        f"""
        const log = [], gate = channel.new()
        const task = async.spawn(async () => {{
          try {{ {SUSPENDED[what]}; log.push("went on") }}
          catch (error) {{ log.push(error.code) }}
          finally {{ log.push("finally") }}
          await desk.echo(); log.push("still alive")
        }})
        await async.sleep(0.005)
        task.cancel("enough")
        try {{ await task }} catch (error) {{ log.push(error.message) }}
        await async.sleep(0.005)
        const {{ senders, receivers }} = gate.info()
        return {{ log, status: task.status, stand: senders + receivers, left: desk.left()[0] }}
        """,
    )
    assert sorted(result.value["log"]) == ["cancelled", "enough", "finally"]
    assert result.value["status"] == "cancelled"
    assert result.value["stand"] == 0
    if not own:  # what another task waits for is its own affair
        assert result.value["left"] == 0


GIVES: dict[str, tuple[str, Any]] = {
    "a channel is drawn from until it is closed": (
        "const ch = channel.new(2); async.spawn(async () => { for (const n of [1, 2, 3]) await ch.send(n); ch.close() }); const got = []; for await (const n of ch) got.push(n); return got",
        [1, 2, 3],
    ),
    "leaving a channel early leaves the rest in it": (
        "const ch = channel.new(3); for (const n of [1, 2, 3]) await ch.send(n); for await (const n of ch) break; return [ch.info().length, (await ch.receive()).value]",
        [2, 2],
    ),
    "a channel may be drawn from by hand": (
        "const ch = channel.new(1); await ch.send(7); ch.close(); const it = ch[Symbol.asyncIterator](); return [await it.next(), (await it.next()).done]",
        [{"done": False, "value": 7}, True],
    ),
    "break closes a stream": ("for await (const n of desk.numbers(9)) if (n === 2) break; return desk.left()[1]", 1),
    "return closes a stream": (
        "const first = async () => { for await (const n of desk.numbers(9)) return n }; await first(); return desk.left()[1]",
        1,
    ),
    "an error closes a stream": (
        "try { for await (const n of desk.numbers(9)) throw new Error('x') } catch {} await async.sleep(0.005); return desk.left()[1]",
        1,
    ),
    "a labelled continue closes the inner stream": (
        "outer: for (const i of [1, 2]) for await (const n of desk.numbers(9)) continue outer; await async.sleep(0.005); return desk.left()[1]",
        2,
    ),
    "a stream may be closed by hand": (
        "const s = desk.numbers(9)[Symbol.asyncIterator](); await s.next(); await s.return(); return desk.left()[1]",
        1,
    ),
    "tasks and native combinators go together": (
        "return await Promise.all([async.spawn(() => 1), Promise.resolve(2), desk.echo(3), async.all([() => 4])])",
        [1, 2, 3, [4]],
    ),
    "a native race leaves the loser alone": (
        "const slow = async.spawn(() => async.sleep(30)); await Promise.race([slow, desk.echo(1)]); const s = slow.status; slow.cancel(); return s",
        "running",
    ),
    "the loser of a race runs its finally": (
        "let ended = false; await async.race([async () => { try { await async.sleep(30) } finally { ended = true } }, () => 1]); await desk.echo(); return ended",
        True,
    ),
    "a scope gives what its function does, after all its tasks": (
        "const log = []; const r = await async.scope(async (s) => { s.spawn(async () => { await async.sleep(0.002); log.push('child') }); return 'body' }); return [r, log]",
        ["body", ["child"]],
    ),
    "a failing task of a scope ends the others": (
        "try { await async.scope(async (s) => { s.spawn(() => desk.wait()); s.spawn(() => { throw new RangeError('bad') }); await desk.wait() }) } catch (e) { await async.sleep(0.005); return [e.name, desk.left()[0]] }",
        ["RangeError", 0],
    ),
    "timeout ends what it began": (
        "try { await async.timeout(0.002, () => desk.wait()) } catch (e) { await async.sleep(0.005); return [e.code, desk.left()[0]] }",
        ["timeout", 0],
    ),
    "await with a time leaves a promise alone": (
        "const p = async.sleep(0.01).then(() => 5); try { await async.await(p, 0.001) } catch (e) { return [e.code, await p] }",
        ["timeout", 5],
    ),
    "select takes what is ready, in turn": (
        "const a = channel.new(9), b = channel.new(9); for (let i = 0; i < 4; i++) { await a.send('a'); await b.send('b') } const got = []; for (let i = 0; i < 4; i++) got.push((await channel.select([{ receive: a }, { receive: b }])).value); return [got.includes('a'), got.includes('b')]",
        [True, True],
    ),
    "select tells of the time": (
        "return (await channel.select([{ receive: channel.new() }], { timeout: 0.001 })).kind",
        "timeout",
    ),
    "a synchronous call goes on in a getter, a comparator and a generator": (
        "function* g() { yield desk.left()[0] } const o = { get x() { return desk.left()[0] } }; return [o.x, [2, 1].sort((a, b) => a - b + desk.left()[0]), [...g()]]",
        [0, [1, 2], [0]],
    ),
    "what a getter cannot await it hands on as a promise": (
        "const o = { get x() { return desk.echo(5) } }; return await o.x",
        5,
    ),
}


@pytest.mark.parametrize("what", GIVES)
def test_it_does_what_it_says(session: Session, what: str) -> None:
    text, expected = GIVES[what]
    assert session.eval("javascript", text).value == expected


DEADLOCKS = {
    "a receive": ("const ch = channel.new(0, 'jobs')\n\nawait ch.receive()", ["await ch.receive() (<eval>:3:1)"]),
    "a send": ("const ch = channel.new()\nawait ch.send(1)", ["await ch.send(1) (<eval>:2:1)"]),
    "a select": (
        "const ch = channel.new()\nawait channel.select([{ receive: ch }])",
        ["await channel.select([{ receive: ch }]) (<eval>:2:1)"],
    ),
    "two tasks that wait for each other": (
        "let a, b\na = async.spawn(async () => { await b })\nb = async.spawn(async () => { await a })\nawait a",
        ["await b (<eval>:2:31)", "await a (<eval>:3:31)", "await a (<eval>:4:1)"],
    ),
    "a task after the main part": (
        "const ch = channel.new(0, 'jobs')\nasync.spawn(async function worker() {\n  await ch.receive()\n})",
        ["await ch.receive() (<eval>:3:3)", "worker waits to receive from 'jobs'"],
    ),
    "a channel drawn from": (
        "const ch = channel.new(0, 'jobs')\nfor await (const job of ch) job",
        ["for await (... of ch) (<eval>:2:1)"],
    ),
}


@pytest.mark.parametrize("what", DEADLOCKS)
def test_a_deadlock_says_who_waits_for_what_at_which_line(session: Session, what: str) -> None:
    text, waits = DEADLOCKS[what]
    with pytest.raises(ScriptRuntimeError) as caught:
        session.eval("javascript", text)
    assert caught.value.code == "deadlock" or "waits for ever" in caught.value.message
    for wait in waits:
        assert wait in caught.value.message


@pytest.mark.parametrize(
    "failing",
    ["throw new Error('main')", "async.spawn(() => { throw new Error('task') }); await async.yield(); return 1"],
    ids=["the main part", "a task"],
)
def test_a_run_that_fails_lets_its_tasks_clean_up(session: Session, failing: str) -> None:
    with pytest.raises(ScriptRuntimeError) as caught:
        session.eval(
            "javascript",
            "async.spawn(async () => { try { await desk.wait() } finally { console.log('cleaned') } }); "
            f"await desk.echo(); {failing}",
        )
    assert caught.value.result.output == "cleaned\n"


def test_options_there_are_not_are_refused(session: Session) -> None:
    for text in (
        "await async.map([1], () => 1, { concurency: 2 })",
        "await channel.select([{ receive: channel.new() }], { tiemout: 1 })",
    ):
        with pytest.raises(ScriptRuntimeError, match="option"):
            session.eval("javascript", text)
