"""``WorkerProcess``: a worker as the host sees it. Everything that comes from it is taken for hostile."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import suppress

from llmspell.runtime.hardening.plan import Applied
from llmspell.runtime.worker.protocol import INTERRUPT, Born
from llmspell.runtime.worker.waiting import Alert, readable

_WHOLE_GROUP = 4  # PIDFD_SIGNAL_PROCESS_GROUP, since Linux 6.9; older kernels get the process alone


class WorkerProcess:
    """One worker process and what leads to it.

    Attributes:
        number: The zygote knows it by that.
        data: Frames, both ways.
        alert: To stay awake for the next of them.
        birth: What was told of its birth; None until then.
        applied: What it is really held by; empty until it is ready.
        runs: How many runs it has been given.
        seconds: Wall-clock seconds of these runs together.
    """

    def __init__(self, number: int, data: socket.socket, control: socket.socket) -> None:
        self.number = number
        self.data = data
        self.alert = Alert(data.fileno())
        self._control = control
        control.setblocking(False)
        self._pid = 0
        self._pidfd = -1
        self._lock = threading.Lock()
        self._closed = False
        self.birth: Born | None = None
        self.applied = Applied()
        self.runs = 0
        self.seconds = 0.0

    def born(self, birth: Born, pidfd: int) -> None:
        """Learn whom to kill; at once, if nobody wants it any more.

        Args:
            birth: Its process id is used only where there is no pidfd, and so no process-id namespace either.
            pidfd: Owned from here on; -1 where the system has no such thing.
        """
        with self._lock:
            self.birth = birth
            self._pid, self._pidfd = birth.pid, pidfd
            if self._closed:
                self._signal()
                self._let_go()

    @property
    def quiet(self) -> bool:
        """Tell whether it is alive and has said nothing that nobody asked for."""
        try:
            return not readable(self.data.fileno(), 0)
        except (OSError, ValueError):  # ValueError: closed under our hands
            return False

    def interrupt(self, run: int, reason: str) -> None:
        """Make the guest of a run end soon; from any thread. A worker that does not listen is not waited for."""
        with self._lock, suppress(OSError):
            if not self._closed:
                word = INTERRUPT.pack(run, reason.encode("ascii", "replace")[:32])
                self._control.send(word)

    def kill(self) -> None:
        """End the process and its group at once, and whoever waits for its answer; from any thread."""
        with self._lock:
            if self._closed:
                return
            self._signal()
            with suppress(OSError):
                self.data.shutdown(socket.SHUT_RDWR)

    def _signal(self) -> None:
        if self._pidfd >= 0:
            for flags in (_WHOLE_GROUP, 0):
                with suppress(OSError):
                    signal.pidfd_send_signal(self._pidfd, signal.SIGKILL, None, flags)
        elif self._pid:
            for kill in (os.killpg, os.kill):
                with suppress(OSError):
                    kill(self._pid, signal.SIGKILL)

    def wait(self, timeout: float) -> bool:
        """Wait until the process has ended; False if it has not, or if that cannot be told here."""
        if self._pidfd < 0:
            return False
        return readable(self._pidfd, timeout)

    def discard(self) -> None:
        """Kill it and let go of everything that leads to it. Idempotent."""
        self.kill()
        self._close()

    def abandon(self) -> None:
        """Let go without killing: after a fork of the host the child must not end its parent's workers."""
        self._close()

    def _close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self.data.close()
            self._control.close()
            self._let_go()

    def _let_go(self) -> None:
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
