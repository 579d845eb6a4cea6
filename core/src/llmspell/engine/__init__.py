"""The contract between llmspell and a language: messages, ``ScriptEngine``, ``Guest``, ``EngineSpec``.

May import ``errors``, ``values``, ``policy`` and ``bridge``.
"""

from llmspell.engine.contract import Guest, GuestLimits, GuestUsage, Port, Program, ScriptEngine
from llmspell.engine.source import Source
from llmspell.engine.spec import API_VERSION, Capabilities, EngineSpec, Gathering

__all__ = [
    "API_VERSION",
    "Capabilities",
    "EngineSpec",
    "Gathering",
    "Guest",
    "GuestLimits",
    "GuestUsage",
    "Port",
    "Program",
    "ScriptEngine",
    "Source",
]
