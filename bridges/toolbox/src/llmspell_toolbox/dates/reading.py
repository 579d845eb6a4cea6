"""Points in time and spans, read from what people and models write."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from typing_extensions import TypedDict

from llmspell.plugin import BridgeError
from llmspell_std.core.times import format_time, moment, parse_time, zone

MAX_LENGTH = 200
_SPAN = re.compile(r"([+-]?\d{1,9}(?:\.\d{1,9})?)\s*([A-Za-z]+)")
_ISO = re.compile(
    r"P(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,7})D)?"
    r"(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?"
)
_UNITS = {
    "y": "years", "yr": "years", "year": "years", "mo": "months", "month": "months", "w": "weeks", "wk": "weeks",
    "week": "weeks", "d": "days", "day": "days", "h": "hours", "hr": "hours", "hour": "hours", "m": "minutes",
    "min": "minutes", "minute": "minutes", "s": "seconds", "sec": "seconds", "second": "seconds",
    "ms": "milliseconds", "millisecond": "milliseconds",
}  # fmt: skip
_ISO_UNITS = ("years", "months", "weeks", "days", "hours", "minutes", "seconds")
_SECONDS = {"hours": 3600.0, "minutes": 60.0, "seconds": 1.0, "milliseconds": 0.001}


class Moment(TypedDict):
    """A point in time.

    ``timestamp`` is seconds since 1970, ``iso`` ISO 8601 in ``timezone``, ``formatted`` in the format asked for.
    """

    iso: str
    timestamp: float
    timezone: str
    formatted: str


def told(timestamp: float, timezone: str, form: str = "iso") -> Moment:
    """Return a point in time as tools give it."""
    return {
        "iso": moment(timestamp, timezone).isoformat(),
        "timestamp": timestamp,
        "timezone": timezone,
        "formatted": format_time(timestamp, form, timezone),
    }


def read(given: str | float, timezone: str, form: str = "auto") -> float:
    """Return seconds since 1970.

    Args:
        given: Seconds since 1970, or a text: ISO 8601, or with ``form`` ``auto`` whatever dateutil can read.
        timezone: Of a text that tells no offset.
        form: ``auto``, ``iso``, ``timestamp`` or a format of strptime.

    Raises:
        BridgeError: ``invalid_time``; ``unknown_timezone``.
    """
    if isinstance(given, int | float):
        if not math.isfinite(given):
            raise BridgeError(f"{given} is no point in time", code="invalid_time")
        moment(given, timezone)
        return float(given)
    if len(given) > MAX_LENGTH:
        raise BridgeError(f"a time has at most {MAX_LENGTH} characters", code="invalid_time")
    if form == "timestamp":
        try:
            return read(float(given), timezone)
        except ValueError:
            raise BridgeError(f"{given!r} is no number of seconds", code="invalid_time") from None
    if form != "auto":
        return parse_time(given, form, timezone)
    try:
        return parse_time(given, "iso", timezone)
    except BridgeError as error:
        if error.code != "invalid_time":
            raise
    return _guess(given, timezone)


def _guess(text: str, timezone: str) -> float:
    from dateutil import parser

    here = zone(timezone)
    today = dt.datetime.now(here).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    try:
        when = parser.parse(text, default=today, ignoretz=False)
        return float((when if when.tzinfo is not None else when.replace(tzinfo=here)).timestamp())
    except (ValueError, OverflowError, TypeError):
        raise BridgeError(
            f"{text!r} cannot be read as a time; write it as 2026-01-31T12:00:00 or give a format", code="invalid_time"
        ) from None


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time: what the calendar counts, and seconds that pass."""

    years: int = 0
    months: int = 0
    days: float = 0
    seconds: float = 0


def span(text: str) -> Span:
    """Read a span: ``2d``, ``1 month 3 days``, ``1h30m`` or ``P1Y2M``.

    Raises:
        BridgeError: ``invalid_duration``.
    """
    given = text.strip()
    if len(given) > MAX_LENGTH:
        raise _bad_span(text)
    if (iso := _ISO.fullmatch(given)) and given[-1] not in "PT":
        return _added((unit, float(part)) for unit, part in zip(_ISO_UNITS, iso.groups(), strict=True) if part)
    found = _SPAN.findall(given)
    if not found or _SPAN.sub("", given).strip(" ,"):
        raise _bad_span(text)
    amounts = []
    for number, unit in found:
        name = _UNITS.get(unit if unit in ("m", "ms") else unit.lower()) or _UNITS.get(unit.lower().removesuffix("s"))
        if name is None or (name in ("years", "months") and not float(number).is_integer()):
            raise _bad_span(text)
        amounts.append((name, float(number)))
    return _added(amounts)


def _added(amounts: Iterable[tuple[str, float]]) -> Span:
    total: dict[str, float] = {}
    for name, amount in amounts:
        total[name] = total.get(name, 0) + amount
    return Span(
        years=int(total.get("years", 0)),
        months=int(total.get("months", 0)),
        days=total.get("days", 0) + 7 * total.get("weeks", 0),
        seconds=sum(total.get(name, 0) * seconds for name, seconds in _SECONDS.items()),
    )


def shifted(timestamp: float, timezone: str, by: Span, sign: int) -> float:
    """Move a point in time by a span, by the calendar and clock of a zone.

    Days and longer keep the time on the clock; hours and shorter are time that really passes, also over a change of
    the clock.

    Raises:
        BridgeError: ``invalid_time``: beyond the years 1 to 9999.
    """
    from dateutil.relativedelta import relativedelta

    calendar = relativedelta(years=by.years, months=by.months)
    try:
        when = moment(timestamp, timezone) + sign * calendar + sign * dt.timedelta(days=by.days)
        return float(when.timestamp() + sign * by.seconds)
    except (ValueError, OverflowError):
        raise BridgeError("that is beyond the years 1 to 9999", code="invalid_time") from None


def _bad_span(text: str) -> BridgeError:
    return BridgeError(
        f"{text[:60]!r} is no span of time; write for example 2d, 1h30m, '1 month 3 days' or P1Y2M",
        code="invalid_duration",
    )
