"""What the host owes concurrent runs: what is pending ends with them, sessions share fairly, the loop stays free."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from llmspell import Cancelled, DeadlineExceeded, Host, LlmspellError, Policy, Session
from llmspell.plugin import Bridge, BridgeContext, BridgeSpec, export, hookimpl

THREE_PENDING = {
    "lua": "async.all({desk.wait, desk.wait, desk.wait})",
    "javascript": "await Promise.all([desk.wait(), desk.wait(), desk.wait()])",
    "tengo": 'async := import("async"); desk := import("desk"); async.all([desk.wait, desk.wait, desk.wait])',
}
BUSY = {
    "lua": "local n = 0 while true do n = n + 1 end",
    "javascript": "for (;;) {}",
    "tengo": "for true {}",
}
MANY_CALLS = {
    "lua": "for i = 1, 40 do desk.turn() end return 'done'",
    "javascript": "for (let i = 0; i < 40; i++) await desk.turn(); return 'done'",
    "tengo": 'desk := import("desk"); for i := 0; i < 40; i++ { desk.turn() }; export "done"',
}
LANGUAGES = tuple(THREE_PENDING)


class Desk(Bridge):
    """Counts what waits at it, and takes some turns of the loop to let go."""

    name = "desk"
    waiting = 0
    turns = 0

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    @export
    async def wait(self) -> None:
        """Wait until cancelled, and clean up slowly."""
        self.waiting += 1
        if self.waiting == 3:
            self.reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(5):
                await asyncio.sleep(0)
            self.waiting -= 1

    @export
    def later(self) -> Coroutine[Any, Any, None]:
        """Return what is to be awaited."""
        return self.turn()

    @export
    async def turn(self) -> None:
        """Take one turn of the loop."""
        self.turns += 1
        await asyncio.sleep(0)


class Slow(Bridge):
    """Takes time to open."""

    name = "slow"

    async def open(self, context: BridgeContext) -> None:
        await asyncio.sleep(0)

    @export
    async def wait(self) -> None:
        """Wait a turn."""
        await asyncio.sleep(0)


class Office:
    """A plugin that keeps hold of its desk."""

    desk: Desk

    @hookimpl
    def llmspell_bridges(self) -> Any:
        yield BridgeSpec("desk", factory=self.make)
        yield BridgeSpec("slow", factory=Slow)

    def make(self) -> Desk:
        self.desk = Desk()
        return self.desk

    async def three_wait(self) -> None:
        while not hasattr(self, "desk"):
            await asyncio.sleep(0)
        await self.desk.reached.wait()


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def office() -> Office:
    return Office()


def policy(time: float) -> Policy:
    base = Policy.at_level("minimal").grant(bridges={"desk", "slow"})
    return replace(base, limits=replace(base.limits, time=time))


class Place:
    """A host on the running loop with one session, which leaves no task behind."""

    def __init__(self, office: Office, time: float = 30.0) -> None:
        self.office = office
        self.time = time

    async def __aenter__(self) -> Session:
        self.before = asyncio.all_tasks()
        self.host = Host(config={})
        self.host.register(self.office, name="office")
        await self.host.__aenter__()
        self.session = self.host.session(policy=policy(self.time))
        return self.session

    def leftovers(self) -> set[asyncio.Task[Any]]:
        return asyncio.all_tasks() - self.before

    async def __aexit__(self, *_: object) -> None:
        await self.session.aclose()
        await self.host.__aexit__(None, None, None)


def test_cancelling_a_run_ends_its_host_work_before_it_is_told(language: str, office: Office) -> None:
    async def scenario() -> None:
        place = Place(office)
        async with place as session:
            run = asyncio.create_task(session.aeval(language, THREE_PENDING[language]))
            await office.three_wait()
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            assert office.desk.waiting == 0
            assert not place.leftovers()

    asyncio.run(scenario())


def test_closing_a_session_ends_its_runs_and_their_host_work(language: str, office: Office) -> None:
    async def scenario() -> None:
        place = Place(office)
        async with place as session:
            run = asyncio.create_task(session.aeval(language, THREE_PENDING[language]))
            await office.three_wait()
            await session.aclose()
            assert office.desk.waiting == 0
            with pytest.raises(Cancelled):
                await run
            assert not place.leftovers()

    asyncio.run(scenario())


def test_a_deadline_ends_all_tasks_and_their_host_work(language: str, office: Office) -> None:
    async def scenario() -> None:
        place = Place(office, time=0.3)
        async with place as session:
            with pytest.raises(DeadlineExceeded):
                await session.aeval(language, THREE_PENDING[language])
            assert office.desk.waiting == 0
            assert not place.leftovers()

    asyncio.run(scenario())


def test_a_run_that_fails_ends_its_host_work(language: str, office: Office) -> None:
    failing = {
        "lua": "for i = 1, 3 do async.spawn(desk.wait) end desk.turn() error('on purpose')",
        "javascript": "for (let i = 0; i < 3; i++) desk.wait().catch(() => {}); await desk.turn(); "
        "throw new Error('on purpose')",
        "tengo": 'async := import("async"); desk := import("desk"); for i := 0; i < 3; i++ { async.spawn(desk.wait) }; '
        'desk.turn(); x := 1 + "on purpose"',
    }

    async def scenario() -> None:
        place = Place(office)
        async with place as session:
            with pytest.raises(LlmspellError):
                await session.aeval(language, failing[language])
            assert office.desk.waiting == 0
            assert not place.leftovers()

    asyncio.run(scenario())


def test_a_busy_guest_keeps_neither_the_loop_nor_other_sessions(language: str, office: Office) -> None:
    async def scenario() -> None:
        place = Place(office, time=1.0)
        async with place as session:
            busy = asyncio.create_task(session.aeval(language, BUSY[language]))
            other = place.host.session(policy=policy(30.0))
            result = await other.aeval(language, MANY_CALLS[language])
            assert result.value == "done"
            assert not busy.done()
            with pytest.raises(DeadlineExceeded):
                await busy
            await other.aclose()

    asyncio.run(scenario())


def test_runs_at_once_take_turns(office: Office) -> None:
    async def scenario() -> None:
        async with Place(office) as session:
            counts: list[int] = []

            async def one() -> None:
                await session.aeval("lua", MANY_CALLS["lua"])
                counts.append(office.desk.turns)

            await asyncio.gather(*(one() for _ in range(20)))
            # The first to end saw most turns of all the others taken: nobody ran ahead.
            assert counts[-1] == 20 * 40
            assert counts[0] > 10 * 40

    asyncio.run(scenario())


def test_a_run_that_is_ended_while_all_threads_are_busy_waits_for_none(office: Office) -> None:
    async def scenario() -> None:
        async with Place(office) as session:
            printed: list[str] = []
            other = session._host.session(policy=policy(1.0), on_output=lambda _, text: printed.append(text))
            waiting = asyncio.create_task(session.aeval("lua", THREE_PENDING["lua"]))
            await office.three_wait()
            closed = session._host.session(policy=policy(30.0))
            told = asyncio.create_task(closed.aeval("lua", THREE_PENDING["lua"]))
            desk = office.desk
            del office.desk  # the other session has one of its own
            await office.three_wait()
            threads = min(16, (os.cpu_count() or 2) + 2)
            busy = {asyncio.create_task(other.aeval("lua", "print('busy') " + BUSY["lua"])) for _ in range(threads)}
            while len(printed) < threads:
                await asyncio.sleep(0.001)
            waiting.cancel()
            done, _ = await asyncio.wait({waiting, *busy}, return_when=asyncio.FIRST_COMPLETED)
            assert waiting in done
            closed.cancel()
            with pytest.raises(Cancelled):  # it did not crash, for all that its guest could not be told
                await told
            assert (desk.waiting, office.desk.waiting) == (0, 0)
            late = asyncio.create_task(session.aeval("lua", "return 1"))
            done, _ = await asyncio.wait({late, *busy})
            assert {type(run.exception()) for run in busy} == {DeadlineExceeded}
            assert late.result().value == 1
            assert sum(thread.name == "llmspell-step" for thread in threading.enumerate()) == threads
            await other.aclose()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "call", ["desk.later", "slow.wait", "function() return require('slow') end"], ids=["begun", "opening", "module"]
)
def test_a_call_that_is_dropped_in_the_step_that_made_it_never_begins(office: Office, call: str) -> None:
    async def scenario() -> None:
        async with Place(office) as session:
            text = (
                f"local call = {call} "
                "local task = async.spawn(call) async.yield() task:cancel() "
                "local ok, e = pcall(task.await, task) return e.code"
            )
            assert (await session.aeval("lua", text)).value == "cancelled"
            gc.collect()  # a coroutine that was never awaited would warn now

    asyncio.run(scenario())
