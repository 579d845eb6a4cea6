"""Frames: a length and a payload, over a byte stream that may end, stall or lie.

Both sides use this module; the reading half is written for the side that must not trust the other.
"""

from __future__ import annotations

import struct

MAX_FRAME = 8 * 1024 * 1024
"""Bytes of payload. A longer length is refused before anything is allocated for it."""

HEADER = struct.Struct("!I")
CHUNK = 64 * 1024
_LARGE_CHUNK = 1024 * 1024


class FrameError(Exception):
    """The stream holds something that is not a frame of ours."""


def frame(payload: bytes) -> bytes:
    """Put a payload in its frame.

    Raises:
        FrameError: It is longer than :data:`MAX_FRAME`.
    """
    if len(payload) > MAX_FRAME:
        raise FrameError(f"a frame of {len(payload):,} bytes is longer than {MAX_FRAME:,}")
    return HEADER.pack(len(payload)) + payload


def only_payload(data: bytes) -> memoryview | None:
    """Return the payload of what is one whole frame and nothing else, as most of what is read is; else None."""
    size = len(data) - HEADER.size
    if 0 < size <= MAX_FRAME and HEADER.unpack_from(data)[0] == size:
        return memoryview(data)[HEADER.size :]
    return None


class FrameReader:
    """Cut a stream into payloads.

    Example:
        >>> reader = FrameReader()
        >>> reader.feed(frame(b"one") + frame(b"two")[:5])
        >>> bytes(reader.next()), reader.next()
        (b'one', None)
    """

    __slots__ = ("_buffer", "_start")

    def __init__(self) -> None:
        self._buffer: bytes | bytearray = b""
        self._start = 0

    def feed(self, data: bytes) -> None:
        """Take what was read from the stream."""
        if self._start == len(self._buffer):
            self._buffer, self._start = data, 0
            return
        # A buffer that payloads still point into cannot grow, so the rest moves to one of its own.
        rest = (
            bytearray(memoryview(self._buffer)[self._start :]) if self._start or type(self._buffer) is bytes else None
        )
        if rest is not None:
            self._buffer, self._start = rest, 0
        self._buffer += data

    def next(self) -> memoryview | None:
        """Return the next payload, or None if it is not complete.

        Raises:
            FrameError: Its announced length is zero or more than :data:`MAX_FRAME`.
        """
        start, end = self._start, len(self._buffer)
        if end - start < HEADER.size:
            return None
        (size,) = HEADER.unpack_from(self._buffer, start)
        if not 0 < size <= MAX_FRAME:
            raise FrameError(f"a frame announces {size:,} bytes; at most {MAX_FRAME:,} are taken")
        start += HEADER.size
        if end - start < size:
            return None
        self._start = start + size
        return memoryview(self._buffer)[start : start + size]

    @property
    def empty(self) -> bool:
        """Tell whether nothing is left over."""
        return self._start == len(self._buffer)

    @property
    def wants(self) -> int:
        """How many bytes to ask the stream for next."""
        return _LARGE_CHUNK if len(self._buffer) - self._start >= CHUNK else CHUNK
