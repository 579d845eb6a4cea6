"""Run a compiled program to its end in a state of its own, without a host: for the embedding API and for tests."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmspell_tengo import values
from llmspell_tengo.compiler import CompiledProgram
from llmspell_tengo.machine.faults import RuntimeFault, runtime_fault
from llmspell_tengo.machine.internal import as_text, plain, work_answer
from llmspell_tengo.machine.vm import CALL, DONE, EMIT, FAILED, FAULT, PACKED, PART, WORK, LuaVM

_NAP = 0.05
_MOST_TASKS = 10_000
_MISTAKE = b"invalid_argument"
"""The code of a failure that ends the script, see ``runtime/refusals.lua``."""
_DEEPEST = 500
"""Nesting of a value that crosses: Python's decoder takes a frame or more for each level, and has a thousand."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What a run may use; -1 and None mean no limit of ours."""

    steps: int | None = None
    depth: int = 1024
    allocs: int = -1
    memory: int | None = None
    max_string_len: int = 2147483647
    max_bytes_len: int = 2147483647


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended: ``kind`` is ``"globals"``, ``"export"``, ``"result"`` or ``""``."""

    kind: str
    value: Any
    steps: int = 0
    output: str = ""


@dataclass(slots=True)
class Runner:
    """Runs programs, one after the other, each in a state of its own.

    Attributes:
        modules: Values of host modules by name; callables among them become functions of the script.
        emit: Where output goes.
    """

    limits: RunLimits = field(default_factory=RunLimits)
    modules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    emit: Callable[[str], None] | None = None
    _vm: LuaVM | None = None
    _reason: str = ""

    def run(self, program: CompiledProgram, predefined: Sequence[Any] = ()) -> RunOutcome:
        """Run ``program``.

        Raises:
            RuntimeFault: It failed.
        """
        run = _Run(self, program)
        self._vm = run.vm
        if self._reason:
            run.vm.interrupt(self._reason)
        return run.run(predefined)

    def interrupt(self, reason: str) -> None:
        """Make the run end soon, if need be before it begins; callable from any thread."""
        self._reason = reason
        if self._vm is not None:
            self._vm.interrupt(reason)


class _Run:
    def __init__(self, runner: Runner, program: CompiledProgram) -> None:
        self.program = program
        self.programs = {program.chunk: program}
        self.timers: list[tuple[float, int]] = []
        self.output: list[str] = []
        self.emit = runner.emit or self.output.append
        self.functions = values.Functions()
        self.answered = False
        self.cause: Exception | None = None
        self.vm = vm = LuaVM()
        limits = runner.limits
        vm.memory_limit = limits.memory or 0
        vm.driver[b"set_limits"](limits.steps, limits.depth, limits.allocs if limits.allocs >= 0 else 1 << 62)
        vm.driver[b"set_tasks"](_MOST_TASKS, _MOST_TASKS)
        vm.driver[b"set_sizes"](limits.max_string_len, limits.max_bytes_len, _DEEPEST, 1 << 62, 1 << 62)
        vm.require("host")
        for name, module in runner.modules.items():
            vm.driver[b"define_values"](name.encode(), values.encode(dict(module), self.functions))

    def run(self, predefined: Sequence[Any]) -> RunOutcome:
        vm = self.vm
        vm.driver[b"start"](vm.load(self.program), values.encode(list(predefined), self.functions), b"values")
        while True:
            self.answered = False
            try:
                again = vm.step()
            except MemoryError:
                raise RuntimeFault("memory", kind="stop", spent=True) from None
            while (record := vm.take()) is not None:
                kind = record[0]
                if kind == DONE:
                    _, _, how, value, packed = record
                    return RunOutcome(
                        how.decode(),
                        values.decode(value) if packed else plain(value),
                        int(vm.driver[b"steps"]()),
                        "".join(self.output),
                    )
                if kind == FAILED:
                    fault = runtime_fault(self.programs, record[2], record[3])
                    raise fault from (self.cause if fault.kind == "host" else None)
                self._hear(record)
            if not again and not self.answered and not self._wake():
                raise RuntimeFault("deadlock: every task of the program waits for another one")

    def _hear(self, record: tuple[Any, ...]) -> None:
        kind, vm = record[0], self.vm
        if kind == PART:
            vm.provide(record[1].decode())
        elif kind == EMIT:
            self.emit(as_text(record[1]))
        elif kind == WORK:
            vm.tell(*work_answer(record[1], record[2], self.programs))
        else:
            assert kind == CALL
            _, number, target, method, _, packed, *args = record
            given = values.decode(packed) if packed else [plain(arg) for arg in args]
            if isinstance(target, int):
                self._call(number, self.functions.by_id(target), given)
                self.answered = True
            elif method == b"sleep":
                heapq.heappush(self.timers, (time.monotonic() + given[0], number))
            elif method == b"cancel":
                self.timers = [timer for timer in self.timers if timer[1] != given[0]]
                heapq.heapify(self.timers)
            else:
                vm.answer(number, FAULT, b"denied", b"there is no host to ask", None)
                self.answered = True

    def _call(self, number: int, function: Callable[..., Any], args: list[Any]) -> None:
        """Let a function of the embedder answer; what it raises ends the script at its call."""
        try:
            packed = values.encode(function(*args), self.functions)
        except Exception as error:  # noqa: BLE001 - it goes on as the cause
            self.cause = error
            text = str(error) or type(error).__name__
            self.vm.answer(number, FAULT, _MISTAKE, text.encode("utf-8", "replace"), None)
        else:
            self.vm.answer(number, PACKED, packed)

    def _wake(self) -> bool:
        """Wait for the first timer; return whether there was one."""
        if not self.timers:
            return False
        until, number = heapq.heappop(self.timers)
        while (left := until - time.monotonic()) > 0:
            if self.vm.interruptions:
                raise RuntimeFault("interrupt", kind="stop")
            time.sleep(min(left, _NAP))
        self.vm.answer(number, PACKED, values.encode(None))
        return True
