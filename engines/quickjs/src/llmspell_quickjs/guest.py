"""``JavaScriptGuest``: one run's conversation, spoken with a VM."""

from __future__ import annotations

import json
import threading
from typing import Any

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
from llmspell.errors import ResourceExhausted
from llmspell.values import HostRef
from llmspell_quickjs import failures, syntax
from llmspell_quickjs.cache import PreparedFiles
from llmspell_quickjs.codec import decode, encode, to_json
from llmspell_quickjs.extension import JSException
from llmspell_quickjs.names import camel
from llmspell_quickjs.source import Prepared, Role
from llmspell_quickjs.stack import LANGUAGE, Files, Place
from llmspell_quickjs.vm import Vm, VmFactory
from llmspell_quickjs.watch import HeapWatch

_HEADROOM = 1.1
"""The engine itself refuses memory a tenth above the limit, by an error a script can catch; the watch comes before."""

_WEB = dict.fromkeys(
    ("console", "structuredClone", "URL", "URLSearchParams", "TextEncoder", "TextDecoder", "setTimeout", "clearTimeout",
     "setInterval", "clearInterval", "crypto"),
    "",
)  # fmt: skip
"""Globals that a part of the glue makes when they are first used."""

_NEARLY = 0.4
"""How much of its limit a heap must have been seen to take for an error without content to mean that it was full."""


class JavaScriptGuest:
    """A guest over a fresh VM.

    Args:
        vm: Never used before, closed with the guest.
        factory: Where parts of the glue come from.
        programs: Prepared files.
        watch: Looks at heaps while scripts run.
        limits: What to hold it to.
        port: How to be heard in the middle of a step.
    """

    def __init__(
        self, vm: Vm, factory: VmFactory, programs: PreparedFiles, watch: HeapWatch, limits: GuestLimits, port: Port
    ) -> None:
        self._vm = vm
        self._factory = factory
        self._programs = programs
        self._watch = watch
        self._limits = limits
        self._port = port
        self._files = Files()
        self._handles: dict[int, HostRef] = {}
        self._source = ""
        self._root = ""
        self._globals_left: dict[str, str] = {}
        self._reason = ""
        self._fatal: tuple[Fault, int] | None = None
        self._escaping: BaseException | None = None
        self._ended = False
        self._closed = False
        self._busy = False
        self._peak = 0
        self._kept: list[GuestMessage] = []
        self._lock = threading.Lock()
        limit = limits.memory
        bounded = limit if limit is None or not factory.pieces.heap else int(limit * _HEADROOM)
        vm.open(self._serve, bounded)

    # The contract

    def step(self, message: HostMessage) -> list[GuestMessage]:
        if self._closed or self._ended:
            return []
        self._busy = True
        self._watch.enter(self)
        said: list[GuestMessage] = []
        try:
            self._hear(message, said)
        except JSException as error:
            said.append(self._broken(str(error)))
        finally:
            self._watch.leave(self)
            self._leave()
        if self._escaping is not None:
            escaping, self._escaping = self._escaping, None
            raise escaping
        if (self._fatal is not None or self._reason) and not self._ended:
            said.append(self._end(self._stopped()))
        return said

    def _leave(self) -> None:
        self.look()
        with self._lock:
            self._busy = False
            if self._closed:
                self._vm.close()

    def interrupt(self, reason: str) -> None:
        with self._lock:
            if self._closed:
                return
            self._reason = self._reason or reason
            self._vm.trip()

    def usage(self) -> GuestUsage:
        with self._lock:
            heap = None if self._closed else self._vm.heap()
        return GuestUsage(memory=heap, peak_memory=self._peak or None)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if not self._busy:
                self._vm.close()

    # What the watch asks

    def look(self) -> None:
        """Note how much memory is used; end a script that uses too much."""
        with self._lock:
            heap = self._vm.heap() if self._busy else None
        if heap is None:
            return
        self._peak = max(self._peak, heap)
        limit = self._limits.memory
        if limit is not None and heap > limit:
            self.interrupt("memory")

    # Messages

    def _hear(self, message: HostMessage, said: list[GuestMessage]) -> None:
        kind = type(message)
        if kind is Reply:
            self._replied(message, said)  # type: ignore[arg-type]
        elif kind is Invoke:
            self._perform(said, "invoke", str(message.id), str(message.function), encode(message.args))  # type: ignore[union-attr]
        elif kind is Start:
            self._start(message, said)  # type: ignore[arg-type]
        elif kind is Load:
            self._load(message, said)  # type: ignore[arg-type]
        elif kind is Cancel:
            self._cancel(message, said)  # type: ignore[arg-type]

    def _start(self, start: Start, said: list[GuestMessage]) -> None:
        source = start.source
        self._source, self._root = source.name, source.root
        self._globals_left = {camel(name): name for name in start.bridges} | _WEB
        value = self._limits.value
        described: dict[str, Any] = {
            "name": source.name,
            "mode": start.mode,
            "limits": [value.depth, value.nodes, value.bytes],
        }
        code = ""
        if start.mode != "idle":
            prepared = self._prepared(source, "main")
            if isinstance(prepared, Failure):
                said.append(self._end(prepared))
                return
            if start.mode == "check":
                failure = syntax.syntax_failure(prepared, syntax.checker(self._vm.enter))
                said.append(Done(MAIN, []) if failure is None else self._end(failure))
                self._ended = True
                return
            described["main"], code = self._describe(prepared)
        self._perform(said, "begin", to_json(described), encode(start.params), code)

    def _load(self, load: Load, said: list[GuestMessage]) -> None:
        prepared = self._prepared(load.source, "module")
        if isinstance(prepared, Failure):
            said.append(Failed(prepared, load.id))
            return
        described, code = self._describe(prepared)
        self._perform(said, "load", str(load.id), to_json(described), code)

    def _replied(self, reply: Reply, said: list[GuestMessage]) -> None:
        answer = self._answer(reply)
        if answer != "X":
            self._perform(said, "reply", str(reply.id), answer)

    def _cancel(self, cancel: Cancel, said: list[GuestMessage]) -> None:
        if cancel.id != MAIN:
            self._perform(said, "drop", str(cancel.id))
            return
        reason = self._reason or cancel.reason or "cancelled"
        with self._lock:
            self._reason = ""
            self._vm.untrip()
        timer = threading.Timer(self._limits.grace, self.interrupt, ("grace",))
        timer.daemon = True
        timer.start()
        dropped: list[GuestMessage] = []
        try:
            self._perform(dropped, "cancel", "the run is being ended")
        except JSException:
            # Its clean-up took longer than the grace, or failed: the run ends all the same.
            pass
        finally:
            timer.cancel()
        self._reason = reason
        said.append(self._end(failures.stopped(reason)))

    # With the VM

    def _perform(self, said: list[GuestMessage], op: str, *texts: str) -> None:
        """Enter the VM, run every job there is, and take what it has to say."""
        answer = self._vm.enter(op, *texts)
        if answer:
            said.append(self._end(self._failure(json.loads(answer[1:]))))
            return
        again = True
        while again:
            self._run_jobs()
            if self._reason or self._fatal is not None:
                return
            text = self._vm.enter("flush")
            said += self._kept
            self._kept.clear()
            again = self._take(text, said)

    def _run_jobs(self) -> None:
        run_job = self._vm.run_job
        while run_job():
            if self._reason or self._fatal is not None:
                return

    def _take(self, text: str, said: list[GuestMessage]) -> bool:
        """Read what the glue says; return whether it wants jobs to run before it says more."""
        again = False
        for line in text.split("\n") if text else ():
            kind = line[0]
            if kind == "C":
                said.append(self._call(line[1:]))
            elif kind == "D":
                id, value = decode(line[1:], self._handle)
                self._ended = self._ended or id == MAIN
                said.append(Done(id, [value]))
            elif kind == "F":
                told = decode(line[1:], self._handle)
                failure = self._failure(told)
                said.append(self._end(failure) if told["id"] == MAIN else Failed(failure, told["id"]))
            elif kind == "W":
                said.append(self._end(self._deadlock(json.loads(line[1:]))))
            else:
                again = True
        return again

    def _failure(self, told: dict[str, Any]) -> Failure:
        if told.get("kind") == "syntax" and "place" not in told:
            failure = syntax.in_files(told, self._files, syntax.checker(self._vm.enter))
            if failure is not None:
                return failure
        limit = self._limits.memory
        return failures.failure_of(told, self._files, limit is not None and self._peak > limit * _NEARLY)

    def _call(self, frame: str) -> Call:
        id, line, target, method, args = decode(frame, self._handle)
        return Call(id, target, method, args, self._files.place(line).line)

    def _handle(self, number: int) -> HostRef:
        return self._handles.get(number) or HostRef(number, "object")

    def _prepared(self, source: Source, role: Role) -> Prepared | Failure:
        prepared = self._programs.get(source, role)
        if isinstance(prepared, Prepared) and prepared.odd is not None:
            return syntax.syntax_failure(prepared, syntax.checker(self._vm.enter)) or prepared
        return prepared

    def _describe(self, prepared: Prepared) -> tuple[dict[str, Any], str]:
        """Give a file its lines, and describe it for the glue."""
        first = self._files.add(prepared)
        described = {
            "key": prepared.name,
            "name": prepared.name,
            "first": first,
            "count": prepared.edits.line_count + 1,
            "edits": prepared.edits.shifts,
            "isAsync": prepared.is_async,
            "isModule": prepared.is_module,
            "globals": self._globals(prepared),
            "requests": [{"specifier": r.specifier, "names": r.names, "line": r.line} for r in prepared.requests],
            "stars": prepared.stars,
        }
        return described, "\n" * (first - 1) + prepared.text

    def _globals(self, prepared: Prepared) -> list[tuple[str, str]]:
        """List the globals a file may mean that no file before it did: bridges, and those every author expects."""
        found = [(shown, name) for shown, name in self._globals_left.items() if prepared.mentions(shown)]
        for shown, _ in found:
            del self._globals_left[shown]
        return found

    # What the glue asks, in the middle of a step

    def _serve(self, op: str, *texts: str) -> str:
        """Answer the glue. Called by the engine: nothing may be raised here, so what is goes on after the step."""
        if self._reason or self._fatal is not None:
            self._vm.trip()
            return "X"
        self.look()
        try:
            if op == "emit":
                self._port.emit(Emit(texts[0], json.loads(texts[1])))
                return ""
            if op == "ask":
                return self._ask(self._call(texts[0]), texts[1])
            if op == "module":
                return self._module(*texts)
            return self._factory.part(self._vm, texts[0])
        except ResourceExhausted as error:
            self.interrupt(error.limit or "output")
        except MemoryError:
            self.interrupt("memory")
        except BaseException as error:  # noqa: BLE001 - raised again when the engine has returned
            self._escaping = error
            self.interrupt("cancelled")
        return "X"

    def _ask(self, call: Call, before: str) -> str:
        return self._answer(self._put(call, before))

    def _put(self, call: Call, before: str) -> Reply:
        said: list[GuestMessage] = []
        self._take(before, said)
        calls = [word for word in said if type(word) is Call]
        self._kept += [word for word in said if type(word) is not Call]
        return self._port.ask([*calls, call])

    def _answer(self, reply: Reply) -> str:
        fault = reply.fault
        if fault is None:
            return "V" + encode(self._remember(reply.value))
        if fault.fatal:
            self._fatal = (fault, reply.id)
            self._vm.trip()
            return "X"
        return "E" + encode([fault.code, fault.message, fault.details, reply.id])

    def _remember(self, value: Any) -> Any:
        """Keep every handle that is handed to the script, to know it when the script hands it back."""
        kind = type(value)
        if kind is HostRef:
            self._handles[value.id] = value
        elif kind is list:
            for part in value:
                self._remember(part)
        elif kind is dict:
            for part in value.values():
                self._remember(part)
        return value

    def _module(self, request: str, before: str) -> str:
        id, line, name, importer = json.loads(request)
        call = Call(id, HOST, "module", [name, importer], self._files.place(line).line)
        reply = self._put(call, before)
        if reply.fault is not None:
            return self._answer(reply)
        found = reply.value
        if found["kind"] == "bridge":
            exports = [[camel(method), method, is_async] for method, is_async, _ in found["exports"]]
            return "B" + to_json([found["name"], exports])
        if found["kind"] == "foreign":
            return "F" + encode(self._remember(found["exports"]))
        return self._source_module(found)

    def _source_module(self, found: dict[str, Any]) -> str:
        known = self._files.named(found["name"])
        if known is not None:
            return "S" + to_json({"key": known.name})
        prepared = self._prepared(Source(found["text"], found["name"], LANGUAGE, self._root), "module")
        if isinstance(prepared, Failure):
            place = (prepared.file, prepared.line, prepared.column)
            return "Y" + to_json({"message": prepared.message, "place": place})
        described, code = self._describe(prepared)
        return f"S{to_json(described)}\n{code}"

    # Ends

    def _end(self, failure: Failure) -> Failed:
        self._ended = True
        return Failed(failure)

    def _deadlock(self, waits: list[list[Any]]) -> Failure:
        told = []
        for name, number in waits:
            prepared = self._files.named(name)
            if prepared is not None and isinstance(number, int) and 0 <= number < len(prepared.waits):
                line, column, text = prepared.waits[number]
                told.append((Place(name, line, column), text))
        return failures.deadlock(told, self._source)

    def _stopped(self, stack: str = "") -> Failure:
        frames = self._files.frames(stack)
        if self._fatal is not None:
            return failures.fatal(*self._fatal, frames)
        return failures.stopped(self._reason, frames)

    def _broken(self, text: str) -> Failed:
        """Tell of an error the glue could not catch: the script was stopped, or the engine has no memory left."""
        message, _, stack = text.partition("\n")
        if self._reason or self._fatal is not None:
            return self._end(self._stopped(stack))
        frames = self._files.frames(stack)
        if "out of memory" in message:
            return self._end(failures.out_of_memory(frames))
        if "call stack size" in message:
            return self._end(Failure(kind="runtime", message=message, frames=frames, language=LANGUAGE))
        return self._end(Failure(kind="internal", message=f"the engine failed: {message[:500]}", state_spent=True))
