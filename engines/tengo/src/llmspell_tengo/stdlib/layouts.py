"""Go's time layouts: how the reference time "Mon Jan 2 15:04:05 MST 2006" is written is how any time is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from llmspell_tengo.stdlib import clock
from llmspell_tengo.stdlib.strings import RawText, raw, tengo
from llmspell_tengo.values import RawString

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

_CHUNK = re.compile(
    rb"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|__2|_2(?!006)|2|3|4|5|PM|pm"
    rb"|-070000|-07:00:00|-0700|-07:00|-07|Z070000|Z07:00:00|Z0700|Z07:00|Z07|[.,](?:0+|9+)(?![0-9])"
)


@lru_cache(maxsize=256)
def chunks(layout: bytes) -> tuple[tuple[bytes, str], ...]:
    """Split a layout into pairs of literal text and the element after it; the last has no element."""
    parts = []
    at = 0
    for match in _CHUNK.finditer(layout):
        parts.append((layout[at : match.start()], match[0].decode()))
        at = match.end()
    parts.append((layout[at:], ""))
    return tuple(parts)


@dataclass(frozen=True, slots=True)
class _Moment:
    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    nanos: int
    weekday: int
    year_day: int
    zone: str
    offset: int


def _year(moment: _Moment) -> str:
    return f"-{-moment.year:04d}" if moment.year < 0 else f"{moment.year:04d}"


def _twelve(hour: int) -> int:
    return hour % 12 or 12


def _zone(moment: _Moment) -> str:
    if moment.zone:
        return moment.zone
    minutes = abs(moment.offset) // 60
    return f"{'-' if moment.offset < 0 else '+'}{minutes // 60:02d}{minutes % 60:02d}"


_ELEMENTS: dict[str, Callable[[_Moment], str]] = {
    "2006": _year,
    "06": lambda at: f"{abs(at.year) % 100:02d}",
    "January": lambda at: MONTHS[at.month - 1],
    "Jan": lambda at: MONTHS[at.month - 1][:3],
    "01": lambda at: f"{at.month:02d}",
    "1": lambda at: str(at.month),
    "Monday": lambda at: DAYS[at.weekday],
    "Mon": lambda at: DAYS[at.weekday][:3],
    "02": lambda at: f"{at.day:02d}",
    "_2": lambda at: f"{at.day:2d}",
    "2": lambda at: str(at.day),
    "002": lambda at: f"{at.year_day:03d}",
    "__2": lambda at: f"{at.year_day:3d}",
    "15": lambda at: f"{at.hour:02d}",
    "03": lambda at: f"{_twelve(at.hour):02d}",
    "3": lambda at: str(_twelve(at.hour)),
    "04": lambda at: f"{at.minute:02d}",
    "4": lambda at: str(at.minute),
    "05": lambda at: f"{at.second:02d}",
    "5": lambda at: str(at.second),
    "PM": lambda at: "PM" if at.hour >= 12 else "AM",
    "pm": lambda at: "pm" if at.hour >= 12 else "am",
    "MST": _zone,
}


def _offset(element: str, offset: int) -> str:
    if element[0] == "Z" and offset == 0:
        return "Z"
    form = element[1:]
    away = abs(offset)
    text = ("-" if offset < 0 else "+") + f"{away // 3600:02d}"
    colon = ":" if ":" in form else ""
    digits = len(form.replace(":", ""))
    if digits >= 4:
        text += f"{colon}{away // 60 % 60:02d}"
    if digits == 6:
        text += f"{colon}{away % 60:02d}"
    return text


def _fraction(element: str, nanos: int) -> str:
    digits = f"{nanos:09d}"[: len(element) - 1].ljust(len(element) - 1, "0")
    if element[1] == "9":
        digits = digits.rstrip("0")
        if not digits:
            return ""
    return element[0] + digits


def format_parts(seconds: int, nanos: int, zone: str, offset: int, layout: bytes) -> bytes:
    """Write a time by a layout."""
    local = seconds + offset
    moment = _Moment(
        *clock.civil(local),
        nanos,
        clock.weekday(local),
        clock.day_of_year(local),
        clock.abbreviation(zone, seconds, offset),
        offset,
    )
    out = []
    for literal, element in chunks(layout):
        out.append(literal)
        if not element:
            continue
        if element in _ELEMENTS:
            out.append(_ELEMENTS[element](moment).encode())
        elif element[0] in ".,":
            out.append(_fraction(element, nanos).encode())
        else:
            out.append(_offset(element, offset).encode())
    return b"".join(out)


def time_format(seconds: int, nanos: int, zone: RawText, offset: int, layout: RawText) -> str | RawString:
    return tengo(format_parts(seconds, nanos, raw(zone).decode(), offset, raw(layout)))


def time_string(seconds: int, nanos: int, zone: RawText, offset: int) -> str:
    """Write a time as Go's ``String``."""
    layout = b"2006-01-02 15:04:05.999999999 -0700 MST"
    return format_parts(seconds, nanos, raw(zone).decode(), offset, layout).decode()


def time_rfc3339(seconds: int, nanos: int, zone: RawText, offset: int) -> str:
    """Write a time as RFC 3339 with as much of the second as it has."""
    layout = b"2006-01-02T15:04:05.999999999Z07:00"
    return format_parts(seconds, nanos, raw(zone).decode(), offset, layout).decode()
