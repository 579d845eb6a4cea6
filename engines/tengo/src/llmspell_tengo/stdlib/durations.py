"""Durations in nanoseconds, as Go writes and reads them."""

from __future__ import annotations

import re

from llmspell_tengo.stdlib.strings import RawText, quote, raw

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = re.compile(r"([0-9]*)(?:(\.)([0-9]*))?([^0-9.]*)", re.DOTALL)


def duration_string(nanos: int) -> str:
    """Write a duration: ``1h2m3.5s``; below a second in the largest unit that fits."""
    sign = "-" if nanos < 0 else ""
    left = abs(nanos)
    if left == 0:
        return "0s"
    if left < 10**9:
        unit, size = ("ns", 1) if left < 10**3 else ("µs", 10**3) if left < 10**6 else ("ms", 10**6)
        return f"{sign}{_decimal(left, size)}{unit}"
    minutes, rest = divmod(left, 60 * 10**9)
    text = f"{_decimal(rest, 10**9)}s"
    if minutes:
        hours, minutes = divmod(minutes, 60)
        text = f"{hours}h{minutes}m{text}" if hours else f"{minutes}m{text}"
    return sign + text


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    if not rest:
        return str(whole)
    return f"{whole}.{str(rest).rjust(len(str(unit)) - 1, '0').rstrip('0')}"


def parse_duration(text: RawText) -> int | str:
    """Read a duration such as ``-1.5h`` or ``2h45m``; a str is the error's message."""
    written = raw(text).decode("utf-8", "surrogateescape")
    invalid = f"time: invalid duration {quote(text)}"
    body = written[1:] if written[:1] in ("+", "-") else written
    if body == "0":
        return 0
    if not body:
        return invalid
    total = 0
    while body:
        match = _PART.match(body)
        assert match is not None
        whole, point, fraction, unit = match.groups()
        if not (whole or fraction):
            return invalid
        if not unit:
            return f"time: missing unit in duration {quote(text)}"
        if unit not in _UNITS:
            return f"time: unknown unit {quote(unit)} in duration {quote(text)}"
        size = _UNITS[unit]
        total += int(whole or "0") * size
        if point and fraction:
            total += int(fraction) * size // 10 ** len(fraction)
        if total > 1 << 63:
            return invalid
        body = body[match.end() :]
    if written[0] == "-":
        return -total
    return invalid if total == 1 << 63 else total
