"""Sending a request again after a failure that may pass."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from llmspell_llm.errors import ModelError

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

LONGEST_WAIT = 60.0
_FIRST_WAIT = 0.5


async def retrying(attempt: Callable[[], Awaitable[T]], retries: int) -> T:
    """Run ``attempt`` until it works, fails for good, or was repeated ``retries`` times.

    Waits as long as the provider asked (``Retry-After``), else half a second, doubled each time, with some chance
    in it. A provider that asks for more than a minute is not waited for.

    Args:
        attempt: What to run.
        retries: 0 runs it once.

    Raises:
        ModelError: The last failure.
    """
    try:
        return await attempt()
    except ModelError as error:
        if not retries or not _may_pass(error):
            raise
        failed: ModelError | None = error
    # What nearly always works need not pay for the means to repeat it; the failure is told as the first of its rounds.
    from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

    async for round_ in AsyncRetrying(
        stop=stop_after_attempt(retries + 1), wait=_wait, retry=retry_if_exception(_may_pass), reraise=True
    ):
        with round_:
            if failed is not None:
                first, failed = failed, None
                raise first
            return await attempt()
    raise AssertionError("tenacity ends with a result or an exception")


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, ModelError) and error.transient and (_asked_for(error) or 0.0) <= LONGEST_WAIT


def _asked_for(error: BaseException | None) -> float | None:
    return getattr(error, "retry_after", None)


def _wait(state: RetryCallState) -> float:
    from tenacity import wait_exponential_jitter

    asked = _asked_for(state.outcome.exception() if state.outcome is not None else None)
    if asked is not None:
        return asked
    return wait_exponential_jitter(initial=_FIRST_WAIT, max=LONGEST_WAIT, jitter=_FIRST_WAIT / 2)(state)
