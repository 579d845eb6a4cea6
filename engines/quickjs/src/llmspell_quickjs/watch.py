"""``HeapWatch``: looks at the heaps of running scripts, so that a memory limit is nothing a script can catch."""

from __future__ import annotations

import threading
from typing import Protocol

TICK = 0.004
"""Seconds between looks: a script that fills 500 MB in a second is seen 2 MB too late."""

_IDLE_TICKS = 50


class Watched(Protocol):
    def look(self) -> None: ...


class HeapWatch:
    """One thread for all guests of an engine; it sleeps while none of them runs, and is started with the first."""

    def __init__(self) -> None:
        self._running: set[Watched] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False

    def enter(self, guest: Watched) -> None:
        """Begin to look at a guest."""
        with self._lock:
            self._running.add(guest)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._look, name="llmspell-heap", daemon=True)
                self._thread.start()
        if not self._wake.is_set():
            self._wake.set()

    def leave(self, guest: Watched) -> None:
        with self._lock:
            self._running.discard(guest)

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
        self._wake.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _look(self) -> None:
        pause = threading.Event()
        idle = 0
        while not self._closed:
            with self._lock:
                running = list(self._running)
            for guest in running:
                guest.look()
            idle = 0 if running else idle + 1
            if idle > _IDLE_TICKS:
                self._wake.clear()
                if not self._running:
                    self._wake.wait()
                idle = 0
            pause.wait(TICK)
