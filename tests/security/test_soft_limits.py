"""Limits announce themselves at 80 %: in the result, and to observers while there is still time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from llmspell import DeadlineExceeded, Host, Policy, Session
from llmspell.plugin import Bridge, BridgeSpec, export, hookimpl

LEVELS = ["minimal", "standard", "strict"]


class Waiting(Bridge):
    """Lets a script wait for what an observer is told."""

    name = "waiting"

    def __init__(self, told: threading.Event) -> None:
        self.told = told

    @export
    def until_warned(self) -> bool:
        """Wait, and tell whether there was a warning."""
        return self.told.wait(30)


class Plugin:
    def __init__(self) -> None:
        self.told = threading.Event()
        self.warnings: list[dict[str, Any]] = []
        self.hold = threading.Event()
        self.hold.set()

    @hookimpl
    def llmspell_bridges(self) -> Any:
        yield BridgeSpec("waiting", factory=lambda **_: Waiting(self.told))

    @hookimpl
    def llmspell_on_event(self, event: Any) -> None:
        if event.kind == "warning":
            self.warnings.append(event.data)
            self.told.set()
            self.hold.wait()


@pytest.fixture
def plugin() -> Iterator[Plugin]:
    plugin = Plugin()
    yield plugin
    plugin.hold.set()


@pytest.fixture
def session(plugin: Plugin) -> Iterator[Callable[..., Session]]:
    with Host(config={}) as host:
        if "lua" not in host.plugins.engines:
            pytest.skip("the lua engine is not installed")
        host.register(plugin, "observer")
        yield lambda level, **limits: host.session(
            policy=Policy.at_level(level).narrow(**limits).grant(bridges={"waiting"})
        )


@pytest.mark.parametrize("level", LEVELS)
def test_time_is_warned_of_before_it_is_up(session: Any, plugin: Plugin, level: str) -> None:
    with session(level, time=1.0) as open_session, pytest.raises(DeadlineExceeded) as caught:
        open_session.eval("lua", "while true do end")
    assert plugin.told.wait(10)
    warning = {"limit": "time", "value": 1.0, "used": 0.8}
    assert caught.value.result.warnings == (warning,)
    assert plugin.warnings == [warning]


@pytest.mark.parametrize("level", LEVELS)
def test_a_run_that_keeps_away_from_its_limits_is_not_warned(session: Any, plugin: Plugin, level: str) -> None:
    with session(level) as open_session:
        assert open_session.eval("lua", "return 1").warnings == ()
    assert plugin.warnings == []


HEAP = "local t = {} for i = 1, 108 do t[i] = ('x'):rep(64 * 1024 + i) end "


@pytest.mark.parametrize("level", LEVELS)
def test_memory_is_warned_of_once(session: Any, plugin: Plugin, level: str) -> None:
    with session(level, memory="8MB") as open_session:
        result = open_session.eval("lua", HEAP + "return #t")
    assert [warning["limit"] for warning in result.warnings] == ["memory"]
    assert plugin.warnings[0]["value"] == 8 << 20
    assert plugin.warnings[0]["used"] > 0.8 * (8 << 20)


@pytest.mark.parametrize("level", ["standard", "strict"])
def test_in_a_worker_memory_is_warned_of_while_the_script_still_runs(session: Any, level: str) -> None:
    with session(level, memory="8MB") as open_session:
        result = open_session.eval("lua", HEAP + "local warned = waiting.until_warned() return warned and #t")
    assert result.value == 108
    assert [warning["limit"] for warning in result.warnings] == ["memory"]


def test_an_observer_that_is_slow_does_not_keep_deadlines_from_being_met(session: Any, plugin: Plugin) -> None:
    """The warning comes from the one thread that watches the deadlines of all runs."""
    plugin.hold.clear()
    with session("standard", time=0.5) as open_session:
        with pytest.raises(DeadlineExceeded):
            open_session.eval("lua", "while true do end")
        assert plugin.told.wait(10)
        with pytest.raises(DeadlineExceeded):
            open_session.eval("lua", "while true do end")
    plugin.hold.set()
