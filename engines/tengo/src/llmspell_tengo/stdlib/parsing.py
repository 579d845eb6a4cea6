"""Reading times by Go's layouts, with Go's error texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from llmspell_tengo.stdlib import clock
from llmspell_tengo.stdlib.layouts import DAYS, MONTHS, chunks
from llmspell_tengo.stdlib.strings import RawText, quote, raw

_ONE_OR_TWO = re.compile(rb"[0-9]{1,2}")
_TWO = re.compile(rb"[0-9]{2}")
_THREE = re.compile(rb"[0-9]{3}")
_FOUR = re.compile(rb"[0-9]{4}")
_FRACTION = re.compile(rb"[.,][0-9]+")
_ZONE_NAME = re.compile(rb"ChST|MeST|GMT(?:[+-][0-9]{1,2})?|[+-][0-9]{2}(?:[0-9]{2})?|[A-Z]{3,5}(?![A-Z])")
_OFFSETS = {
    "070000": re.compile(rb"([+-])([0-9]{2})([0-9]{2})([0-9]{2})"),
    "07:00:00": re.compile(rb"([+-])([0-9]{2}):([0-9]{2}):([0-9]{2})"),
    "0700": re.compile(rb"([+-])([0-9]{2})([0-9]{2})"),
    "07:00": re.compile(rb"([+-])([0-9]{2}):([0-9]{2})"),
    "07": re.compile(rb"([+-])([0-9]{2})"),
}
_SHORT_MONTHS = [name[:3] for name in MONTHS]
_SHORT_DAYS = [name[:3] for name in DAYS]


class _Mismatch(Exception):
    """An element does not stand where the layout has it; a text names a part that is out of range."""


@dataclass(slots=True)
class _Read:
    """What has been read. Parts that did not occur are -1."""

    rest: bytes
    year: int = 0
    month: int = -1
    day: int = -1
    year_day: int = -1
    hour: int = 0
    minute: int = 0
    second: int = 0
    nanos: int = 0
    pm: bool = False
    am: bool = False
    zone: str = ""
    offset: int | None = None
    utc: bool = False

    def take(self, pattern: re.Pattern[bytes]) -> bytes:
        match = pattern.match(self.rest)
        if match is None:
            raise _Mismatch
        self.rest = self.rest[match.end() :]
        return match[0]

    def number(self, pattern: re.Pattern[bytes], low: int, high: int, name: str) -> int:
        value = int(self.take(pattern))
        if not low <= value <= high:
            raise _Mismatch(name)
        return value

    def name(self, names: list[str]) -> int:
        for index, name in enumerate(names):
            if self.rest[: len(name)].lower() == name.lower().encode():
                self.rest = self.rest[len(name) :]
                return index
        raise _Mismatch


_Reader = Callable[[_Read], object]


def time_parse(layout: RawText, text: RawText) -> clock.TimeParts | str:
    """Read a time by a layout; a str is the error's message."""
    form, value = raw(layout), raw(text)
    read = _Read(value)
    for literal, element in chunks(form):
        held = read.rest
        if not _skip(read, literal):
            return _message(layout, text, held, literal)
        held = read.rest
        if not element:
            break
        try:
            _element(read, element, form)
        except _Mismatch as mismatch:
            if mismatch.args:
                return f"parsing time {quote(text)}: {mismatch.args[0]} out of range"
            return _message(layout, text, held, element.encode())
    if read.rest:
        return f"parsing time {quote(text)}: extra text: {quote(read.rest)}"
    return _result(read, text)


def _message(layout: RawText, text: RawText, rest: bytes, element: bytes) -> str:
    return f"parsing time {quote(text)} as {quote(layout)}: cannot parse {quote(rest)} as {quote(element)}"


def _skip(read: _Read, literal: bytes) -> bool:
    """Read literal text; a space of the layout stands for any number of them."""
    at, rest = 0, read.rest
    while at < len(literal):
        if literal[at] == 32:
            if rest and rest[0] != 32:
                return False
            literal, at = literal[at:].lstrip(b" "), 0
            rest = rest.lstrip(b" ")
            continue
        if not rest or rest[0] != literal[at]:
            return False
        rest = rest[1:]
        at += 1
    read.rest = rest
    return True


def _element(read: _Read, element: str, layout: bytes) -> None:
    if element in _SIMPLE:
        _SIMPLE[element](read)
    elif element[0] in ".,":
        _read_fraction(read, element)
    elif element in ("05", "5"):
        read.second = read.number(_TWO if element == "05" else _ONE_OR_TWO, 0, 59, "second")
        # a fraction may follow the seconds even where the layout has none
        if b".0" not in layout and b",0" not in layout and b".9" not in layout and b",9" not in layout:
            match = _FRACTION.match(read.rest)
            if match:
                read.nanos = int(match[0][1:10].ljust(9, b"0"))
                read.rest = read.rest[match.end() :]
    elif element == "MST":
        _read_zone_name(read)
    else:
        _read_offset(read, element)


def _set_year(read: _Read) -> None:
    read.year = int(read.take(_FOUR))


def _set_short_year(read: _Read) -> None:
    value = int(read.take(_TWO))
    read.year = value + (1900 if value >= 69 else 2000)


def _set_half(read: _Read, upper: bool) -> None:
    mark = read.rest[:2]
    if mark in ((b"PM", b"AM") if upper else (b"pm", b"am")):
        read.pm, read.am = mark.lower() == b"pm", mark.lower() == b"am"
        read.rest = read.rest[2:]
        return
    raise _Mismatch


def _set(name: str, pattern: re.Pattern[bytes], low: int, high: int, called: str, padded: bool = False) -> _Reader:
    def read_it(read: _Read) -> None:
        if padded:
            read.rest = read.rest.removeprefix(b" ")
        setattr(read, name, read.number(pattern, low, high, called))

    return read_it


def _year_day_padded(read: _Read) -> None:
    width = len(read.rest[:3]) - len(read.rest[:3].lstrip(b" "))
    digits = read.rest[width:3]
    if len(read.rest) < 3 or not digits.isdigit():
        raise _Mismatch
    read.rest = read.rest[3:]
    read.year_day = int(digits)


_SIMPLE: dict[str, _Reader] = {
    "2006": _set_year,
    "06": _set_short_year,
    "January": lambda read: setattr(read, "month", read.name(MONTHS) + 1),
    "Jan": lambda read: setattr(read, "month", read.name(_SHORT_MONTHS) + 1),
    "01": _set("month", _TWO, 1, 12, "month"),
    "1": _set("month", _ONE_OR_TWO, 1, 12, "month"),
    "Monday": lambda read: read.name(DAYS),
    "Mon": lambda read: read.name(_SHORT_DAYS),
    "02": _set("day", _TWO, 0, 99, "day"),
    "_2": _set("day", _ONE_OR_TWO, 0, 99, "day", padded=True),
    "2": _set("day", _ONE_OR_TWO, 0, 99, "day"),
    "002": _set("year_day", _THREE, 0, 999, "day-of-year"),
    "__2": _year_day_padded,
    "15": _set("hour", _ONE_OR_TWO, 0, 23, "hour"),
    "03": _set("hour", _TWO, 0, 12, "hour"),
    "3": _set("hour", _ONE_OR_TWO, 0, 12, "hour"),
    "04": _set("minute", _TWO, 0, 59, "minute"),
    "4": _set("minute", _ONE_OR_TWO, 0, 59, "minute"),
    "PM": lambda read: _set_half(read, True),
    "pm": lambda read: _set_half(read, False),
}


def _read_fraction(read: _Read, element: str) -> None:
    match = _FRACTION.match(read.rest)
    if element[1] == "9":
        if match is None:
            return
        digits = match[0][1:]
    else:
        digits = read.rest[1 : len(element)]
        if match is None or len(digits) < len(element) - 1 or not digits.isdigit():
            raise _Mismatch
    read.nanos = int(digits[:9].ljust(9, b"0"))
    read.rest = read.rest[1 + len(digits) :]


def _read_zone_name(read: _Read) -> None:
    if read.rest.startswith(b"UTC"):
        read.rest, read.utc, read.zone = read.rest[3:], True, "UTC"
        return
    read.zone = read.take(_ZONE_NAME).decode()


def _read_offset(read: _Read, element: str) -> None:
    if element[0] == "Z" and read.rest.startswith(b"Z"):
        read.rest, read.utc = read.rest[1:], True
        return
    match = _OFFSETS[element[1:]].match(read.rest)
    if match is None:
        raise _Mismatch
    read.rest = read.rest[match.end() :]
    parts = [int(part) for part in match.groups()[1:]] + [0, 0]
    if parts[0] > 24 or parts[1] > 60 or parts[2] > 60:
        raise _Mismatch("time zone offset")
    away = parts[0] * 3600 + parts[1] * 60 + parts[2]
    read.offset = -away if match[1] == b"-" else away


def _result(read: _Read, text: RawText) -> clock.TimeParts | str:
    hour = read.hour
    if read.pm and hour < 12:
        hour += 12
    elif read.am and hour == 12:
        hour = 0
    if read.year_day >= 0:
        fault = _resolve_year_day(read)
        if fault:
            return f"parsing time {quote(text)}: {fault}"
    month, day = max(read.month, 1), max(read.day, 1) if read.day < 0 else read.day
    if not 1 <= day <= _days_in(read.year, month):
        return f"parsing time {quote(text)}: day out of range"
    local = clock.local_seconds(read.year, month, day, hour, read.minute, read.second)
    if read.utc:
        return [local, read.nanos, "UTC", 0]
    if read.offset is not None:
        return _at_offset(read, local)
    if read.zone:
        return _in_named_zone(read, local)
    return [local, read.nanos, "UTC", 0]


def _resolve_year_day(read: _Read) -> str:
    length = 366 if _days_in(read.year, 2) == 29 else 365
    if not 1 <= read.year_day <= length:
        return "day-of-year out of range"
    days = clock.days_from_civil(read.year, 1, 1) + read.year_day - 1
    _, month, day, *_ = clock.civil(days * 86400)
    if (read.month >= 0 and read.month != month) or (read.day >= 0 and read.day != day):
        return "day-of-year does not match " + ("month" if read.month not in (-1, month) else "day")
    read.month, read.day = month, day
    return ""


def _days_in(year: int, month: int) -> int:
    return clock.days_from_civil(year + month // 12, month % 12 + 1, 1) - clock.days_from_civil(year, month, 1)


def _at_offset(read: _Read, local: int) -> clock.TimeParts:
    assert read.offset is not None
    seconds = local - read.offset
    own = clock.zone_offset("Local", seconds)
    if own == read.offset and read.zone in ("", clock.abbreviation("Local", seconds, own)):
        return [seconds, read.nanos, "Local", own]
    return [seconds, read.nanos, f"fixed:{read.zone}:{read.offset}", read.offset]


def _in_named_zone(read: _Read, local: int) -> clock.TimeParts:
    parts = clock.in_zone(local, read.nanos, "Local")
    seconds, offset = parts[0], parts[3]
    assert isinstance(seconds, int)
    assert isinstance(offset, int)
    if clock.abbreviation("Local", seconds, offset) == read.zone:
        return parts
    away = int(read.zone[3:]) * 3600 if read.zone.startswith("GMT") and len(read.zone) > 3 else 0
    return [local - away, read.nanos, f"fixed:{read.zone}:{away}", away]
