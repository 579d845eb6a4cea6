"""Spare VMs, made ahead so that a run does not wait for one. Only VMs that have never run anything are kept."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress

from llmspell_quickjs.vm import Vm, VmFactory


class Spares:
    """A few fresh VMs.

    No thread makes them: it would take turns with the script at the interpreter lock, and a run that lasts a quarter
    of a millisecond took three times as long whenever it had to. They are made where a run has just ended and its
    answer is on its way.

    Args:
        factory: Makes them.
        size: How many to hold ready; 0: each is made when it is asked for.
    """

    def __init__(self, factory: VmFactory, size: int) -> None:
        self.factory = factory
        self._size = size
        self._ready: deque[Vm] = deque()
        self._closed = False
        self._process = os.getpid()

    def take(self) -> Vm:
        """Return a VM nobody else has."""
        if self._process != os.getpid():
            # Forked: random numbers of inherited VMs would be those of the other children too.
            self._ready.clear()
            self._process = os.getpid()
        try:
            return self._ready.popleft()
        except IndexError:
            return self.factory.make()

    def refill(self) -> None:
        """Make one VM, if there are fewer than there should be; to be called when nobody waits."""
        if len(self._ready) < self._size and not self._closed:
            with suppress(MemoryError):  # whoever needs one will make it, or learn that there is no room
                self._ready.append(self.factory.make())

    def close(self) -> None:
        """Let go of the spares."""
        self._closed = True
        while self._ready:
            self._ready.popleft().close()
