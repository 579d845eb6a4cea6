"""From the guest's account of a failure to the exception the embedder gets."""

from __future__ import annotations

from llmspell.engine.messages import Failure
from llmspell.errors import (
    BridgeCallError,
    BudgetExceeded,
    Cancelled,
    ConversionError,
    DeadlineExceeded,
    EngineCrashed,
    Frame,
    LlmspellError,
    Location,
    MemoryExceeded,
    OutputExceeded,
    ResourceExhausted,
    ScriptError,
    ScriptExitError,
    ScriptModuleNotFoundError,
    ScriptRuntimeError,
    ScriptSyntaxError,
    StepsExceeded,
)
from llmspell.policy import how_to_grant
from llmspell.runtime.run import Run

_LIMITS: dict[str, type[ResourceExhausted]] = {
    "deadline": DeadlineExceeded,
    "time": DeadlineExceeded,
    "steps": StepsExceeded,
    "memory": MemoryExceeded,
    "output": OutputExceeded,
    "calls": BudgetExceeded,
    "tokens": BudgetExceeded,
    "cost": BudgetExceeded,
    "budget": BudgetExceeded,
}


def error_from(failure: Failure, run: Run) -> LlmspellError:
    """Make the exception for a failure; a host exception behind it becomes its ``__cause__``."""
    location = Location(failure.file, failure.line, failure.column) if failure.file else None
    language = failure.language or run.language
    limit = run.policy.limits.error
    message = failure.message
    if limit is not None and len(message) > limit:
        message = message[:limit] + " ..."
    frames = tuple(Frame(f.language, Location(f.file, f.line, f.column), f.function, f.locals) for f in failure.frames)
    hint = _hint_of(failure, run)
    kind = failure.kind
    if kind == "syntax":
        return ScriptSyntaxError(
            message, language=language, location=location, incomplete=failure.incomplete, hint=hint
        )
    if kind == "exit":
        return ScriptExitError(message, status=failure.status, language=language)
    if kind == "limit" and isinstance(run.stop_error, Cancelled):
        return run.stop_error
    if kind == "limit":
        return _limit(failure, run, message, language, location, frames)
    if kind == "cancelled":
        return Cancelled(message or "the run was cancelled")
    if kind == "conversion":
        error = ConversionError(message, hint=hint)
        error.path = failure.path
        return error
    if kind == "module":
        return ScriptModuleNotFoundError(message, name=failure.code, hint=hint, location=location)
    if kind == "internal":
        return EngineCrashed(message)
    cause = run.causes.get(failure.fault) if failure.fault else None
    if isinstance(cause, ScriptError):
        # The error came out of another guest: one stack, innermost first, each frame with its language.
        place = () if cause.frames or cause.location is None else (Frame(cause.language, cause.location, ""),)
        frames = (*cause.frames, *place, *frames)
    if cause is not None or failure.fault:
        called = BridgeCallError(
            message, fault_code=failure.code or "failed", language=language, location=location, frames=frames,
            value=failure.value, hint=hint or getattr(cause, "hint", None),
        )  # fmt: skip
        called.__cause__ = cause
        if isinstance(cause, LlmspellError):
            called.exit_code = cause.exit_code  # type: ignore[misc]
        return called
    raised = ScriptRuntimeError(
        message, language=language, location=location, frames=frames, value=failure.value, hint=hint
    )
    if failure.code:
        raised.value = failure.value if failure.value is not None else {"code": failure.code, "message": message}
    return raised


def _hint_of(failure: Failure, run: Run) -> str | None:
    name = failure.unknown
    if name and name in run.bridges.names:
        if run.policy.grants.allows_bridge(name):
            return f"{name} is a bridge: import it first"
        return f"the bridge {name!r} is not granted by the policy; {how_to_grant(name)}"
    return failure.hint or None


def _limit(
    failure: Failure,
    run: Run,
    message: str,
    language: str,
    location: Location | None,
    frames: tuple[Frame, ...],
) -> LlmspellError:
    name = failure.limit or "deadline"
    if isinstance(run.stop_error, ResourceExhausted):
        known = run.stop_error
        name = known.limit or name
        message = known.message
    elif name == "deadline":
        message = run.over_deadline().message
    cls = (
        type(run.stop_error) if isinstance(run.stop_error, ResourceExhausted) else _LIMITS.get(name, ResourceExhausted)
    )
    limits = run.policy.limits
    label = "time" if name == "deadline" else name
    value = getattr(limits, label, None) if label != "budget" else None
    error = cls(
        message or f"the script reached its limit of {label} ({value})", limit=label, value=value, language=language,
        location=location, frames=frames,
    )  # fmt: skip
    if isinstance(error, BudgetExceeded):
        error.spent, error.budget = run.budget.usage.as_dict(), run.budget
    cause = run.causes.get(failure.fault) if failure.fault else None
    if cause is not None:
        error.__cause__ = cause
    return error


def why_lost(run: Run, error: EngineCrashed) -> LlmspellError:
    """Tell why a guest is gone: one that was killed because the run was stopped did not crash."""
    if isinstance(run.stop_error, LlmspellError):
        return run.stop_error
    if run.stopping == "deadline":
        return run.over_deadline()
    if isinstance(error.__cause__, ResourceExhausted):
        return error.__cause__
    if run.stopping:
        return Cancelled("the run was cancelled")
    return error
