"""The one error tree of llmspell.

    LlmspellError
    ├── UsageError                     a call, option or argument of ours that makes no sense
    ├── ConfigError                    a configuration file or value that cannot be used
    ├── PluginError                    a plugin cannot be used
    │   ├── PluginLoadError            its entry point or factory raised
    │   ├── PluginConflictError        two plugins offer one name
    │   └── PluginVersionError         it speaks another version of the plugin contract
    ├── NotFoundError                  something named does not exist
    │   ├── EngineNotFoundError        no engine of that name, or for such a file
    │   ├── BridgeNotFoundError        no bridge of that name
    │   ├── SpellNotFoundError         no spell there, or it cannot be read
    │   └── ScriptModuleNotFoundError  a script requires what there is not
    ├── PolicyError                    a policy stands in the way
    │   ├── PolicyUnsupportedError     the policy asks for what this engine or machine cannot enforce
    │   └── PolicyDeniedError          the policy forbids what was asked
    ├── ConversionError                a value that cannot cross, with its path
    ├── ParameterError                 spell parameters that do not fit their declaration
    ├── BridgeError                    an expected failure of an export: code and message reach the script
    │   └── ArgumentError              arguments that do not fit the export's signature
    ├── SessionClosedError             a session or run that has ended is used
    ├── ScriptError                    the script's own failure: language, location, frames, guest value
    │   ├── ScriptSyntaxError          the source does not parse
    │   ├── ScriptRuntimeError         the script raised an error
    │   ├── ScriptExitError            the script asked to end with a status
    │   └── BridgeCallError            a host call failed and the script did not handle it
    ├── ResourceExhausted              a limit was reached; never catchable by the script
    │   ├── DeadlineExceeded           of time
    │   ├── StepsExceeded              of engine steps
    │   ├── MemoryExceeded             of the script's memory
    │   ├── OutputExceeded             of output
    │   └── BudgetExceeded             of host calls, model tokens or cost
    ├── Cancelled                      somebody stopped the run
    └── EngineCrashed                  the engine or its worker died or broke the protocol

Every error has a stable ``code`` (snake_case, part of the public contract), an optional ``hint``
that says what to do next, and an ``exit_code`` for the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

__all__ = [
    "ArgumentError",
    "BridgeCallError",
    "BridgeError",
    "BridgeNotFoundError",
    "BudgetExceeded",
    "Cancelled",
    "ConfigError",
    "ConversionError",
    "DeadlineExceeded",
    "EngineCrashed",
    "EngineNotFoundError",
    "Frame",
    "LlmspellError",
    "Location",
    "MemoryExceeded",
    "NotFoundError",
    "OutputExceeded",
    "ParameterError",
    "PluginConflictError",
    "PluginError",
    "PluginLoadError",
    "PluginVersionError",
    "PolicyDeniedError",
    "PolicyError",
    "PolicyUnsupportedError",
    "ResourceExhausted",
    "ScriptError",
    "ScriptExitError",
    "ScriptModuleNotFoundError",
    "ScriptRuntimeError",
    "ScriptSyntaxError",
    "SessionClosedError",
    "SpellNotFoundError",
    "StepsExceeded",
    "UsageError",
]


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a script. Lines and columns count from 1; 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        text = self.file
        if self.line:
            text += f":{self.line}"
            if self.column:
                text += f":{self.column}"
        return text


@dataclass(frozen=True, slots=True)
class Frame:
    """One call frame of a script, innermost first in a list of frames.

    Attributes:
        language: Engine name, e.g. ``"lua"``.
        location: Where the frame stood.
        function: Name of the function, or ``""`` for the main chunk.
        locals: Local variables rendered as short text, where the engine can tell them.
    """

    language: str
    location: Location
    function: str = ""
    locals: dict[str, str] = field(default_factory=dict)


class LlmspellError(Exception):
    """Base of every error llmspell raises.

    Args:
        message: What happened, where, in one paragraph.
        hint: What to do next.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    result: Any = None
    """What there is of the run's result (output, usage), if it happened in one."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LlmspellError):
    code = "usage"
    exit_code = 2


class ConfigError(LlmspellError):
    code = "config"
    exit_code = 3


class PluginError(LlmspellError):
    """A plugin could not be used. ``plugin`` names it, with its distribution where known."""

    code = "plugin"
    exit_code = 11

    def __init__(self, message: str, *, plugin: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.plugin = plugin


class PluginLoadError(PluginError):
    code = "plugin_load"


class PluginConflictError(PluginError):
    code = "plugin_conflict"


class PluginVersionError(PluginError):
    code = "plugin_version"


class NotFoundError(LlmspellError):
    """Something named does not exist. ``name`` is what was asked for."""

    code = "not_found"

    def __init__(self, message: str, *, name: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.name = name


class EngineNotFoundError(NotFoundError):
    code = "engine_not_found"
    exit_code = 5


class BridgeNotFoundError(NotFoundError):
    code = "bridge_not_found"
    exit_code = 4


class SpellNotFoundError(NotFoundError):
    code = "spell_not_found"
    exit_code = 12


class ScriptModuleNotFoundError(NotFoundError):
    """A module a script asks for; ``location`` is where it does, if that is known."""

    code = "module_not_found"
    exit_code = 4

    def __init__(
        self, message: str, *, name: str = "", hint: str | None = None, location: Location | None = None
    ) -> None:
        super().__init__(message, name=name, hint=hint)
        self.location = location


class PolicyError(LlmspellError):
    code = "policy"
    exit_code = 6


class PolicyUnsupportedError(PolicyError):
    """``missing`` names the pieces that would be needed."""

    code = "policy_unsupported"

    def __init__(self, message: str, *, missing: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.missing = missing


class PolicyDeniedError(PolicyError):
    code = "denied"


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


class ParameterError(LlmspellError):
    code = "parameter"
    exit_code = 10


class BridgeError(LlmspellError):
    """An expected failure of an export.

    The script sees ``code`` and the message, and nothing else of it.

    Args:
        message: Safe to show to the script.
        code: Stable snake_case word the script can branch on.
        details: Extra plain data for the script.
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


class SessionClosedError(LlmspellError):
    code = "session_closed"


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
