"""Wait for one descriptor. ``select`` cannot: a host with many runs has descriptors beyond the 1,024 it knows."""

from __future__ import annotations

import select
import time
from collections.abc import Callable

SLICE = 0.02
"""Seconds after which somebody who waits looks whether it is still wanted."""


def never() -> bool:
    """Never give up."""
    return False


def readable(descriptor: int, seconds: float, given_up: Callable[[], bool] = never) -> bool:
    """Wait until there is something to read, or the other side is gone; False if neither happens in time.

    Args:
        descriptor: Of a socket, or of a process where there are such.
        seconds: How long.
        given_up: Asked now and then whether to go on.
    """
    if given_up is never:
        return _readable(descriptor, seconds)
    end = time.monotonic() + seconds
    while not _readable(descriptor, max(0.0, min(SLICE, end - time.monotonic()))):
        if given_up() or time.monotonic() >= end:
            return False
    return True


def _readable(descriptor: int, seconds: float) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([descriptor], [], [], seconds)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
