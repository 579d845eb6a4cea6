"""Points in time among the values: aware datetimes.

A converter brings them to UTC: an instant is the same wherever one looks at it from, and the zone is not part of it.
A datetime without a zone names no instant, only what a clock somewhere showed; it crosses as text, as before.
"""

from __future__ import annotations

import datetime
from typing import Any, TypeGuard

from llmspell.errors import ConversionError

UTC = datetime.timezone.utc  # noqa: UP017 - the very object that msgspec gives, compared by identity
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = datetime.timedelta(milliseconds=1)


def is_instant(item: object) -> TypeGuard[datetime.datetime]:
    """Tell whether something is an instant as a converter leaves it."""
    return type(item) is datetime.datetime and item.tzinfo is UTC


def instant_of(item: Any, path: str = "$") -> datetime.datetime | str:
    """Return the instant that a datetime names, in UTC; of one that names none, its text.

    Raises:
        ConversionError: In UTC it is not in the years 1 to 9999.

    Example:
        >>> instant_of(datetime.datetime.fromisoformat("2026-01-31T10:00:00+02:00")).isoformat()
        '2026-01-31T08:00:00+00:00'
        >>> instant_of(datetime.datetime(2026, 1, 31, 10))
        '2026-01-31T10:00:00'
    """
    if is_instant(item):
        return item
    if item.utcoffset() is None:
        return str(item.isoformat())
    try:
        there = item.astimezone(UTC)
    except OverflowError:
        raise ConversionError("a datetime that in UTC is not in the years 1 to 9999 cannot cross", path=path) from None
    return datetime.datetime(
        there.year, there.month, there.day, there.hour, there.minute, there.second, there.microsecond, UTC
    )


def instant_text(instant: datetime.datetime) -> str:
    """Write an instant in UTC, as ISO 8601 text to the millisecond; microseconds stand there if it has any.

    Example:
        >>> instant_text(datetime.datetime(2026, 1, 31, 10, tzinfo=UTC))
        '2026-01-31T10:00:00.000Z'
    """
    exact = instant.astimezone(UTC)
    spec = "microseconds" if exact.microsecond % 1000 else "milliseconds"
    return exact.replace(tzinfo=None).isoformat(timespec=spec) + "Z"


def milliseconds(instant: datetime.datetime) -> int:
    """Count the milliseconds since 1970; what is beyond them is cut off, towards the past.

    Example:
        >>> milliseconds(datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC))
        -1
    """
    return (instant - _EPOCH) // _MILLISECOND


def from_milliseconds(count: int) -> datetime.datetime:
    """Return the instant that is so many milliseconds after 1970.

    Raises:
        OverflowError: It is not in the years 1 to 9999.
    """
    return _EPOCH + count * _MILLISECOND


def instants_as_text(value: Any) -> Any:
    """Write the instants in a value as texts, for whoever speaks JSON; a value without any is returned as it is.

    Example:
        >>> instants_as_text({"at": [datetime.datetime(2026, 1, 31, tzinfo=UTC)]})
        {'at': ['2026-01-31T00:00:00.000Z']}
    """
    kind = type(value)
    if kind is dict:
        parts = {key: instants_as_text(part) for key, part in value.items()}
        return parts if any(part is not value[key] for key, part in parts.items()) else value
    if kind is list or kind is tuple:
        items = [instants_as_text(part) for part in value]
        return kind(items) if any(item is not part for item, part in zip(items, value, strict=True)) else value
    return instant_text(value) if isinstance(value, datetime.datetime) and value.tzinfo is not None else value
