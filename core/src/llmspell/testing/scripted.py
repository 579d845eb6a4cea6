"""An engine whose scripts are Python generators: a bridge is tested through the real gate, without a language."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from typing import Any

from llmspell.engine import Capabilities, EngineSpec, GuestUsage, Source
from llmspell.engine import messages as m
from llmspell.values import FunctionRef, HostRef

Script = Callable[..., Generator[Any, Any, Any]]
"""Yields ``(target, method, *args)``, where a target is a bridge's name or a handle, and is sent the result."""


class CallFailed(Exception):
    """A host call failed, as a script sees it.

    Attributes:
        code, message, details: What a script may know.
    """

    def __init__(self, fault: m.Fault, call: int) -> None:
        super().__init__(fault.message)
        self.code = fault.code
        self.message = fault.message
        self.details = fault.details
        self.call = call


class _Task:
    """The main script or an invoked function, suspended at a call."""

    __slots__ = ("answer_to", "body")

    def __init__(self, body: Generator[Any, Any, Any], answer_to: int) -> None:
        self.body = body
        self.answer_to = answer_to


class ScriptedGuest:
    """Runs one script, and the functions it gave to the host."""

    def __init__(self, scripts: dict[str, Script]) -> None:
        self._scripts = scripts
        self._functions: list[Callable[..., Any]] = []
        self._waiting: dict[int, _Task] = {}
        self._calls = 0
        self._reason = ""

    def step(self, message: m.HostMessage) -> list[m.GuestMessage]:
        """Hear a message; see :class:`llmspell.engine.Guest`."""
        if isinstance(message, m.Start):
            script = self._scripts[message.source.text]
            return self._go(_Task(script(**message.params), m.MAIN), None)
        if isinstance(message, m.Cancel) or self._reason:
            return [self._stopped(self._reason or getattr(message, "reason", "cancelled"))]
        if isinstance(message, m.Invoke):
            return self._invoked(message)
        assert isinstance(message, m.Reply)
        task = self._waiting.pop(message.id)
        if message.fault is None:
            return self._go(task, message.value)
        if message.fault.fatal:
            return [self._stopped(message.fault.code)]
        return self._go(task, CallFailed(message.fault, message.id))

    def _invoked(self, message: m.Invoke) -> list[m.GuestMessage]:
        function = self._functions[message.function - 1]
        if inspect.isgeneratorfunction(function):
            return self._go(_Task(function(*message.args), message.id), None)
        try:
            return [m.Done(message.id, [self._outgoing(function(*message.args))])]
        except Exception as error:  # noqa: BLE001 - what a script raises is a message
            return [m.Failed(_failure(error), message.id)]

    def _go(self, task: _Task, value: Any) -> list[m.GuestMessage]:
        try:
            said = task.body.throw(value) if isinstance(value, CallFailed) else task.body.send(value)
        except StopIteration as end:
            return [m.Done(task.answer_to, [self._outgoing(end.value)])]
        except Exception as error:  # noqa: BLE001 - what a script raises is a message
            return [m.Failed(_failure(error), task.answer_to)]
        target, method, *args = said
        self._calls += 1
        self._waiting[self._calls] = task
        where = target.id if isinstance(target, HostRef) else target
        return [m.Call(self._calls, where, method, [self._outgoing(arg) for arg in args])]

    def _outgoing(self, item: Any) -> Any:
        """Name the functions inside a value; everything else goes as it is."""
        if isinstance(item, dict):
            return {key: self._outgoing(part) for key, part in item.items()}
        if isinstance(item, list | tuple):
            return [self._outgoing(part) for part in item]
        if callable(item):
            self._functions.append(item)
            return FunctionRef(len(self._functions), getattr(item, "__name__", ""))
        return item

    def _stopped(self, reason: str) -> m.Failed:
        for task in self._waiting.values():
            task.body.close()
        if reason == "cancelled":
            return m.Failed(m.Failure(kind="cancelled", message="the run was cancelled"))
        return m.Failed(m.Failure(kind="limit", message="", limit=reason))

    def interrupt(self, reason: str) -> None:
        """End soon; a generator cannot be interrupted, so it ends at its next call."""
        self._reason = self._reason or reason

    def usage(self) -> GuestUsage:
        """Tell nothing."""
        return GuestUsage()

    def close(self) -> None:
        """Forget the script."""
        self._waiting.clear()


class ScriptedEngine:
    """The engine; ``scripts`` are looked up by the text of a source."""

    spec_name = "scripted"

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}

    @property
    def spec(self) -> EngineSpec:
        """Describe it."""
        return EngineSpec(
            self.spec_name,
            factory=lambda: self,
            extensions=(".scripted",),
            capabilities=Capabilities(inline=frozenset({"deadline", "cancel"})),
            description="Python generators, for tests",
        )

    def compile(self, source: Source) -> Any:
        """There is nothing to compile."""
        return source

    def open(self, limits: Any, port: Any) -> ScriptedGuest:
        """Open a guest."""
        return ScriptedGuest(self.scripts)

    def close(self) -> None:
        """Forget all scripts."""
        self.scripts.clear()


def _failure(error: Exception) -> m.Failure:
    if isinstance(error, CallFailed):
        return m.Failure(kind="runtime", message=error.message, code=error.code, fault=error.call)
    return m.Failure(kind="runtime", message=f"{type(error).__name__}: {error}")
