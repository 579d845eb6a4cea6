"""The modules channel and stream."""

from __future__ import annotations

from typing import Any

from llmspell.values import HostRef, MethodRef

CHANNEL = 'channel := import("channel"); async := import("async"); '


def test_a_channel_without_capacity_hands_over(stage: Any) -> None:
    code = """
        ch := channel.new()
        seen := []
        async.spawn(func() { ch.send(1); seen = append(seen, "sent") })
        async.sleep(1)
        waited := len(seen) == 0
        got := ch.receive()
        async.yield()
        export [waited, got, seen]"""
    assert stage.run(CHANNEL + code) == [True, {"value": 1, "ok": True}, ["sent"]]


def test_a_channel_with_capacity_holds_so_many(stage: Any) -> None:
    code = """
        ch := channel.new(2)
        a := [ch.try_send(1), ch.try_send(2), ch.try_send(3)]
        export [a, ch.receive().value, ch.receive().value, ch.try_receive()]"""
    assert stage.run(CHANNEL + code) == [[True, True, False], 1, 2, {"value": None, "ok": False}]


def test_values_come_in_the_order_they_were_sent_and_senders_are_held_back(stage: Any) -> None:
    code = """
        ch := channel.new(1)
        sent := 0
        async.spawn(func() { for i in range(0, 5) { ch.send(i); sent++ }; ch.close() })
        async.sleep(1)
        before := sent
        got := []
        channel.each(ch, func(v) { got = append(got, v) })
        export [before, got]"""
    assert stage.run(CHANNEL + code) == [1, [0, 1, 2, 3, 4]]


def test_many_producers_and_consumers_lose_nothing(stage: Any) -> None:
    code = """
        ch := channel.new(3)
        sum := 0
        producers := []
        for p in range(0, 4) {
          producers = append(producers, async.spawn(func(p) { for i in range(0, 100) { ch.send(p * 100 + i) } }, p))
        }
        consumers := []
        for c in range(0, 3) { consumers = append(consumers, async.spawn(func() { ch.each(func(v) { sum += v }) })) }
        async.all(producers)
        ch.close()
        async.all(consumers)
        export sum"""
    assert stage.run(CHANNEL + code) == sum(range(400))


def test_values_are_shared_not_copied(stage: Any) -> None:
    code = "ch := channel.new(1); m := {n: 1}; ch.send(m); got := ch.receive().value; got.n = 2; export m.n"
    assert stage.run(CHANNEL + code) == 2


def test_what_is_buffered_can_be_received_after_the_close(stage: Any) -> None:
    code = 'ch := channel.new(2); ch.send("a"); ch.close(); export [ch.receive(), ch.receive(), ch.receive()]'
    end = {"value": None, "ok": False}
    assert stage.run(CHANNEL + code) == [{"value": "a", "ok": True}, end, end]


def test_sending_to_or_closing_a_closed_channel_is_an_error(stage: Any) -> None:
    code = """
        ch := channel.new(); ch.close()
        export [ch.send(1).value.code, ch.try_send(1).value.code, ch.close().value.code, ch.closed]"""
    assert stage.run(CHANNEL + code) == ["closed", "closed", "closed", True]


def test_a_close_wakes_who_waits(stage: Any) -> None:
    code = """
        a := channel.new(); b := channel.new()
        r := async.spawn(func() { return a.receive().ok })
        s := async.spawn(func() { return b.send(1) })
        async.sleep(1)
        a.close(); b.close()
        export [async.await(r), async.await(s).value.code]"""
    assert stage.run(CHANNEL + code) == [False, "closed"]


def test_receiving_with_a_time_is_an_error_after_it_and_loses_nothing(stage: Any) -> None:
    code = """
        ch := channel.new()
        late := ch.receive(1)
        async.spawn(func() { ch.send("later") })
        export [late.value.code, ch.receive(5).value]"""
    assert stage.run(CHANNEL + code) == ["timeout", "later"]


def test_each_ends_when_its_function_returns_false(stage: Any) -> None:
    code = """
        ch := channel.new(5)
        for i in range(0, 5) { ch.send(i) }
        got := []
        ch.each(func(v) { got = append(got, v); return v < 1 })
        export [got, ch.receive().value]"""
    assert stage.run(CHANNEL + code) == [[0, 1], 2]


def test_select_takes_what_is_ready(stage: Any) -> None:
    code = """
        a := channel.new(1); b := channel.new(1)
        b.send("b")
        got := channel.select([{receive: a}, {receive: b}])
        put := channel.select([{send: a, value: "a"}])
        export [got, put, a.receive().value]"""
    assert stage.run(CHANNEL + code) == [
        {"kind": "receive", "index": 1, "value": "b", "ok": True},
        {"kind": "send", "index": 0, "value": None, "ok": True},
        "a",
    ]


def test_select_waits_for_the_first_and_leaves_the_others_alone(stage: Any) -> None:
    code = """
        a := channel.new(); b := channel.new()
        async.spawn(func() { async.sleep(2); a.send("a") })
        async.spawn(func() { async.sleep(1); b.send("b") })
        first := channel.select([{receive: a}, {receive: b}])
        export [first.index, first.value, a.receive().value]"""
    assert stage.run(CHANNEL + code) == [1, "b", "a"]


def test_select_has_a_default_and_a_timeout(stage: Any) -> None:
    code = """
        ch := channel.new()
        late := channel.select([{receive: ch}], {timeout: 2})
        export [channel.select([{receive: ch}], {default: true}).kind, late.kind]"""
    assert stage.run(CHANNEL + code) == ["default", "timeout"]
    assert stage.now == 2


def test_select_rotates_among_ready_cases(stage: Any) -> None:
    code = """
        a := channel.new(10); b := channel.new(10)
        for i in range(0, 10) { a.send(i); b.send(i) }
        counts := [0, 0]
        for i in range(0, 10) { at := channel.select([{receive: a}, {receive: b}]).index; counts[at] += 1 }
        export counts"""
    assert stage.run(CHANNEL + code) == [5, 5]


def test_select_tells_a_closed_channel(stage: Any) -> None:
    code = """
        ch := channel.new(); ch.close()
        got := channel.select([{receive: ch}])
        export [got.ok, channel.select([{send: ch, value: 1}]).value.code]"""
    assert stage.run(CHANNEL + code) == [False, "closed"]


def test_info_and_list_tell_how_channels_stand(stage: Any) -> None:
    code = """
        ch := channel.new(2, "jobs")
        ch.send(1)
        other := channel.new()
        async.spawn(func() { other.receive() })
        async.sleep(1)
        info := [ch.info(), other.info().receivers, len(channel.list())]
        other.close()
        export info"""
    assert stage.run(CHANNEL + code) == [
        {"id": 1, "name": "jobs", "capacity": 2, "length": 1, "closed": False, "senders": 0, "receivers": 0},
        1,
        2,
    ]


def test_numbers_start_anew_in_every_run(stage: Any) -> None:
    for _ in range(2):
        assert stage.run(CHANNEL + "export [channel.new().id, len(channel.list())]") == [1, 1]


def test_a_wrong_capacity_is_refused(stage: Any) -> None:
    assert "int of zero or more" in stage.fail(CHANNEL + "channel.new(-1)").message


def _stream(stage: Any, items: list[Any]) -> None:
    waiting = list(items)
    stage.exports["open"] = lambda: HostRef(5, "stream", (MethodRef("next", True), MethodRef("close", True)), "stream")
    stage.exports["next"] = lambda: [False, waiting.pop(0)] if waiting else [True, None]


def test_stream_each_draws_item_by_item_and_closes_when_told_to_stop(stage: Any) -> None:
    _stream(stage, [1, 2, 3, 4])
    closed: list[bool] = []
    stage.exports["close"] = lambda: closed.append(True)
    code = """
        kit := import("kit"); stream := import("stream")
        got := []
        stream.each(kit.open(), func(v) { got = append(got, v); return v < 3 })
        export got"""
    assert stage.run(code) == [1, 2, 3]
    assert closed == [True]


def test_stream_next_and_collect(stage: Any) -> None:
    _stream(stage, [1, 2, 3])
    code = """
        kit := import("kit"); stream := import("stream")
        s := kit.open()
        first := stream.next(s)
        export [first, stream.collect(s), stream.next(s)]"""
    assert stage.run(code) == [{"value": 1, "done": False}, [2, 3], {"value": None, "done": True}]


def test_what_is_no_stream_is_refused(stage: Any) -> None:
    assert "expected stream" in stage.fail('stream := import("stream"); stream.each([1], func(v) {})').message
