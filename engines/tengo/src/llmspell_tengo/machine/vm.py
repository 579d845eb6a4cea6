"""One Lua state that belongs to Tengo: its metatables are the state's own types'."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable
from functools import cache
from typing import Any

from llmspell_tengo.compiler import CompiledProgram

PIECES = ("core", "builtins", "bytes", "codec")
"""Parts of the runtime every state has; the driver comes last."""

NEEDS = {
    "base64": ("args",),
    "fmt": ("format",),
    "hex": ("args",),
    "json": ("args", "format", "base64"),
    "math": ("args",),
    "rand": ("args",),
    "text": ("args", "format"),
    "times": ("args", "time"),
}
"""What a part of the runtime needs of the parts that not every state has."""

_HELPERS = {"builtin_format": "format", "builtin_time": "time"}
"""Where what a program uses is defined, if not in the parts that every state has."""


def _denied(*_: object) -> None:
    raise AttributeError("a script does not reach Python")


def _new_runtime() -> Any:
    import lupa.lua54

    return lupa.lua54.LuaRuntime(
        encoding=None,
        register_eval=False,
        register_builtins=False,
        unpack_returned_tuples=True,
        max_memory=0,
        attribute_handlers=(_denied, _denied),
    )


@cache
def runtime_source(name: str) -> bytes:
    """Read a ``.lua`` or ``.tengo`` file of the runtime."""
    return (importlib.resources.files("llmspell_tengo") / "runtime" / name).read_bytes()


@cache
def bytecode(name: str) -> bytes:
    """Compile a part of the runtime; all states load the same bytes.

    Names of functions and lines of code are left out: they would cost each state more than the code itself.
    """
    dump = _new_runtime().eval(
        b"function(text, name) return string.dump(assert(load(text, name, 't')), true) end"
    )
    return bytes(dump(runtime_source(f"{name}.lua"), f"={name}".encode()))


class LuaVM:
    """A Lua state with the Tengo runtime.

    Args:
        poll: Called now and then while a program runs; true makes it stop. It must neither raise nor return
            anything but a bool: it runs inside Lua, possibly at the memory limit.
    """

    def __init__(self, poll: Callable[[], bool]) -> None:
        runtime = self._runtime = _new_runtime()
        scope = runtime.globals()
        scope[b"python"] = None
        self._load: Any = scope[b"load"]
        self.table: Any = runtime.table()
        self._loaded: set[str] = set()
        self.driver: Any = None
        for name in PIECES:
            self.require(name)
        self.driver = self._load(bytecode("driver"), b"=driver", b"b")(self.table, poll)
        self.memory: int | None = None

    def require(self, name: str) -> None:
        """Load a part of the runtime and what it needs, once."""
        if name not in self._loaded:
            self._loaded.add(name)
            for needed in NEEDS.get(name, ()):
                self.require(needed)
            self._load(bytecode(name), f"={name}".encode(), b"b")(self.table)

    def prepare(self, program: CompiledProgram) -> None:
        """Load the parts of the runtime that a program uses."""
        for name in program.native_modules:
            self.require(name)
        for helper in program.helpers:
            if helper in _HELPERS:
                self.require(_HELPERS[helper])

    def load(self, lua: bytes) -> Any:
        """Load a program and return its main function.

        Raises:
            ValueError: Lua refuses the text, as too large or too nested; with Lua's words.
        """
        chunk = self._load(lua, b"=program")
        if isinstance(chunk, tuple):
            raise ValueError(chunk[1].decode("utf-8", "replace"))
        return chunk(self.table)

    def step(self) -> int:
        """Let the guest run until it has something to say, under the memory limit.

        Raises:
            MemoryError: The limit was reached; the state may be used for nothing but its figures.
        """
        if self.memory is None:
            return int(self.driver[b"step"]())
        self._runtime.set_max_memory(self.memory, total=True)
        try:
            return int(self.driver[b"step"]())
        finally:
            self._runtime.set_max_memory(0)

    @property
    def used_memory(self) -> int:
        """Bytes of the state's heap, garbage included."""
        return int(self._runtime.get_memory_used(total=True) or 0)
