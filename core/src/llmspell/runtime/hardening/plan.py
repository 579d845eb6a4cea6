"""What is asked of a worker's hardening, and what became of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from llmspell.errors import PolicyUnsupportedError


class Piece(StrEnum):
    """One wall, by the name reports and refusals use."""

    ENVIRONMENT = "environment"
    DESCRIPTORS = "descriptors"
    SESSION = "session"
    LIMITS = "limits"
    PARENT_DEATH = "parent-death"
    NO_NEW_PRIVILEGES = "no-new-privileges"
    NOT_DUMPABLE = "not-dumpable"
    CAPABILITIES = "capabilities"
    USER_NAMESPACE = "user-namespace"
    NETWORK_NAMESPACE = "network-namespace"
    IPC_NAMESPACE = "ipc-namespace"
    PID_NAMESPACE = "pid-namespace"
    OWN_ROOT = "own-root"
    LANDLOCK_FILES = "landlock-files"
    LANDLOCK_NETWORK = "landlock-network"
    LANDLOCK_SCOPES = "landlock-scopes"
    SECCOMP = "seccomp"


NAMESPACES = frozenset({Piece.USER_NAMESPACE, Piece.NETWORK_NAMESPACE, Piece.IPC_NAMESPACE, Piece.PID_NAMESPACE})
LANDLOCK = frozenset({Piece.LANDLOCK_FILES, Piece.LANDLOCK_NETWORK, Piece.LANDLOCK_SCOPES})


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """Resource limits of a worker process; None leaves one as it is. Core dumps are always off.

    Attributes:
        memory: Bytes of address space beyond what the process occupies when it is hardened.
        cpu: Seconds of processor time over the process's whole life.
        file_size: Bytes a file may grow to.
        open_files: Highest number of descriptors.
    """

    memory: int | None = None
    cpu: int | None = None
    file_size: int | None = 0
    open_files: int | None = 64


@dataclass(frozen=True, slots=True)
class Hardening:
    """A plan. Equal plans may share a pool of workers.

    Attributes:
        required: Without these the process must not run anything.
        wanted: Applied where the machine can, reported where it cannot.
        limits: Resource limits.
        readable: Files and directories that may be read, for ``LANDLOCK_FILES`` and ``OWN_ROOT``. Empty: no file
            at all, and ``SECCOMP`` then refuses every call that takes a path.
        environment: The whole environment, as sorted pairs.

    Example:
        >>> Hardening.strict().asks(Piece.SECCOMP)
        True
    """

    required: frozenset[Piece]
    wanted: frozenset[Piece] = frozenset()
    limits: ProcessLimits = ProcessLimits()
    readable: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    def asks(self, piece: Piece) -> bool:
        return piece in self.required or piece in self.wanted

    @classmethod
    def standard(cls, limits: ProcessLimits | None = None) -> Hardening:
        """Plan for code nobody read line by line: it cannot take the host along, but has the user's rights.

        What only Linux knows is required there and not asked for elsewhere. Where a system cannot do what every
        other one can (Windows), that is reported, and the hard deadline and the engine's own limits are what holds.
        """
        linux = frozenset({Piece.NO_NEW_PRIVILEGES, Piece.PARENT_DEATH, Piece.NOT_DUMPABLE})
        posix = frozenset({Piece.SESSION, Piece.LIMITS})
        required = frozenset({Piece.ENVIRONMENT, Piece.DESCRIPTORS})
        wanted: frozenset[Piece] = frozenset()
        if sys.platform == "win32":
            wanted = posix
        elif sys.platform == "linux":
            required, wanted = required | posix | linux, NAMESPACES | {Piece.CAPABILITIES}
        else:
            required |= posix
        return cls(required=required, wanted=wanted, limits=limits or ProcessLimits())

    @classmethod
    def strict(cls, limits: ProcessLimits | None = None, readable: Iterable[str] = ()) -> Hardening:
        """Plan for hostile code: even native code execution reaches nothing but the conversation."""
        wanted = NAMESPACES | {Piece.OWN_ROOT, Piece.LANDLOCK_NETWORK, Piece.LANDLOCK_SCOPES}
        return cls(
            required=frozenset(Piece) - wanted,
            wanted=wanted,
            limits=limits or ProcessLimits(),
            readable=tuple(readable),
        )

    def without(self, *pieces: Piece) -> Hardening:
        """Return this plan without some pieces: for tests that show what each of them is good for."""
        return replace(self, required=self.required - frozenset(pieces), wanted=self.wanted - frozenset(pieces))


@dataclass(frozen=True, slots=True)
class State:
    """What became of one piece. ``detail`` says why not, or with what limits."""

    piece: Piece
    applied: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a process really is held by, one state per piece the plan asked for."""

    states: tuple[State, ...] = ()

    @property
    def pieces(self) -> frozenset[Piece]:
        return frozenset(state.piece for state in self.states if state.applied)

    def state(self, piece: Piece) -> State | None:
        return next((state for state in self.states if state.piece is piece), None)

    def missing(self, plan: Hardening) -> tuple[State, ...]:
        """List what ``plan`` requires and is not there."""
        known = {state.piece: state for state in self.states}
        return tuple(
            known.get(piece, State(piece, False, "not attempted"))
            for piece in Piece
            if piece in plan.required and piece not in self.pieces
        )

    def require(self, plan: Hardening, level: str) -> None:
        """Insist on what ``plan`` requires.

        Raises:
            PolicyUnsupportedError: Naming every missing piece and why it is missing.
        """
        if missing := self.missing(plan):
            reasons = "; ".join(
                f"{state.piece} ({state.detail})" if state.detail else str(state.piece) for state in missing
            )
            raise PolicyUnsupportedError(
                f"level {level!r} cannot be enforced on this machine: {reasons}",
                missing=tuple(str(state.piece) for state in missing),
                hint="`llmspell security doctor` lists what this machine can enforce",
            )
