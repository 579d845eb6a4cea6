"""Carry a plan out in the calling process, in the one order that works."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Iterable

from llmspell.runtime.hardening import capabilities, kernel, landlock, process, root, seccomp
from llmspell.runtime.hardening.plan import LANDLOCK, NAMESPACES, Applied, Hardening, Piece, State


def harden(plan: Hardening, *, keep: Collection[int], parent: int, inherited: Iterable[State] = ()) -> Applied:
    """Harden this process, for good.

    Does not raise for a piece that cannot be had: call :meth:`Applied.require` on the result before anything
    untrusted is touched.

    Args:
        plan: What is asked.
        keep: Descriptors that stay open.
        parent: The parent's process id as this process sees it (0: it lives outside our process-id namespace).
        inherited: What a launcher and zygote did already: the namespaces.
    """
    done = {state.piece: state for state in inherited if plan.asks(state.piece)}
    for piece in NAMESPACES:
        if plan.asks(piece) and piece not in done:
            done[piece] = State(piece, False, "not entered by whoever started this process")

    def attempt(piece: Piece, step: Callable[[], str]) -> None:
        if plan.asks(piece):
            done[piece] = _attempt(piece, step)

    attempt(Piece.SESSION, process.own_session)
    attempt(Piece.DESCRIPTORS, functools.partial(process.close_descriptors, keep))
    attempt(Piece.ENVIRONMENT, functools.partial(process.scrub_environment, dict(plan.environment)))
    # Reads below /proc, which the next two take out of sight and reach.
    attempt(Piece.LIMITS, functools.partial(process.limit_resources, plan.limits))
    attempt(Piece.OWN_ROOT, functools.partial(root.own_root, plan.readable))
    attempt(Piece.CAPABILITIES, capabilities.drop_all)
    attempt(Piece.NO_NEW_PRIVILEGES, process.forbid_new_privileges)
    done.update((state.piece, state) for state in _landlock(plan))
    # After the capabilities: a change of credentials takes the signal back.
    attempt(Piece.PARENT_DEATH, functools.partial(process.die_with_parent, parent))
    attempt(Piece.NOT_DUMPABLE, process.forbid_dumping)
    attempt(Piece.SECCOMP, functools.partial(_filter, bool(plan.readable)))
    return Applied(tuple(done[piece] for piece in Piece if piece in done))


def prepare(plan: Hardening, pid: int | None) -> None:
    """Work out, before a fork, what every child of it would have to work out again.

    Args:
        plan: What the child is going to be hardened by.
        pid: The process id it is going to see itself under, if that is known.
    """
    if pid is not None and plan.asks(Piece.SECCOMP) and kernel.unsupported() is None:
        _program(pid, bool(plan.readable))


def _attempt(piece: Piece, step: Callable[[], str]) -> State:
    try:
        return State(piece, True, step())
    except (OSError, ImportError, AttributeError, ValueError) as error:
        return State(piece, False, _reason(error))


def _reason(error: Exception) -> str:
    """Name what is missing: modules and functions of ``os`` are, where the system has no such thing."""
    return kernel.unsupported() or str(error)


def _landlock(plan: Hardening) -> Iterable[State]:
    asked = [piece for piece in Piece if piece in LANDLOCK and plan.asks(piece)]
    try:
        known = landlock.probe()
        has = {
            Piece.LANDLOCK_FILES: known.files,
            Piece.LANDLOCK_NETWORK: known.net,
            Piece.LANDLOCK_SCOPES: known.scopes,
        }
        rights = known.only(
            files=Piece.LANDLOCK_FILES in asked,
            net=Piece.LANDLOCK_NETWORK in asked,
            scopes=Piece.LANDLOCK_SCOPES in asked,
        )
        if any(has[piece] for piece in asked):
            landlock.restrict(rights, plan.readable)
    except OSError as error:
        return [State(piece, False, _reason(error)) for piece in asked]
    return [
        State(piece, True, f"ABI {known.abi}")
        if has[piece]
        else State(piece, False, f"this kernel's Landlock is ABI {known.abi}")
        for piece in asked
    ]


def _filter(reading: bool) -> str:
    seccomp.install(_program(os.getpid(), reading))
    return kernel.machine().name


@functools.lru_cache(maxsize=8)
def _program(pid: int, reading: bool) -> bytes:
    return seccomp.build(kernel.machine(), pid, reading=reading)
