"""How an engine tells that a run had to end: in one wording, whatever the language."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from llmspell.engine.contract import GuestLimits
from llmspell.engine.messages import Failure

_TOLD = {
    "memory": "the script used more memory than it may",
    "steps": "the script took more steps than it may",
    "recursion": "the script's calls are nested too deep (stack overflow)",
    "deadline": "the script did not end in time",
}
_VALUES = frozenset({"memory", "steps", "recursion"})


def limit_failure(
    reason: str, limits: GuestLimits, message: str = "", *, spent: Container[str] = ("memory",), **common: Any
) -> Failure:
    """Tell of a limit that was reached, or of a cancellation.

    Args:
        reason: The limit's name, or ``"cancelled"``.
        limits: What the guest is held to.
        message: In place of the usual words.
        spent: The limits after which a VM is not used again.
        common: Further fields of the failure: ``language``, and where it happened.

    Example:
        >>> limit_failure("steps", GuestLimits(steps=100), language="lua").message
        'the script took more steps than it may'
    """
    if reason == "cancelled":
        return Failure(kind="cancelled", message=message or "the run was cancelled", **common)
    return Failure(
        kind="limit",
        message=message or _TOLD.get(reason) or f"the script reached its limit: {reason}",
        limit=reason,
        limit_value=(getattr(limits, reason) or 0) if reason in _VALUES else 0,
        state_spent=reason in spent,
        **common,
    )
