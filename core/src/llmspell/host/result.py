"""``RunResult``: what a run leaves behind, and how it is drawn from its conversation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from llmspell.engine.messages import Done, Failed
from llmspell.errors import EngineCrashed, LlmspellError
from llmspell.gate import Usage
from llmspell.gate.record import scrub_value
from llmspell.gate.redaction import scrub_error
from llmspell.runtime.results import result_of
from llmspell.runtime.seat import SOFT, Isolation

if TYPE_CHECKING:
    from llmspell.runtime.conversation import Conversation

Scrub = Callable[[str], str]
"""Takes what must not be seen out of a text."""


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


def result_from(conversation: Conversation, began: float, scrub: Scrub | None) -> RunResult:
    """Return the result of a run that has ended.

    Args:
        conversation: Of the run.
        began: When, by ``time.monotonic``.
        scrub: Goes over its texts.

    Raises:
        LlmspellError: The run failed, or its result cannot leave it.
    """
    ended = conversation.ended
    if type(ended) is Failed:
        from llmspell.runtime.outcome import error_from

        raise error_from(ended.failure, conversation.run)
    assert isinstance(ended, Done)
    values = ended.values
    if values:
        values = [result_of(conversation.run, value) for value in values]
        if scrub is not None:
            values = [scrub_value(value, scrub) for value in values]
    return _describe(conversation, began, tuple(values))


def tell_of(error: LlmspellError, conversation: Conversation, began: float, scrub: Scrub | None) -> None:
    """Add what there is of a result to the error that ended a run."""
    error.result = _describe(conversation, began)
    if scrub is not None:
        scrub_error(error, scrub)


def lost(conversation: Conversation, error: EngineCrashed) -> LlmspellError:
    """Return why a guest is gone: often it was ended on purpose."""
    from llmspell.runtime.outcome import why_lost

    return why_lost(conversation.run, error)


def _describe(conversation: Conversation, began: float, values: tuple[Any, ...] = ()) -> RunResult:
    run, seat = conversation.run, conversation.seat
    usage = seat.usage()
    peak = usage.peak_memory if usage.peak_memory is not None else usage.memory
    limit = run.policy.limits.memory
    if peak is not None and limit is not None and peak > SOFT * limit and not run.warned_of("memory"):
        run.event("warning", {"limit": "memory", "value": limit, "used": peak})
    return RunResult(
        value=values[0] if values else None,
        values=values,
        output=run.printed,
        usage=run.budget.usage,
        duration=time.monotonic() - began,
        isolation=seat.isolation,
        run_id=run.id,
        language=run.language,
        warnings=tuple(run.warnings),
        memory=peak,
        steps=usage.steps,
    )
