"""A script without an engine: calls go through the real gate, in a real run; functions are Python's."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from llmspell.bridge import BridgeRegistry, BridgeSet
from llmspell.engine import messages as m
from llmspell.errors import ScriptRuntimeError
from llmspell.gate import Gate
from llmspell.policy import Policy
from llmspell.runtime.run import Run
from llmspell.runtime.services import RunServices
from llmspell.runtime.system import SystemBridge
from llmspell.values import FunctionRef, HostRef, ValueConverter
from llmspell_std.plugin import llmspell_bridges


class Fault(Exception):
    """What a script sees of a failure."""

    def __init__(self, fault: m.Fault) -> None:
        super().__init__(f"{fault.code}: {fault.message}")
        self.code = fault.code
        self.message = fault.message
        self.details = fault.details
        self.fatal = fault.fatal


class Raised(Exception):
    """Raised by a Python function that stands for a script's: the script raises this value."""

    def __init__(self, value: Any) -> None:
        super().__init__(str(value))
        self.value = value


@dataclass
class Session:
    """Bridges that several scripts share."""

    runner: asyncio.Runner
    environ: dict[str, str] = field(default_factory=dict)
    config: dict[str, dict[str, Any]] = field(default_factory=lambda: {"core": {}})

    def __post_init__(self) -> None:
        specs = list(llmspell_bridges())
        self.bridges = BridgeSet(BridgeRegistry(specs), scope="session", config=self.config, environ=self.environ)
        self.doors: dict[Any, Any] = {}
        self.events: list[tuple[str, dict[str, Any]]] = []


class Script:
    """One run of a script, which calls exports one after the other."""

    def __init__(self, session: Session, policy: Policy, language: str) -> None:
        self._session = session
        services = RunServices(
            session="test",
            principal="tester",
            bridges=session.bridges,
            converter=ValueConverter(),
            doors=session.doors,
            event=lambda kind, run, data: session.events.append((kind, data)),
            environ=session.environ,
        )
        system = SystemBridge(lambda run, name, importer: {})
        naming = "camel" if language == "javascript" else "snake"
        self.run = Run(services, policy, language, naming, system)  # type: ignore[arg-type]
        self.run.invoker = self._invoke
        self._gate = Gate()
        self._ids = itertools.count(1)
        self._functions: dict[int, Callable[..., Any]] = {}

    def fn(self, function: Callable[..., Any]) -> FunctionRef:
        """Make a function of the script out of a Python function, which may be asynchronous."""
        number = next(self._ids)
        self._functions[number] = function
        return FunctionRef(number, getattr(function, "__name__", ""))

    def call(self, name: str | tuple[HostRef, str], *args: Any) -> Any:
        """Call ``"bridge.export"`` or ``(handle, "method")`` and wait for the answer."""
        return self._session.runner.run(self.acall(name, *args))

    async def acall(self, name: str | tuple[HostRef, str], *args: Any) -> Any:
        target: str | int
        if isinstance(name, str):
            target, _, method = name.partition(".")
        else:
            target, method = name[0].id, name[1]
        answer = self._gate.call(self.run, m.Call(next(self._ids), target, method, list(args)))
        reply = answer if isinstance(answer, m.Reply) else await answer
        if reply.fault is not None:
            raise Fault(reply.fault)
        return reply.value

    def parallel(self, *calls: tuple[Any, ...]) -> list[Any]:
        """Make several calls at once and return their answers."""

        async def work() -> list[Any]:
            return await asyncio.gather(*(self.acall(*call) for call in calls))

        return self._session.runner.run(work())

    def fails(self, name: str | tuple[HostRef, str], *args: Any) -> Fault:
        """Make a call that has to fail, and return its fault."""
        with pytest.raises(Fault) as caught:
            self.call(name, *args)
        return caught.value

    def drain(self, handle: HostRef) -> list[Any]:
        """Read a stream to its end."""
        items = []
        while True:
            done, value = self.call((handle, "next"))
            if done:
                return items
            items.append(value)

    def end(self) -> None:
        """End the run, as a session does."""
        for item in self.run.end():
            item.close()

    @property
    def printed(self) -> str:
        return self.run.printed

    async def _invoke(self, ref: FunctionRef, args: list[Any]) -> list[Any]:
        values = [self.run.converter.to_value(arg, self.run.naming) for arg in args]
        try:
            result = self._functions[ref.id](*values)
            if asyncio.iscoroutine(result):
                result = await result
        except Raised as error:
            message = error.value.get("message", "") if isinstance(error.value, dict) else str(error.value)
            raise ScriptRuntimeError(message, language=self.run.language, value=error.value) from None
        return list(result) if isinstance(result, tuple) else [result]


Spells = Callable[..., Script]


@pytest.fixture
def raised() -> type[Raised]:
    return Raised


@pytest.fixture
def session() -> Iterator[Session]:
    with asyncio.Runner() as runner:
        yield Session(runner)


@pytest.fixture
def spells(session: Session) -> Iterator[Spells]:
    """Make scripts of one session: ``spells(language="lua", policy=...)``."""
    made: list[Script] = []

    def make(language: str = "lua", policy: Policy | None = None) -> Script:
        script = Script(session, policy or Policy.minimal(), language)
        made.append(script)
        return script

    yield make
    for script in made:
        script.end()


@pytest.fixture
def spell(spells: Spells) -> Script:
    """A Lua script that may do everything."""
    return spells()
