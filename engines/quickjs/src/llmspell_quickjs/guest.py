"""``JavaScriptGuest``: one run's conversation, spoken with a VM."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

from llmspell.engine import GuestLimits, GuestUsage, Port
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
from llmspell.errors import EngineCrashed, ResourceExhausted
from llmspell_quickjs import failures, syntax
from llmspell_quickjs.cache import PreparedFiles
from llmspell_quickjs.codec import to_json
from llmspell_quickjs.crossing import STOP, TOO_DEEP, Crossing
from llmspell_quickjs.extension import JSException
from llmspell_quickjs.pool import Spares
from llmspell_quickjs.sources import RunSources
from llmspell_quickjs.watch import HeapWatch
from llmspell_quickjs.weighing import Weight

MOST_JOBS = 5_000
"""Jobs that run before the host is heard again, where something of it is waited for."""


class JavaScriptGuest:
    """A guest over a fresh VM.

    Args:
        spares: Where its VM comes from. It is closed with the guest, and another is made in its place.
        programs: Prepared files.
        watch: Looks at heaps while scripts run.
        limits: What to hold it to.
        port: How to be heard in the middle of a step.
    """

    def __init__(
        self, spares: Spares, programs: PreparedFiles, watch: HeapWatch, limits: GuestLimits, port: Port
    ) -> None:
        vm = self._vm = spares.take()
        self._spares = spares
        self._watch = watch
        self._limits = limits
        self._port = port
        self._check = syntax.checker(vm)
        self._sources = RunSources(programs, self._check)
        self._crossing = Crossing(self._sources.files)
        self._name = ""
        self._reason = ""
        self._fatal: tuple[Fault, int] | None = None
        self._escaping: BaseException | None = None
        self._last: Done | Failed | None = None  # how the run ended
        self._closed = False
        self._steps = 0  # under way: one, and those inside of it
        self._hearing = 0  # asks under way in which the next step may be taken
        self._open: set[int] = set()  # what was asked of this guest in the middle of a step, and is not answered
        self._heap: int | None = None  # as it was after the last step
        self._weight = Weight(limits.memory, spares.factory.pieces.heap)
        self._lock = threading.Lock()
        vm.open(self._serve, self._weight.bound)

    # The contract

    def step(self, message: HostMessage) -> list[GuestMessage]:
        return self._step(self._hear, message)

    def step_all(self, replies: Sequence[Reply]) -> list[GuestMessage]:
        """Hear several replies; the script goes on when all of them are there, in their order."""
        return self._step(self._hear_all, replies)

    def _step(self, hear: Callable[[Any, list[GuestMessage]], None], what: Any) -> list[GuestMessage]:
        if self._closed or self._last is not None:
            return []
        with self._lock:
            if self._steps > self._hearing:
                raise EngineCrashed("a guest was spoken to in the middle of a step")
            self._steps += 1
        if self._steps == 1:
            self._watch.enter(self)
        said: list[GuestMessage] = []
        try:
            self._vm.fit_thread()
            hear(what, said)
        except JSException as error:
            said.append(self._broken(str(error)))
        finally:
            self._leave()
        if self._escaping is not None:
            escaping, self._escaping = self._escaping, None
            raise escaping
        if self._is_stopped and self._last is None:
            said.append(self._end(self._stopped()))
        return said

    def interrupt(self, reason: str) -> None:
        with self._lock:
            if not self._closed:
                self._reason = self._reason or reason
                self._vm.trip()

    def usage(self) -> GuestUsage:
        return GuestUsage(memory=None if self._closed else self._heap, peak_memory=self._weight.peak or None)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._steps:
                return
            self._vm.close()
        self._spares.refill()

    # What the watch asks

    def look(self) -> None:
        """Note how much memory is used; end a script that uses too much."""
        with self._lock:
            heap = self._vm.heap() if self._steps else None
        if heap is not None and self._weight.exceeds(heap):
            self.interrupt("memory")

    # Messages

    def _hear(self, message: HostMessage, said: list[GuestMessage]) -> None:
        if isinstance(message, Reply):
            self._hear_all([message], said)
            return
        if self._hearing and isinstance(message, Invoke | Load):
            self._open.add(message.id)
        if isinstance(message, Invoke):
            args = self._crossing.write(message.args)
            self._perform(said, "each" if message.each else "invoke", str(message.id), str(message.function), args)
        elif isinstance(message, Start):
            self._start(message, said)
        elif isinstance(message, Load):
            self._load(message, said)
        else:
            self._cancel(message, said)

    def _hear_all(self, replies: Sequence[Reply], said: list[GuestMessage]) -> None:
        enter, answer = self._vm.enter, self._crossing.answer
        for reply in replies:
            if not self._heeds(reply):
                return
            if failed := enter("reply", str(reply.id), answer(reply)):
                said.append(self._end(self._failure(json.loads(failed[1:]))))
                return
        self._go_on(said)

    def _start(self, start: Start, said: list[GuestMessage]) -> None:
        source = start.source
        self._name = source.name
        self._sources.begin(source.root, start.bridges)
        value = self._limits.value
        described: dict[str, Any] = {
            "name": source.name,
            "mode": start.mode,
            "limits": [value.depth, value.nodes, value.bytes, self._limits.tasks, self._limits.channels],
        }
        code = ""
        if start.mode != "idle":
            prepared = self._sources.prepare(source, "main")
            if isinstance(prepared, Failure):
                said.append(self._end(prepared))
                return
            if start.mode == "check":
                failure = syntax.syntax_failure(prepared, self._check)
                self._last = Done(MAIN, []) if failure is None else Failed(failure)
                said.append(self._last)
                return
            described["main"], code = self._sources.describe(prepared)
        self._perform(said, "begin", to_json(described), self._crossing.write(start.params), code)

    def _load(self, load: Load, said: list[GuestMessage]) -> None:
        prepared = self._sources.prepare(load.source, "module")
        if isinstance(prepared, Failure):
            said.append(Failed(prepared, load.id))
            return
        described, code = self._sources.describe(prepared)
        self._perform(said, "load", str(load.id), to_json({**described, "chain": load.chain}), code)

    def _cancel(self, cancel: Cancel, said: list[GuestMessage]) -> None:
        if cancel.id != MAIN:
            self._perform(said, "drop", str(cancel.id))
            return
        reason = self._reason or cancel.reason or "cancelled"
        with self._lock:
            spent = bool(self._reason)
            self._reason = ""
            self._vm.untrip()
        timer = threading.Timer(self._limits.grace, self.interrupt, ("grace",))
        timer.daemon = True
        timer.start()
        unheard: list[GuestMessage] = []
        try:
            self._perform(unheard, "cancel", "the run is being ended")
        except JSException:
            # Its clean-up took longer than the grace, or failed: the run ends all the same.
            spent = True
        finally:
            timer.cancel()
        spent = spent or bool(self._reason)
        self._reason = reason
        self._last = Failed(failures.stopped(reason, self._limits, spent=spent))
        said.append(self._last)

    # With the VM

    def _perform(self, said: list[GuestMessage], op: str, *texts: str) -> None:
        """Enter the VM, and go on."""
        answer = self._vm.enter(op, *texts)
        if answer:
            said.append(self._end(self._failure(json.loads(answer[1:]))))
        else:
            self._go_on(said)

    def _go_on(self, said: list[GuestMessage]) -> None:
        """Run every job there is, and take what the script has to say.

        In the middle of another step a script waits for a module, and does not expect jobs to run before it goes on:
        none do, unless what is asked for in between needs them.
        """
        again = not self._hearing or self._take(self._vm.enter("flush"), said) or bool(self._open)
        while again:
            done = self._run_jobs()
            if self._is_stopped:
                return
            again = self._take(self._vm.enter("flush" if done else "nudge"), said)

    def _run_jobs(self) -> bool:
        """Run jobs until there are none, or a great many have run; return whether there are none."""
        run_job = self._vm.run_job
        left = MOST_JOBS
        while left and run_job():
            if self._reason or self._fatal is not None:
                return True
            left -= 1
        return left > 0

    def _take(self, text: str, said: list[GuestMessage]) -> bool:
        """Read what the glue says; return whether it wants jobs to run before it says more."""
        again = False
        for line in text.split("\n") if text else ():
            kind = line[0]
            if kind == "C":
                said.append(self._crossing.call(line[1:]))
            elif kind == "D":
                id, value = self._crossing.read(line[1:])
                said.append(self._answered(Done(id, [value])))
            elif kind == "F":
                told = self._crossing.read(line[1:])
                said.append(self._answered(Failed(self._failure(told), told["id"])))
            elif kind == "W":
                said.append(self._end(failures.deadlock(json.loads(line[1:]), self._sources.files, self._name)))
            else:
                again = True
        return again

    def _answered(self, word: Done | Failed) -> Done | Failed:
        if word.id == MAIN:
            self._last = word
        self._open.discard(word.id)
        return word

    # What the glue asks, in the middle of a step

    def _serve(self, op: str, *texts: str) -> str:
        """Answer the glue. Called by the engine: nothing may be raised here, so what is goes on after the step."""
        if self._is_stopped:
            self._vm.trip()
            return STOP
        self.look()
        try:
            if op == "emit":
                self._port.emit(Emit(texts[0], json.loads(texts[1])))
                return ""
            if op == "ask":
                reply = self._ask(self._crossing.call(texts[0]), texts[1])
                return self._crossing.answer(reply) if self._heeds(reply) else STOP
            if op == "module":
                return self._module(*texts)
            if op == "again":
                return self._sources.again(texts[0])
            return self._spares.factory.part(self._vm, texts[0])
        except ResourceExhausted as error:
            self.interrupt(error.limit or "output")
        except MemoryError:
            if op == "part" and not self._weight.was_near:
                return TOO_DEEP
            self.interrupt("memory")
        except BaseException as error:  # noqa: BLE001 - raised again when the engine has returned
            self._escaping = error
            self.interrupt("cancelled")
        return STOP

    def _ask(self, call: Call, before: str, *, hears: bool = False) -> Reply:
        """Say what is still unsaid and then ``call``, and wait for its reply."""
        said: list[GuestMessage] = []
        self._take(before, said)
        said.append(call)
        if not hears:
            return self._port.ask(said)
        self._hearing += 1
        try:
            return self._port.ask(said, hears=True)
        finally:
            self._hearing -= 1
            if not self._hearing:
                self._open.clear()

    def _heeds(self, reply: Reply) -> bool:
        """Tell whether the script may hear of a reply; one with a fatal fault ends it here."""
        fault = reply.fault
        if fault is None or not fault.fatal:
            return True
        self._fatal = (fault, reply.id)
        self._vm.trip()
        return False

    def _module(self, request: str, before: str) -> str:
        """Find a module, and describe it as :meth:`RunSources.found` does."""
        id, place, name, importer = json.loads(request)
        call = Call(id, HOST, "module", [name, importer], self._crossing.line(place, "require"))
        reply = self._ask(call, before, hears=True)
        if reply.fault is not None:
            return self._crossing.answer(reply) if self._heeds(reply) else STOP
        return self._sources.found(reply.value, self._crossing.write)

    # Ends

    @property
    def _is_stopped(self) -> bool:
        return bool(self._reason) or self._fatal is not None

    def _leave(self) -> None:
        with self._lock:
            heap = self._heap = self._vm.heap()
            self._steps -= 1
            if self._closed and not self._steps:
                self._vm.close()
        if not self._steps:
            self._watch.leave(self)
        if heap is not None and self._weight.exceeds(heap):
            self.interrupt("memory")

    def _end(self, failure: Failure) -> Done | Failed:
        """Make the end of the run, if it has not ended already, in a step inside of this one."""
        if self._last is None:
            self._last = Failed(failure)
        return self._last

    def _failure(self, told: dict[str, Any]) -> Failure:
        """Make the failure of what the glue tells of an error."""
        files = self._sources.files
        if told.get("kind") == "syntax" and "place" not in told:
            failure = syntax.in_files(told, files, self._check)
            if failure is not None:
                return failure
        return failures.failure_of(told, files, self._limits, self._weight.was_near)

    def _stopped(self, stack: str = "") -> Failure:
        frames = self._sources.files.frames(stack)
        if self._fatal is not None:
            return failures.fatal(*self._fatal, frames)
        return failures.stopped(self._reason, self._limits, frames)

    def _broken(self, text: str) -> Done | Failed:
        """Tell of an error the glue could not catch: the script was stopped, or the engine has no memory left."""
        message, _, stack = text.partition("\n")
        if self._is_stopped:
            return self._end(self._stopped(stack))
        return self._end(failures.broken(message, self._limits, self._sources.files.frames(stack)))
