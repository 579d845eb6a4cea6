"""``ZygoteProcess``: the zygote as the host sees it. Started when first needed, asked for workers."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Sequence

from llmspell.errors import EngineCrashed, PluginLoadError, PolicyUnsupportedError
from llmspell.runtime.hardening.plan import Hardening
from llmspell.runtime.worker.frames import HEADER, frame
from llmspell.runtime.worker.launch import Launch, no_zygote
from llmspell.runtime.worker.process import WorkerProcess
from llmspell.runtime.worker.protocol import Ask, Born, Ended, EngineOrder, FromZygote, Hello, Order
from llmspell.runtime.worker.waiting import readable
from llmspell.values.wire import decoder, encode

_PATIENCE = 60.0  # seconds that importing an engine may take


class ZygoteProcess:
    """A started zygote.

    Args:
        launch: One that was launched ahead; it is owned from here on.

    Raises:
        PolicyUnsupportedError: This system has no workers.
        EngineCrashed: No process could be started.
    """

    def __init__(self, launch: Launch | None = None) -> None:
        if reason := no_zygote():
            raise PolicyUnsupportedError(
                f"there are no workers here: {reason}", missing=("worker",), hint="use level minimal for your own code"
            )
        self._lock = threading.Lock()
        self._decode: Callable[[bytes], FromZygote] = decoder(FromZygote).decode
        self._numbers = 0
        self._greeted = False
        self._born: dict[int, tuple[Born, int]] = {}
        self.lost = ""
        try:
            self._launch = launch or Launch()
        except OSError as error:
            raise EngineCrashed(f"the process that forks workers cannot be started: {error}") from error
        self._control = self._launch.control

    def order(self, engine: EngineOrder, plan: Hardening, *, engine_files: bool) -> WorkerProcess:
        """Ask for a worker without waiting for it; :meth:`collect` does that.

        Raises:
            EngineCrashed: The zygote is gone.
        """
        try:
            data, their_data = socket.socketpair()
            try:
                control, their_control = socket.socketpair()
            except OSError:
                data.close()
                their_data.close()
                raise
        except OSError as error:
            raise EngineCrashed(f"no worker can be had: {error}") from error
        with their_data, their_control, self._lock:
            self._numbers += 1
            worker = WorkerProcess(self._numbers, data, control)
            request = frame(encode(Order(worker.number, engine, plan, engine_files)))
            try:
                sent = socket.send_fds(self._control, [request], [their_data.fileno(), their_control.fileno()])
                self._control.sendall(request[sent:])
            except OSError as error:
                worker.discard()
                raise self._gone(str(error)) from error
        return worker

    def collect(self, worker: WorkerProcess, engine: str) -> None:
        """Wait until an ordered worker is born.

        Raises:
            PluginLoadError: The engine could not be loaded.
            EngineCrashed: The zygote could not fork, or is gone.
        """
        with self._lock:
            while worker.number not in self._born:
                self._hear()
            born, pidfd = self._born.pop(worker.number)
        worker.born(born.pid, pidfd)
        if born.blame == "engine":
            raise PluginLoadError(f"the engine {engine!r} cannot be loaded in a worker:\n{born.failure}", plugin=engine)
        if born.failure:
            raise EngineCrashed(f"no worker could be forked: {born.failure}")

    def how_it_ended(self, worker: WorkerProcess, patience: float = 0.2) -> int | None:
        """Return a worker's exit status, negative for a signal; None if it cannot be told."""
        if self.lost or not worker.wait(patience):
            return None
        with self._lock:
            try:
                self._control.sendall(frame(encode(Ask(worker.number))))
                while True:
                    answer = self._hear()
                    if isinstance(answer, Ended) and answer.number == worker.number:
                        return answer.status
            except (OSError, EngineCrashed):
                return None

    def _hear(self) -> FromZygote:
        """Read one message; a birth is put aside for whoever collects it."""
        data, descriptors = self._read(HEADER.size)
        (size,) = HEADER.unpack(data)
        message = self._decode(self._read(size)[0])
        if isinstance(message, Born):
            self._born[message.number] = (message, descriptors[0] if descriptors else -1)
        elif isinstance(message, Hello) and message.failure:
            raise self._gone(message.failure)
        return message

    def _read(self, size: int) -> tuple[bytes, Sequence[int]]:
        data = b""
        found: list[int] = []
        while len(data) < size:
            try:
                if not readable(self._control.fileno(), _PATIENCE):
                    raise self._gone(f"it said nothing for {_PATIENCE:g} s")
                part, descriptors, _, _ = socket.recv_fds(self._control, size - len(data), 1)
            except (OSError, ValueError) as error:  # ValueError: closed under our hands
                raise self._gone(str(error)) from error
            found += descriptors
            if not part:
                raise self._gone("it ended")
            data += part
        return data, found

    def _gone(self, why: str) -> EngineCrashed:
        self.lost = self.lost or why
        return EngineCrashed(f"the process that forks workers is gone: {self.lost}")

    def close(self) -> None:
        """End the zygote and, with it, every worker. Idempotent."""
        self.lost = self.lost or "the host was closed"
        self._launch.close()
        for _, pidfd in self._born.values():
            if pidfd >= 0:
                os.close(pidfd)
        self._born.clear()

    def abandon(self) -> None:
        """Let go in a forked child of the host, to which the zygote does not belong."""
        self.lost = "it belongs to the process this one was forked from"
        self._launch.abandon()
