"""Points in time: what a datetime becomes, for engines that know instants and for those that do not."""

from __future__ import annotations

import datetime as dt
import struct
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from llmspell.errors import ConversionError
from llmspell.values import (
    ConverterSpec,
    ValueConverter,
    ValueLimits,
    check_value,
    decoder,
    encode,
    from_milliseconds,
    instant_text,
    instants_as_text,
    milliseconds,
    size_of,
)

EAST = dt.timezone(dt.timedelta(hours=2))
NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
INSTANTS = ValueConverter(instants=True)
TEXTS = ValueConverter()


def test_an_aware_datetime_is_an_instant_in_utc() -> None:
    value = INSTANTS.to_value({"at": [dt.datetime(2026, 1, 31, 14, tzinfo=EAST)]})
    assert value == {"at": [NOON]}
    assert value["at"][0].tzinfo is dt.UTC  # type: ignore[index, call-overload]


def test_its_microseconds_stay() -> None:
    exact = NOON.replace(microsecond=123_456)
    assert INSTANTS.to_value(exact) == exact


def test_an_hour_that_the_clock_shows_twice_is_told_apart() -> None:
    first = dt.datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    second = first.replace(fold=1)
    assert INSTANTS.to_value(first) == dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
    assert INSTANTS.to_value(second) == dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)


def test_a_subclass_becomes_a_plain_datetime() -> None:
    class Stamp(dt.datetime):
        """As dataframes and mocked clocks have them."""

    for stamp in (Stamp(2026, 1, 31, 12, tzinfo=dt.UTC), Stamp(2026, 1, 31, 14, tzinfo=EAST)):
        value = INSTANTS.to_value(stamp)
        assert type(value) is dt.datetime
        assert value == NOON


def test_a_datetime_without_a_zone_names_no_instant_and_is_a_text() -> None:
    class Nowhere(dt.tzinfo):
        def utcoffset(self, moment: dt.datetime | None) -> None:
            return None

    for clock in (dt.datetime(2026, 1, 31, 12), dt.datetime(2026, 1, 31, 12, tzinfo=Nowhere())):
        assert INSTANTS.to_value(clock) == "2026-01-31T12:00:00"


def test_days_and_times_of_day_are_texts() -> None:
    given = [dt.date(2026, 1, 31), dt.time(12, tzinfo=dt.UTC)]
    assert INSTANTS.to_value(given) == ["2026-01-31", "12:00:00+00:00"]


def test_without_instants_it_is_a_text_in_its_own_zone() -> None:
    assert TEXTS.to_value(dt.datetime(2026, 1, 31, 14, tzinfo=EAST)) == "2026-01-31T14:00:00+02:00"
    assert TEXTS.to_value(NOON) == "2026-01-31T12:00:00+00:00"


@pytest.mark.parametrize(
    "edge",
    [
        dt.datetime.min.replace(tzinfo=EAST),
        dt.datetime.max.replace(tzinfo=dt.timezone(-dt.timedelta(hours=1))),
    ],
)
def test_one_that_is_outside_of_the_years_in_utc_is_refused_with_its_path(edge: dt.datetime) -> None:
    with pytest.raises(ConversionError, match="years 1 to 9999") as caught:
        INSTANTS.to_value({"edges": [1, edge]})
    assert caught.value.path == "$.edges[1]"
    assert TEXTS.to_value(edge) == edge.isoformat()


def test_a_zone_that_fails_is_a_failed_converter() -> None:
    class Broken(dt.tzinfo):
        def utcoffset(self, moment: dt.datetime | None) -> dt.timedelta:
            raise LookupError("no such zone")

    with pytest.raises(ConversionError, match="its converter failed with LookupError"):
        INSTANTS.to_value([dt.datetime(2026, 1, 31, tzinfo=Broken())])


def test_a_plugins_converter_comes_first() -> None:
    own = ConverterSpec(dt.datetime, lambda item: {"year": item.year})
    assert ValueConverter([own], instants=True).to_value([NOON]) == [{"year": 2026}]


def test_a_converter_may_go_on_to_a_datetime() -> None:
    class Moment:
        """What a plugin converts."""

    steps = [ConverterSpec(Moment, lambda item: dt.datetime(2026, 1, 31, 14, tzinfo=EAST))]
    assert ValueConverter(steps, instants=True).to_value({"at": Moment()}) == {"at": NOON}
    assert ValueConverter(steps).to_value(Moment()) == "2026-01-31T14:00:00+02:00"


def test_converters_of_guests_share_a_registry_and_differ_in_instants() -> None:
    with_them = TEXTS.bound(lambda _: None, ValueLimits(), instants=True)
    without = TEXTS.bound(lambda _: None, ValueLimits())
    assert (with_them.to_value(NOON), without.to_value(NOON)) == (NOON, NOON.isoformat())


def test_instants_count_as_parts() -> None:
    with pytest.raises(ConversionError, match="more than 3 parts"):
        ValueConverter(limits=ValueLimits(nodes=3), instants=True).to_value([NOON, NOON, NOON])
    with pytest.raises(ConversionError, match="more than 3 parts"):
        check_value([NOON, NOON, NOON], ValueLimits(nodes=3))
    assert size_of([NOON], 1000) == 16


def test_a_value_holds_aware_datetimes_only() -> None:
    check_value({"at": NOON, "there": dt.datetime(2026, 1, 31, 14, tzinfo=EAST)})
    with pytest.raises(ConversionError, match="without a zone") as caught:
        check_value({"at": [dt.datetime(2026, 1, 31)]})
    assert caught.value.path == "$.at[0]"
    with pytest.raises(ConversionError, match="a date cannot cross"):
        check_value([dt.date(2026, 1, 31)])


@pytest.mark.parametrize(
    "instant",
    [
        NOON,
        NOON.replace(microsecond=1),
        dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, dt.UTC),
        dt.datetime.min.replace(tzinfo=dt.UTC),
        dt.datetime.max.replace(tzinfo=dt.UTC),
    ],
)
def test_the_wire_keeps_every_instant(instant: dt.datetime) -> None:
    back = decoder(object).decode(encode({"at": [instant]}))
    assert back == {"at": [instant]}
    assert back["at"][0].tzinfo is dt.UTC


def test_the_wire_keeps_instants_beside_what_needs_marks() -> None:
    value = {"at": NOON, "n": 2**70, "text": "\ud800"}
    assert decoder(object).decode(encode(value)) == value


@pytest.mark.parametrize(
    ("seconds", "nanoseconds"), [(2**40, 0), (-(2**62), 0), (253_402_300_800, 0), (253_402_300_799, 999_999_999),
                                 (-62_135_596_801, 0), (0, 2**32 - 1)],
)  # fmt: skip
def test_a_forged_timestamp_does_not_decode(seconds: int, nanoseconds: int) -> None:
    forged = b"\xc7\x0c\xff" + struct.pack(">Iq", nanoseconds, seconds)
    with pytest.raises((msgspec.ValidationError, ValueError)):
        decoder(object).decode(forged)


@pytest.mark.parametrize(
    ("instant", "count"),
    [
        (dt.datetime(1970, 1, 1, tzinfo=dt.UTC), 0),
        (dt.datetime(1970, 1, 1, 0, 0, 0, 1_999, dt.UTC), 1),
        (dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, dt.UTC), -1),
        (dt.datetime(1969, 12, 31, 23, 59, 59, 998_999, dt.UTC), -2),
        (dt.datetime.max.replace(tzinfo=dt.UTC), 253_402_300_799_999),
        (dt.datetime.min.replace(tzinfo=dt.UTC), -62_135_596_800_000),
    ],
)
def test_milliseconds_are_whole_and_cut_towards_the_past(instant: dt.datetime, count: int) -> None:
    assert milliseconds(instant) == count
    assert milliseconds(from_milliseconds(count)) == count


@pytest.mark.parametrize("count", [253_402_300_800_000, -62_135_596_800_001, 8_640_000_000_000_000, 2**70])
def test_milliseconds_beyond_the_years_are_no_instant(count: int) -> None:
    with pytest.raises(OverflowError):
        from_milliseconds(count)


def test_the_text_of_an_instant_is_that_of_a_javascript_date() -> None:
    assert instant_text(NOON) == "2026-01-31T12:00:00.000Z"
    assert instant_text(NOON.replace(microsecond=5_000)) == "2026-01-31T12:00:00.005Z"
    assert instant_text(dt.datetime(12, 1, 1, tzinfo=dt.UTC)) == "0012-01-01T00:00:00.000Z"


def test_microseconds_are_not_lost_in_a_text() -> None:
    assert instant_text(NOON.replace(microsecond=5)) == "2026-01-31T12:00:00.000005Z"


def test_texts_stand_in_the_places_of_instants_and_nothing_else_is_touched() -> None:
    handle = object()
    given: Any = {"a": [NOON, (NOON, 1)], "b": handle, "c": dt.datetime(2026, 1, 31), "d": {"e": NOON}}
    text = "2026-01-31T12:00:00.000Z"
    assert instants_as_text(given) == {
        "a": [text, (text, 1)], "b": handle, "c": dt.datetime(2026, 1, 31), "d": {"e": text},
    }  # fmt: skip
    assert given["a"][0] is NOON
    untouched: Any = {"a": [1, {"b": handle}]}
    assert instants_as_text(untouched) is untouched
