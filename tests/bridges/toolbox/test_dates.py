"""Dates: read as people write them, moved by the calendar, told in any zone."""

from __future__ import annotations

from typing import Any

import pytest

NEW_YEAR = 1767225600.0


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("2026-01-01", "auto"), ("2026-01-01T01:00:00+01:00", "auto"), ("1 Jan 2026", "auto"),
        ("January 1st, 2026 12:00 AM", "auto"), ("1767225600", "timestamp"), ("01/01/26", "%d/%m/%y"),
        ("2025-12-31T19:00:00-05:00", "iso"),
    ],
)  # fmt: skip
def test_a_time_is_read(bench: Any, text: str, format: str) -> None:
    assert bench.run("datetime_parse", date_string=text, format=format)["timestamp"] == NEW_YEAR


@pytest.mark.parametrize(
    ("tool", "given", "code"),
    [
        ("datetime_parse", {"date_string": "next blue moon"}, "invalid_time"),
        ("datetime_parse", {"date_string": "1" * 5000}, "invalid_time"),
        ("datetime_parse", {"date_string": "x", "format": "timestamp"}, "invalid_time"),
        ("datetime_parse", {"date_string": "nan", "format": "timestamp"}, "invalid_time"),
        ("datetime_parse", {"date_string": "2026-13-45"}, "invalid_time"),
        ("datetime_now", {"timezone": "Mars/Olympus"}, "unknown_timezone"),
        ("datetime_now", {"timezone": "../../etc/passwd"}, "unknown_timezone"),
        ("datetime_now", {"format": "%" * 500}, "invalid_argument"),
        ("datetime_format", {"timestamp": 1e18, "format": "iso"}, "invalid_time"),
        ("datetime_calculate", {"base_date": 0, "operation": "add", "duration": "9000 years"}, "invalid_time"),
        ("datetime_calculate", {"base_date": 0, "operation": "add", "duration": "soon"}, "invalid_duration"),
        ("datetime_calculate", {"base_date": 0, "operation": "add", "duration": "1.5 months"}, "invalid_duration"),
        ("datetime_calculate", {"base_date": 0, "operation": "add", "duration": "9" * 300 + "d"}, "invalid_duration"),
        ("datetime_calculate", {"base_date": 0, "operation": "turn", "duration": "1d"}, "invalid_parameters"),
        ("datetime_compare", {"date1": 0, "date2": 1, "unit": "fortnights"}, "invalid_parameters"),
        ("datetime_info", {"datetime": True}, "invalid_parameters"),
    ],
)
def test_what_is_no_time_is_refused(bench: Any, tool: str, given: dict[str, Any], code: str) -> None:
    assert bench.refused(tool, **given)[0] == code


@pytest.mark.parametrize(
    ("duration", "iso"),
    [
        ("2d", "2026-01-03T00:00:00+00:00"), ("1 month 3 days", "2026-02-04T00:00:00+00:00"),
        ("1h30m", "2026-01-01T01:30:00+00:00"), ("P1Y2M", "2027-03-01T00:00:00+00:00"),
        ("PT90M", "2026-01-01T01:30:00+00:00"), ("2 weeks", "2026-01-15T00:00:00+00:00"),
        ("-1 day", "2025-12-31T00:00:00+00:00"), ("1.5 hours", "2026-01-01T01:30:00+00:00"),
        ("250ms", "2026-01-01T00:00:00.250000+00:00"),
    ],
)  # fmt: skip
def test_a_span_is_added(bench: Any, duration: str, iso: str) -> None:
    assert bench.run("datetime_calculate", base_date="2026-01-01", operation="add", duration=duration)["iso"] == iso


def test_a_day_keeps_the_clock_and_an_hour_the_time(bench: Any) -> None:
    start = "2026-03-28T12:00:00"
    day = bench.run("datetime_calculate", base_date=start, operation="add", duration="1d", timezone="Europe/Berlin")
    hours = bench.run("datetime_calculate", base_date=start, operation="add", duration="24h", timezone="Europe/Berlin")
    assert day["iso"] == "2026-03-29T12:00:00+02:00"
    assert hours["iso"] == "2026-03-29T13:00:00+02:00"


def test_the_end_of_a_month_stays_in_its_month(bench: Any) -> None:
    moved = bench.run("datetime_calculate", base_date="2024-01-31", operation="add", duration="1 month")
    assert moved["iso"].startswith("2024-02-29")


def test_the_calendar_is_told(bench: Any) -> None:
    told = bench.run("datetime_info", datetime="2024-02-29T13:14:15", timezone="Europe/Berlin")
    assert (told["weekday_name"], told["day_of_year"], told["week"], told["quarter"]) == ("Thursday", 60, 9, 1)
    assert (told["leap_year"], told["days_in_month"], told["weekend"], told["utc_offset"]) == (True, 29, False, "+0100")


def test_the_order_of_two_times_is_told(bench: Any) -> None:
    assert bench.run("datetime_compare", date1=0, date2=0)["order"] == "same"
    later = bench.run("datetime_compare", date1="2026-01-02", date2="2026-01-01", unit="hours")
    assert (later["order"], later["difference"]) == ("after", -24.0)
