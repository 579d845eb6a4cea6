"""Two languages in one run, and spells that run spells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmspell import BridgeCallError, Policy, ScriptModuleNotFoundError, Source
from llmspell.errors import ScriptRuntimeError

MINIMAL = Policy.minimal()


@pytest.fixture
def project(plugin: Any, host: Any, tmp_path: Path) -> Any:
    """Run ``main`` in a folder where ``tools.other`` is a module and ``child.other`` a spell."""
    (tmp_path / "tools.other").write_text("tools")
    (tmp_path / "child.other").write_text("child")
    (tmp_path / "main.scripted").write_text("main")

    def run(main: Any, **others: Any) -> Any:
        plugin.engine.scripts["main"] = main
        plugin.other.scripts.update(others)
        with host().session(policy=MINIMAL) as session:
            return session.run(Source("main", "main.scripted", "scripted", str(tmp_path)))

    return run


def test_a_function_of_another_language_is_called_as_a_handle(project: Any) -> None:
    def main(guest: Any) -> Any:
        module = yield ("@host", "module", "./tools.other", "")
        assert module["kind"] == "foreign"
        return (yield (module["exports"]["double"].id, "call", 21))

    assert project(main, tools=lambda guest: {"double": lambda n: n * 2}).value == 42


def test_the_spell_bridge_loads_the_same(project: Any) -> None:
    def main(guest: Any) -> Any:
        exports = yield ("spell", "load", "./tools.other")
        return (yield (exports["double"].id, "call", 1))

    assert project(main, tools=lambda guest: {"double": lambda n: n * 2}).value == 2


def test_a_language_has_one_guest_and_a_module_runs_once(project: Any, plugin: Any) -> None:
    loaded = []

    def tools(guest: Any) -> Any:
        loaded.append(guest)
        return {"f": lambda: 1}

    def main(guest: Any) -> Any:
        for _ in range(3):
            yield ("spell", "load", "./tools.other")

    project(main, tools=tools)
    assert len(loaded) == 1
    assert len(plugin.other.guests) == 1
    assert plugin.other.guests[0].closed


def test_an_error_of_the_other_language_reaches_the_caller(project: Any) -> None:
    def fail() -> None:
        raise ValueError("bad tool")

    def main(guest: Any) -> Any:
        exports = yield ("spell", "load", "./tools.other")
        yield (exports["fail"].id, "call")

    with pytest.raises(BridgeCallError, match="bad tool") as caught:
        project(main, tools=lambda guest: {"fail": fail})
    assert isinstance(caught.value.__cause__, ScriptRuntimeError)


def test_a_whole_spell_runs_as_a_child(project: Any) -> None:
    def child(guest: Any, n: int) -> Any:
        guest.print("from the child")
        return n + 1
        yield

    def main(guest: Any) -> Any:
        return (yield ("spell", "run", "child.other", {"n": 1}))

    result = project(main, child=child)
    assert result.value == 2
    assert result.output == "from the child"


def test_children_are_counted_in_depth_and_calls(project: Any) -> None:
    def child(guest: Any) -> Any:
        return (yield ("spell", "run", "child.other"))

    def main(guest: Any) -> Any:
        return (yield ("spell", "run", "child.other"))

    with pytest.raises(BridgeCallError, match="more than 16 deep"):
        project(main, child=child)


@pytest.mark.parametrize("name", ["./nothing", "../outside.other", "/etc/passwd", "tools\0.other"])
def test_a_module_that_is_not_there_or_outside_is_refused(project: Any, name: str) -> None:
    def main(guest: Any) -> Any:
        try:
            yield ("@host", "module", name, "")
        except Exception as error:
            return error.fault.code

    assert project(main).value in ("module_not_found", "denied")


def test_an_undeclared_module_names_the_nearest_bridge(project: Any) -> None:
    def main(guest: Any) -> Any:
        yield ("@host", "module", "spel", "")

    with pytest.raises((BridgeCallError, ScriptModuleNotFoundError)) as caught:
        project(main)
    assert "spell" in str(caught.value)


def test_a_shared_channel_joins_the_runs_of_a_session(plugin: Any, host: Any) -> None:
    import asyncio

    def sender(guest: Any) -> Any:
        channel = yield ("@host", "shared_channel", "work")
        for n in range(3):
            yield (channel.id, "send", n)
        yield (channel.id, "close")

    def receiver(guest: Any) -> Any:
        channel = yield ("@host", "shared_channel", "work")
        out = []
        while True:
            value, ok = yield (channel.id, "receive")
            if not ok:
                return out
            out.append(value)

    plugin.engine.scripts.update(sender=sender, receiver=receiver)

    async def main() -> Any:
        async with host() as its, its.session(policy=MINIMAL) as session:
            got, _ = await asyncio.gather(
                session.arun(Source("receiver", language="scripted")),
                session.arun(Source("sender", language="scripted")),
            )
            return got.value

    assert asyncio.run(main()) == [0, 1, 2]
