"""The protocol: messages in, messages out."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from llmspell.engine import messages as m
from llmspell.errors import ResourceExhausted, ScriptSyntaxError
from llmspell.plugin import GuestLimits, GuestUsage, Port
from llmspell_rpn.machine import Machine, Request, RpnError, Stopped
from llmspell_rpn.program import RpnProgram, parse


class _Task:
    """Something that runs: the main program, an invoked function, a module. ``module`` is set for the last."""

    def __init__(self, run: Generator[Request, Any, None], answer: int, stack: list[Any]) -> None:
        self.run = run
        self.answer = answer
        self.stack = stack
        self.module: RpnProgram | None = None


class RpnGuest:
    """One run. It has no VM to give back, so closing it only forgets."""

    def __init__(self, limits: GuestLimits, port: Port) -> None:
        self._limits = limits
        self._port = port
        self._machine = Machine(limits, {}, self._print)
        self._waiting: dict[int, _Task] = {}
        self._calls = 0
        self._file = ""
        self._reason = ""

    def step(self, message: m.HostMessage) -> list[m.GuestMessage]:
        """Hear one message and run until the guest cannot go on."""
        if isinstance(message, m.Start):
            return self._start(message)
        if self._reason or (isinstance(message, m.Cancel) and message.id == m.MAIN):
            return [self._stopped(self._reason or getattr(message, "reason", "cancelled"))]
        if isinstance(message, m.Invoke):
            stack: list[Any] = []
            return self._go(_Task(self._machine.invoke(message.function, message.args, stack), message.id, stack), None)
        if isinstance(message, m.Load):
            return self._load(message)
        if isinstance(message, m.Cancel):
            return self._cancel_one(message)
        task = self._waiting.pop(message.id, None)
        if task is None:
            return []
        if message.fault is None:
            return self._go(task, self._machine.incoming(message.value))
        if message.fault.fatal:
            return [self._stopped(message.fault.code)]
        return self._go(task, RpnError(message.fault.message, code=message.fault.code, fault=message.id))

    def _start(self, message: m.Start) -> list[m.GuestMessage]:
        self._file = message.source.name
        if message.mode == "idle":
            return []
        try:
            program = parse(message.source)
        except ScriptSyntaxError as error:
            return [m.Failed(_syntax(error))]
        if message.mode == "check":
            return [m.Done()]
        self._machine = Machine(self._limits, message.params, self._print)
        self._machine.stop = self._reason
        stack: list[Any] = []
        return self._go(_Task(self._machine.main(program, stack), m.MAIN, stack), None)

    def _load(self, message: m.Load) -> list[m.GuestMessage]:
        try:
            program = parse(message.source)
        except ScriptSyntaxError as error:
            return [m.Failed(_syntax(error), message.id)]
        task = _Task(self._machine.main(program, []), message.id, [])
        task.module = program
        return self._go(task, None)

    def _go(self, task: _Task, value: Any) -> list[m.GuestMessage]:
        """Resume a task; it ends, fails, or asks the host for something."""
        try:
            request = task.run.throw(value) if isinstance(value, RpnError) else task.run.send(value)
        except StopIteration:
            return [self._ended(task)]
        except RpnError as error:
            return [m.Failed(self._failure(error), task.answer)]
        except Stopped as stop:
            return [self._stopped(stop.reason)]
        except ResourceExhausted as error:
            return [self._stopped(error.limit)]
        self._calls += 1
        self._waiting[self._calls] = task
        return [m.Call(self._calls, request.target, request.method, request.args, request.line)]

    def _ended(self, task: _Task) -> m.GuestMessage:
        try:
            if task.module is not None:
                return m.Done(task.answer, [self._machine.exports(task.module)])
            return m.Done(task.answer, [self._machine.outgoing(task.stack[-1])] if task.stack else [])
        except RpnError as error:
            return m.Failed(self._failure(error), task.answer)

    def _cancel_one(self, message: m.Cancel) -> list[m.GuestMessage]:
        for call, task in list(self._waiting.items()):
            if task.answer == message.id:
                del self._waiting[call]
                task.run.close()
                return [m.Failed(m.Failure(kind="cancelled", message="cancelled", language="rpn"), message.id)]
        return []

    def _stopped(self, reason: str) -> m.Failed:
        for task in self._waiting.values():
            task.run.close()
        self._waiting.clear()
        if reason == "cancelled":
            return m.Failed(m.Failure(kind="cancelled", message="the run was cancelled", language="rpn"))
        return m.Failed(m.Failure(kind="limit", message="", language="rpn", limit=reason))

    def _failure(self, error: RpnError) -> m.Failure:
        frames = tuple(m.FrameInfo("rpn", self._file, line) for line in error.lines)
        return m.Failure(
            kind="conversion" if error.code == "conversion" and not error.fault else "runtime",
            message=error.message,
            code=error.code,
            language="rpn",
            file=self._file,
            line=error.lines[0] if error.lines else 0,
            frames=frames,
            fault=error.fault,
            path=error.path,
        )

    def _print(self, text: str) -> None:
        self._port.emit(m.Emit("output", text))

    def interrupt(self, reason: str) -> None:
        """Stop at the next word; from any thread."""
        self._reason = self._reason or reason
        self._machine.stop = self._reason

    def usage(self) -> GuestUsage:
        """Tell how many words were run."""
        return GuestUsage(steps=self._machine.steps)

    def close(self) -> None:
        """Forget the run."""
        for task in self._waiting.values():
            task.run.close()
        self._waiting.clear()


def _syntax(error: ScriptSyntaxError) -> m.Failure:
    line = error.location.line if error.location is not None else 0
    file = error.location.file if error.location is not None else ""
    return m.Failure(
        kind="syntax", message=error.message, language="rpn", file=file, line=line, incomplete=error.incomplete
    )
