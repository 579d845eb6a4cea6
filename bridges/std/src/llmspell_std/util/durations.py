"""Spans as people write them."""

from __future__ import annotations

import math
import re

from llmspell.plugin import BridgeError

_UNITS = {
    "ms": 1, "s": 1_000, "sec": 1_000, "second": 1_000, "m": 60_000, "min": 60_000, "minute": 60_000,
    "h": 3_600_000, "hr": 3_600_000, "hour": 3_600_000, "d": 86_400_000, "day": 86_400_000, "w": 604_800_000,
    "week": 604_800_000,
}  # fmt: skip
_PART = re.compile(r"\s*([0-9]{1,12}(?:\.[0-9]{1,9})?)\s*([a-z]{1,7})\s*,?")


def parse(text: str) -> float:
    """Return the milliseconds of ``"1h30m"``, ``"2 days 3 hours"``, ``"500ms"``.

    Raises:
        BridgeError: ``invalid_duration``.
    """
    lower, at, total = text.strip().lower(), 0, 0.0
    while at < len(lower):
        match = _PART.match(lower, at)
        unit = None if match is None else _UNITS.get(match[2]) or _UNITS.get(match[2].removesuffix("s"))
        if match is None or unit is None:
            break
        total += float(match[1]) * unit
        at = match.end()
    if not lower or at < len(lower):
        raise BridgeError(f"{text[:100]!r} is no duration; write e.g. 1h30m or 500ms", code="invalid_duration")
    return total


def write(milliseconds: float) -> str:
    """Say milliseconds briefly.

    Example:
        >>> write(5_430_000)
        '1h30m30s'
        >>> write(250)
        '250ms'
    """
    if not math.isfinite(milliseconds):
        raise BridgeError("a duration has to be finite", code="invalid_duration")
    left = abs(milliseconds)
    if left < 1_000:
        return f"{milliseconds:g}ms"
    whole, parts = int(left // 1_000), []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count}{unit}")
    return ("-" if milliseconds < 0 else "") + "".join(parts)
