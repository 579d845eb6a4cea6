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
        self._sleeps = True
        self._thread: threading.Thread | None = None
        self._closed = False

    def enter(self, guest: Watched) -> None:
        """Begin to look at a guest. Called at every step, so it takes no lock while the thread is awake."""
        self._running.add(guest)
        if self._sleeps:
            self._rouse()

    def leave(self, guest: Watched) -> None:
        self._running.discard(guest)

    def _rouse(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed:
                self._sleeps = False
                self._thread = threading.Thread(target=self._look, name="llmspell-heap", daemon=True)
                self._thread.start()
        self._wake.set()

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
            running = list(self._running)
            for guest in running:
                guest.look()
            idle = 0 if running else idle + 1
            if idle > _IDLE_TICKS:
                self._wake.clear()
                self._sleeps = True
                # Whoever has entered before this line is seen now, whoever enters after it wakes us.
                if not self._running and not self._closed:
                    self._wake.wait()
                self._sleeps = False
                idle = 0
            pause.wait(TICK)
