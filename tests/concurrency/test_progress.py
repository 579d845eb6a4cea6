"""Progress: from ``call.progress`` in an export to the script's ``on_progress`` and to observers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell import Host, Policy, Session
from llmspell.plugin import Bridge, BridgeSpec, Call, export, hookimpl

LANGUAGES = ("lua", "javascript", "tengo")

HEARD = {
    "lua": "local heard = {} desk.tell({on_progress = function(fraction, message) desk.turn() "
    "heard[#heard + 1] = message end}) return heard",
    "javascript": "const heard = []; await desk.tell({onProgress: async (fraction, message) => { await desk.turn(); "
    "heard.push(message) }}); return heard",
    "tengo": 'desk := import("desk"); heard := []; desk.tell({on_progress: func(fraction, message) { desk.turn(); '
    "heard = append(heard, message) }}); export heard",
}
FAILING_FUNCTION = {
    "lua": "local ok, e = pcall(desk.tell, {on_progress = function() error('enough of it') end}) return e.message",
    "javascript": "try { await desk.tell({onProgress: () => { throw new Error('enough of it') }}) } "
    "catch (e) { return e.message }",
    "tengo": 'desk := import("desk"); err := desk.tell({on_progress: func(part, message) { return "enough" - 1 }}); '
    "export err.value.message",
}
BESIDE_ARGUMENTS = {
    "lua": "local n = 0 local function f() n = n + 1 end desk.step({on_progress = f}) desk.step(1, {on_progress = f}) "
    "return {n, desk.keep({on_progress = f})}",
    "javascript": "let n = 0; const f = () => { n++ }; await desk.step({onProgress: f}); "
    "await desk.step(1, {onProgress: f}); return [n, await desk.keep({onProgress: f})]",
    "tengo": 'desk := import("desk"); n := 0; f := func(fraction, message) { n++ }; desk.step({on_progress: f}); '
    "desk.step(1, {on_progress: f}); export [n, desk.keep({on_progress: f})]",
}
FAILING_EXPORT = {
    "lua": "local ok, e = pcall(desk.fail, {on_progress = function() desk.hang() end}) return e.code",
    "javascript": "try { await desk.fail({onProgress: () => desk.hang()}) } catch (e) { return e.code }",
    "tengo": 'desk := import("desk"); err := desk.fail({on_progress: func(fraction, message) { desk.hang() }}); '
    "export err.value.code",
}


class Desk(Bridge):
    """Tells how far it is."""

    name = "desk"
    hanging = 0

    @export
    async def tell(self, call: Call) -> None:
        """Tell of five steps without a pause."""
        for step in range(1, 6):
            call.progress(step / 5, f"{step} of 5")

    @export
    async def step(self, call: Call, whole: int = 2) -> None:
        """Tell of one step."""
        call.progress(1 / whole)

    @export
    async def keep(self, call: Call, data: dict[str, Any]) -> dict[str, Any]:
        """Give back what must be given."""
        return data

    @export
    async def fail(self, call: Call) -> None:
        """Tell of one step, and fail once it has been heard."""
        call.progress(0.5, "half way")
        while not self.hanging:
            await asyncio.sleep(0)
        raise LookupError("gone")

    @export
    async def hang(self) -> None:
        """Wait until cancelled."""
        self.hanging += 1
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.hanging -= 1

    @export
    async def turn(self) -> None:
        """Take one turn of the loop."""
        await asyncio.sleep(0)

    @export
    async def odd(self, call: Call) -> None:
        """Tell what is no number, or outside of 0 to 1."""
        call.progress(7.5)
        call.progress(-1)
        with pytest.raises(ValueError, match="nan"):
            call.progress(float("nan"))


class Plugin:
    """Keeps its desk and the events of progress."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.seen: list[dict[str, Any]] = []

    @hookimpl
    def llmspell_bridges(self) -> Any:
        yield BridgeSpec("desk", factory=lambda: self.desk)

    @hookimpl
    def llmspell_on_event(self, event: Any) -> None:
        if event.kind == "progress":
            self.seen.append(event.data)


@pytest.fixture
def plugin() -> Plugin:
    return Plugin()


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(plugin: Plugin, language: str, text: str) -> Any:
    """Run a text and see that no task is left behind."""

    async def scenario() -> Any:
        before = asyncio.all_tasks()
        host = Host(config={})
        host.register(plugin, name="plugin")
        async with host:
            session: Session = host.session(Policy.at_level("minimal").grant(bridges={"desk"}))
            try:
                return (await session.aeval(language, text)).value
            finally:
                await session.aclose()
                assert asyncio.all_tasks() == before

    return asyncio.run(scenario())


def test_a_function_that_is_slow_hears_the_first_and_the_last(plugin: Plugin, language: str) -> None:
    assert run(plugin, language, HEARD[language]) == ["1 of 5", "5 of 5"]


def test_it_stands_beside_arguments_that_may_be_left_out_and_never_takes_the_place_of_one(
    plugin: Plugin, language: str
) -> None:
    assert run(plugin, language, BESIDE_ARGUMENTS[language]) == [2, {}]


def test_observers_are_told_each_time(plugin: Plugin) -> None:
    run(plugin, "lua", "desk.tell()")
    assert [seen["fraction"] for seen in plugin.seen] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert plugin.seen[0] == {"fraction": 0.2, "message": "1 of 5", "call": "desk.tell"}


def test_what_the_function_raises_fails_the_call(plugin: Plugin, language: str) -> None:
    message = run(plugin, language, FAILING_FUNCTION[language])
    assert "enough of it" in message or "string - int" in message


def test_an_export_that_fails_leaves_no_function_running(plugin: Plugin, language: str) -> None:
    assert run(plugin, language, FAILING_EXPORT[language]) == "internal"
    assert plugin.desk.hanging == 0


def test_fractions_are_kept_between_0_and_1(plugin: Plugin) -> None:
    run(plugin, "lua", "desk.odd()")
    assert [seen["fraction"] for seen in plugin.seen] == [1.0, 0.0]
