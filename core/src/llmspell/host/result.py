"""``RunResult``: what a run leaves behind."""

from __future__ import annotations

from typing import Any

import msgspec

from llmspell.gate import Usage
from llmspell.runtime.seat import Isolation


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one run.

    Attributes:
        value: The spell's value; the first of ``values``, or None.
        values: All results, for languages that return several.
        output: Everything the spell printed.
        usage: Models used, and host calls made.
        duration: Seconds, from the call to ``run`` to its end.
        isolation: What really held the run.
        run_id: Unique; records and events of the run carry it.
        language: Name of the engine.
        warnings: Soft limits that were passed and the like, as plain data.
        memory: Bytes the VM used at its peak, where the engine can tell.
        steps: Engine steps, where they were counted.
    """

    value: Any = None
    values: tuple[Any, ...] = ()
    output: str = ""
    usage: Usage = msgspec.field(default_factory=Usage)
    duration: float = 0.0
    isolation: Isolation = msgspec.field(default_factory=Isolation)
    run_id: str = ""
    language: str = ""
    warnings: tuple[dict[str, Any], ...] = ()
    memory: int | None = None
    steps: int | None = None

    @property
    def placement(self) -> str:
        """Where the run took place: ``inline``, ``worker`` or ``hardened``."""
        return self.isolation.placement
