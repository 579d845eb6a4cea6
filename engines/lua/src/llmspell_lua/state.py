"""``LuaState``: one VM with the prelude, as the host drives it."""

from __future__ import annotations

import random
import sys
import threading
from typing import Any

from llmspell.engine import GuestLimits
from llmspell_lua.failures import Ending
from llmspell_lua.hooks import HookSwitch
from llmspell_lua.prelude_parts import DEPENDS, EAGER, Prelude
from llmspell_lua.programs import LuaProgram
from llmspell_lua.vm import Vm

_KEPT_CHUNKS = 8
_KEPT_CHUNK_BYTES = 32 * 1024
"""How many chunks a state keeps, and up to which size of bytecode: their functions take two to four times that."""

_MAX_STRING = 256 * 1024 * 1024
"""Longest string ``string.rep`` makes where no memory limit is set: some tenths of a second of C."""

_WINDOW = 1_000
"""Instructions between two hooks. The cost of a hook in Lua 5.4 is per instruction, whatever the window."""

_NO_HOOK = -1

_CO_WINDOWS = 10
"""Windows of a coroutine per window of a task, where steps are limited: what fits into less is not counted."""

_TIDY_BELOW = 128 * 1024
_TIDY_STEP = 4 * 1024
_TIDY_TURNS = 64
"""Heaps smaller than the first are collected before they wait, once they grew by the second or by a sixteenth, and then
not again for a number of waits that doubles up to the last."""

_random = random.SystemRandom()


class LuaState:
    """A Lua state, used by one thread at a time, and for one run after another.

    The memory limit holds only while :meth:`slice` runs the script: that call takes no arguments and returns a small
    integer. Reached in any other call into Lua, the limit would abort the process.

    Attributes:
        interruptions: Why the run was asked to end, in order. Its length is what the hook looks at: the only
            Python object the VM holds is its ``__len__``.
        take: Return the next record that the run said, or None; see ``tasks.lua``.
        table_from: Make a Lua table of a flat dict or list; of ``bytes``, numbers and booleans only.
        runs: How many runs it has served.
        spent: Why the state must not be used again, or ``""``.
        birth_memory: Bytes in use when it was new.
        kept_bytes: Bytecode of what it keeps for later runs: chunks, and parts of the prelude loaded since its birth.
    """

    __slots__ = (
        "_answer",
        "_bridges",
        "_chunks",
        "_control",
        "_limits",
        "_load",
        "_lock",
        "_memory",
        "_parts",
        "_prelude",
        "_running",
        "_runtime",
        "_set_max_memory",
        "_shared",
        "_start",
        "_step",
        "_switch",
        "_threads",
        "_tidy_above",
        "_tidy_pause",
        "_tidy_turn",
        "_vm",
        "birth_memory",
        "interruptions",
        "kept_bytes",
        "runs",
        "spent",
        "table_from",
        "take",
    )

    def __init__(self, vm: Vm, prelude: Prelude, switch: HookSwitch | None) -> None:
        self._vm = vm
        self._prelude = prelude
        self._switch = switch
        self.interruptions: list[str] = []
        self.runs = 0
        self.spent = ""
        self._lock = threading.Lock()
        self._running = False
        self._threads: list[int] = []
        self._limits: GuestLimits | None = None
        self._memory = 0
        self._bridges: tuple[str, ...] = ()
        self._chunks: dict[tuple[str, ...], tuple[Any, int]] = {}

        self._runtime = runtime = vm.runtime()
        self._load = runtime.eval(b"load")
        self._shared = shared = runtime.table()
        shared[b"poll"] = self.interruptions.__len__
        self.kept_bytes = 0
        self._parts: list[str] = []  # names; a proxy of each would be larger than a look-up is slow
        for part in EAGER:
            self.load_part(part)
        self._set_max_memory = runtime.set_max_memory
        self.table_from = runtime.table_from
        self._control = shared[b"control"]
        driver = shared[b"tasks"]
        self._step = driver[b"step"]
        self.take = driver[b"take"]
        self._start = driver[b"start"]
        self._answer = driver[b"answer"]
        self.kept_bytes = 0
        self._tidy_above = self._tidy_turn = self._tidy_pause = 0
        self.birth_memory = self.collect()

    @property
    def memory(self) -> int:
        """Bytes of the VM's heap in use."""
        return int(self._runtime.get_memory_used(total=True))

    @property
    def steps(self) -> int:
        """Instructions of this run, counted in windows; 0 without a step limit."""
        return int(self._control[b"steps"])

    @property
    def is_running(self) -> bool:
        """Tell whether a thread is inside the VM."""
        return self._running

    def load_part(self, name: str) -> Any:
        """Load a part of the prelude, if it is not there yet, and return what it is."""
        key = name.encode()
        if name not in self._parts:
            for other in DEPENDS.get(name, ()):
                self.load_part(other)
            part = self._load(self._prelude.parts[name], b"=prelude", b"b")(self._shared)
            if part is not None:
                self._shared[key] = part
            self._parts.append(name)
            self.kept_bytes += len(self._prelude.parts[name])
        return self._shared[key]

    def configure(self, limits: GuestLimits) -> None:
        """Set the limits of the runs that follow."""
        if limits is self._limits:
            return
        self._limits = limits
        self._memory = limits.memory or 0
        window = 0 if self._switch is not None else (_WINDOW if limits.watched else _NO_HOOK)
        co_window = _WINDOW if limits.watched else _NO_HOOK
        if limits.steps is not None:
            window = max(100, min(_WINDOW, limits.steps // 20))
            co_window = max(100, window // _CO_WINDOWS)
        control = self._control
        if control[b"count"] != window:
            control[b"count"] = window
            if self._threads:
                self._forget(drop_threads=True)
        control[b"co_count"] = co_window
        control[b"budget"] = False if limits.steps is None else limits.steps
        control[b"grace"] = float(limits.grace)
        shared = self._shared[b"limits"]
        shared[b"depth"] = limits.value.depth
        shared[b"nodes"] = limits.value.nodes
        shared[b"bytes"] = limits.value.bytes
        shared[b"tasks"] = limits.tasks
        shared[b"channels"] = limits.channels
        shared[b"string"] = min(limits.memory or _MAX_STRING, _MAX_STRING)

    def start(self, program: LuaProgram, params: bytes | None, bridges: tuple[str, ...]) -> None:
        """Begin a run; ``params`` is an encoded map."""
        self._set_bridges(bridges)
        for part in program.needs:
            if part not in self._parts:
                self.load_part(part)
        self.runs += 1
        self._watch(self._start(self._chunk(program), _random.getrandbits(62), params))

    def _set_bridges(self, bridges: tuple[str, ...]) -> None:
        if bridges != self._bridges:
            self._shared[b"bridges"] = b"\n%s\n" % "\n".join(bridges).encode()
            self._bridges = bridges

    def invoke(self, number: int, function: int, each: bool, blob: bytes | None, args: tuple[Any, ...]) -> None:
        """Begin an invocation, or one with each argument, with encoded arguments or with scalars."""
        self.load_part("encode")
        self._watch(self.load_part("invocations")(number, function, each, blob, len(args), *args))

    def idle(self, bridges: tuple[str, ...]) -> None:
        """Begin a run without a main chunk."""
        self._set_bridges(bridges)
        self.runs += 1
        self.load_part("sources")[b"idle"](_random.getrandbits(62))

    def load(self, number: int, name: bytes, program: LuaProgram, chain: list[bytes]) -> None:
        """Run a module for a guest of another language; ``chain`` names the files that wait for it."""
        self._watch(self.load_part("sources")[b"load"](number, name, self.adopt(program), *chain))

    def cancel(self, number: int, reason: str) -> None:
        """Cancel the task of an invocation."""
        self.load_part("stopping")[b"cancel_invocation"](number, reason.encode())

    def watch(self, address: bytes) -> None:
        """Remember a coroutine that the scheduler made by itself."""
        self._watch(address)

    def answer(self, call: int, *answer: Any) -> bool:
        """Answer a host call; return whether a task waits for it."""
        return bool(self._answer(call, *answer))

    def adopt(self, program: LuaProgram) -> Any:
        """Return a new function of a module's program, with the globals of this run."""
        for part in program.needs:
            self.load_part(part)
        return self.load_part("sources")[b"adopt"](self._load(program.bytecode, b"=chunk", b"b"))

    def ending(self) -> Ending:
        """Return where the script stood when it had to end."""
        control = self._control
        frames = control[b"frames"]
        return Ending(
            int(control[b"status"] or 0),
            control[b"file"] or b"",
            int(control[b"line"]),
            ()
            if frames is None
            else tuple((frame[1], frame[2], frame[3], dict(frame[4].items())) for frame in frames.values()),
        )

    def end(self, reason: str) -> None:
        """Make the next slice end the run."""
        if not self._control[b"dead"]:
            self._control[b"dead"] = reason.encode()

    def slice(self) -> bool:
        """Run until nothing can go on or something must be heard; return whether it must be called again at once.

        Raises:
            MemoryError: The memory limit was reached where nothing could be said about it any more.
        """
        going = self._limited(self._step)
        if going == 2:
            going = self._limited(self.load_part("ending"))
        elif going == 3:
            going = self._limited(self.load_part("winding")[b"deadlock"])
        elif going == 4:
            going = self._limited(self.load_part("nudging"))
        return going == 1

    def interrupt(self, reason: str) -> None:
        """Make a running slice end soon, or the next one. From any thread, any time."""
        with self._lock:
            self.interruptions.append(reason)
            if self._running and self._switch is not None:
                for address in self._threads:
                    self._switch.on(address)

    def reset(self) -> None:
        """Forget the run: nothing of it can be seen by the next."""
        self._forget(drop_threads=False)
        self._tidy_above = self.birth_memory + _TIDY_STEP
        self._tidy_turn = self._tidy_pause = 0
        with self._lock:
            self.interruptions.clear()

    def collect(self) -> int:
        """Collect garbage; return the bytes then in use."""
        self._runtime.gccollect()
        memory = self.memory
        self._tidy_above = memory + max(memory // 16, _TIDY_STEP) if memory < _TIDY_BELOW else sys.maxsize
        return memory

    def tidy(self) -> None:
        """Collect the garbage of a small heap, before it waits: thousands of them may. Not often in one run."""
        self._tidy_turn -= 1
        if self._tidy_turn < 0 and self.memory > self._tidy_above:
            self.collect()
            self._tidy_turn = self._tidy_pause
            self._tidy_pause = min(2 * self._tidy_pause + 1, _TIDY_TURNS)

    def _limited(self, function: Any) -> int:
        with self._lock:
            self._running = True
            if self.interruptions and self._switch is not None:
                for address in self._threads:
                    self._switch.on(address)
        try:
            self._set_max_memory(self._memory, total=True)
            return int(function())
        except self._vm.memory_error:
            self.spent = "memory"
            raise MemoryError from None
        finally:
            self._set_max_memory(0)
            with self._lock:
                self._running = False

    def _forget(self, *, drop_threads: bool) -> None:
        if self.load_part("forget")(drop_threads) == 0:
            self._threads.clear()

    def _chunk(self, program: LuaProgram) -> Any:
        """Return the function of a program in this state, kept from an earlier run where possible."""
        chunks = self._chunks
        kept = chunks.get(program.key)
        if kept is not None:
            return kept[0]
        chunk = self._load(program.bytecode, b"=chunk", b"b")
        size = len(program.bytecode)
        if size <= _KEPT_CHUNK_BYTES:
            while len(chunks) >= _KEPT_CHUNKS:
                self.kept_bytes -= chunks.pop(next(iter(chunks)))[1]
            chunks[program.key] = chunk, size
            self.kept_bytes += size
        return chunk

    def _watch(self, address: bytes | None) -> None:
        """Remember a new coroutine of tasks; switch its hook off if it is only there to be switched on."""
        if address is not None:
            number = int(address, 16)
            with self._lock:
                self._threads.append(number)
            if self._switch is not None and self._limits is not None and self._limits.steps is None:
                self._switch.off(number)
