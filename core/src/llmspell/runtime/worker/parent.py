"""``ZygoteProcess``: the zygote as the host sees it. Started when first needed, asked for workers."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack

import msgspec

from llmspell.errors import EngineCrashed, PluginLoadError, PolicyUnsupportedError
from llmspell.runtime.hardening.plan import Hardening
from llmspell.runtime.worker.frames import HEADER, MAX_FRAME, frame
from llmspell.runtime.worker.launch import Launch, no_zygote
from llmspell.runtime.worker.process import WorkerProcess
from llmspell.runtime.worker.protocol import Ask, Born, Ended, EngineOrder, FromZygote, Hello, Order
from llmspell.runtime.worker.waiting import SLICE, never, readable
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
        self._unborn: dict[int, WorkerProcess] = {}
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
        with ExitStack() as opened:
            try:
                sockets = []
                for _ in range(2):
                    sockets += [opened.enter_context(each) for each in socket.socketpair()]
            except OSError as error:
                raise EngineCrashed(f"no worker can be had: {error}") from error
            data, their_data, control, their_control = sockets
            with self._lock:
                self._numbers += 1
                worker = WorkerProcess(self._numbers, data, control)
                request = frame(encode(Order(worker.number, engine, plan, engine_files)))
                try:
                    sent = socket.send_fds(self._control, [request], [their_data.fileno(), their_control.fileno()])
                    self._control.sendall(request[sent:])
                except OSError as error:
                    raise self._gone(str(error)) from error
                self._unborn[worker.number] = worker
            opened.pop_all()
            their_data.close()
            their_control.close()
            return worker

    def collect(self, worker: WorkerProcess, engine: str, given_up: Callable[[], bool] = never) -> None:
        """Wait until an ordered worker is born.

        Raises:
            PluginLoadError: The engine could not be loaded.
            EngineCrashed: The zygote could not fork, or is gone; or ``given_up``.
        """
        while worker.birth is None:
            if given_up():
                raise EngineCrashed("nobody waits for a new worker any more")
            if not self._lock.acquire(timeout=SLICE):
                continue  # somebody else is listening, and may hear of ours
            try:
                if worker.birth is None:
                    if self.lost:
                        raise self._gone(self.lost)
                    self._hear(given_up)
            finally:
                self._lock.release()
        birth = worker.birth
        if birth.blame == "engine":
            raise PluginLoadError(
                f"the engine {engine!r} cannot be loaded in a worker:\n{birth.failure}", plugin=engine
            )
        if birth.failure:
            raise EngineCrashed(f"no worker could be forked: {birth.failure}")

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

    def _hear(self, given_up: Callable[[], bool] = never) -> FromZygote | None:
        """Read one message, and tell a worker of its birth; None if it is not there and the caller has given up."""
        found: list[int] = []
        try:
            header = self._read(HEADER.size, found, given_up)
            if not header:
                return None
            (size,) = HEADER.unpack(header)
            if not 0 < size <= MAX_FRAME:
                raise self._gone(f"it announced a frame of {size:,} bytes")
            message = self._decode(self._read(size, found))
            if isinstance(message, Born):
                worker = self._unborn.pop(message.number, None)
                if worker is None:
                    raise self._gone(f"it told of worker {message.number}, which nobody waits for")
                worker.born(message, found.pop() if found else -1)
            elif isinstance(message, Hello) and message.failure:
                raise self._gone(message.failure)
            return message
        except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
            raise self._gone(f"it cannot be understood: {error}") from error
        finally:
            for each in found:
                os.close(each)

    def _read(self, size: int, found: list[int], given_up: Callable[[], bool] = never) -> bytes:
        """Read exactly so much, or nothing if the caller gives up; descriptors go into ``found``."""
        data = b""
        while len(data) < size:
            try:
                if not readable(self._control.fileno(), _PATIENCE, never if data else given_up):
                    if not data and given_up():
                        return b""
                    raise self._gone(f"it said nothing for {_PATIENCE:g} s")
                part, descriptors, _, _ = socket.recv_fds(self._control, size - len(data), 1)
            except (OSError, ValueError) as error:  # ValueError: closed under our hands
                raise self._gone(str(error)) from error
            found += descriptors
            if not part:
                raise self._gone("it ended")
            data += part
        return data

    def _gone(self, why: str) -> EngineCrashed:
        self.lost = self.lost or why
        return EngineCrashed(f"the process that forks workers is gone: {self.lost}")

    def close(self) -> None:
        """End the zygote and, with it, every worker. Idempotent."""
        self.lost = self.lost or "the host was closed"
        self._launch.close()
        self._unborn.clear()

    def abandon(self) -> None:
        """Let go in a forked child of the host, to which the zygote does not belong."""
        self.lost = "it belongs to the process this one was forked from"
        self._launch.abandon()
