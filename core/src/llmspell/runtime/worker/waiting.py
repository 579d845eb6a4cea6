"""Wait for one descriptor. ``select`` cannot: a host with many runs has descriptors beyond the 1,024 it knows."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable

SLICE = 0.02
"""Seconds after which somebody who waits looks whether it is still wanted."""

AWAKE = 150e-6
"""Seconds to stay awake for an answer. A processor that went to sleep takes 20 to 40 us to wake where it is virtual
(48 us for a word and its answer over a socket, 10 us awake: measured under KVM), and a call is answered in less than
this even where the other side has to be woken for it."""

_RARELY = 128


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_ALONE = not hasattr(select, "poll") or _processors() < 2
"""Whoever has the only processor keeps the other side from answering by staying awake."""


class Alert:
    """Stay awake for a moment before sleeping on a descriptor: in a quick conversation, waking up is what takes long.

    Whoever was awake in vain does so less and less often, down to once in 128 waits, until an answer comes in time
    again: so those who wait long, or on a busy machine, lose next to nothing.

    Args:
        descriptor: What is going to be read, by a read that blocks.
    """

    __slots__ = ("_pause", "_poll", "_rest")

    def __init__(self, descriptor: int) -> None:
        self._pause = 0
        self._rest = 0
        self._poll: Callable[[float], object] | None = None
        if not _ALONE:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            self._poll = poll.poll

    def stay(self) -> None:
        """Return as soon as there is something to read, or when it is time to sleep."""
        poll = self._poll
        if poll is None:
            return
        if self._rest:
            self._rest -= 1
            return
        now = time.perf_counter
        end = now() + AWAKE
        while not poll(0):
            if now() > end:
                self._pause = self._rest = min(2 * self._pause + 1, _RARELY)
                return
        if self._pause:
            self._pause -= 1


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
