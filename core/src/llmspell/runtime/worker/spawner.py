"""``Spawner``: workers where none can be forked. Each is an interpreter of its own; the conversation is the same."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgspec

from llmspell.errors import EngineCrashed, PluginLoadError, PolicyUnsupportedError
from llmspell.runtime.hardening.plan import Hardening
from llmspell.runtime.watchdog import Watchdog
from llmspell.runtime.worker.frames import HEADER, MAX_FRAME, frame
from llmspell.runtime.worker.launch import import_path, no_workers, start
from llmspell.runtime.worker.process import WorkerProcess
from llmspell.runtime.worker.protocol import Born, EngineOrder, Order
from llmspell.runtime.worker.waiting import never, readable
from llmspell.values.wire import decoder, encode

_PATIENCE = 60.0  # seconds that starting an interpreter and importing an engine may take
_REAPING = 0.05
_END = 5.0


class SpawnedWorker(WorkerProcess):
    """A worker that is a child of the host itself, which therefore has to reap it."""

    def __init__(
        self,
        number: int,
        data: socket.socket,
        control: socket.socket,
        process: subprocess.Popen[bytes],
        reap: Callable[[], None],
    ) -> None:
        super().__init__(number, data, control)
        self.process = process
        self._reap_all = reap
        self._reaping = threading.Lock()
        self._pid = process.pid
        self._pidfd = os.pidfd_open(process.pid) if hasattr(os, "pidfd_open") else -1

    def _signal(self) -> None:
        with self._reaping:
            if self.process.returncode is None:
                _end_group(self.process.pid, although_it_lives=True)
                with suppress(OSError):
                    self.process.kill()

    def wait(self, timeout: float) -> bool:
        end = time.monotonic() + timeout
        while not self.reap():
            left = end - time.monotonic()
            if left <= 0:
                return False
            if self._pidfd >= 0:
                readable(self._pidfd, left)
            else:
                time.sleep(min(0.005, left))
        return True

    def reap(self) -> bool:
        """Take note of its end, and end whoever is left in its group; False while it lives."""
        with self._reaping:
            if self.process.returncode is None:
                _end_group(self.process.pid, although_it_lives=False)
            return self.process.poll() is not None

    def discard(self) -> None:
        if not self._closed:
            super().discard()
            self._reap_all()

    @property
    def discarded(self) -> bool:
        """Tell whether it was killed, so that its end cannot be far."""
        return self._closed

    def abandon(self) -> None:
        super().abandon()
        self.process.returncode = 0  # nothing to wait for, and nothing to warn of


def _end_group(leader: int, *, although_it_lives: bool) -> None:
    """Kill a child's process group, as long as nobody has reaped the child: until then its number is its own."""
    if sys.platform == "win32":
        return
    with suppress(OSError):
        ended = os.waitid(os.P_PID, leader, os.WEXITED | os.WNOHANG | os.WNOWAIT) if hasattr(os, "waitid") else None
        if ended is not None or although_it_lives:
            os.killpg(leader, signal.SIGKILL)


class Spawner:
    """See :class:`~llmspell.runtime.worker.source.WorkerSource`.

    Args:
        watchdog: Looks after those that were killed.

    Raises:
        PolicyUnsupportedError: This process cannot start another.
    """

    def __init__(self, watchdog: Watchdog) -> None:
        if reason := no_workers():
            raise PolicyUnsupportedError(
                f"there are no workers here: {reason}", missing=("worker",), hint="use level minimal for your own code"
            )
        self.lost = ""
        self._watchdog = watchdog
        # Linux ends a child with the *thread* that started it, so all of them are started by one that stays.
        self._starter = ThreadPoolExecutor(1, "llmspell-spawner")
        self._decode: Callable[[bytes], Born] = decoder(Born).decode
        self._lock = threading.Lock()
        self._numbers = 0
        self._made: list[SpawnedWorker] = []

    def order(self, engine: EngineOrder, plan: Hardening, *, engine_files: bool) -> WorkerProcess:
        try:
            ordered = self._starter.submit(self._order, engine, plan, engine_files)
        except RuntimeError as error:
            # No thread can be had, or we are closed. What was put in line must not be done later, for nobody.
            if not self.lost:
                self._starter = ThreadPoolExecutor(1, "llmspell-spawner")
            raise EngineCrashed(f"no worker can be had: {error}") from error
        try:
            return ordered.result()
        except (OSError, MemoryError) as error:
            raise EngineCrashed(f"no worker can be had: {error}") from error

    def _order(self, engine: EngineOrder, plan: Hardening, engine_files: bool) -> WorkerProcess:
        self.reap()
        sockets: list[socket.socket] = []
        try:
            sockets += socket.socketpair()
            sockets += socket.socketpair()
            data, their_data, control, their_control = sockets
            process = hand_over(their_data, their_control)
            try:
                worker = SpawnedWorker(self._numbers + 1, data, control, process, self.reap)
            except BaseException:
                process.kill()
                process.wait()
                raise
        except BaseException:
            for each in sockets:
                each.close()
            raise
        their_data.close()
        their_control.close()
        self._numbers += 1
        with self._lock:
            self._made.append(worker)
        try:
            data.sendall(frame(encode(Order(worker.number, engine, plan, engine_files))))
        except BaseException:
            worker.discard()
            raise
        return worker

    def collect(self, worker: WorkerProcess, engine: str, given_up: Callable[[], bool] = never) -> None:
        try:
            (size,) = HEADER.unpack(self._exactly(worker, HEADER.size, given_up))
            if size > MAX_FRAME:
                raise EngineCrashed(f"a new worker cannot be understood: its first frame announces {size:,} bytes")
            worker.birth = birth = self._decode(self._exactly(worker, size, given_up))
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            raise EngineCrashed(f"a new worker cannot be understood: {error}") from error
        if birth.failure:
            raise PluginLoadError(
                f"the engine {engine!r} cannot be loaded in a worker:\n{birth.failure}", plugin=engine
            )

    def _exactly(self, worker: WorkerProcess, size: int, given_up: Callable[[], bool]) -> bytes:
        said = b""
        while len(said) < size:
            if not readable(worker.data.fileno(), _PATIENCE, given_up):
                raise EngineCrashed(f"a new worker said nothing for {_PATIENCE:g} s")
            part = worker.data.recv(size - len(said))
            if not part:
                status = self.how_it_ended(worker)
                raise EngineCrashed(f"a new worker ended (status {status}) before it was born")
            said += part
        return said

    def how_it_ended(self, worker: WorkerProcess, patience: float = 0.2) -> int | None:
        assert isinstance(worker, SpawnedWorker)
        return worker.process.returncode if worker.wait(patience) else None

    def reap(self) -> None:
        """Reap who has ended, now and as long as the end of somebody is near; never blocks."""
        with self._lock:
            self._made = [worker for worker in self._made if not worker.reap()]
            ending = any(worker.discarded for worker in self._made)
        if ending and not self.lost:
            with suppress(EngineCrashed):  # no thread can be had; the next order or discard reaps
                self._watchdog.watch(time.monotonic() + _REAPING, self.reap)

    def close(self) -> None:
        self.lost = self.lost or "the host was closed"
        self._starter.shutdown()
        for worker in self._made:
            worker.kill()
        end = time.monotonic() + _END
        for worker in self._made:
            worker.wait(max(0.0, end - time.monotonic()))
        self.reap()

    def abandon(self) -> None:
        self.lost = "it belongs to the process this one was forked from"
        for worker in self._made:
            worker.process.returncode = 0


def hand_over(*sockets: socket.socket) -> subprocess.Popen[bytes]:
    """Start a worker's interpreter and give it sockets: through its standard input, which nobody else can read.

    Raises:
        OSError: It could not be started; nothing is left of it.
    """
    numbers = [each.fileno() for each in sockets]
    if sys.platform == "win32":
        process = start("spawned", 0, stdin=subprocess.PIPE)
    else:
        process = start("spawned", 0, stdin=subprocess.PIPE, pass_fds=numbers)
    try:
        if sys.platform == "win32":
            said = json.dumps([base64.b64encode(each.share(process.pid)).decode() for each in sockets]).encode()
        else:
            said = json.dumps(numbers).encode()
        assert process.stdin is not None
        with process.stdin as given:
            given.write(import_path() + frame(said))
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process
