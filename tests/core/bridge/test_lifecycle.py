"""Exports and the life of bridges: opened on first use in dependency order, once, closed in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from llmspell.bridge import Bridge, BridgeContext, BridgeRegistry, BridgeSet, BridgeSpec, export, exports_of
from llmspell.errors import (
    BridgeError,
    BridgeNotFoundError,
    PluginConflictError,
    PluginLoadError,
    PluginVersionError,
)

# Exports


class Base(Bridge):
    name = "base"

    @export
    def inherited(self) -> None:
        """From the base."""

    @export
    def replaced(self) -> str:
        """From the base."""
        return "base"


class Sample(Base):
    name = "sample"

    @export
    def replaced(self) -> str:
        """From the sample."""
        return "sample"

    @export(name="import")
    def import_(self) -> None:
        """Be named otherwise."""

    @export
    def print_(self) -> None:
        """Lose the trailing underscore."""

    @export
    async def later(self) -> None:
        """Be awaited."""

    @export(blocking=True, permissions=("read",))
    def blocks(self) -> None:
        """Run in a thread."""

    @export
    async def flows(self) -> AsyncIterator[int]:
        """Stream."""
        yield 1

    def not_exported(self) -> None:
        """Stay inside."""


def test_exports_are_found_with_their_kinds() -> None:
    found = exports_of(Sample)
    assert set(found) == {"inherited", "replaced", "import", "print", "later", "blocks", "flows"}
    assert [name for name, item in found.items() if item.is_async] == ["blocks", "later"]
    assert [name for name, item in found.items() if item.is_stream] == ["flows"]
    assert found["replaced"].doc == "From the sample."
    assert found["blocks"].blocking
    assert found["blocks"].permissions == ("read",)


def test_an_overriding_method_without_the_mark_is_not_exported() -> None:
    class Silent(Base):
        def inherited(self) -> None:
            """Be withdrawn."""

    assert "inherited" not in exports_of(Silent)


@pytest.mark.parametrize("wrong", [staticmethod(lambda: None), classmethod(lambda cls: None), property(lambda self: 1)])
def test_only_plain_methods_can_be_exported(wrong) -> None:
    with pytest.raises(TypeError, match="plain method"):
        export(wrong)


# Registry


def spec(name: str, *requires: str, **more: Any) -> BridgeSpec:
    return BridgeSpec(name, more.pop("factory", Bridge), requires=requires, **more)


def test_a_bridge_is_found_by_name_and_alias() -> None:
    registry = BridgeRegistry([spec("log", aliases=("logging",))])
    assert registry.get("logging") is registry.get("log")
    assert registry.names == ("log", "logging")
    assert [each.name for each in registry] == ["log"]
    assert "logging" in registry
    registry.remove("logging")
    assert registry.names == ()


def test_an_unknown_bridge_suggests_a_near_one() -> None:
    with pytest.raises(BridgeNotFoundError) as caught:
        BridgeRegistry([spec("notes")]).get("note")
    assert (caught.value.name, caught.value.hint) == ("note", "did you mean 'notes'?")


def test_a_refused_name_raises_why_each_time_anew() -> None:
    registry = BridgeRegistry()
    registry.refuse("notes", PluginConflictError("two offer it", plugin="a", hint="choose"))
    errors = []
    for _ in range(2):
        with pytest.raises(PluginConflictError, match="two offer it") as caught:
            registry.get("notes")
        errors.append(caught.value)
    assert errors[0] is not errors[1]
    assert errors[0].hint == "choose"


def test_dependencies_come_first() -> None:
    registry = BridgeRegistry([spec("app", "web", "data"), spec("web", "net"), spec("net"), spec("data")])
    assert [each.name for each in registry.order("app")] == ["net", "web", "data", "app"]


def test_a_dependency_may_be_named_by_alias_and_version() -> None:
    registry = BridgeRegistry([spec("app", "db>=1.2,<2"), spec("database", aliases=("db",), version="1.5")])
    assert [each.name for each in registry.order("app")] == ["database", "app"]


@pytest.mark.parametrize(
    ("specs", "error", "words"),
    [
        ([spec("a", "b"), spec("b", "c"), spec("c", "a")], PluginLoadError, "circle: a -> b -> c -> a"),
        ([spec("a", "a")], PluginLoadError, "circle: a -> a"),
        ([spec("a", "b")], BridgeNotFoundError, "bridge 'a' requires bridge 'b', which is not installed"),
        ([spec("a", "b>=2"), spec("b", version="1.9")], PluginVersionError, r"requires b>=2, but b is 1\.9"),
        ([spec("a", "b and c")], PluginLoadError, "unreadable requirement 'b and c'"),
    ],
)
def test_what_cannot_be_ordered_is_explained(specs, error, words) -> None:
    with pytest.raises(error, match=words):
        BridgeRegistry(specs).order("a")


# Life


class Journal:
    """What happened to the bridges of a test, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.hold: asyncio.Event | None = None
        self.fail: set[str] = set()

    def spec(self, name: str, *requires: str, scope: Any = "session") -> BridgeSpec:
        journal = self

        class Made(Bridge):
            async def open(self, context: BridgeContext) -> None:
                journal.events.append(f"open {name}({', '.join(context.bridges)})")
                if journal.hold is not None:
                    await journal.hold.wait()
                if name in journal.fail:
                    raise RuntimeError(f"{name} is broken")
                self.context = context

            async def close(self) -> None:
                journal.events.append(f"close {name}")
                if f"close {name}" in journal.fail:
                    raise RuntimeError(f"{name} does not close")

        Made.name = name
        return BridgeSpec(name, Made, requires=requires, scope=scope)


def open_set(*specs: BridgeSpec, **more: Any) -> BridgeSet:
    return BridgeSet(BridgeRegistry(specs), scope="session", **more)


async def get(bridges: BridgeSet, name: str) -> Bridge:
    bridge = bridges.get(name)
    return bridge if isinstance(bridge, Bridge) else await bridge


def test_a_bridge_without_an_opening_is_there_at_once() -> None:
    bridges = open_set(spec("plain"))
    bridge = bridges.get("plain")
    assert isinstance(bridge, Bridge)
    assert bridges.get("plain") is bridge


def test_bridges_open_in_order_once_and_close_in_reverse() -> None:
    journal = Journal()

    async def scenario() -> None:
        bridges = open_set(journal.spec("app", "web"), journal.spec("web", "net"), journal.spec("net"))
        assert bridges.peek("app") is None
        first, second = await get(bridges, "app"), await get(bridges, "app")
        assert first is second
        await get(bridges, "net")
        await bridges.close()

    asyncio.run(scenario())
    assert journal.events == [
        "open net()",
        "open web(net)",
        "open app(net, web)",
        "close app",
        "close web",
        "close net",
    ]


def test_two_who_ask_at_once_wait_for_one_opening() -> None:
    journal = Journal()

    async def scenario() -> None:
        journal.hold = asyncio.Event()
        bridges = open_set(journal.spec("app", "net"), journal.spec("net"))
        tasks = [asyncio.ensure_future(get(bridges, name)) for name in ("app", "net", "app")]
        await asyncio.sleep(0)
        journal.hold.set()
        found = await asyncio.gather(*tasks)
        assert found[0] is found[2]

    asyncio.run(scenario())
    assert sorted(journal.events) == ["open app(net)", "open net()"]


def test_an_opening_that_fails_is_told_by_name_to_all_and_can_be_tried_again() -> None:
    journal = Journal()
    journal.fail.add("net")

    async def scenario() -> None:
        bridges = open_set(journal.spec("app", "net"), journal.spec("net"))
        outcomes = await asyncio.gather(get(bridges, "app"), get(bridges, "net"), return_exceptions=True)
        assert all(isinstance(outcome, PluginLoadError) for outcome in outcomes)
        assert "bridge 'net' cannot be opened: RuntimeError: net is broken" in str(outcomes[0])
        journal.fail.clear()
        assert (await get(bridges, "app")).name == "app"

    asyncio.run(scenario())


def test_an_opening_that_is_cancelled_can_be_tried_again() -> None:
    journal = Journal()

    async def scenario() -> None:
        journal.hold = asyncio.Event()
        bridges = open_set(journal.spec("net"))
        task = asyncio.ensure_future(get(bridges, "net"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        journal.hold.set()
        assert (await get(bridges, "net")).name == "net"

    asyncio.run(scenario())


def test_an_expected_refusal_to_open_passes_as_it_is() -> None:
    class Refusing(Bridge):
        name = "refusing"

        async def open(self, context: BridgeContext) -> None:
            raise BridgeError("no key", code="no_key")

    with pytest.raises(BridgeError, match="no key"):
        asyncio.run(get(open_set(spec("refusing", factory=Refusing)), "refusing"))


def test_a_bridge_learns_its_configuration_and_environment() -> None:
    journal = Journal()
    bridges = open_set(
        journal.spec("net"), config={"net": {"proxy": "none"}, "other": {}}, environ={"A": "1"}, services={"s": 2}
    )
    context = asyncio.run(get(bridges, "net")).context  # type: ignore[attr-defined]
    assert (context.config, context.environ, context.services) == ({"proxy": "none"}, {"A": "1"}, {"s": 2})


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        ("absent_module:Bridge", "cannot be loaded from 'absent_module:Bridge': ModuleNotFoundError"),
        ("llmspell.bridge:Absent", "AttributeError"),
        (dict, "its factory made a dict, not a Bridge"),
        (lambda: 1 / 0, "cannot be made: ZeroDivisionError"),
    ],
)
def test_a_factory_that_does_not_make_a_bridge_is_explained(factory, words) -> None:
    with pytest.raises(PluginLoadError, match=words):
        open_set(spec("odd", factory=factory)).get("odd")


def test_a_factory_may_be_named() -> None:
    assert isinstance(open_set(spec("plain", factory="llmspell.bridge:Bridge")).get("plain"), Bridge)


def test_bridges_of_the_host_are_shared_by_sessions_and_those_of_sessions_are_not() -> None:
    journal = Journal()
    registry = BridgeRegistry([journal.spec("shared", scope="host"), journal.spec("own", "shared")])
    host = BridgeSet(registry)
    left, right = (BridgeSet(registry, scope="session", parent=host) for _ in range(2))

    async def scenario() -> None:
        assert await get(left, "shared") is await get(right, "shared") is host.peek("shared")
        assert await get(left, "own") is not await get(right, "own")
        assert host.peek("own") is None
        for bridges in (left, right, host):
            await bridges.close()

    asyncio.run(scenario())
    assert journal.events == [
        "open shared()", "open own(shared)", "open own(shared)", "close own", "close own", "close shared",
    ]  # fmt: skip


def test_a_bridge_that_does_not_close_keeps_no_other_open() -> None:
    journal = Journal()
    journal.fail.add("close b")

    async def scenario() -> None:
        bridges = open_set(journal.spec("a"), journal.spec("b"), journal.spec("c"))
        for name in "abc":
            await get(bridges, name)
        with pytest.raises(ExceptionGroup, match="bridges failed to close") as caught:
            await bridges.close()
        assert [str(error) for error in caught.value.exceptions] == ["b does not close"]

    asyncio.run(scenario())
    assert journal.events[3:] == ["close c", "close b", "close a"]


def test_reloading_closes_the_old_and_opens_a_new_one() -> None:
    journal = Journal()

    async def scenario() -> None:
        bridges = open_set(journal.spec("net"))
        old = await get(bridges, "net")
        new = await bridges.reload("net")
        assert new is not old
        assert bridges.peek("net") is new

    asyncio.run(scenario())
    assert journal.events == ["open net()", "close net", "open net()"]


def test_health_of_one_that_raises_is_told_not_raised() -> None:
    class Sick(Bridge):
        async def health(self) -> dict[str, Any]:
            raise OSError("cold")

    bridges = open_set(spec("well"), spec("sick", factory=Sick))
    for name in ("well", "sick"):
        bridges.get(name)
    assert asyncio.run(bridges.health()) == {"well": {"ok": True}, "sick": {"ok": False, "error": "OSError: cold"}}
