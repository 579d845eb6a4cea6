"""One run, from session to guest and back: values, calls, errors, output, limits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import pytest

from llmspell import (
    BridgeCallError,
    BudgetExceeded,
    Cancelled,
    DeadlineExceeded,
    EngineCrashed,
    MemoryRecorder,
    OutputExceeded,
    Policy,
    SessionClosedError,
    Source,
)
from llmspell.plugin import Bridge, BridgeError, BridgeSpec, Call, HostObject, ScriptFunction, Secret, export

MINIMAL = Policy.minimal()


class Counter(HostObject):
    def __init__(self) -> None:
        self.count = 0
        self.closed = False

    @export
    def add(self, n: int = 1) -> int:
        """Add."""
        self.count += n
        return self.count

    def close(self) -> None:
        self.closed = True


class Demo(Bridge):
    name = "demo"
    log: list[str]

    def __init__(self) -> None:
        self.log = []
        self.counters: list[Counter] = []
        self.started = asyncio.Event()

    @export
    def double(self, n: int) -> int:
        """Double."""
        return n * 2

    @export
    async def later(self, n: int) -> int:
        """Double, asynchronously."""
        await asyncio.sleep(0)
        return n * 2

    @export
    async def wait(self) -> None:
        """Wait for ever."""
        self.log.append("waiting")
        try:
            await asyncio.Event().wait()
        finally:
            self.log.append("cancelled")

    @export
    def fail(self, message: str) -> None:
        """Fail as expected."""
        raise BridgeError(message, code="expected")

    @export
    def explode(self) -> None:
        """Fail unexpectedly."""
        raise RuntimeError("/home/secret/path leaked")

    @export
    async def map(self, items: list[Any], fn: ScriptFunction) -> list[Any]:
        """Map."""
        return [await fn(item) for item in items]

    @export
    async def feed(self, count: int, fn: ScriptFunction) -> int | None:
        """Call a function with numbers from 1, until it returns false."""

        async def numbers() -> AsyncGenerator[int, None]:
            for number in range(count):
                yield number + 1

        return await fn.each(numbers(), ahead=3)

    @export
    def counter(self) -> Counter:
        """Make a live thing."""
        made = Counter()
        self.counters.append(made)
        return made

    @export
    def login(self, key: Annotated[str, Secret()]) -> str:
        """Take a secret."""
        return "ok"

    @export
    def who(self, call: Call) -> str:
        """Tell who asks."""
        return f"{call.principal}/{call.language}"


@pytest.fixture
def demo(plugin: Any) -> Demo:
    bridge = Demo()
    plugin.bridges.append(BridgeSpec("demo", factory=lambda: bridge))
    return bridge


@pytest.fixture
def session(host: Any, demo: Demo) -> Any:
    with host().session(policy=MINIMAL, principal="ann") as session:
        yield session


def script(plugin: Any, function: Any) -> Source:
    plugin.engine.scripts[function.__name__] = function
    return Source(function.__name__, language="scripted")


def test_a_run_returns_the_spells_value(plugin: Any, session: Any) -> None:
    def spell(guest: Any, n: int) -> Any:
        return n + 1
        yield

    result = session.run(script(plugin, spell), {"n": 1})
    assert result.value == 2
    assert result.placement == "inline"


def test_a_synchronous_export_answers_without_an_event_loop(plugin: Any, session: Any) -> None:
    def spell(guest: Any) -> Any:
        return (yield ("demo", "double", 4))

    assert session.run(script(plugin, spell)).value == 8
    assert not session._host.loop.started


def test_an_asynchronous_export_is_awaited(plugin: Any, session: Any) -> None:
    def spell(guest: Any) -> Any:
        first = yield ("demo", "double", 1)
        second = yield ("demo", "later", first)
        return (yield ("demo", "double", second))

    assert session.run(script(plugin, spell)).value == 8


@pytest.mark.parametrize("answer", [0, 4, 10**9, True, "all"])
def test_a_guest_that_tells_of_calls_it_was_not_asked_for_ends_its_run(plugin: Any, host: Any, answer: Any) -> None:
    bridge = Demo()
    plugin.bridges.append(BridgeSpec("demo", factory=lambda: bridge))

    def spell(guest: Any) -> Any:
        yield "demo", "feed", 3, guest.function(lambda *items: answer)

    plugin.other.scripts["spell"] = spell
    with host().session(policy=MINIMAL) as session, pytest.raises(EngineCrashed, match="not asked to make"):
        session.run(Source("spell", language="other"))


def test_a_guest_calls_a_function_with_several_items_or_with_one_at_a_time(plugin: Any, host: Any) -> None:
    bridge = Demo()
    plugin.bridges.append(BridgeSpec("demo", factory=lambda: bridge))
    heard: list[tuple[int, ...]] = []

    def spell(guest: Any) -> Any:
        return (yield "demo", "feed", 5, guest.function(lambda *items: heard.append(items)))

    plugin.other.scripts["spell"] = spell
    with host().session(policy=MINIMAL) as session:
        assert session.run(Source("spell", language="other")).value is None
        assert heard == [(1, 2, 3), (4, 5)]
        heard.clear()
        session.run(script(plugin, spell))
    assert heard == [(1,), (2,), (3,), (4,), (5,)]


def test_calls_said_together_overlap(plugin: Any, session: Any) -> None:
    def spell(guest: Any) -> Any:
        return (yield [("demo", "later", n) for n in range(5)])

    assert session.run(script(plugin, spell)).value == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("on_a_loop", [False, True])
def test_replies_that_are_there_together_are_brought_together(plugin: Any, session: Any, on_a_loop: bool) -> None:
    def spell(guest: Any) -> Any:
        together = []

        def step_all(replies: Any) -> Any:
            together.append(len(replies))
            return [word for reply in replies for word in guest.step(reply)]

        guest.step_all = step_all
        yield [("demo", "double", n) for n in range(5)]
        return together

    source = script(plugin, spell)
    result = asyncio.run(session.arun(source)) if on_a_loop else session.run(source)
    assert result.value == [5]


def test_an_unhandled_fault_chains_the_hosts_exception(plugin: Any, session: Any) -> None:
    def spell(guest: Any) -> Any:
        yield ("demo", "fail", "no such note")

    with pytest.raises(BridgeCallError, match="no such note") as caught:
        session.run(script(plugin, spell))
    assert caught.value.fault_code == "expected"
    assert isinstance(caught.value.__cause__, BridgeError)


def test_a_script_never_sees_an_unexpected_error(plugin: Any, session: Any) -> None:
    def spell(guest: Any) -> Any:
        try:
            yield ("demo", "explode")
        except Exception as error:
            return [error.fault.code, str(error)]

    code, message = session.run(script(plugin, spell)).value
    assert code == "internal"
    assert "leaked" not in message


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        (("demo", "double"), "invalid_argument", "argument 1 ('n') is missing"),
        (("demo", "double", "x"), "invalid_argument", "should be an integer, got a text"),
        (("demo", "double", 1, 2), "invalid_argument", "at most 1 argument"),
        (("demo", "doubel", 1), "unknown_method", "did you mean 'double'"),
        (("dmo", "double", 1), "bridge_not_found", "did you mean 'demo'"),
        ((99, "add", 1), "unknown_handle", "handle 99"),
    ],
)
def test_a_wrong_call_is_a_fault_that_names_the_place(
    plugin: Any, session: Any, call: Any, code: str, words: str
) -> None:
    def spell(guest: Any) -> Any:
        try:
            yield call
        except Exception as error:
            return [error.fault.code, str(error)]

    got, message = session.run(script(plugin, spell)).value
    assert got == code
    assert words in message


def test_a_bridge_that_is_not_granted_is_denied(plugin: Any, host: Any, demo: Demo) -> None:
    def spell(guest: Any) -> Any:
        try:
            yield ("demo", "double", 1)
        except Exception as error:
            return error.fault.code

    with host().session(policy=Policy(level="custom", placement="inline")) as session:
        assert session.run(script(plugin, spell)).value == "denied"


def test_a_script_function_is_awaitable_while_the_script_waits(plugin: Any, session: Any) -> None:
    def spell(guest: Any) -> Any:
        return (yield ("demo", "map", [1, 2, 3], guest.function(lambda n: n * 10)))

    assert session.run(script(plugin, spell)).value == [10, 20, 30]


def test_a_host_object_is_a_handle_and_closed_with_the_run(plugin: Any, session: Any, demo: Demo) -> None:
    def spell(guest: Any) -> Any:
        handle = yield ("demo", "counter")
        yield (handle.id, "add", 2)
        return (yield (handle.id, "add", 3))

    assert session.run(script(plugin, spell)).value == 5
    assert demo.counters[0].closed


def test_output_is_captured_in_order(plugin: Any, session: Any) -> None:
    def spell(guest: Any) -> Any:
        guest.print("one\n")
        yield ("demo", "double", 1)
        guest.print("two\n")

    assert session.run(script(plugin, spell)).output == "one\ntwo\n"


def test_too_much_output_ends_the_run_and_keeps_what_fits(plugin: Any, session: Any) -> None:
    def spell(guest: Any) -> Any:
        yield ("demo", "double", 1)
        guest.print("x" * 100)

    with pytest.raises(OutputExceeded, match="more than 10 bytes") as error:
        session.run(script(plugin, spell), policy=Policy.minimal().narrow(output=10))
    assert error.value.result.output == "x" * 10


def test_a_record_holds_every_call_with_secrets_redacted(plugin: Any, session: Any) -> None:
    def spell(guest: Any) -> Any:
        yield ("demo", "login", "hunter2")
        yield ("demo", "later", 1)

    recorder = MemoryRecorder()
    session.run(script(plugin, spell), recorder=recorder)
    assert [(r.index, r.method) for r in recorder.records] == [(1, "login"), (2, "later")]
    assert recorder.records[0].args == ["<secret>"]
    assert recorder.records[1].result == 2
    assert recorder.records[1].duration >= 0


def test_the_number_of_calls_is_limited(plugin: Any, session: Any) -> None:
    def spell(guest: Any) -> Any:
        while True:
            yield ("demo", "double", 1)

    with pytest.raises(BudgetExceeded) as caught:
        session.run(script(plugin, spell), policy=MINIMAL.narrow(calls=10))
    assert caught.value.limit == "calls"
    assert caught.value.value == 10


def test_an_export_learns_who_asks(plugin: Any, session: Any) -> None:
    def spell(guest: Any) -> Any:
        return (yield ("demo", "who"))

    assert session.run(script(plugin, spell)).value == "ann/scripted"


def test_the_deadline_cancels_pending_host_work(plugin: Any, session: Any, demo: Demo) -> None:
    def spell(guest: Any) -> Any:
        yield ("demo", "wait")

    began = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"0\.05 s"):
        session.run(script(plugin, spell), policy=MINIMAL.narrow(time=0.05))
    assert time.monotonic() - began < 5
    assert demo.log == ["waiting", "cancelled"]


def test_the_deadline_interrupts_a_busy_guest(plugin: Any, session: Any) -> None:
    def spell(guest: Any) -> Any:
        guest.stopped.wait(10)
        yield ("demo", "double", 1)

    with pytest.raises(DeadlineExceeded):
        session.run(script(plugin, spell), policy=MINIMAL.narrow(time=0.05))


def test_a_guest_that_does_not_stop_is_abandoned(plugin: Any, host: Any, demo: Demo) -> None:
    release = threading.Event()

    def stuck(guest: Any) -> Any:
        release.wait(30)
        return 1
        yield

    def fine(guest: Any) -> Any:
        return 2
        yield

    async def main() -> None:
        with host().session(policy=MINIMAL.narrow(time=0.05)) as session:
            with pytest.raises(DeadlineExceeded):
                await session.arun(script(plugin, stuck))
            assert (await session.arun(script(plugin, fine))).value == 2
            release.set()

    asyncio.run(main())


def test_cancelling_arun_cancels_guest_and_host_work(plugin: Any, host: Any, demo: Demo) -> None:
    def spell(guest: Any) -> Any:
        yield ("demo", "wait")

    async def main() -> None:
        async with host() as its, its.session(policy=MINIMAL) as session:
            task = asyncio.create_task(session.arun(script(plugin, spell)))
            while not demo.log:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert demo.log == ["waiting", "cancelled"]
            assert [t for t in asyncio.all_tasks() if t.get_name().startswith("llmspell")] == []

    asyncio.run(main())


def test_a_guest_that_is_lost_fails_who_waits_for_it(plugin: Any, session: Any, demo: Demo) -> None:
    def broken() -> None:
        raise OSError("the engine itself is broken")

    def spell(guest: Any) -> Any:
        yield ("demo", "map", [1], guest.function(broken))

    with pytest.raises(Exception, match=r"broken|takes 0"):
        session.run(script(plugin, spell))


def test_session_cancel_ends_runs_from_another_thread(plugin: Any, session: Any, demo: Demo) -> None:
    def spell(guest: Any) -> Any:
        threading.Thread(target=session.cancel).start()
        yield ("demo", "wait")

    with pytest.raises(Cancelled):
        session.run(script(plugin, spell))


def test_many_runs_share_one_loop(plugin: Any, host: Any, demo: Demo) -> None:
    def spell(guest: Any, n: int) -> Any:
        return (yield ("demo", "later", n))

    async def main() -> list[int]:
        async with host() as its, its.session(policy=MINIMAL) as session:
            source = script(plugin, spell)
            results = await asyncio.gather(*(session.arun(source, {"n": n}) for n in range(50)))
            return [result.value for result in results]

    assert asyncio.run(main()) == [n * 2 for n in range(50)]


def test_a_closed_session_refuses(plugin: Any, session: Any) -> None:
    session.close()
    with pytest.raises(SessionClosedError):
        session.run(Source("x", language="scripted"))


def test_the_session_works_after_every_kind_of_failure(plugin: Any, session: Any) -> None:
    def bad(guest: Any) -> Any:
        raise ValueError("oops")
        yield

    def good(guest: Any) -> Any:
        return (yield ("demo", "later", 1))

    for _ in range(3):
        with pytest.raises(Exception, match="oops"):
            session.run(script(plugin, bad))
        assert session.run(script(plugin, good)).value == 2


def test_a_warning_tells_of_a_limit_that_comes_near(plugin: Any, session: Any, demo: Demo) -> None:
    def spell(guest: Any) -> Any:
        yield ("demo", "wait")

    with pytest.raises(DeadlineExceeded) as caught:
        session.run(script(plugin, spell), policy=MINIMAL.narrow(time=0.1))
    (warning,) = caught.value.result.warnings
    assert warning["limit"] == "time"
