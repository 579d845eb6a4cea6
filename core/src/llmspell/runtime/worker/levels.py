"""From a policy to a plan of hardening, and from what was applied to what a result reports."""

from __future__ import annotations

import math

from llmspell.engine import EngineSpec
from llmspell.policy import Policy
from llmspell.runtime.hardening.plan import Applied, Hardening, Piece, ProcessLimits
from llmspell.runtime.hardening.process import ADDRESS_SPACE
from llmspell.runtime.seat import Isolation

_BESIDES = 192 * 1024 * 1024
"""Address space for all but the script's heap: two copies of a value that crosses, the stacks, fragmentation."""


def plan_for(policy: Policy) -> Hardening:
    """Return how a worker for runs under ``policy`` is hardened.

    The script's heap is limited by the engine; address space is the wall behind it, so wide that only an engine
    that breaks its promise meets it. Likewise the processor time, which counts for all runs of a worker. Both are
    rounded up to a power of two, so that runs whose limits differ a little can share a worker.
    """
    limits = policy.limits
    process = ProcessLimits(
        memory=None if limits.memory is None else _round_up(limits.memory) + _BESIDES,
        cpu=None if limits.time is None else _round_up(2 * math.ceil(limits.time) + 60),
        file_size=0,
        open_files=64,
    )
    return Hardening.strict(process) if policy.placement == "hardened" else Hardening.standard(process)


def _round_up(number: int) -> int:
    return 1 << (number - 1).bit_length()


def isolation_of(plan: Hardening, applied: Applied, spec: EngineSpec, *, hardened: bool) -> Isolation:
    """Describe what really holds a run in a worker."""
    by_engine = spec.capabilities.worker
    enforced = {"deadline": "kill", "cancel": "kill", "output": "quota", "message": "quota"}
    if plan.limits.memory is not None:
        walls = (["engine"] if "memory" in by_engine else []) + (["address space"] if limits_memory(applied) else [])
        enforced["memory"] = " and ".join(walls)
    enforced |= dict.fromkeys(sorted(by_engine & {"steps", "recursion"}), "engine")
    return Isolation(
        placement="hardened" if hardened else "worker",
        enforced=enforced,
        applied=tuple(
            f"{state.piece} ({state.detail})" if state.detail and state.piece in _TELLING else str(state.piece)
            for state in applied.states
            if state.applied
        ),
        missing={str(state.piece): state.detail for state in applied.states if not state.applied},
    )


def limits_memory(applied: Applied) -> bool:
    """Tell whether a worker's address space is limited; some systems do not know how."""
    limits = applied.state(Piece.LIMITS)
    return limits is not None and limits.applied and ADDRESS_SPACE in limits.detail


_TELLING = frozenset({Piece.LIMITS, Piece.LANDLOCK_FILES, Piece.PID_NAMESPACE})
"""Pieces whose detail says what holds, not only that something does."""
