"""Ask this machine what it can enforce, by doing all of it to a child that is thrown away."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from llmspell.runtime.hardening.apply import harden
from llmspell.runtime.hardening.namespaces import PidNamespaces, enter
from llmspell.runtime.hardening.plan import Applied, Hardening, Piece, ProcessLimits, State

_CHILD = Path(__file__).with_name("_probe_child.py")
_TRY_LIMITS = ProcessLimits(memory=64 * 1024 * 1024, cpu=60)


@dataclass(frozen=True, slots=True)
class MachineReport:
    """What this machine can enforce.

    Attributes:
        system: Operating system and its release.
        architecture: As ``platform.machine()`` gives it.
        applied: One state per piece there is, with the reason where it cannot be had.
    """

    system: str
    architecture: str
    applied: Applied


def probe(timeout: float = 30.0) -> MachineReport:
    """Find out what this machine can enforce; the calling process stays as it is.

    Args:
        timeout: Seconds the child may take.

    Example:
        >>> report = probe()
        >>> report.applied.state(Piece.ENVIRONMENT).applied
        True
    """
    import subprocess

    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter and our own file
            [sys.executable, "-I", "-S", str(_CHILD)],
            input=json.dumps([os.path.abspath(path) for path in sys.path]),
            capture_output=True,
            text=True,
            env={},
            timeout=timeout,
            check=True,
        )
        states = tuple(State(Piece(name), applied, why) for name, applied, why in json.loads(child.stdout))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        complaint = getattr(error, "stderr", None) or str(error)
        states = tuple(State(piece, False, f"the probe failed: {complaint.strip()[-500:]}") for piece in Piece)
    return MachineReport(f"{platform.system()} {platform.release()}", platform.machine(), Applied(states))


def main() -> None:
    """Be the child: harden a child of its own as a zygote would a worker, and print what came of it.

    Where nothing can be forked, harden itself, as a spawned worker does.
    """
    outside = os.dup(sys.stdout.fileno())
    if not hasattr(os, "fork"):
        _harden_and_tell(outside, os.getppid(), ())
    entered = enter()
    zygote = os.fork()
    if zygote:
        _, status = os.waitpid(zygote, 0)
        sys.exit(os.waitstatus_to_exitcode(status))
    nested = PidNamespaces.probe()
    worker = nested.fork()
    if worker:
        _, status = os.waitpid(worker, 0)
        os._exit(os.waitstatus_to_exitcode(status))
    _harden_and_tell(outside, 0 if nested.home >= 0 else os.getppid(), nested.states(entered))


def _harden_and_tell(outside: int, parent: int, inherited: tuple[State, ...]) -> NoReturn:
    everything = Hardening(frozenset(), frozenset(Piece), limits=_TRY_LIMITS)
    applied = harden(everything, keep=(outside,), parent=parent, inherited=inherited)
    os.write(outside, json.dumps([[s.piece, s.applied, s.detail] for s in applied.states]).encode())
    os._exit(0)
