"""``events``: listeners that are really called, history, replay, and functions around functions."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest


@pytest.fixture
def heard() -> list[Any]:
    return []


@pytest.fixture
def ear(spell: Any, heard: list[Any]) -> Any:
    """Make a script function that notes its arguments."""
    return lambda tag="": spell.fn(lambda *args: heard.append((tag, *args)) if tag else heard.append(args))


def test_listeners_are_called_in_order(spell: Any, heard: list[Any], ear: Any) -> None:
    spell.call("events.on", "x", ear("a"))
    spell.call("events.on", "x", ear("b"))
    spell.call("events.on", "y", ear("c"))
    assert spell.call("events.emit", "x", 1, {"n": 2}) is True
    assert heard == [("a", 1, {"n": 2}), ("b", 1, {"n": 2})]
    assert spell.call("events.emit", "z") is False


def test_once_is_once(spell: Any, heard: list[Any], ear: Any) -> None:
    spell.call("events.once", "x", ear())
    spell.call("events.emit", "x", 1)
    spell.call("events.emit", "x", 2)
    assert heard == [(1,)]


def test_listeners_are_removed_by_id_function_or_name(spell: Any, heard: list[Any], ear: Any) -> None:
    function = ear("f")
    number = spell.call("events.on", "x", ear("n"))
    spell.call("events.on", "x", function)
    spell.call("events.on", "x", ear("rest"))
    assert spell.call("events.off", "x", number) == 1
    assert spell.call("events.off", "x", function) == 1
    spell.call("events.emit", "x")
    assert heard == [("rest",)]
    assert spell.call("events.off", "x") == 1
    assert spell.call("events.emit", "x") is False
    spell.call("events.on", "y", function)
    assert spell.call("events.listener_count", "y") == 1
    assert spell.call("events.event_names") == ["y"]
    assert spell.call("events.remove_all_listeners", "z") == 0
    assert spell.call("events.remove_all_listeners") == 1


def test_a_name_has_a_bounded_number_of_listeners(spell: Any, ear: Any) -> None:
    spell.call("events.set_max_listeners", 2)
    spell.call("events.on", "x", ear())
    spell.call("events.on", "x", ear())
    assert spell.fails("events.on", "x", ear()).code == "too_many"
    assert spell.fails("events.set_max_listeners", 0).code == "invalid_argument"


def test_a_failing_listener_becomes_an_error_event(spell: Any, heard: list[Any], ear: Any, raised: Any) -> None:
    def fail(*args: Any) -> None:
        raise raised({"code": "BAD", "message": "no"})

    spell.call("events.on", "x", spell.fn(fail))
    spell.call("events.on", "x", ear("after"))
    fault = spell.fails("events.emit", "x")
    assert (fault.code, heard) == ("BAD", [("after",)])
    spell.call("events.on", "error", ear("error"))
    assert spell.call("events.emit", "x") is True
    assert heard[2] == ("error", {"code": "BAD", "message": "no"}, "x")


def test_a_failing_error_listener_does_not_go_round(spell: Any, raised: Any) -> None:
    def fail(*args: Any) -> None:
        raise raised("no")

    spell.call("events.on", "error", spell.fn(fail))
    spell.call("events.on", "x", spell.fn(fail))
    assert "no" in spell.fails("events.emit", "x").message


def test_listeners_end_with_their_run(spells: Any, session: Any) -> None:
    heard: list[Any] = []
    first, second = spells(), spells()
    first.call("events.on", "x", first.fn(lambda *args: heard.append(args)))
    assert second.call("events.emit", "x", 1) is True
    first.end()
    assert second.call("events.emit", "x", 2) is False
    assert heard == [(1,)]


def test_patterns_and_namespaces(spell: Any, heard: list[Any], ear: Any) -> None:
    number = spell.call("events.filter", "user.*", ear())
    spell.call("events.emit", "user.login", "ann")
    spell.call("events.emit", "system.start")
    assert heard == [("user.login", "ann")]
    spell.call("events.off", "user.*", number)
    space = spell.call("events.namespace", "db")
    inner = spell.call((space, "namespace"), "sql")
    spell.call((inner, "on"), "query", ear("inner"))
    spell.call("events.emit", "db:sql:query", 1)
    spell.call((inner, "emit"), "query", 2)
    assert heard[1:] == [("inner", 1), ("inner", 2)]
    assert spell.call((inner, "event_names")) == ["query"]
    assert spell.call((space, "remove_all_listeners")) == 1


def test_emitters_have_listeners_of_their_own(spell: Any, heard: list[Any], ear: Any) -> None:
    emitter = spell.call("events.create_emitter")
    spell.call((emitter, "on"), "x", ear())
    assert spell.call("events.emit", "x") is False
    assert spell.call((emitter, "emit"), "x") is True
    assert heard == [()]


def test_the_bus_gives_whole_events(spell: Any, heard: list[Any], ear: Any) -> None:
    number = spell.call("events.subscribe", "job.*", ear())
    assert spell.call("events.publish", "job.done", {"n": 1}) is True
    assert spell.call("events.publish", {"type": "job.failed", "data": 2}) is True
    (first,), (second,) = heard
    assert (first["type"], first["data"], first["source"]) == ("job.done", {"n": 1}, spell.run.id)
    assert abs(first["timestamp"] - time.time()) < 5
    assert (second["type"], second["data"]) == ("job.failed", 2)
    assert spell.call("events.subscription_count") == 1
    assert spell.call("events.subscription_info", number) == {"id": number, "pattern": "job.*", "once": False}
    assert spell.call("events.unsubscribe", number) is True
    assert spell.call("events.unsubscribe", number) is False
    assert spell.call("events.subscription_info", number) is None
    assert spell.fails("events.publish", {"data": 1}).code == "invalid_argument"


def test_filters_let_through_what_fits(spell: Any, heard: list[Any], ear: Any) -> None:
    big = spell.call("events.create_filter", {"predicate": spell.fn(lambda event: event["data"]["n"] > 1)})
    job = spell.call("events.create_filter", {"pattern": "job.*", "where": {"ok": True}})
    both = spell.call("events.create_composite_filter", [big, job])
    either = spell.call("events.create_composite_filter", [big, {"pattern": "other"}], "OR")
    for tag, chosen in (("both", both), ("either", either), ("table", {"type": "job.b"})):
        spell.call(
            "events.subscribe_with_filter", chosen, spell.fn(lambda event, tag=tag: heard.append((tag, event["type"])))
        )
    for kind, n, ok in (("job.a", 1, True), ("job.b", 2, True), ("job.c", 2, False), ("other", 0, True)):
        spell.call("events.publish", kind, {"n": n, "ok": ok})
    assert heard == [
        ("both", "job.b"),
        ("either", "job.b"),
        ("table", "job.b"),
        ("either", "job.c"),
        ("either", "other"),
    ]
    assert spell.fails("events.create_filter", {"patern": "x"}).code == "invalid_argument"
    assert spell.fails("events.create_filter", {"pattern": 1}).code == "invalid_argument"
    assert spell.fails("events.subscribe_with_filter", 99, ear()).code == "not_found"


def test_history_is_asked(spell: Any) -> None:
    for n in range(5):
        spell.call("events.emit", "tick" if n % 2 else "tock", n)
    assert [event["data"] for event in spell.call("events.query", {"pattern": "ti*"})] == [1, 3]
    assert [event["data"] for event in spell.call("events.query", {"limit": 2})] == [3, 4]
    assert spell.call("events.query", {"since": time.time() + 60}) == []
    assert len(spell.call("events.query", {"source": spell.run.id})) == 5
    assert len(spell.call("events.history", 0, time.time() + 1)) == 5
    noted = spell.call("events.store_event", "note", {"a": 1})
    assert spell.call("events.history")[-1] == noted
    assert spell.call("events.clear_history") == 6
    assert spell.call("events.history") == []
    assert spell.fails("events.query", {"limit": -1}).code == "invalid_argument"


def test_history_keeps_neither_functions_nor_mountains(spell: Any) -> None:
    spell.call("events.emit", "f", spell.fn(lambda: 1), b"x")
    spell.call("events.emit", "big", "x" * 100_000)
    functions, big = spell.call("events.history")
    assert functions["data"] == ["<ScriptFunction>", "<1 bytes>"]
    assert big["data"] == "<more than 65,536 bytes>"


def test_only_the_last_thousand_events_are_kept(spell: Any) -> None:
    spell.parallel(*[("events.emit", "x", n) for n in range(1_100)])
    assert len(spell.call("events.history")) == 1_000


def test_recording(spell: Any) -> None:
    spell.call("events.emit", "before")
    spell.call("events.start_recording")
    assert spell.call("events.is_recording") is True
    spell.call("events.emit", "during")
    assert [event["type"] for event in spell.call("events.stop_recording")] == ["during"]
    assert spell.call("events.is_recording") is False
    assert spell.call("events.stop_recording") == []


def test_replay_tells_listeners_again(spell: Any, heard: list[Any], ear: Any) -> None:
    spell.call("events.emit", "x", 1, 2)
    spell.call("events.emit", "y", 3)
    spell.call("events.on", "x", ear())
    assert spell.call("events.replay", {"pattern": "x"}, {"speed": 0}) == 1
    assert heard == [(1, 2)]
    assert len(spell.call("events.history")) == 2
    assert spell.fails("events.replay", {}, {"speed": -1}).code == "invalid_argument"


def test_replay_keeps_the_distances(spell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    for _ in range(3):
        spell.call("events.emit", "x")
    first, second, third = (event["timestamp"] for event in spell.call("events.history"))
    monkeypatch.setattr("llmspell_std.events.bridge.asyncio.sleep", sleep)
    spell.call("events.replay", {}, {"speed": 2})
    assert waited == [(second - first) / 2, (third - second) / 2]


def test_a_replay_is_held_and_ended(spell: Any, session: Any) -> None:
    heard: list[Any] = []
    for n in range(4):
        spell.call("events.emit", "x", n)

    async def listen(n: int) -> None:
        heard.append(n)
        if n == 0:
            assert await spell.acall("events.pause_replay") is True
        if n == 1:
            await spell.acall("events.stop_replay")

    spell.call("events.on", "x", spell.fn(listen))

    async def work() -> int:
        replay = asyncio.ensure_future(spell.acall("events.replay", {}, {"speed": 0}))
        for _ in range(20):
            await asyncio.sleep(0)
        assert heard == [0]
        with pytest.raises(Exception, match="under way"):
            await spell.acall("events.replay")
        assert await spell.acall("events.resume_replay") is True
        return await replay

    assert session.runner.run(work()) == 2
    assert heard == [0, 1]
    assert spell.call("events.pause_replay") is False
    assert spell.call("events.stop_replay") is False


def test_waiting_for_events(spell: Any) -> None:
    assert spell.parallel(
        ("events.wait_for", "x", 5),
        ("events.aggregate", ["x", "y"], 5),
        ("events.emit", "x", 1, 2),
        ("events.emit", "y"),
    ) == [[1, 2], {"x": [1, 2], "y": []}, True, True]
    assert spell.fails("events.wait_for", "never", 0.01).code == "timeout"
    assert spell.fails("events.aggregate", ["never", "ever"], 0.01).code == "timeout"


def test_events_as_texts(spell: Any) -> None:
    event = {"type": "x", "data": {"a": [1]}}
    for form in ("json", "yaml"):
        text = spell.call("events.serialize_event", event, form)
        assert spell.call("events.deserialize_event", text, form) == event
    assert spell.fails("events.deserialize_event", "[]").code == "invalid_argument"


@pytest.mark.parametrize(
    ("kind", "value"), [("count", 3), ("sum", 9), ("average", 3), ("min", 1), ("max", 5), ("rate", 0.01)]
)
def test_aggregators(spell: Any, kind: str, value: float) -> None:
    options = {"pattern": "m.*", "field": "n", "window_size": 300}
    number = spell.call("events.create_aggregator", kind, options)
    for event, n in (("m.a", 1), ("m.b", 3), ("other", 100), ("m.c", 5)):
        spell.call("events.emit", event, {"n": n})
    found = spell.call("events.get_aggregated_data", number)
    assert (found["id"], found["type"], found["event_count"], found["value"]) == (number, kind, 3, value)
    assert found["last_update"] is not None


def test_impossible_aggregators_are_refused(spell: Any) -> None:
    assert spell.fails("events.create_aggregator", "median").code == "invalid_argument"
    assert spell.fails("events.create_aggregator", "count", {"window_size": 0}).code == "invalid_argument"
    assert spell.fails("events.get_aggregated_data", 99).code == "not_found"


def test_functions_before_after_and_around(spell: Any) -> None:
    steps: list[Any] = []

    async def around(following: Any, n: int) -> Any:
        steps.append("in")
        result = await spell.acall((following, "call"), n + 1)
        steps.append("out")
        return result * 10

    spell.call("events.before", "save", spell.fn(lambda n: [n + 1]))
    spell.call("events.around", "save", spell.fn(around))
    after = spell.call("events.after", "save", spell.fn(lambda result, n: result + 0.5))
    work = spell.fn(lambda n: steps.append(n) or n)
    assert spell.call("events.execute", "save", work, 1) == 30.5
    assert steps == ["in", 3, "out"]
    assert spell.call("events.execute", "load", work, 1) == 1
    assert spell.call("events.remove", "save", "after", after) is True
    assert spell.call("events.remove", "save", "after", after) is False
    assert spell.call("events.execute", "save", work, 1) == 30
    assert spell.call("events.clear", "save") == 2
    assert spell.call("events.execute", "save", work, 1) == 1
