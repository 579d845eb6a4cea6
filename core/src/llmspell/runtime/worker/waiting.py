"""Wait for one descriptor. ``select`` cannot: a host with many runs has descriptors beyond the 1,024 it knows."""

from __future__ import annotations

import select


def readable(descriptor: int, seconds: float) -> bool:
    """Wait until there is something to read, or the other side is gone; False if neither happens in time."""
    if not hasattr(select, "poll"):
        return bool(select.select([descriptor], [], [], seconds)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
