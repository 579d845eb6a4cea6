"""Namespaces: a user, network, IPC and process-id world of a zygote's own, and one of process ids per worker.

A zygote is born into them: its launcher unshares and forks, so that the zygote is process 1 of its process-id
namespace. When it dies the kernel kills everything in there, and in every namespace nested in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from llmspell.runtime.hardening import kernel
from llmspell.runtime.hardening.plan import Piece, State

_FLAGS = {
    Piece.USER_NAMESPACE: 0x10000000,
    Piece.NETWORK_NAMESPACE: 0x40000000,
    Piece.IPC_NAMESPACE: 0x08000000,
    Piece.PID_NAMESPACE: 0x20000000,
}


def enter() -> tuple[State, ...]:
    """Unshare what this machine lets us, each piece for itself; the next fork is process 1 of its namespace.

    Call it in a single-threaded process that is going to fork and wait.
    """
    if reason := kernel.unsupported():
        return tuple(State(piece, False, reason) for piece in _FLAGS)
    # The user namespace first: it is what lets an ordinary user make the others.
    return (_enter_user_namespace(), *(_unshare(piece) for piece in _FLAGS if piece is not Piece.USER_NAMESPACE))


@dataclass(frozen=True, slots=True)
class PidNamespaces:
    """Forks children, each as process 1 of a process-id namespace of its own, where that is possible.

    Attributes:
        home: Descriptor of the forking process's own namespace, or -1.
        reason: Why nesting is not possible, or ``""``.
    """

    home: int
    reason: str = ""

    @classmethod
    def probe(cls) -> PidNamespaces:
        """Find out, by doing it once, whether this process may leave its namespace for children and come back."""
        if reason := kernel.unsupported():
            return cls(-1, reason)
        try:
            home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            return cls(-1, f"/proc/self/ns/pid: {error.strerror}")
        nested = cls(home)
        try:
            nested._leave()
            nested._come_back()
        except OSError as error:
            os.close(home)
            return cls(-1, str(error))
        return nested

    def states(self, entered: Iterable[State]) -> tuple[State, ...]:
        """Tell of ``entered`` what a child of :meth:`fork` is going to be inside of."""
        pid = Piece.PID_NAMESPACE
        if self.home >= 0:
            own = State(pid, True, "its own")
        else:
            own = next((state for state in entered if state.piece is pid), State(pid, False, self.reason))
            if own.applied:
                own = State(pid, True, f"shared with other workers: {self.reason}")
        return (*(state for state in entered if state.piece is not pid), own)

    def fork(self) -> int:
        """Fork as :func:`os.fork` does."""
        if self.home < 0:
            return os.fork()
        self._leave()
        try:
            pid = os.fork()
        except OSError:
            self._come_back()
            raise
        if pid:
            self._come_back()
        return pid

    def _leave(self) -> None:
        kernel.syscall("unshare", _FLAGS[Piece.PID_NAMESPACE])

    def _come_back(self) -> None:
        kernel.syscall("setns", self.home, _FLAGS[Piece.PID_NAMESPACE])


def _unshare(piece: Piece) -> State:
    try:
        kernel.syscall("unshare", _FLAGS[piece])
    except OSError as error:
        return State(piece, False, str(error))
    return State(piece, True)


def _enter_user_namespace() -> State:
    """Enter a user namespace in which every id means what it meant outside.

    Root maps all ids, so that it can still read what it could read; anybody else can map only themselves.
    """
    uid, gid = os.geteuid(), os.getegid()
    helper = _MapHelper.start() if uid == 0 else None
    try:
        state = _unshare(Piece.USER_NAMESPACE)
    except BaseException:
        if helper:
            helper.finish(go=False)
        raise
    if helper and helper.finish(go=state.applied):
        return state
    if not state.applied:
        return state
    try:
        _map_only(uid, gid)
    except OSError as error:
        return State(Piece.USER_NAMESPACE, False, f"entered, but its ids cannot be mapped: {error.strerror}")
    return state


def _map_only(uid: int, gid: int) -> None:
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


@dataclass(frozen=True, slots=True)
class _MapHelper:
    """A child that stays outside: only from there can more than one id be mapped."""

    pid: int
    gate: int

    @classmethod
    def start(cls) -> _MapHelper:
        target = os.getpid()
        # Read before the namespace changes: "inside outside count" of every extent that exists here.
        maps = {name: Path(f"/proc/self/{name}").read_text() for name in ("uid_map", "gid_map")}
        wait, gate = os.pipe()
        pid = os.fork()
        if pid:
            os.close(wait)
            return cls(pid, gate)
        os.close(gate)
        status = 1
        try:
            if os.read(wait, 1):
                for name, text in maps.items():
                    rows = (line.split() for line in text.splitlines())
                    same = "\n".join(f"{inside} {inside} {count}" for inside, _, count in rows)
                    Path(f"/proc/{target}/{name}").write_text(same)
                status = 0
        finally:
            os._exit(status)

    def finish(self, *, go: bool) -> bool:
        if go:
            os.write(self.gate, b"g")
        os.close(self.gate)
        _, status = os.waitpid(self.pid, 0)
        return status == 0
