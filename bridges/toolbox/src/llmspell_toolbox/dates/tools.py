"""The tools for dates and times."""

from __future__ import annotations

import calendar
import datetime as dt
import time
from typing import Any, Literal

from typing_extensions import TypedDict

from llmspell.plugin import Bridge
from llmspell_std.core.times import humanize, moment
from llmspell_toolbox.dates.reading import Moment, read, shifted, span, told
from llmspell_toolbox.declare import tool

_SECONDS = {
    "milliseconds": 0.001, "seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86_400.0, "weeks": 604_800.0,
}  # fmt: skip
Unit = Literal["milliseconds", "seconds", "minutes", "hours", "days", "weeks"]
_NEW_YEAR: dict[str, Any] = {
    "iso": "2026-01-01T00:00:00+00:00", "timestamp": 1767225600.0, "timezone": "UTC",
    "formatted": "2026-01-01T00:00:00+00:00",
}  # fmt: skip


class Formatted(TypedDict):
    """A point in time, written."""

    formatted: str


class Compared(TypedDict):
    """How two points in time stand to each other; ``difference`` is how much later the second is."""

    order: Literal["before", "same", "after"]
    difference: float
    unit: str
    human: str


class MomentInfo(TypedDict):
    """The parts of a point in time and what the calendar says of it. Weekdays count from Monday as 1."""

    iso: str
    timestamp: float
    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    weekday: int
    weekday_name: str
    day_of_year: int
    week: int
    quarter: int
    days_in_month: int
    leap_year: bool
    weekend: bool
    utc_offset: str
    dst: bool


class DatetimeTools(Bridge):
    """Tools for dates and times. A zone is an IANA name, ``UTC`` or ``local``."""

    @tool(
        category="datetime",
        tags=("time", "clock"),
        deterministic=False,
        examples=(
            {"description": "The time in UTC", "parameters": {}},
            {"description": "The day in Tokyo", "parameters": {"timezone": "Asia/Tokyo", "format": "%Y-%m-%d"}},
        ),
    )
    def datetime_now(self, timezone: str = "UTC", *, format: str = "iso") -> Moment:
        """Tell what time it is now.

        Args:
            timezone: An IANA name such as Europe/Berlin, UTC or local.
            format: iso, or a format of strftime such as %d.%m.%Y, for the field formatted.
        """
        return told(time.time(), timezone, format)

    @tool(
        category="datetime",
        tags=("time", "parse"),
        examples=(
            {
                "description": "A date as people write it",
                "parameters": {"date_string": "January 1, 2026 00:00"},
                "result": _NEW_YEAR,
            },
            {
                "description": "In a given format",
                "parameters": {"date_string": "01.01.2026", "format": "%d.%m.%Y"},
                "result": _NEW_YEAR,
            },
        ),
    )
    def datetime_parse(self, date_string: str, *, format: str = "auto", timezone: str = "UTC") -> Moment:
        """Read a date and time.

        Args:
            date_string: ISO 8601, or as people write it.
            format: auto, iso, timestamp, or a format of strptime.
            timezone: Of a text that tells no offset; the result stands in it.
        """
        return told(read(date_string, timezone, format), timezone)

    @tool(
        category="datetime",
        tags=("time", "format"),
        examples=(
            {
                "description": "A day in words",
                "parameters": {"timestamp": 1767225600, "format": "%A, %d %B %Y"},
                "result": {"formatted": "Thursday, 01 January 2026"},
            },
        ),
    )
    def datetime_format(self, timestamp: str | float, format: str, *, timezone: str = "UTC") -> Formatted:
        """Write a date and time in a format.

        Args:
            timestamp: Seconds since 1970, or a text that can be read as a time.
            format: iso, or a format of strftime such as %d.%m.%Y %H:%M.
            timezone: To write it in.
        """
        return {"formatted": told(read(timestamp, timezone), timezone, format)["formatted"]}

    @tool(
        category="datetime",
        tags=("time", "arithmetic"),
        examples=(
            {
                "description": "A month later",
                "parameters": {"base_date": "2025-12-01", "operation": "add", "duration": "1 month"},
                "result": _NEW_YEAR,
            },
            {
                "description": "A day and a half before",
                "parameters": {"base_date": "2026-01-02T12:00:00", "operation": "subtract", "duration": "1d12h"},
                "result": _NEW_YEAR,
            },
        ),
    )
    def datetime_calculate(
        self, base_date: str | float, operation: Literal["add", "subtract"], duration: str, *, timezone: str = "UTC"
    ) -> Moment:
        """Add a span to a date or take it away.

        Args:
            base_date: Seconds since 1970, or a text that can be read as a time.
            operation: add or subtract.
            duration: 2d, 1h30m, "1 month 3 days" or ISO 8601 such as P1Y2M.
            timezone: By whose calendar and clock.
        """
        sign = 1 if operation == "add" else -1
        return told(shifted(read(base_date, timezone), timezone, span(duration), sign), timezone)

    @tool(
        category="datetime",
        tags=("time", "compare"),
        examples=(
            {
                "description": "Days until the new year",
                "parameters": {"date1": "2025-12-24", "date2": "2026-01-01", "unit": "days"},
                "result": {"order": "before", "difference": 8.0, "unit": "days", "human": "1 week 1 day"},
            },
        ),
    )
    def datetime_compare(
        self, date1: str | float, date2: str | float, *, unit: Unit = "seconds", timezone: str = "UTC"
    ) -> Compared:
        """Tell which of two dates comes first and how far they are apart.

        Args:
            date1: Seconds since 1970, or a text that can be read as a time.
            date2: The same.
            unit: Of the difference, which is positive where date2 is later.
            timezone: Of texts that tell no offset.
        """
        gap = read(date2, timezone) - read(date1, timezone)
        order: Literal["before", "same", "after"] = "before" if gap > 0 else "after" if gap < 0 else "same"
        return {"order": order, "difference": gap / _SECONDS[unit], "unit": unit, "human": humanize(abs(gap))}

    @tool(
        category="datetime",
        tags=("time", "timezone"),
        examples=(
            {
                "description": "From Tokyo to Berlin",
                "parameters": {
                    "datetime": "2026-07-01T09:00:00",
                    "from_timezone": "Asia/Tokyo",
                    "to_timezone": "Europe/Berlin",
                },
                "result": {
                    "iso": "2026-07-01T02:00:00+02:00",
                    "timestamp": 1782864000.0,
                    "timezone": "Europe/Berlin",
                    "formatted": "2026-07-01T02:00:00+02:00",
                },
            },
        ),
    )
    def datetime_convert(self, datetime: str | float, from_timezone: str, to_timezone: str) -> Moment:
        """Tell what a date and time in one time zone is in another.

        Args:
            datetime: Seconds since 1970, or a text that can be read as a time.
            from_timezone: Of a text that tells no offset.
            to_timezone: Of the result.
        """
        return told(read(datetime, from_timezone), to_timezone)

    @tool(
        category="datetime",
        tags=("time", "calendar"),
        examples=({"description": "What day that was", "parameters": {"datetime": "2024-02-29"}},),
    )
    def datetime_info(self, datetime: str | float, *, timezone: str = "UTC") -> MomentInfo:
        """Tell the parts of a date and what the calendar says of it: weekday, week, quarter, leap year, ...

        Args:
            datetime: Seconds since 1970, or a text that can be read as a time.
            timezone: To look at it in.
        """
        timestamp = read(datetime, timezone)
        when = moment(timestamp, timezone)
        return {
            "iso": when.isoformat(),
            "timestamp": timestamp,
            "year": when.year,
            "month": when.month,
            "day": when.day,
            "hour": when.hour,
            "minute": when.minute,
            "second": when.second,
            "weekday": when.isoweekday(),
            "weekday_name": calendar.day_name[when.weekday()],
            "day_of_year": when.timetuple().tm_yday,
            "week": when.isocalendar().week,
            "quarter": (when.month + 2) // 3,
            "days_in_month": calendar.monthrange(when.year, when.month)[1],
            "leap_year": calendar.isleap(when.year),
            "weekend": when.isoweekday() > 5,
            "utc_offset": when.strftime("%z"),
            "dst": bool(when.dst() or dt.timedelta()),
        }
