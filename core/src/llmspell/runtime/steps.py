"""Threads that guests step in: daemons with large stacks, which can be abandoned."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable

STACK = 16 * 1024 * 1024
"""Bytes of stack: engines recurse in C, and some platforms' default is too small for it."""

_MAX_ABANDONED = 16


class StepThreads:
    """A small pool of daemon threads.

    Unlike an executor's, a thread stuck in C code neither blocks the end of the process nor takes a place: it is
    abandoned and another is started, up to a bound.
    """

    def __init__(self, size: int | None = None) -> None:
        self._size = size or min(16, (os.cpu_count() or 2) + 2)
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._pooled = 0
        self._threads: set[threading.Thread] = set()
        self.abandoned = 0
        self._closed = False

    def submit(self, job: Callable[[], None]) -> None:
        """Run ``job`` in some thread; it must not raise.

        Raises:
            RuntimeError: The pool is closed.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("the host is closed")
            if self._idle > 0:
                self._idle -= 1
            elif self._pooled < self._size + self.abandoned:
                self._pooled += 1
                self._start()
        self._jobs.put(job)

    def dedicate(self, job: Callable[[], None]) -> None:
        """Run ``job`` in a thread of its own: for a guest that holds its thread as long as it lives.

        In the pool, a few of those that wait for each other's host would keep everybody else from stepping.

        Raises:
            RuntimeError: The pool is closed.
        """

        def live() -> None:
            try:
                job()
            finally:
                with self._lock:
                    self._threads.discard(threading.current_thread())

        with self._lock:
            if self._closed:
                raise RuntimeError("the host is closed")
            self._start(live)

    def _start(self, body: Callable[[], None] | None = None) -> None:
        previous = threading.stack_size(STACK)
        try:
            thread = threading.Thread(target=body or self._work, name="llmspell-step", daemon=True)
            self._threads.add(thread)
            thread.start()
        finally:
            threading.stack_size(previous)

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            job()
            with self._lock:
                self._idle += 1
                if self._closed:
                    return

    def abandon(self) -> bool:
        """Count a thread that will not come back soon; return whether there may be more of them."""
        with self._lock:
            self.abandoned += 1
            return self.abandoned <= _MAX_ABANDONED

    def recovered(self) -> None:
        """An abandoned thread came back after all."""
        with self._lock:
            self.abandoned -= 1

    def close(self, timeout: float = 2.0) -> None:
        """End idle threads; threads stuck in a guest are left behind."""
        with self._lock:
            self._closed = True
            threads = list(self._threads)
        for _ in threads:
            self._jobs.put(None)
        if self.abandoned == 0:
            for thread in threads:
                if thread is not threading.current_thread():
                    thread.join(timeout)
