"""``LuaGuest``: one run's conversation with a Lua state."""

from __future__ import annotations

import threading
from sys import intern
from typing import TYPE_CHECKING, Any

from llmspell.engine import GuestLimits, GuestUsage, Port, Source
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
from llmspell.values import HostRef, encode
from llmspell_lua.conversion import answer_of, decode, from_lua, ordered, scalar
from llmspell_lua.failures import LANGUAGE, Names, ended, failed, limit_failed, text
from llmspell_lua.programs import shorten

if TYPE_CHECKING:
    from llmspell_lua.engine import LuaEngine
    from llmspell_lua.state import LuaState

_CALL, _EMIT, _DONE, _FAILED, _LOAD, _THREAD = 1, 2, 3, 4, 5, 7
_FAULT, _FATAL, _MODULE = 3, 4, 5


class LuaGuest:
    """A run in one Lua state.

    The main chunk and every invocation is a task of the prelude's scheduler; each may wait for host calls of its
    own, so any number can be outstanding at once.
    """

    __slots__ = (
        "_bridges",
        "_closing",
        "_emit",
        "_ended_idle",
        "_engine",
        "_fatal",
        "_idle",
        "_limits",
        "_module_calls",
        "_names",
        "_over",
        "_peak",
        "_root",
        "_state",
        "_stepping",
        "_used",
    )

    def __init__(self, engine: LuaEngine, state: LuaState, limits: GuestLimits, port: Port) -> None:
        self._engine = engine
        self._closing = threading.Lock()
        self._state: LuaState | None = state
        self._limits = limits
        self._emit = port.emit
        self._names = Names()
        self._root = ""
        self._bridges: tuple[str, ...] = ()
        self._module_calls: set[int] = set()
        self._fatal: Fault | None = None
        self._over = False
        self._idle = self._ended_idle = False
        self._stepping = False
        self._used = self._peak = 0
        state.configure(limits)

    def step(self, message: HostMessage) -> list[GuestMessage]:
        """Hear one message and run until nothing can go on; see :class:`llmspell.engine.Guest`."""
        state = self._state
        if state is None or self._over:
            return []
        self._stepping = True
        try:
            kind = type(message)
            if kind is Reply:
                self._reply(state, message)  # type: ignore[arg-type]
            elif kind is Start:
                refusal = self._start(state, message)  # type: ignore[arg-type]
                if refusal is not None:
                    self._over = True
                    return [refusal]
            elif kind is Invoke:
                self._invoke(state, message)  # type: ignore[arg-type]
            elif kind is Load:
                refusal = self._load(state, message)  # type: ignore[arg-type]
                if refusal is not None:
                    return [refusal]
            else:
                assert type(message) is Cancel
                if message.id != MAIN:
                    state.cancel(message.id, message.reason)
                else:
                    self._ended_idle = self._idle
                    state.end(message.reason)
            return self._run(state)
        finally:
            self._stepping = False

    def interrupt(self, reason: str) -> None:
        """Make a running step end soon, or the next one."""
        with self._closing:
            if self._state is not None:
                self._state.interrupt(reason)

    def usage(self) -> GuestUsage:
        """Return what the run has used; memory counts the VM itself."""
        state = self._state
        if state is None or self._stepping:
            return GuestUsage()
        memory = self._used or state.memory
        return GuestUsage(memory, max(self._peak, memory), state.steps if self._limits.steps is not None else None)

    def close(self) -> None:
        """Give the state back."""
        with self._closing:  # an interruption that comes late must not reach the state's next run
            state, self._state = self._state, None
        if state is not None:
            self._engine.give_back(state)

    def _start(self, state: LuaState, message: Start) -> Failed | Done | None:
        source = message.source
        if message.mode == "idle":
            self._root, self._bridges, self._idle = source.root, message.bridges, True
            state.idle(message.bridges)
            return None
        try:
            program = self._engine.compile(source)
        except ScriptSyntaxError as error:
            return Failed(_syntax_failure(error))
        if message.mode == "check":
            return Done()
        self._names.add(program.display, source.name)
        self._root = source.root
        self._bridges = message.bridges
        params = encode(message.params) if message.params else None
        state.start(program, params, message.bridges)
        return None

    def _load(self, state: LuaState, message: Load) -> Failed | None:
        source = message.source
        display = shorten(source.name)
        try:
            program = self._engine.compile(source, display)
        except ScriptSyntaxError as error:
            return Failed(_syntax_failure(error), message.id)
        self._names.add(display, source.name)
        state.load(message.id, display.encode(), program, [shorten(name).encode() for name in message.chain])
        return None

    def _reply(self, state: LuaState, message: Reply) -> None:
        number, fault = message.id, message.fault
        if fault is not None:
            self._module_calls.discard(number)
            if fault.fatal:
                self._fatal = fault
                state.answer(number, _FATAL, fault.code.encode())
            else:
                self._fault(state, number, fault.code, fault.message, fault.details)
            return
        value = message.value
        if number in self._module_calls:
            self._module_calls.discard(number)
            if isinstance(value, dict) and value.get("kind") in ("bridge", "source"):
                self._module(state, number, value)
                return
        state.answer(number, *answer_of(value, state.table_from))

    def _fault(self, state: LuaState, number: int, code: str, message: str, details: Any = None) -> None:
        state.answer(
            number, _FAULT, code.encode("utf-8", "replace"), message.encode("utf-8", "replace"),
            None if details is None else encode(details),
        )  # fmt: skip

    def _module(self, state: LuaState, number: int, description: dict[str, Any]) -> None:
        name = description["name"]
        if description["kind"] == "bridge":
            exports = "\n".join(("*" if export[2] else "") + export[0] for export in description["exports"])
            state.load_part("modules")
            state.answer(number, _MODULE, b"bridge", name.encode(), exports.encode())
            return
        display = shorten(name)
        try:
            program = self._engine.compile(Source(description["text"], name, LANGUAGE, self._root), display)
        except ScriptSyntaxError as error:
            self._fault(
                state, number, "syntax", f"the module {name!r} does not parse: {error.location}: {error.message}"
            )
            return
        self._names.add(display, name)
        state.answer(number, _MODULE, b"source", display.encode(), state.adopt(program))

    def _invoke(self, state: LuaState, message: Invoke) -> None:
        scalars = []
        for arg in message.args:
            simple, told = scalar(arg)
            if not simple:
                state.invoke(message.id, message.function, message.each, encode(message.args), ())
                return
            scalars.append(told)
        state.invoke(message.id, message.function, message.each, None, tuple(scalars))

    def _run(self, state: LuaState) -> list[GuestMessage]:
        said: list[GuestMessage] = []
        if state.interruptions:
            state.end("interrupt")
        try:
            while True:
                again = state.slice()
                while (record := state.take()) is not None:
                    self._hear(state, record, said)
                    if self._over:
                        return said
                if not again:
                    break
        except MemoryError:
            self._over = True
            said.append(Failed(limit_failed("memory", "", self._limits, language=LANGUAGE)))
        except OutputExceeded as error:
            self._over = True
            said.append(Failed(limit_failed("output", error.message, self._limits, language=LANGUAGE)))
        except Exception as error:  # noqa: BLE001 - whatever the binding raises here is a fault of the engine's own
            state.spent = "internal"
            self._over = True
            said.append(
                Failed(
                    Failure(
                        kind="internal", language=LANGUAGE, state_spent=True,
                        message=f"the Lua engine failed: {type(error).__name__}: {error}",
                    )
                )
            )  # fmt: skip
        self._used = used = state.memory
        self._peak = max(self._peak, used)
        if self._ended_idle and not self._over:
            # There is no main task that could say it.
            self._over = True
            said.append(Failed(Failure(kind="cancelled", message="the run was cancelled", language=LANGUAGE)))
        if not self._over and not (said and type(said[-1]) is Done and said[-1].id == MAIN):
            state.tidy()  # it is going to wait
        return said

    def _hear(self, state: LuaState, record: tuple[Any, ...], said: list[GuestMessage]) -> None:
        kind = record[0]
        if kind == _CALL:
            _, number, target, method, line, blob, *args = record
            if type(target) is bytes:
                target = intern(target.decode())  # thousands of waiting guests say the same few names
                if target == HOST:
                    self._module_calls.add(number)
            method = intern(text(method))
            values = [from_lua(arg) for arg in args] if not blob else decode(blob)
            if target == HOST and method == "module" and len(values) == 2 and type(values[1]) is str:
                # Lua knows the asking file by a name that was cut to what it keeps whole.
                values[1] = self._names.file("@" + values[1])
            said.append(Call(number, target, method, values, line))
        elif kind == _EMIT:
            self._emit(Emit(text(record[1]), text(record[2])))
        elif kind == _DONE:
            values = [from_lua(value) for value in record[3:]] if not record[2] else decode(record[2])
            said.append(Done(record[1], ordered(values) if record[1] == MAIN else values))
        elif kind == _THREAD:
            state.watch(record[1])
        elif kind == _LOAD:
            state.load_part(text(record[1]))
        else:
            said.append(Failed(self._failure(state, record), record[1]))
            self._over = self._over or record[1] == MAIN

    def _failure(self, state: LuaState, record: tuple[Any, ...]) -> Failure:
        if not record[2]:
            failure = ended(record, state.ending(), state.interruptions, self._fatal, self._limits, self._names)
            if failure.state_spent:
                state.spent = failure.limit or "internal"
            return failure
        account = decode(record[2])
        raw = account.get("value")
        if isinstance(raw, str):  # encoded, but of nothing else than letters
            raw = raw.encode("utf-8", "surrogatepass")
        value = None if raw is None else _plain(decode(raw))
        return failed(account, self._names, self._bridges, value)


def _plain(value: Any) -> Any:
    """Return the value of an error without its handles: they would not outlive the run."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, HostRef):
        return value.type
    return value if value is None or isinstance(value, bool | int | float | str | bytes) else "function"


def _syntax_failure(error: ScriptSyntaxError) -> Failure:
    location = error.location
    return Failure(
        kind="syntax", message=error.message, language=LANGUAGE, incomplete=error.incomplete,
        file=location.file if location else "", line=location.line if location else 0,
    )  # fmt: skip
