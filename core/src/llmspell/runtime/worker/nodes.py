"""How many values a frame decodes to, found out before it is decoded.

Eight mebibytes of MessagePack can be eight million empty lists, which take Python seventy times as much. The
decoder has no limit for that, so a large frame from a worker is counted first.
"""

from __future__ import annotations

from collections.abc import Sequence

SMALL = 64 * 1024
"""Bytes below which a frame is too short to do harm."""

_NOT_A_CONTAINER = bytes(byte for byte in range(256) if not (0x80 <= byte <= 0x9F or 0xDC <= byte <= 0xDF))

# What follows each first byte of a scalar: bytes to skip, and for the variable ones the bytes of their length.
_FIXED = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8,
          0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17}  # fmt: skip
_SIZED = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_SIZED_EXTENSION = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_LISTS = {0xDC: 2, 0xDD: 4}
_MAPS = {0xDE: 2, 0xDF: 4}


def within(payload: Sequence[int] | bytes | memoryview, limit: int) -> bool:
    """Tell whether a frame decodes to at most ``limit`` values, keys included.

    Cheap for short frames and for long texts; a frame that is full of small values is walked until the limit.

    Example:
        >>> within(bytes([0x93, 1, 2, 3]) + bytes(SMALL), 4)
        True
    """
    size = len(payload)
    if size <= min(SMALL, limit):
        return True
    data = bytes(payload)
    if size <= limit and len(data.translate(None, _NOT_A_CONTAINER)) <= SMALL:
        return True
    return _walk(data, limit)


def _walk(data: bytes, limit: int) -> bool:
    """Count values until all that were announced are there, the limit is passed, or the data ends."""
    at = counted = 0
    expected = 1
    size = len(data)
    while counted < expected and at < size:
        first = data[at]
        at += 1
        counted += 1
        if first < 0x80 or first >= 0xE0 or 0xC0 <= first <= 0xC3:
            continue
        if first < 0x90:
            expected += 2 * (first & 0x0F)
        elif first < 0xA0:
            expected += first & 0x0F
        elif first < 0xC0:
            at += first & 0x1F
        elif first in _FIXED:
            at += _FIXED[first]
        else:
            width = _SIZED.get(first) or _SIZED_EXTENSION.get(first) or _LISTS.get(first) or _MAPS[first]
            length = int.from_bytes(data[at : at + width], "big")
            at += width
            if first in _LISTS:
                expected += length
            elif first in _MAPS:
                expected += 2 * length
            else:
                at += length + (first in _SIZED_EXTENSION)
        if expected > limit:
            return False
    return True
