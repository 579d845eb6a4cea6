"""The zygote: a small single-threaded process that loads engines and forks hardened workers.

Two processes, in truth. The *warden* is what the host starts; it unshares, forks, and then only watches: it
runs no plugin's code, so nothing can keep it from ending the zygote when the host ends. The *zygote* is its child,
process 1 of a process-id namespace where the machine lets us: with it everything it forked is gone.
"""

from __future__ import annotations

import array
import gc
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from llmspell.engine.contract import ScriptEngine
from llmspell.runtime.hardening.apply import harden, prepare
from llmspell.runtime.hardening.namespaces import PidNamespaces, enter
from llmspell.runtime.hardening.plan import Hardening, State
from llmspell.runtime.hardening.process import die_with_parent
from llmspell.runtime.worker.frames import HEADER, frame
from llmspell.runtime.worker.loading import load_engine, one_arena, plan_of
from llmspell.runtime.worker.protocol import Ask, Born, Ended, FromZygote, Hello, Order, Ready, ToZygote
from llmspell.runtime.worker.serve import Server
from llmspell.values.wire import decoder, encode

_WORKER_SOCKETS = 2
_REMEMBERED = 1024


def launch(control: int, host: int) -> NoReturn:
    """Be the warden: enter namespaces, fork the zygote, and end it when the host ends.

    Args:
        control: Descriptor of the socket to the host.
        host: The host's process id.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.chdir("/")
    watched = _watch_host(host)
    one_arena()
    entered = enter()
    warden = os.getpid()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _be_zygote(socket.socket(fileno=control), watched, entered, warden)
            status = 0
        finally:
            os._exit(status)
    os.close(control)
    os._exit(_watch(pid, watched))


def _watch_host(host: int) -> int:
    """Open something that tells when the host ends; -1 where only its closed socket will tell."""
    if not hasattr(os, "pidfd_open"):
        return -1
    descriptor = os.pidfd_open(host)
    if os.getppid() != host:
        os._exit(0)
    return descriptor


def _watch(zygote: int, host: int) -> int:
    """Wait for the zygote to end; end it if the host ends first."""
    if host >= 0:
        child = os.pidfd_open(zygote)
        poll = select.poll()
        poll.register(host, select.POLLIN)
        poll.register(child, select.POLLIN)
        if host in {descriptor for descriptor, _ in poll.poll()}:
            os.kill(zygote, signal.SIGKILL)
    _, status = os.waitpid(zygote, 0)
    return abs(os.waitstatus_to_exitcode(status))


def _be_zygote(control: socket.socket, host: int, entered: tuple[State, ...], warden: int) -> None:
    try:
        if sys.platform == "linux":
            own_namespace = os.getpid() == 1
            die_with_parent(0 if own_namespace else warden)
        zygote = Zygote(control, host, entered)
    except Exception:  # noqa: BLE001 - told to the host, which raises it
        _say(control, Hello(traceback.format_exc(limit=-5)))
        return
    _say(control, Hello())
    zygote.live()


class Zygote:
    """Serve the host's orders until the host is gone."""

    def __init__(self, control: socket.socket, host: int, entered: tuple[State, ...]) -> None:
        self._control = control
        self._nested = PidNamespaces.probe()
        self._states = self._nested.states(entered)
        self._decode: Callable[[bytes], ToZygote] = decoder(ToZygote).decode
        self._engines: dict[bytes, ScriptEngine] = {}
        self._children: dict[int, tuple[int, int]] = {}
        self._ended: dict[int, int] = {}
        self._poll = select.poll()
        self._host = host
        for descriptor in (control.fileno(), host):
            if descriptor >= 0:
                self._poll.register(descriptor, select.POLLIN)

    def live(self) -> None:
        while True:
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            for descriptor in ready & self._children.keys():
                self._reap(descriptor)
            if self._host in ready:
                return
            if self._control.fileno() in ready and not self._hear():
                return

    def _hear(self) -> bool:
        """Serve one request; False when the host has hung up."""
        header, descriptors = _receive(self._control, HEADER.size)
        if not header:
            return False
        (size,) = HEADER.unpack(header)
        payload, _ = _receive(self._control, size)
        request = self._decode(payload)
        self._reap_all()
        if isinstance(request, Ask):
            _say(self._control, Ended(request.number, self._ended.pop(request.number, None)))
            return True
        try:
            self._serve(request, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _serve(self, order: Order, descriptors: list[int]) -> None:
        if len(descriptors) != _WORKER_SOCKETS:
            _say(self._control, Born(order.number, failure="its sockets did not arrive", blame="system"))
            return
        try:
            engine = self._engine(order)
        except BaseException:  # noqa: BLE001 - a plugin may raise anything; it is told to the host
            failure = traceback.format_exc(limit=-8)
            _say(self._control, Born(order.number, failure=failure, blame="engine"))
            return
        plan = plan_of(order)
        prepare(plan, pid=1 if self._nested.home >= 0 else None)
        parent = os.getpid()
        try:
            pid = self._nested.fork()
        except OSError as error:
            _say(self._control, Born(order.number, failure=str(error), blame="system"))
            return
        if pid == 0:
            self._be_worker(engine, plan, descriptors[0], descriptors[1], parent)
        self._born(order.number, pid)

    def _be_worker(self, engine: ScriptEngine, plan: Hardening, data: int, control: int, parent: int) -> NoReturn:
        status = 1
        try:
            seen_parent = 0 if self._nested.home >= 0 else parent
            gc.enable()
            applied = harden(plan, keep=(data, control), parent=seen_parent, inherited=self._states)
            os.write(data, frame(encode(Ready(applied.states))))
            if not applied.missing(plan):
                status = Server(engine, data, control).live()
        finally:
            os._exit(status)

    def _born(self, number: int, pid: int) -> None:
        descriptors = []
        if hasattr(os, "pidfd_open"):
            pidfd = os.pidfd_open(pid)
            self._children[pidfd] = (number, pid)
            self._poll.register(pidfd, select.POLLIN)
            descriptors.append(pidfd)
        else:
            self._children[-pid] = (number, pid)
        _say(self._control, Born(number, pid), descriptors)

    def _engine(self, order: Order) -> ScriptEngine:
        key = encode(order.engine)
        engine = self._engines.get(key)
        if engine is None:
            engine = self._engines[key] = load_engine(order.engine)
        return engine

    def _reap_all(self) -> None:
        for descriptor in list(self._children):
            self._reap(descriptor)

    def _reap(self, descriptor: int) -> None:
        """Take note of a child's end, if it has ended, and of whoever is left in its process group."""
        number, pid = self._children[descriptor]
        if descriptor >= 0 and select.select([descriptor], [], [], 0)[0]:
            # Not reaped yet, so the number is still its own.
            _kill_group(pid)
        done, status = os.waitpid(pid, os.WNOHANG)
        if not done:
            return
        del self._children[descriptor]
        if descriptor >= 0:
            self._poll.unregister(descriptor)
            os.close(descriptor)
        else:
            _kill_group(pid)
        self._ended[number] = os.waitstatus_to_exitcode(status)
        while len(self._ended) > _REMEMBERED:
            del self._ended[next(iter(self._ended))]


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _say(control: socket.socket, message: FromZygote, descriptors: list[int] | None = None) -> None:
    data = frame(encode(message))
    if descriptors:
        sent = socket.send_fds(control, [data], descriptors)
        data = data[sent:]
    control.sendall(data)


def _receive(control: socket.socket, size: int) -> tuple[bytes, list[int]]:
    """Read exactly ``size`` bytes and the descriptors that come with them; nothing at the end of the stream."""
    data = b""
    descriptors = array.array("i")
    while len(data) < size:
        part, more, _, _ = socket.recv_fds(control, size - len(data), _WORKER_SOCKETS)
        descriptors.extend(more)
        if not part:
            return b"", list(descriptors)
        data += part
    return data, list(descriptors)
