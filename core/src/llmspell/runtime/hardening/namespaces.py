"""Namespaces: a user, network, IPC and process-id world of a zygote's own, and one of process ids per worker.

A zygote enters them before it is born: its launcher unshares and forks, so that the zygote is process 1 of its
process-id namespace. When it dies the kernel kills everything in there, and every namespace nested in it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from llmspell.runtime.hardening import kernel
from llmspell.runtime.hardening.plan import Piece, State

_FLAGS = {
    Piece.USER_NAMESPACE: 0x10000000,
    Piece.NETWORK_NAMESPACE: 0x40000000,
    Piece.IPC_NAMESPACE: 0x08000000,
    Piece.PID_NAMESPACE: 0x20000000,
}
_PID_FLAG = _FLAGS[Piece.PID_NAMESPACE]


def enter() -> tuple[State, ...]:
    """Unshare what this machine lets us, each piece for itself; the next fork is process 1 of its namespace.

    Call it in a single-threaded process that is going to fork and wait. Process ids of the caller itself do
    not change.
    """
    if reason := kernel.unsupported():
        return tuple(State(piece, False, reason) for piece in _FLAGS)
    states = [_enter_user_namespace()]
    states += [
        _unshare(piece) for piece in (Piece.NETWORK_NAMESPACE, Piece.IPC_NAMESPACE, Piece.PID_NAMESPACE)
    ]
    return tuple(states)


@dataclass(frozen=True, slots=True)
class PidNamespaces:
    """Forks children, each into a process-id namespace of its own.

    Attributes:
        home: Descriptor of the forking process's own process-id namespace, or -1 where nesting is not possible.
        reason: Why it is not possible, or ``""``.
    """

    home: int
    reason: str = ""

    @classmethod
    def probe(cls) -> PidNamespaces:
        """Find out, by doing it once, whether this process may nest namespaces and come back."""
        if reason := kernel.unsupported():
            return cls(-1, reason)
        try:
            home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            return cls(-1, f"/proc/self/ns/pid: {error.strerror}")
        nested = cls(home)
        try:
            with nested.unshared():
                pass
        except OSError as error:
            os.close(home)
            return cls(-1, str(error))
        return nested

    @contextmanager
    def unshared(self) -> Iterator[None]:
        """Let forks in the block land in a new namespace; a no-op where that is not possible."""
        if self.home < 0:
            yield
            return
        kernel.syscall("unshare", _PID_FLAG)
        try:
            yield
        finally:
            # In the child this descriptor names another namespace than its own: there is nothing to come back to.
            if os.getpid() != 1 or kernel_home(self.home):
                kernel.syscall("setns", self.home, _PID_FLAG)
