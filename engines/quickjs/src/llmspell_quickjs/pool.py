"""Spare VMs, made ahead so that a run does not wait for one. Only VMs that have never run anything are kept."""

from __future__ import annotations

import os
import threading
from collections import deque

from llmspell_quickjs.vm import Vm, VmFactory


class Spares:
    """A few fresh VMs, refilled by a thread of its own.

    Args:
        factory: Makes them.
        size: How many to hold ready; 0: each is made when it is asked for.
    """

    def __init__(self, factory: VmFactory, size: int) -> None:
        self._factory = factory
        self._size = size
        self._ready: deque[Vm] = deque()
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._process = os.getpid()

    def take(self) -> Vm:
        """Return a VM nobody else has."""
        if self._process != os.getpid():
            # Forked: random numbers of inherited VMs would be those of the other children too.
            self._ready.clear()
            self._process = os.getpid()
        try:
            vm = self._ready.popleft()
        except IndexError:
            vm = self._factory.make()
        if self._size:
            self._wanted.set()
            if self._thread is None:
                self._begin()
        return vm

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._refill, name="llmspell-spares", daemon=True)
                self._thread.start()

    def _refill(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            while len(self._ready) < self._size:
                if self._closed:
                    return
                self._ready.append(self._factory.make())
            if self._closed:
                return

    def close(self) -> None:
        """Let go of the spares."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
        self._wanted.set()
        if thread is not None:
            thread.join()
        while self._ready:
            self._ready.popleft().close()
