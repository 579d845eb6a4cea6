"""The bundled Lua of lupa: which build, and how a bare runtime of it is made."""

from __future__ import annotations

import importlib
import random
from dataclasses import dataclass
from typing import Any

from llmspell.errors import ConfigError

VMS = ("lua54", "lua55")
"""What may be chosen. LuaJIT is not offered: its compiled code cannot be interrupted, and one line crashes it."""


def _deny(*_: object) -> None:
    raise AttributeError("denied")


@dataclass(frozen=True, slots=True)
class Vm:
    """One of lupa's Lua builds.

    Attributes:
        name: ``"lua54"`` or ``"lua55"``.
        module: The extension module.
        memory_error: What its runtimes raise when they reach their memory limit.
    """

    name: str
    module: Any
    memory_error: type[Exception]

    @classmethod
    def load(cls, name: str) -> Vm:
        """Import a build.

        Raises:
            ConfigError: It is not one of :data:`VMS`, or this lupa does not bring it.
        """
        if name not in VMS:
            raise ConfigError(f"the Lua engine has no VM {name!r}; choose one of {', '.join(VMS)}")
        try:
            module = importlib.import_module(f"lupa.{name}")
        except ImportError as error:
            raise ConfigError(f"this installation of lupa has no {name}: {error}") from error
        return cls(name, module, module.LuaMemoryError)

    @property
    def version(self) -> str:
        """Language version and binding, as cache keys and ``llmspell engines`` show it."""
        from lupa import __version__

        major, minor = self.module.LUA_VERSION
        return f"{major}.{minor}/lupa-{__version__}"

    def runtime(self) -> Any:
        """Make a bare runtime: bytes for strings, no way back into Python, memory counted but not limited.

        With ``encoding=None`` lupa wraps a Python ``str`` as a Python object, which a script could then hold:
        nothing but ``bytes``, numbers, booleans and None may ever be passed in.
        """
        return self.module.LuaRuntime(
            encoding=None,
            source_encoding="utf-8",
            register_eval=False,
            register_builtins=False,
            unpack_returned_tuples=True,
            attribute_handlers=(_deny, _deny),
            max_memory=0,
            **({"string_hash_seed": random.SystemRandom().getrandbits(32)} if self.name == "lua55" else {}),
        )
