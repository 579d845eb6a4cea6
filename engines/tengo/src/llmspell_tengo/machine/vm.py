"""One Lua state that belongs to Tengo: its metatables are the state's own types'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmspell_tengo.compiler import CompiledProgram
from llmspell_tengo.machine.parts import ALWAYS, NEEDS, bytecode, providers

DONE, SAID, FAILED = 0, 1, 2
"""What a step may end with, see ``runtime/driver.lua``."""


def _denied(*_: object) -> None:
    raise AttributeError("a script does not reach Python")


def new_runtime() -> Any:
    """Make a bare Lua state. Python and Lua exchange bytes, numbers and opaque tables, nothing else."""
    import lupa.lua54

    return lupa.lua54.LuaRuntime(
        encoding=None,
        register_eval=False,
        register_builtins=False,
        unpack_returned_tuples=True,
        max_memory=0,
        attribute_handlers=(_denied, _denied),
    )


class LuaVM:
    """A Lua state with the Tengo runtime.

    Args:
        poll: Called now and then while a program runs; true makes it stop. It must neither raise nor return
            anything but a bool: it runs inside Lua, possibly at the memory limit.
    """

    __slots__ = ("_load", "_loaded", "_runtime", "driver", "memory", "table")

    def __init__(self, poll: Callable[[], bool]) -> None:
        self._runtime = runtime = new_runtime()
        self._load: Any = runtime.globals()[b"load"]
        self._loaded = {*ALWAYS, "trim"}
        self._load(bytecode("trim"), b"=trim", b"b")()
        self.table: Any = runtime.table()
        self._load(bytecode("base"), b"=base", b"b")(self.table)
        self.driver: Any = self._load(bytecode("driver"), b"=driver", b"b")(self.table, poll)
        self.memory: int | None = None

    def require(self, part: str) -> None:
        """Load a part of the runtime and what it needs, once."""
        if part not in self._loaded:
            self._loaded.add(part)
            for needed in NEEDS.get(part, ()):
                self.require(needed)
            self._load(bytecode(part), f"={part}".encode(), b"b")(self.table)

    def provide(self, name: str) -> None:
        """Load the part that brings a name of the runtime.

        Raises:
            KeyError: No part does; a fault of the runtime.
        """
        self.require(providers()[name])

    def load(self, program: CompiledProgram) -> Any:
        """Load a program and what it uses of the runtime; return its main function.

        Raises:
            ValueError: Lua refuses the text, as too large or too nested; with Lua's words.
        """
        brings = providers()
        for module in program.native_modules:
            self.require(module)
        for helper in program.helpers:
            if helper in brings:
                self.require(brings[helper])
        chunk = self._load(program.lua, b"=program")
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
