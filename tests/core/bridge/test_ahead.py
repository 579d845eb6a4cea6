"""A stream that runs ahead: what is taken at once, and where its generator is when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from llmspell import BridgeError, Host, Policy
from llmspell.bridge.ahead import AheadStream
from llmspell.plugin import Bridge, BridgeSpec, ScriptFunction, export, hookimpl
from llmspell.values import FunctionRef


class Source:
    """Numbers from 1, and what became of their generator; it waits for ever at ``hangs_at``."""

    def __init__(self, last: int, *, hangs_at: int = 0, breaks: bool = False) -> None:
        self._last, self._hangs_at, self._breaks = last, hangs_at, breaks
        self.reached = 0
        self.hanging = asyncio.Event()
        self.closed = False

    async def numbers(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(1, self._last + 1):
                if number == self._hangs_at:
                    self.hanging.set()
                    await asyncio.Event().wait()
                self.reached = number
                yield number
            if self._breaks:
                raise BridgeError("the source broke", code="broken")
        finally:
            self.closed = True


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_one_exchange_takes_all_that_wait_and_no_more_wait_than_was_said() -> None:
    async def work() -> None:
        source = Source(10)
        stream = AheadStream(source.numbers(), 4)
        assert await stream.take() == [False, 4, 1, 2, 3, 4]
        assert await stream.take() == [False, 4, 5, 6, 7, 8]
        assert source.reached == 8
        assert await stream.take() == [True, 2, 9, 10]
        assert await stream.take() == [True, 0]

    run(work())


def test_nothing_runs_before_the_first_draw() -> None:
    async def work() -> None:
        source = Source(10)
        stream = AheadStream(source.numbers(), 4)
        await asyncio.sleep(0)
        assert source.reached == 0
        await stream.aclose()

    run(work())


def test_a_failure_comes_after_the_items_before_it_and_once() -> None:
    async def work() -> None:
        stream = AheadStream(Source(2, breaks=True).numbers(), 4)
        assert await stream.take() == [False, 2, 1, 2]
        with pytest.raises(BridgeError, match="the source broke"):
            await stream.take()
        assert await stream.take() == [True, 0]

    run(work())


def test_a_failure_ahead_of_where_the_script_left_is_not_its_own() -> None:
    async def work() -> None:
        stream = AheadStream(Source(2, breaks=True).numbers(), 4)
        assert await stream.next() == [False, 1]
        await stream.close_stream()
        assert await stream.next() == [True, None]

    run(work())


@pytest.mark.parametrize("hangs_at", [0, 2, 3])
def test_closing_ends_the_generator_where_it_is(hangs_at: int) -> None:
    async def work() -> None:
        source = Source(100, hangs_at=hangs_at)
        stream = AheadStream(source.numbers(), 4)
        assert await stream.next() == [False, 1]
        await stream.close_stream()
        assert source.closed
        assert await stream.take() == [True, 0]

    run(work())


def test_a_draw_that_is_cancelled_ends_the_generator() -> None:
    async def work() -> None:
        source = Source(100, hangs_at=1)
        stream = AheadStream(source.numbers(), 4)
        drawing = asyncio.create_task(stream.take())
        await source.hanging.wait()
        drawing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await drawing
        assert source.closed

    run(work())


def test_a_generator_that_will_not_be_cancelled_is_closed_all_the_same() -> None:
    async def work() -> None:
        source = Source(100, hangs_at=2)

        async def stubborn() -> AsyncGenerator[int, None]:
            async for number in source.numbers():
                yield number
                with suppress(asyncio.CancelledError):
                    source.hanging.set()
                    await asyncio.Event().wait()
                yield -1

        stream = AheadStream(stubborn(), 4)
        assert await stream.next() == [False, 1]
        await source.hanging.wait()
        await stream.close_stream()
        assert await stream.take() == [True, 0]

    run(work())


def test_a_second_reader_is_refused_while_the_first_waits() -> None:
    async def work() -> None:
        source = Source(100, hangs_at=1)
        stream = AheadStream(source.numbers(), 4)
        drawing = asyncio.create_task(stream.take())
        await source.hanging.wait()
        with pytest.raises(BridgeError, match="already being read"):
            await stream.take()
        await stream.close_stream()
        assert await drawing == [True, 0]

    run(work())


def test_only_an_async_generator_can_run_ahead() -> None:
    with pytest.raises(TypeError, match="async generator"):

        @export(ahead=4)
        async def one() -> int:
            return 1


class Counting(Bridge):
    name = "counting"

    def __init__(self) -> None:
        self.closed = 0

    @export(ahead=4)
    async def numbers(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(100):
                yield number
        finally:
            self.closed += 1


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("lua", "local s = counting.numbers() return s:next()[2]"),
        ("javascript", "return (await counting.numbers().next()).value"),
        ("tengo", 'export import("stream").next(import("counting").numbers()).value'),
    ],
)
def test_the_end_of_a_run_closes_what_it_left_open(language: str, source: str) -> None:
    bridge = Counting()

    class Plugin:
        @hookimpl
        def llmspell_bridges(self) -> list[BridgeSpec]:
            return [BridgeSpec("counting", factory=lambda: bridge)]

    with Host() as host:
        host.register(Plugin())
        if language not in host.plugins.engines:
            pytest.skip(f"the engine {language} is not installed")
        with host.session(Policy.minimal()) as session:
            assert session.eval(language, source).value == 0
        assert bridge.closed == 1


def test_a_function_that_hears_one_item_at_a_time_is_fed_all_the_same() -> None:
    async def work() -> None:
        source = Source(10)
        heard: list[Any] = []

        async def invoke(ref: FunctionRef, args: list[Any]) -> list[Any]:
            heard.extend(args)
            return [args != [3]]

        assert await ScriptFunction(FunctionRef(1), invoke).each(source.numbers(), ahead=4) == 3
        assert (heard, source.closed) == ([1, 2, 3], True)

    run(work())


class Feeding(Bridge):
    """Feeds a function of the script, and calls the feeding off while the function waits for the host."""

    name = "feeding"

    def __init__(self) -> None:
        self.source = Source(100)
        self.hanging = asyncio.Event()

    async def never(self, ref: FunctionRef, args: list[Any]) -> list[Any]:
        raise AssertionError("it is fed, not called")

    @export
    async def hang(self) -> None:
        self.hanging.set()
        await asyncio.Event().wait()

    @export
    async def feed(self, function: ScriptFunction) -> str:
        feeding = asyncio.create_task(function.each(self.source.numbers(), ahead=4))
        await self.hanging.wait()
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding
        return "cancelled" if feeding.cancelled() else "ended"


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("lua", "local n = 0 local how = feeding.feed(function(i) n = i if i == 2 then feeding.hang() end end) "
         "return {how, n}"),
        ("javascript", "let n = 0; const how = await feeding.feed(async i => { n = i; "
         "if (i === 2) await feeding.hang() }); return [how, n]"),
        ("javascript", "let n = 0; const how = await feeding.feed(async i => { n = i; try { if (i === 2) "
         "await feeding.hang() } catch {} }); return [how, n]"),
        ("tengo", 'feeding := import("feeding"); n := 0; how := feeding.feed(func(i) { n = i; '
         "if i == 2 { feeding.hang() } }); export [how, n]"),
    ],
)  # fmt: skip
def test_a_feeding_that_is_called_off_ends_the_function_and_the_stream(language: str, source: str) -> None:
    bridge = Feeding()

    class Plugin:
        @hookimpl
        def llmspell_bridges(self) -> list[BridgeSpec]:
            return [BridgeSpec("feeding", factory=lambda: bridge)]

    with Host() as host:
        if language not in host.plugins.engines:
            pytest.skip(f"the engine {language} is not installed")
        host.register(Plugin())
        with host.session(Policy.minimal()) as session:
            assert session.eval(language, source).value == ["cancelled", 2]
    assert bridge.source.closed
