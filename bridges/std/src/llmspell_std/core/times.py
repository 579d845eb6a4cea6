"""Points in time as seconds since 1970, spans as seconds."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from llmspell.plugin import BridgeError

_SPANS = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_LONGEST = 10 * 366 * 86_400
_MAX_FORMAT = 200


@dataclass(frozen=True, slots=True)
class Span:
    """One span, in each unit."""

    seconds: float
    minutes: float
    hours: float
    days: float


def moment(timestamp: float, timezone: str) -> dt.datetime:
    """Return a point in time in a zone.

    Raises:
        BridgeError: ``invalid_time``; ``unknown_timezone``.
    """
    try:
        return dt.datetime.fromtimestamp(timestamp, zone(timezone))
    except (ValueError, OverflowError, OSError):
        raise BridgeError(f"{timestamp} is no point in time", code="invalid_time") from None


def zone(name: str) -> dt.tzinfo:
    """Return a time zone by its IANA name, ``"UTC"`` or ``"local"``."""
    if name == "UTC":
        return dt.UTC
    if name == "local":
        here = dt.datetime.now().astimezone().tzinfo
        return here if here is not None else dt.UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise BridgeError(f"there is no time zone {name!r}", code="unknown_timezone") from None


def format_time(timestamp: float, form: str, timezone: str) -> str:
    """Write a point in time, ISO 8601 for ``form`` ``"iso"``."""
    when = moment(timestamp, timezone)
    if form == "iso":
        return when.isoformat()
    if len(form) > _MAX_FORMAT:
        raise BridgeError(f"a format has at most {_MAX_FORMAT} characters", code="invalid_argument")
    try:
        return when.strftime(form)
    except (ValueError, UnicodeError):
        raise BridgeError(f"{form!r} is no format of time", code="invalid_argument") from None


def parse_time(text: str, form: str, timezone: str) -> float:
    """Read a point in time; one without an offset stands in ``timezone``.

    Raises:
        BridgeError: ``invalid_time``.
    """
    if len(text) > _MAX_FORMAT or len(form) > _MAX_FORMAT:
        raise BridgeError(f"a time and its format have at most {_MAX_FORMAT} characters", code="invalid_argument")
    try:
        when = dt.datetime.fromisoformat(text) if form == "iso" else dt.datetime.strptime(text, form)
        if when.tzinfo is None:
            when = when.replace(tzinfo=zone(timezone))
        return when.timestamp()
    except (ValueError, OverflowError):
        shape = "ISO 8601" if form == "iso" else repr(form)
        raise BridgeError(f"{text!r} is no time in the form {shape}", code="invalid_time") from None


def span(start: float, end: float) -> Span:
    """Return how long it is from one point in time to another."""
    seconds = end - start
    return Span(seconds, seconds / 60, seconds / 3_600, seconds / 86_400)


def humanize(seconds: float) -> str:
    """Say a span in words.

    Example:
        >>> humanize(93_784)
        '1 day 2 hours 3 minutes 4 seconds'
    """
    if not math.isfinite(seconds):
        raise BridgeError("a span has to be finite", code="invalid_time")
    left = abs(seconds)
    if left < 1:
        return f"{left * 1000:.0f} milliseconds" if left else "0 seconds"
    parts = []
    whole = int(left)
    for name, size in _SPANS:
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {name}{'s' * (count != 1)}")
    return ("-" if seconds < 0 else "") + " ".join(parts)


def pause(seconds: float) -> float:
    """Check how long somebody wants to wait.

    Raises:
        BridgeError: ``invalid_argument``.
    """
    if not 0 <= seconds <= _LONGEST:
        raise BridgeError("a time to wait is a number of seconds, not negative", code="invalid_argument")
    return seconds
