"""One Lua state that belongs to Tengo: its metatables are the state's own types'."""

from __future__ import annotations

import threading
from typing import Any

from llmspell_tengo.compiler import CompiledProgram
from llmspell_tengo.machine.parts import ALWAYS, NEEDS, bytecode, providers

CALL, EMIT, DONE, FAILED, PART, WORK = 1, 2, 3, 4, 5, 6
"""What a record begins with, see ``runtime/driver.lua``."""

VALUE, PACKED, FAULT, BRIDGE = 1, 2, 3, 4
"""Modes of an answer to a call."""

_BROKEN = 2
"""What a step returns that needs the part "ending" for the next."""

_TIDY_BELOW = 96 * 1024
_TIDY_STEP = 12 * 1024
"""Heaps smaller than the first are collected before they wait, once they grew by the second or by a fifth."""


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
    """A Lua state with the Tengo runtime, used by one thread at a time (:meth:`interrupt` excepted).

    Attributes:
        driver: Functions of ``runtime/driver.lua``.
        take: Returns the next record that was said, or None.
        tell: Answers what a task asked for at once.
        memory_limit: Bytes of the heap while a program runs, or 0.
        interruptions: Why the program was asked to stop, in order. Its length is what the program looks at now and
            then: the only Python object in the state is its ``__len__``.
        runs: How many programs it has served.
        spent: Why it must not be used again, or ``""``.
        birth_memory: Bytes in use when it was new.
    """

    __slots__ = (
        "_answer",
        "_chunks",
        "_collect",
        "_load",
        "_loaded",
        "_running",
        "_runtime",
        "_step",
        "_tidy_above",
        "birth_memory",
        "driver",
        "interruptions",
        "memory_limit",
        "runs",
        "spent",
        "table",
        "take",
        "tell",
    )

    def __init__(self) -> None:
        self._runtime = runtime = new_runtime()
        names = runtime.globals()
        self._load: Any = names[b"load"]
        self._collect: Any = names[b"collectgarbage"]
        self._loaded = {*ALWAYS, "trim"}
        self._chunks: dict[str, Any] = {}
        self._load(bytecode("trim"), b"=trim", b"b")()
        self.interruptions: list[str] = []
        self.table: Any = runtime.table()
        self._load(bytecode("base"), b"=base", b"b")(self.table)
        self._load(bytecode("limits"), b"=limits", b"b")(self.table, self.interruptions.__len__)
        self.driver: Any = self._load(bytecode("driver"), b"=driver", b"b")(self.table)
        self._step = self.driver[b"step"]
        self._answer = self.driver[b"answer"]
        self.take: Any = self.driver[b"take"]
        self.tell: Any = self.driver[b"tell"]
        self.memory_limit = 0
        self.runs = 0
        self.spent = ""
        self._running = threading.Lock()
        self._tidy_above = 0
        self.birth_memory = self.collect()

    # What it consists of

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
        """Load a program and what it uses of the runtime; return its main function."""
        brings = providers()
        for module in program.native_modules:
            self.require(module)
        for helper in program.helpers:
            part = "chars" if helper.startswith("char:") else brings.get(helper)
            if part is not None:
                self.require(part)
        chunk = self._chunks.get(program.chunk)
        if chunk is None:
            chunk = self._load(program.bytecode, program.chunk.encode(), b"b")
            if len(program.bytecode) <= _KEPT_CHUNK_BYTES:
                while len(self._chunks) >= _KEPT_CHUNKS:
                    del self._chunks[next(iter(self._chunks))]
                self._chunks[program.chunk] = chunk
        return chunk(self.table)

    # A run

    def step(self) -> bool:
        """Let the program run until it waits or has something to say; return whether to call again once it is heard.

        Raises:
            MemoryError: The limit was reached.
        """
        set_limit = self._runtime.set_max_memory
        with self._running:
            if not self.memory_limit:
                return self._stepped(self._step())
            set_limit(self.memory_limit, total=True)
            try:
                again = self._step()
            except MemoryError:
                self.spent = "memory"
                raise
            finally:
                set_limit(0)
            return self._stepped(again)

    def _stepped(self, again: int) -> bool:
        if again == _BROKEN:
            self.require("ending")
        return again != 0

    def answer(self, call: int, *answer: Any) -> None:
        """Answer a host call, in one of the modes."""
        self._answer(call, *answer)

    def where(self) -> bytes:
        """Return the frames of the main chunk, as a failure tells them."""
        self.require("ending")
        frames: bytes = self.driver[b"where"]()
        return frames

    def interrupt(self, reason: str) -> None:
        """Make a running step end soon, or the next one; callable from any thread."""
        self.interruptions.append(reason)

    @property
    def is_running(self) -> bool:
        """Tell whether a thread is inside the state."""
        return self._running.locked()

    def reset(self) -> None:
        """Forget the run: nothing of it can be seen by the next."""
        self.runs += 1
        self.driver[b"reset"]()
        self.interruptions.clear()
        self.memory_limit = 0
        self._tidy_above = self.birth_memory + _TIDY_STEP

    # Memory

    @property
    def memory(self) -> int:
        """Bytes of the state's heap, garbage included."""
        return int(self._runtime.get_memory_used(total=True) or 0)

    def collect(self) -> int:
        """Collect garbage; return the bytes then in use."""
        self._collect()
        memory = self.memory
        self._tidy_above = memory + max(memory // 5, _TIDY_STEP) if memory < _TIDY_BELOW else 1 << 62
        return memory

    def tidy(self) -> None:
        """Collect the garbage of a small heap, before it waits: thousands of them may."""
        if self.memory > self._tidy_above:
            self.collect()


_KEPT_CHUNKS = 8
_KEPT_CHUNK_BYTES = 32 * 1024
"""How many programs a state keeps, and up to which size of bytecode: their functions take two to four times that."""
