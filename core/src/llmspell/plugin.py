"""What plugin authors import: the whole plugin side of llmspell in one place.

from llmspell.plugin import Bridge, BridgeSpec, export, hookimpl
"""

from llmspell.bridge import (
    Bridge,
    BridgeContext,
    BridgeSpec,
    Call,
    Export,
    HostObject,
    ScriptFunction,
    Secret,
    export,
)
from llmspell.engine import (
    API_VERSION,
    Capabilities,
    EngineSpec,
    Gathering,
    Guest,
    GuestLimits,
    GuestUsage,
    Port,
    Program,
    ScriptEngine,
    Source,
)
from llmspell.errors import ArgumentError, BridgeError
from llmspell.host.hookspecs import Denial, hookimpl
from llmspell.policy import Policy, PolicyPreset
from llmspell.values import ConverterSpec, FunctionRef, HostRef, TypeConverter, Value, instants_as_text

__all__ = [
    "API_VERSION",
    "ArgumentError",
    "Bridge",
    "BridgeContext",
    "BridgeError",
    "BridgeSpec",
    "Call",
    "Capabilities",
    "ConverterSpec",
    "Denial",
    "EngineSpec",
    "Export",
    "FunctionRef",
    "Gathering",
    "Guest",
    "GuestLimits",
    "GuestUsage",
    "HostObject",
    "HostRef",
    "Policy",
    "PolicyPreset",
    "Port",
    "Program",
    "ScriptEngine",
    "ScriptFunction",
    "Secret",
    "Source",
    "TypeConverter",
    "Value",
    "export",
    "hookimpl",
    "instants_as_text",
]
