"""``Vm``: one context of the engine with the glue in it, never used for a second run."""

from __future__ import annotations

import threading
from collections.abc import Callable

from llmspell.errors import EngineCrashed
from llmspell_quickjs import glue, native
from llmspell_quickjs.extension import Context
from llmspell_quickjs.native import Native, Symbols

Serve = Callable[..., str]
_CLOSED = "X"
STACK = 4 * 1024 * 1024
"""Bytes of C stack a script may use where its thread has as many: some 2,500 calls inside one another."""

_SURE = 1024 * 1024
"""Bytes that every thread is taken to have whose stack cannot be measured."""

_PYTHONS = 192 * 1024
"""Bytes of a thread's stack that are left to what called the engine, and to what the engine calls."""

_LEAST = 64 * 1024

_COMMON = ("calls", "console", "failures", "modules", "rare", "tasks", "visits")
"""Parts that are compiled before workers are forked: most spells need some of them."""


def _room(size: int | None) -> int:
    """Return how much of a thread's stack a script may use."""
    return _SURE if size is None else min(STACK, size - _PYTHONS)


class _Door:
    """What the glue calls. It never raises and always gives a string: the binding survives nothing else."""

    __slots__ = ("serve",)

    def __init__(self) -> None:
        self.serve: Serve | None = None

    def __call__(self, *args: str) -> str:
        return _CLOSED if self.serve is None else self.serve(*args)


class Vm:
    """A context whose only ways in and out are flat strings.

    Args:
        pieces: What works of the engine here.
        code: The glue as bytecode, or None to evaluate its text.
    """

    __slots__ = ("_door", "_heap", "_listener", "_pieces", "_slot", "_thread", "context", "enter", "run_job")

    def __init__(self, pieces: Native, code: bytes | None) -> None:
        self._pieces = pieces
        context = self.context = Context()
        context.set_max_stack_size(_room(native.main_stack()))
        self._thread = threading.main_thread().ident
        if pieces.interrupt:
            native.arm(context)
        self._heap = native.heap_size(context) if pieces.heap else None
        self._door = _Door()
        context.add_callable("__llmspell_host", self._door)
        if code is not None and pieces.symbols is not None:
            pieces.symbols.run(context, code)
        else:
            context.eval(glue.core())
        self.enter: Callable[..., str] = context.get("__llmspell_enter")
        self._listener = context.get("__llmspell_tracker")
        self._slot = context.get("__llmspell_slot")
        if pieces.symbols is not None:
            pieces.symbols.track_rejections(context, self._listener)
        self.run_job: Callable[[], bool] = context.execute_pending_job

    def open(self, serve: Serve, memory: int | None) -> None:
        """Give it to a run.

        Args:
            serve: Hears what the glue asks; must not raise.
            memory: Bytes its heap may take.
        """
        self._door.serve = serve
        if memory is not None:
            self.context.set_memory_limit(memory)

    def fit_thread(self) -> None:
        """Keep scripts within the stack of the calling thread; to be called before the VM is entered.

        Raises:
            EngineCrashed: It is too small for any script.
        """
        thread = threading.get_ident()
        if thread == self._thread:
            return
        size = native.main_stack() if thread == threading.main_thread().ident else native.thread_stack()
        room = _room(size)
        if room < _LEAST:
            raise EngineCrashed(
                f"the thread has a stack of {size or 0:,} bytes, too few to run JavaScript in",
                hint=f"give it {_PYTHONS + STACK:,} by threading.stack_size(), or run the spell in a worker",
            )
        self.context.set_max_stack_size(room)
        self._thread = thread

    def put(self, name: str, code: bytes) -> None:
        """Put the value of glue bytecode where the glue finds it."""
        assert self._pieces.symbols is not None
        self._pieces.symbols.put(self.context, self._slot, name, code)

    def trip(self) -> None:
        """End running JavaScript, from any thread."""
        if self._pieces.interrupt:
            native.trip(self.context)

    def untrip(self) -> None:
        if self._pieces.interrupt:
            native.untrip(self.context)

    def heap(self) -> int | None:
        """Return the bytes of the heap, from any thread; None if that cannot be read here."""
        return None if self._heap is None else self._heap.value

    def close(self) -> None:
        """Let go of the context. Nothing of it may be running."""
        if self._pieces.symbols is not None:
            self._pieces.symbols.forget(self.context)
        self._door.serve = None
        self._heap = None
        self.enter = self.run_job = self.context = self._listener = self._slot = None  # type: ignore[assignment]


class VmFactory:
    """Make VMs quickly: the glue is compiled once, rare parts of it when the first VM needs them.

    Args:
        pieces: What works of the engine here.
    """

    def __init__(self, pieces: Native) -> None:
        self.pieces = pieces
        symbols = pieces.symbols
        self._core = None if symbols is None else symbols.compile(glue.core(), "<glue>")
        self._texts = glue.parts()  # read now: a hardened worker can open no more files
        self._codes = {} if symbols is None else {name: self._compiled(symbols, name) for name in _COMMON}

    def make(self) -> Vm:
        vm = Vm(self.pieces, self._core)
        vm.open(lambda op, name="": self.part(vm, name) if op == "part" else _CLOSED, None)
        return vm

    def part(self, vm: Vm, name: str) -> str:
        """Give a VM a part of the glue: as a value in its slot, or as the text that is returned."""
        symbols = self.pieces.symbols
        if symbols is None:
            return self._texts[name]
        code = self._codes.get(name)
        if code is None:
            code = self._codes[name] = self._compiled(symbols, name)
        vm.put(name, code)
        return ""

    def _compiled(self, symbols: Symbols, name: str) -> bytes:
        return symbols.compile(self._texts[name], "<glue>")
