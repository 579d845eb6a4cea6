"""Calendar and zones: Go's ``time.Time`` arithmetic for any year, zones from the system's database.

A time is seconds since 1970, nanoseconds, the name of a zone and its offset then. Zones are ``"UTC"``, ``"Local"``,
a name of the database, or ``"fixed:NAME:OFFSET"`` as parsing makes them.
"""

from __future__ import annotations

import time as _time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from llmspell_tengo.stdlib.strings import RawText, raw

TimeParts: TypeAlias = "list[int | str]"
"""Seconds, nanoseconds, zone, offset."""

_DAY = 86400
_FIRST, _LAST = -62135596800, 253402300799
"""What Python's calendar can say: the years 1 to 9999."""


def now() -> TimeParts:
    """Return the present time in the local zone."""
    nanos = _time.time_ns()
    seconds = nanos // 10**9
    return [seconds, nanos % 10**9, "Local", zone_offset("Local", seconds)]


def civil(seconds: int) -> tuple[int, int, int, int, int, int]:
    """Return year, month, day, hour, minute, second of seconds since 1970, in the Gregorian calendar of all years."""
    days, rest = divmod(seconds, _DAY)
    era, day_of_era = divmod(days + 719468, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (month <= 2)
    return year, month, day, rest // 3600, rest % 3600 // 60, rest % 60


def days_from_civil(year: int, month: int, day: int) -> int:
    """Return the days since 1970 of a date; the day may be any number."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146097 + day_of_era - 719468 + day - 1


def weekday(seconds: int) -> int:
    """Return the day of the week, Sunday as 0."""
    return (seconds // _DAY + 4) % 7


def day_of_year(seconds: int) -> int:
    """Return the day of the year, from 1."""
    return seconds // _DAY - days_from_civil(civil(seconds)[0], 1, 1) + 1


def clock(seconds: int) -> list[int]:
    """Return year, month, day, hour, minute, second and weekday of local seconds."""
    return [*civil(seconds), weekday(seconds)]


def local_seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    """Return seconds since 1970 of a date and time whose parts may exceed their ranges."""
    carry, month = divmod(month - 1, 12)
    days = days_from_civil(year + carry, month + 1, 1) + day - 1
    return days * _DAY + hour * 3600 + minute * 60 + second


def in_zone(local: int, nanos: int, zone: str) -> TimeParts:
    """Return the time at which the clocks of ``zone`` show ``local`` seconds.

    Where they never do or do twice, the offset of just before the change counts, as Go promises nothing else.
    """
    local += nanos // 10**9
    nanos %= 10**9
    offset = zone_offset(zone, local)
    again = zone_offset(zone, local - offset)
    if again != offset:
        earlier = zone_offset(zone, local - again)
        offset = again if earlier == again else offset
    seconds = local - offset
    _check(seconds)
    return [seconds, nanos, zone, zone_offset(zone, seconds)]


def date(zone: RawText, year: int, month: int, day: int, hour: int, minute: int, second: int, nano: int) -> TimeParts:
    """Return the time of a date in a zone."""
    return in_zone(local_seconds(year, month, day, hour, minute, second), nano, raw(zone).decode())


def add_date(seconds: int, nanos: int, zone: RawText, offset: int, years: int, months: int, days: int) -> TimeParts:
    """Add to year, month and day; a day the month lacks runs over into the next."""
    year, month, day, hour, minute, second = civil(seconds + offset)
    local = local_seconds(year + years, month + months, day + days, hour, minute, second)
    return in_zone(local, nanos, raw(zone).decode())


def _check(seconds: int) -> None:
    if not -(2**62) < seconds < 2**62:
        raise ValueError("time out of range")


# Zones


@lru_cache(maxsize=64)
def _database(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def is_zone(name: RawText) -> bool:
    """Tell whether Go's ``LoadLocation`` would find the zone."""
    text = raw(name).decode("utf-8", "replace")
    return text in ("", "UTC", "Local") or _database(text) is not None


def _moment(seconds: int) -> datetime:
    clamped = min(max(seconds, _FIRST + _DAY), _LAST - _DAY)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=clamped)


def zone_offset(zone: RawText, seconds: int) -> int:
    """Return a zone's distance from UTC, in seconds east, at a moment."""
    return _lookup(raw(zone).decode("utf-8", "replace"), seconds)[0]


def abbreviation(zone: str, seconds: int, offset: int) -> str:
    """Return what a zone calls itself at a moment; ``""`` if it has no name."""
    if zone == "UTC":
        return "UTC"
    found, name = _lookup(zone, seconds)
    return name if found == offset else ""


def zone_name(zone: RawText) -> str:
    """Return the name of a time's location."""
    text = raw(zone).decode("utf-8", "replace")
    return text.split(":")[1] if text.startswith("fixed:") else text


def _lookup(zone: str, seconds: int) -> tuple[int, str]:
    if zone == "UTC":
        return 0, "UTC"
    if zone.startswith("fixed:"):
        _, name, offset = zone.split(":")
        return int(offset), name
    if zone == "Local":
        moment = _moment(seconds).astimezone()
        return _seconds(moment.utcoffset()), moment.tzname() or ""
    info = _database(zone)
    if info is None:
        return 0, ""
    moment = _moment(seconds).astimezone(info)
    name = moment.tzname() or ""
    return _seconds(moment.utcoffset()), name


def _seconds(delta: timedelta | None) -> int:
    return 0 if delta is None else int(delta.total_seconds())
