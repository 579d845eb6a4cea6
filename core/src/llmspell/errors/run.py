"""Errors of a run: of the script, of what it calls, of the limits it reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmspell.errors.root import Frame, LlmspellError, Location


class ConversionError(LlmspellError):
    """A value cannot cross between script and host.

    Attributes:
        path: Where in the value, e.g. ``"$.users[3].age"``; ``"$"`` is the value itself. A long one is shortened in the
            message.
    """

    code = "conversion"
    exit_code = 10

    def __init__(self, message: str, *, path: str = "$", hint: str | None = None) -> None:
        shown = path if len(path) <= 120 else f"{path[:60]}...{path[-40:]}"
        super().__init__(f"{message} (at {shown})" if path != "$" else message, hint=hint)
        self.path = path


class BridgeError(LlmspellError):
    """An expected failure of an export.

    The script sees ``code`` and the message, and nothing else of it.

    Args:
        message: Safe to show to the script.
        code: Stable snake_case word the script can branch on.
        details: Extra data for the script, converted as results are.
        exit_code: What the command line returns if nobody handles it.

    Example:
        >>> raise BridgeError("no note named 'x'", code="not_found")
        Traceback (most recent call last):
        ...
        llmspell.errors.BridgeError: no note named 'x'
    """

    code = "failed"
    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: dict[str, Any] | None = None,
        hint: str | None = None,
        exit_code: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        if code is not None:
            self.code = code  # type: ignore[misc]
        if exit_code is not None:
            self.exit_code = exit_code  # type: ignore[misc]
        self.details = details


class ArgumentError(BridgeError):
    """Arguments do not fit an export's signature. ``parameter`` is the name at fault."""

    code = "invalid_argument"

    def __init__(self, message: str, *, parameter: str = "", position: int = 0) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.position = position


class ScriptError(LlmspellError):
    """The script failed.

    Attributes:
        language: Engine name.
        location: Where, if known.
        frames: The script's stack, innermost first.
        value: What the script raised or threw, converted, when it was more than a text.
    """

    code = "script"
    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        language: str = "",
        location: Location | None = None,
        frames: tuple[Frame, ...] = (),
        value: Any = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.language = language
        self.location = location
        self.frames = frames
        self.value = value


class ScriptSyntaxError(ScriptError):
    """The source does not parse.

    Attributes:
        incomplete: True if more input could complete it (a REPL then asks for another line).
    """

    code = "syntax"

    def __init__(
        self,
        message: str,
        *,
        language: str = "",
        location: Location | None = None,
        incomplete: bool = False,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, language=language, location=location, hint=hint)
        self.incomplete = incomplete


class ScriptRuntimeError(ScriptError):
    code = "runtime"


class ScriptExitError(ScriptError):
    """The script asked to end with a status. ``status`` becomes the exit code."""

    code = "exit"

    def __init__(self, message: str, *, status: int = 0, language: str = "") -> None:
        super().__init__(message, language=language)
        self.status = status


class BridgeCallError(ScriptError):
    """A host call failed and the script did not handle it.

    ``fault_code`` is the code the script would have seen; the host's own exception is ``__cause__``.
    """

    code = "bridge_call"

    def __init__(
        self,
        message: str,
        *,
        fault_code: str = "failed",
        language: str = "",
        location: Location | None = None,
        frames: tuple[Frame, ...] = (),
        value: Any = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, language=language, location=location, frames=frames, value=value, hint=hint)
        self.fault_code = fault_code


class ResourceExhausted(LlmspellError):
    """A limit of the policy was reached.

    Attributes:
        limit: Name of the limit, as in :class:`llmspell.Limits`.
        value: Its value (seconds, bytes, counts).
        location: Where the script stood, if known.
    """

    code = "resource"
    exit_code = 9

    def __init__(
        self,
        message: str,
        *,
        limit: str = "",
        value: float | int | None = None,
        language: str = "",
        location: Location | None = None,
        frames: tuple[Frame, ...] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.limit = limit
        self.value = value
        self.language = language
        self.location = location
        self.frames = frames


class DeadlineExceeded(ResourceExhausted):
    code = "deadline"
    exit_code = 8


class StepsExceeded(ResourceExhausted):
    code = "steps"


class MemoryExceeded(ResourceExhausted):
    code = "memory"


class OutputExceeded(ResourceExhausted):
    code = "output"


class BudgetExceeded(ResourceExhausted):
    """A budget of host calls, model tokens or cost is used up.

    Attributes:
        spent: What was spent of it: ``input_tokens``, ``output_tokens``, ``requests``, ``cost``,
            ``unpriced_requests``, ``calls``.
        budget: Which node of the tree of budgets it was.
    """

    code = "budget"

    def __init__(
        self, message: str, *, spent: Mapping[str, Any] | None = None, budget: object = None, **more: Any
    ) -> None:
        super().__init__(message, **more)
        self.spent = dict(spent or {})
        self.budget = budget


class Cancelled(LlmspellError):
    code = "cancelled"
    exit_code = 130


class EngineCrashed(LlmspellError):
    """The engine died, or its worker said something no honest worker says."""

    code = "engine_crashed"
    exit_code = 5
