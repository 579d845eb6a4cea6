"""Run language-model spells written in Lua, JavaScript and Tengo.

    from llmspell import Host, Policy

    with Host() as host, host.session(policy=Policy.standard()) as session:
        print(session.eval("lua", "return 1 + 1").value)

Importing this package loads neither an engine nor a bridge nor anything heavy: names are fetched when used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmspell.engine import Source
    from llmspell.engine.modules import Bundle, ModuleDefinition
    from llmspell.errors import *  # noqa: F403
    from llmspell.gate import JsonlRecorder, MemoryRecorder, Usage
    from llmspell.host.host import Host
    from llmspell.host.result import RunResult
    from llmspell.host.session import Session
    from llmspell.policy import Grants, Limits, Policy
    from llmspell.spell import Spell

__version__ = "0.1.0"

__all__ = [  # errors are exported too, by name; see llmspell.errors
    "Bundle",
    "Grants",
    "Host",
    "JsonlRecorder",
    "Limits",
    "MemoryRecorder",
    "ModuleDefinition",
    "Policy",
    "RunResult",
    "Session",
    "Source",
    "Spell",
    "Usage",
]

_HOMES = {
    "Bundle": "llmspell.engine.modules",
    "Grants": "llmspell.policy",
    "Host": "llmspell.host.host",
    "JsonlRecorder": "llmspell.gate",
    "Limits": "llmspell.policy",
    "MemoryRecorder": "llmspell.gate",
    "ModuleDefinition": "llmspell.engine.modules",
    "Policy": "llmspell.policy",
    "RunResult": "llmspell.host.result",
    "Session": "llmspell.host.session",
    "Source": "llmspell.engine",
    "Spell": "llmspell.spell",
    "Usage": "llmspell.gate",
}
_ERRORS = "llmspell.errors"


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        errors = import_module(_ERRORS)
        if name not in errors.__all__:
            raise AttributeError(f"module 'llmspell' has no attribute {name!r}")
        value = getattr(errors, name)
    else:
        value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*_HOMES, *import_module(_ERRORS).__all__, "__version__"])
