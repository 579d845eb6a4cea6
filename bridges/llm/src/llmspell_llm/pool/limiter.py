"""No more than so many requests in so many seconds."""

from __future__ import annotations

import asyncio
import time
from collections import deque


class RateLimit:
    """Let ``requests`` begin in any ``seconds``; the next ones wait, in order.

    Example:
        >>> RateLimit(2, 1.0).requests
        2
    """

    def __init__(self, requests: int, seconds: float) -> None:
        self.requests = requests
        self.seconds = seconds
        self._begun: deque[float] = deque()
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Return when a request may begin."""
        async with self._turn:
            while True:
                now = time.monotonic()
                while self._begun and self._begun[0] <= now - self.seconds:
                    self._begun.popleft()
                if len(self._begun) < self.requests:
                    self._begun.append(now)
                    return
                await asyncio.sleep(self._begun[0] + self.seconds - now)
