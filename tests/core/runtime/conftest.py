"""A tiny language for tests of the runtime: a source names a Python generator, whose yields are host calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from llmspell import Host, ResourceExhausted
from llmspell.engine import messages as m
from llmspell.plugin import Capabilities, EngineSpec, GuestUsage, hookimpl

Script = Callable[..., Generator[Any, Any, Any]]


class Raised(Exception):
    """A fault, as a scripted guest sees it."""

    def __init__(self, fault: m.Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class ScriptedGuest:
    """Runs one generator; a yield of ``(target, method, *args)`` is a call, a yield of a list several at once."""

    def __init__(self, scripts: dict[str, Script], port: Any) -> None:
        self._scripts = scripts
        self._port = port
        self._script: Any = None
        self._ids = 0
        self._waiting: dict[int, int] = {}
        self._answers: list[Any] = []
        self._open = 0
        self._functions: dict[int, Any] = {}
        self._invoked: dict[int, Any] = {}
        self.stopped = threading.Event()
        self.reason = ""
        self.closed = False

    def step(self, message: Any) -> list[Any]:
        kind = type(message)
        if kind is m.Start and message.mode == "idle":
            return []
        if kind is m.Load:
            module = self._scripts[message.source.text.strip()](self)
            return [m.Done(message.id, [{name: self.function(body) for name, body in module.items()}])]
        if kind is m.Start:
            self._script = self._scripts[message.source.text.strip()](self, **message.params)
            return self._go(None)
        if kind is m.Cancel or self.reason:
            reason = self.reason or message.reason
            if self._script is not None:
                self._script.close()
            if reason == "cancelled":
                return [m.Failed(m.Failure(kind="cancelled", message="cancelled"))]
            return [m.Failed(m.Failure(kind="limit", message="", limit=reason))]
        if kind is m.Invoke:
            try:
                return [m.Done(message.id, [self._functions[message.function](*message.args)])]
            except ValueError as error:
                return [m.Failed(m.Failure(kind="runtime", message=str(error)), message.id)]
        if message.fault is not None and message.fault.fatal:
            self._script.close()
            return [m.Failed(m.Failure(kind="limit", message=message.fault.message, fault=message.id))]
        self._answers[self._waiting.pop(message.id)] = Raised(message.fault) if message.fault else message.value
        self._open -= 1
        if self._open:
            return []
        answers = self._answers
        return self._go(answers[0] if len(answers) == 1 else answers)

    def _go(self, value: Any) -> list[Any]:
        try:
            said = self._script.throw(value) if isinstance(value, Raised) else self._script.send(value)
        except StopIteration as end:
            return [m.Done(m.MAIN, [] if end.value is None else [end.value])]
        except Raised as error:
            last = self._ids
            return [m.Failed(m.Failure(kind="runtime", message=str(error), code=error.fault.code, fault=last))]
        except ResourceExhausted as error:
            return [m.Failed(m.Failure(kind="limit", message=str(error), limit=error.limit))]
        except Exception as error:
            return [m.Failed(m.Failure(kind="runtime", message=str(error)))]
        calls = said if isinstance(said, list) else [said]
        self._answers = [None] * len(calls)
        self._open = len(calls)
        out = []
        for place, (target, method, *args) in enumerate(calls):
            self._ids += 1
            self._waiting[self._ids] = place
            out.append(m.Call(self._ids, target, method, list(args)))
        return out

    def function(self, body: Callable[..., Any]) -> Any:
        from llmspell.plugin import FunctionRef

        number = len(self._functions) + 1
        self._functions[number] = body
        return FunctionRef(number, "callback")

    def print(self, text: str) -> None:
        self._port.emit(m.Emit("output", text))

    def interrupt(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.stopped.set()

    def usage(self) -> GuestUsage:
        return GuestUsage()

    def close(self) -> None:
        self.closed = True


class ScriptedEngine:
    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.guests: list[ScriptedGuest] = []

    def compile(self, source: Any) -> Any:
        return source

    def open(self, limits: Any, port: Any) -> ScriptedGuest:
        guest = ScriptedGuest(self.scripts, port)
        self.guests.append(guest)
        return guest

    def close(self) -> None:
        self.scripts.clear()


class ScriptedPlugin:
    def __init__(self) -> None:
        self.engine = ScriptedEngine()
        self.other = ScriptedEngine()
        self.bridges: list[Any] = []

    @hookimpl
    def llmspell_engines(self) -> Any:
        yield EngineSpec(
            "scripted",
            factory=lambda: self.engine,
            extensions=(".scripted",),
            capabilities=Capabilities(inline=frozenset({"deadline", "cancel"})),
        )
        yield EngineSpec(
            "other",
            factory=lambda: self.other,
            extensions=(".other",),
            capabilities=Capabilities(inline=frozenset({"deadline", "cancel"}), calls_each=True),
        )

    @hookimpl
    def llmspell_bridges(self) -> Any:
        return self.bridges


@pytest.fixture
def plugin() -> ScriptedPlugin:
    return ScriptedPlugin()


@pytest.fixture
def host(plugin: ScriptedPlugin) -> Iterator[Callable[..., Host]]:
    """Make a host with the scripted engine and the bridges that ``plugin`` holds by then."""
    made: list[Host] = []

    def make(**options: Any) -> Host:
        host = Host(plugins=(), config={}, **options)
        host.register(plugin, name="scripted")
        made.append(host)
        return host

    yield make
    for each in made:
        each.close()
