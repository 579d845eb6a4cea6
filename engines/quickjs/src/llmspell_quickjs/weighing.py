"""``Weight``: how much memory a guest's VM takes, and how much it may."""

from __future__ import annotations

_HEADROOM = 1.1
"""The engine itself refuses memory a tenth above the limit, by an error a script can catch; the watch comes before."""

_NEARLY = 0.4
"""How much of its limit a heap must have been seen to take for an error without content to mean that it was full."""


class Weight:
    """What was seen of a heap.

    Args:
        limit: Bytes it may take, or None.
        is_seen: Its size can be asked for.

    Attributes:
        peak: The most that was seen, in bytes; 0 before anything was.

    Example:
        >>> weight = Weight(1000)
        >>> weight.exceeds(900), weight.exceeds(1200), weight.peak
        (False, True, 1200)
    """

    __slots__ = ("_is_seen", "limit", "peak")

    def __init__(self, limit: int | None, is_seen: bool = True) -> None:
        self.limit = limit
        self.peak = 0
        self._is_seen = is_seen

    @property
    def bound(self) -> int | None:
        """What the engine itself is to refuse: where nobody sees the heap, the limit."""
        return self.limit if self.limit is None or not self._is_seen else int(self.limit * _HEADROOM)

    def exceeds(self, heap: int) -> bool:
        """Note a size, and tell whether it is too much."""
        self.peak = max(self.peak, heap)
        return self.limit is not None and heap > self.limit

    @property
    def was_near(self) -> bool:
        """The heap has been near its limit, or may have been, where that cannot be told."""
        return self.limit is not None and (self.peak > self.limit * _NEARLY or not self._is_seen)
