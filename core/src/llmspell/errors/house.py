"""Errors before a script runs, or beside it: how we are used, configured and extended, what exists, what is allowed."""

from __future__ import annotations

from llmspell.errors.root import LlmspellError, Location


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


class ParameterError(LlmspellError):
    code = "parameter"
    exit_code = 10


class SessionClosedError(LlmspellError):
    code = "session_closed"
