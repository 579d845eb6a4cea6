"""``TengoGuest``: one run's conversation with a Lua state."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmspell.engine import GuestLimits, GuestUsage, Port
from llmspell.engine.endings import limit_failure
from llmspell.engine.messages import (
    HOST,
    MAIN,
    Call,
    Cancel,
    Done,
    Emit,
    Failed,
    Failure,
    Fault,
    GuestMessage,
    HostMessage,
    Invoke,
    Load,
    Reply,
    Start,
)
from llmspell.errors import OutputExceeded, ScriptSyntaxError
from llmspell.values import decoder, encode
from llmspell_tengo.failures import placed, run_failure, syntax_failure
from llmspell_tengo.linking import Linking
from llmspell_tengo.machine import vm as words
from llmspell_tengo.machine.faults import frames_of, runtime_fault
from llmspell_tengo.machine.internal import as_text, plain, work_answer
from llmspell_tengo.programs import LANGUAGE, TengoProgram

if TYPE_CHECKING:
    from llmspell_tengo.compiler import CompiledProgram
    from llmspell_tengo.engine import TengoEngine
    from llmspell_tengo.machine.vm import LuaVM

DEPTH = 10_000
"""How deep calls may nest where the policy does not say."""

LONGEST = 256 * 1024 * 1024
"""Longest string or bytes where no memory limit is set."""

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_AS_THEY_ARE = frozenset({type(None), bool, float})

_decode: Callable[[bytes], Any] = decoder(object).decode


class TengoGuest:
    """A run in one Lua state.

    The main chunk and every invocation is a task of the runtime's scheduler; each may wait for host calls of its
    own, so any number can be outstanding at once.
    """

    __slots__ = (
        "_bridges",
        "_closing",
        "_emit",
        "_engine",
        "_limits",
        "_linkings",
        "_loaded",
        "_loading",
        "_modules",
        "_over",
        "_peak",
        "_programs",
        "_serves",
        "_start_message",
        "_stepping",
        "_vm",
    )

    def __init__(self, engine: TengoEngine, vm: LuaVM, limits: GuestLimits, port: Port) -> None:
        self._engine = engine
        self._closing = threading.Lock()
        self._vm: LuaVM | None = vm
        self._limits = limits
        self._emit = port.emit
        self._programs: dict[str, CompiledProgram] = {}
        self._bridges: tuple[str, ...] = ()
        self._linkings: list[Linking] = []
        self._loading: dict[int, str] = {}
        self._loaded: dict[str, list[Any]] = {}
        self._modules: set[int] = set()
        self._start_message: Start | None = None
        self._serves = False
        self._over = False
        self._stepping = False
        self._peak = 0
        longest = min(limits.memory or LONGEST, LONGEST)
        value = limits.value
        vm.memory_limit = limits.memory or 0
        vm.driver[b"set_limits"](limits.steps, limits.recursion or DEPTH, 1 << 62)
        vm.driver[b"set_tasks"](limits.tasks, limits.channels)
        vm.driver[b"set_sizes"](longest, longest, value.depth, value.nodes, value.bytes)

    def step(self, message: HostMessage) -> list[GuestMessage]:
        """Hear one message and run until nothing can go on; see :class:`llmspell.engine.Guest`."""
        vm = self._vm
        if vm is None or self._over:
            return []
        self._stepping = True
        said: list[GuestMessage] = []
        try:
            kind = type(message)
            if kind is Reply:
                self._reply(vm, message, said)  # type: ignore[arg-type]
            elif kind is Start:
                self._start(vm, message, said)  # type: ignore[arg-type]
            elif kind is Invoke:
                self._invoke(vm, message)  # type: ignore[arg-type]
            elif kind is Load:
                self._load(vm, message, said)  # type: ignore[arg-type]
            else:
                assert type(message) is Cancel
                self._cancel(vm, message, said)
            if not self._over:
                self._run(vm, said)
            return said
        finally:
            self._stepping = False

    def interrupt(self, reason: str) -> None:
        """Make a running step end soon, or the next one."""
        with self._closing:
            if self._vm is not None:
                self._vm.interrupt(reason)

    def usage(self) -> GuestUsage:
        """Return what the run has used; memory counts the VM itself."""
        vm = self._vm
        if vm is None or self._stepping:
            return GuestUsage()
        memory = vm.memory
        steps = int(vm.driver[b"steps"]()) if self._limits.steps is not None else None
        return GuestUsage(memory, max(self._peak, memory), steps)

    def close(self) -> None:
        """Give the state back."""
        with self._closing:  # an interruption that comes late must not reach the state's next run
            vm, self._vm = self._vm, None
        if vm is not None:
            self._engine.give_back(vm)

    # What the host says

    def _start(self, vm: LuaVM, message: Start, said: list[GuestMessage]) -> None:
        self._bridges = message.bridges
        if message.mode == "idle":
            self._serves = True
            return
        try:
            program = self._engine.compile(message.source)
        except ScriptSyntaxError as error:
            self._end(said, syntax_failure(error))
            return
        if message.mode == "check":
            self._over = True
            said.append(Done())
            return
        if set(program.compiled.host_modules) <= set(message.bridges):
            self._launch(vm, program, message.params)
            return
        self._start_message = message
        self._link(vm, Linking(self._engine, message.source, message.bridges, self._reserve), said)

    def _load(self, vm: LuaVM, message: Load, said: list[GuestMessage]) -> None:
        known = self._loaded.get(message.source.name)
        if known is not None:
            said.append(Done(message.id, known))
            return
        self._loading[message.id] = message.source.name
        self._link(vm, Linking(self._engine, message.source, self._bridges, self._reserve, message.id), said)

    def _link(self, vm: LuaVM, linking: Linking, said: list[GuestMessage]) -> None:
        self._linkings.append(linking)
        said.extend(linking.begin())
        self._linked(vm, linking, said)

    def _linked(self, vm: LuaVM, linking: Linking, said: list[GuestMessage]) -> None:
        """Run a program if everything it imports is known."""
        if linking.failure is None and linking.pending:
            return
        self._linkings.remove(linking)
        failure = linking.failure
        if failure is None:
            try:
                program = linking.program()
            except ScriptSyntaxError as error:
                failure = syntax_failure(error)
        if failure is not None:
            self._end(said, failure, linking.number)
            return
        if linking.values:
            vm.require("host")
            for name, value in linking.values.items():
                vm.driver[b"define_values"](name.encode(), encode(value))
        if linking.number:
            vm.require("invocations")
            self._programs[program.compiled.chunk] = program.compiled
            vm.driver[b"run_module"](linking.number, vm.load(program.compiled))
        else:
            assert self._start_message is not None
            self._launch(vm, program, self._start_message.params)

    def _launch(self, vm: LuaVM, program: TengoProgram, params: dict[Any, Any]) -> None:
        compiled = program.compiled
        self._programs[compiled.chunk] = compiled
        self._start_message = None
        vm.driver[b"start"](vm.load(compiled), encode([params]) if params else None)

    def _reply(self, vm: LuaVM, message: Reply, said: list[GuestMessage]) -> None:
        number, fault = message.id, message.fault
        if fault is not None and fault.fatal:
            self._end(said, self._fatal(vm, fault))
            return
        for linking in self._linkings:
            if number in linking.pending:
                said.extend(linking.hear(message))
                self._linked(vm, linking, said)
                return
        if fault is not None:
            self._modules.discard(number)
            details = None if fault.details is None else encode(fault.details)
            text = fault.message.encode("utf-8", "replace")
            vm.answer(number, words.FAULT, fault.code.encode("utf-8", "replace"), text, details)
            return
        value = message.value
        if number in self._modules:
            self._modules.discard(number)
            if isinstance(value, dict) and value.get("kind") == "bridge":
                exports = "\n".join(export[0] for export in value["exports"])
                vm.answer(number, words.BRIDGE, value["name"].encode(), exports.encode())
                return
        simple, told = _scalar(value)
        vm.answer(number, *((words.VALUE, told) if simple else (words.PACKED, encode(value))))

    def _invoke(self, vm: LuaVM, message: Invoke) -> None:
        vm.require("invocations")
        scalars = []
        for arg in message.args:
            simple, told = _scalar(arg)
            if not simple:
                vm.driver[b"invoke"](message.id, message.function, message.each, encode(message.args), 0)
                return
            scalars.append(told)
        vm.driver[b"invoke"](message.id, message.function, message.each, None, len(scalars), *scalars)

    def _cancel(self, vm: LuaVM, message: Cancel, said: list[GuestMessage]) -> None:
        if message.id == MAIN:
            reason = vm.interruptions[0] if vm.interruptions else message.reason
            self._end(said, limit_failure(reason, self._limits, **self._where(vm)))
            return
        for linking in self._linkings:
            if linking.number == message.id:
                self._linkings.remove(linking)
                self._end(said, limit_failure("cancelled", self._limits, language=LANGUAGE), message.id)
                return
        vm.require("invocations")
        vm.driver[b"cancel"](message.id)

    # What the script says

    def _run(self, vm: LuaVM, said: list[GuestMessage]) -> None:
        try:
            if vm.interruptions:
                self._end(said, limit_failure(vm.interruptions[0], self._limits, **self._where(vm)))
                return
            while True:
                again = vm.step()
                while (record := vm.take()) is not None:
                    self._hear(vm, record, said)
                    if self._over:
                        return
                if not again:
                    break
            if not self._serves and not self._linkings and vm.driver[b"stuck"]():
                self._end(said, self._deadlock(vm))
        except MemoryError:
            self._end(said, limit_failure("memory", self._limits, language=LANGUAGE))
        except OutputExceeded as error:
            self._end(said, limit_failure("output", self._limits, error.message, **self._where(vm)))
        except Exception as error:  # noqa: BLE001 - whatever the binding raises here is a fault of the engine's own
            vm.spent = "internal"
            message = f"the Tengo engine failed: {type(error).__name__}: {error}"
            self._end(said, Failure(kind="internal", message=message, language=LANGUAGE, state_spent=True))
        self._peak = max(self._peak, vm.memory)
        if not self._over:
            vm.tidy()

    def _hear(self, vm: LuaVM, record: tuple[Any, ...], said: list[GuestMessage]) -> None:
        kind = record[0]
        if kind == words.CALL:
            _, number, target, method, place, packed, *args = record
            if type(target) is bytes:
                target = target.decode()
                if target == HOST:
                    self._modules.add(number)
            values = _decode(packed) if packed else [plain(arg) for arg in args]
            said.append(Call(number, target, method.decode(), values, self._line(place)))
        elif kind == words.EMIT:
            self._emit(Emit("output", as_text(record[1])))
        elif kind == words.DONE:
            _, number, how, value, packed = record
            value = _decode(value) if packed else plain(value)
            if number == MAIN:
                self._over = True
                said.append(Done(MAIN, [value] if how else []))
            else:
                if number in self._loading:
                    self._loaded[self._loading.pop(number)] = [value]
                said.append(Done(number, [value]))
        elif kind == words.PART:
            vm.provide(record[1].decode())
        elif kind == words.WORK:
            vm.tell(*work_answer(record[1], record[2], self._programs))
        else:
            self._failed(vm, record, said)

    def _failed(self, vm: LuaVM, record: tuple[Any, ...], said: list[GuestMessage]) -> None:
        _, number, message, frames, *_ = record
        fault = runtime_fault(self._programs, message, frames)
        if fault.spent:
            vm.spent = "internal"
        failure = run_failure(fault, self._limits, vm.interruptions[0] if vm.interruptions else "")
        # A limit ends the whole run, whatever task reached it; so does an exit.
        self._end(said, failure, MAIN if failure.kind in ("limit", "internal", "exit") else number)

    def _end(self, said: list[GuestMessage], failure: Failure, number: int = MAIN) -> None:
        said.append(Failed(failure, number))
        self._over = self._over or number == MAIN

    def _fatal(self, vm: LuaVM, fault: Fault) -> Failure:
        return limit_failure(fault.code, self._limits, fault.message, **self._where(vm))

    def _deadlock(self, vm: LuaVM) -> Failure:
        """Tell who waits for what, where nothing can go on any more."""
        waits: list[str] = []
        common: dict[str, Any] = {"language": LANGUAGE}
        vm.require("ending")
        tell = vm.driver[b"deadlock"]
        for entry in tell().split(b"\n") if tell is not None else ():
            name, what, frames = entry.split(b"\x01")
            trace, functions, _ = frames_of(self._programs, frames)
            place = f" at {trace[0].file}:{trace[0].line}" if trace else ""
            waits.append(f"{name.decode()} waits {_for(what.decode())}{place}")
            if name == b"main":
                common = placed(trace, functions)
        message = f"deadlock: nothing can go on any more; {'; '.join(waits) or 'the script waits for nobody'}"
        return Failure(kind="runtime", message=message, code="deadlock", **common)

    def _where(self, vm: LuaVM) -> dict[str, Any]:
        trace, functions, _ = frames_of(self._programs, vm.where())
        return placed(trace, functions)

    def _line(self, place: Any) -> int:
        if not place:
            return 0
        trace, _, _ = frames_of(self._programs, place)
        return trace[0].line if trace else 0

    def _reserve(self) -> int:
        assert self._vm is not None
        return int(self._vm.driver[b"reserve"]())


def _for(what: str) -> str:
    return what if what.startswith("to ") else f"for {what}"


def _scalar(value: Any) -> tuple[bool, Any]:
    """Return whether a value can be told to the state as it is, and how."""
    kind = type(value)
    if kind is str:
        return True, value.encode("utf-8", "surrogatepass")
    if kind is int:
        return _INT_MIN <= value <= _INT_MAX, value
    return kind in _AS_THEY_ARE, value
