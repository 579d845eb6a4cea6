"""A host played by hand: a Tengo guest's calls are answered from a table of functions, its sleeps by a clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from llmspell.engine import GuestLimits, Source
from llmspell.engine.messages import (
    HOST,
    MAIN,
    Call,
    Done,
    Emit,
    Failed,
    Failure,
    Fault,
    GuestMessage,
    HostMessage,
    Invoke,
    Reply,
    Start,
)
from llmspell.values import FunctionRef
from llmspell_tengo.engine import TengoEngine
from llmspell_tengo.guest import TengoGuest

LIMITS = GuestLimits(memory=64 * 1024 * 1024)


class Refused(Exception):
    """Raised by an export of a test's host: becomes a fault."""

    def __init__(self, code: str, message: str = "refused", details: Any = None, *, fatal: bool = False) -> None:
        super().__init__(message)
        self.fault = Fault(code, message, details, fatal)


class ScriptFailed(Exception):
    """The run ended with a failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.kind}: {failure.message}")
        self.failure = failure


@dataclass
class Stage:
    """Runs sources.

    Attributes:
        exports: Functions of the bridge ``kit``. One that returns ``NotImplemented`` is never answered; one that gets
            a :class:`FunctionRef` may return ``(ref, args)`` under the name ``call``.
        modules: Local modules by name: ``(path, text)``, exports of another language as a dict, or a ``Fault``.
        now: Seconds the script has slept; sleeps take no time.
        calls: Every call of the last run.
        lines: What it printed.
    """

    engine: TengoEngine
    exports: dict[str, Callable[..., Any]] = field(default_factory=dict)
    modules: Mapping[str, Any] = field(default_factory=dict)
    limits: GuestLimits = LIMITS
    now: float = 0.0
    calls: list[Call] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    guest: Any = None

    def emit(self, message: Emit) -> None:
        self.output.append(message.data)

    def ask(self, calls: list[Call]) -> Reply:
        raise AssertionError("a guest that suspends does not ask")

    @property
    def text(self) -> str:
        return "".join(self.output)

    def open(self) -> TengoGuest:
        self.now = 0.0
        self.calls, self.output, self.cancelled = [], [], []
        self._timers: list[tuple[float, int]] = []
        self._invocations: dict[int, int] = {}
        self.guest = self.engine.open(self.limits, self)
        return self.guest

    def run(self, text: str, params: dict[str, Any] | None = None, *, name: str = "main.tengo") -> Any:
        """Run a script to its end; return its result."""
        guest = self.open()
        try:
            end = self.talk(Start(Source(text, name, "tengo"), params or {}, ("kit",)))
        finally:
            guest.close()
        assert end is not None, "the script waits for what is never answered"
        return end.values[0] if end.values else None

    def fail(self, text: str, **options: Any) -> Failure:
        """Run a script that must fail; return how."""
        try:
            value = self.run(text, **options)
        except ScriptFailed as error:
            return error.failure
        raise AssertionError(f"the script ended well: {value!r}")

    def talk(self, message: HostMessage) -> Done | None:
        """Say something and answer what follows, until the run ends or waits for what is never answered."""
        inbox: list[HostMessage] = [message]
        while True:
            while inbox:
                end = self._hear(self.guest.step(inbox.pop(0)), inbox)
                if end is not None:
                    return end
            if not self._timers:
                return None
            until, number = heapq.heappop(self._timers)
            self.now = max(self.now, until)
            inbox.append(Reply(number))

    def _hear(self, said: list[GuestMessage], inbox: list[HostMessage]) -> Done | None:
        for word in said:
            if isinstance(word, Call):
                self.calls.append(word)
                reply = self._answer(word)
                if reply is not None:
                    inbox.append(reply)
            elif isinstance(word, Failed) and word.id == MAIN:
                raise ScriptFailed(word.failure)
            elif isinstance(word, Done) and word.id == MAIN:
                return word
            elif word.id in self._invocations:
                number = self._invocations.pop(word.id)
                if isinstance(word, Done):
                    inbox.append(Reply(number, word.values[0]))
                else:
                    inbox.append(Reply(number, None, Fault("script", word.failure.message)))
        return None

    def _answer(self, call: Call) -> HostMessage | None:
        if call.target == HOST and call.method == "module":
            return self._module(call)
        if call.target == HOST and call.method == "sleep":
            heapq.heappush(self._timers, (self.now + call.args[0], call.id))
            return None
        if call.target == HOST and call.method == "cancel":
            self._timers = [timer for timer in self._timers if timer[1] != call.args[0]]
            heapq.heapify(self._timers)
            self.cancelled.append(call.args[0])
            return Reply(call.id)
        if call.method == "call" and isinstance(call.args[0], FunctionRef):
            number = len(self.calls)
            self._invocations[number] = call.id
            return Invoke(number, call.args[0].id, call.args[1:])
        try:
            value = self.exports[call.method](*call.args)
        except Refused as error:
            return Reply(call.id, None, error.fault)
        return None if value is NotImplemented else Reply(call.id, value)

    def _module(self, call: Call) -> Reply:
        name = call.args[0]
        if name == "kit":
            exports = [[export, False, False] for export in [*self.exports, "call"]]
            return Reply(call.id, {"kind": "bridge", "name": "kit", "exports": exports})
        found = self.modules.get(name, Fault("module_not_found", f"there is no module {name!r}"))
        if isinstance(found, Fault):
            return Reply(call.id, None, found)
        if isinstance(found, dict):
            return Reply(call.id, {"kind": "foreign", "name": name, "language": "lua", "exports": found})
        return Reply(call.id, {"kind": "source", "name": found[0], "text": found[1], "language": "tengo"})


@pytest.fixture(scope="session")
def engine() -> Iterator[TengoEngine]:
    engine = TengoEngine()
    yield engine
    engine.close()


@pytest.fixture
def stage(engine: TengoEngine) -> Stage:
    def fail(code: str = "busy", message: str = "try later") -> None:
        raise Refused(code, message, {"tried": 3})

    return Stage(engine, {"echo": lambda value=None: value, "fail": fail, "hang": lambda: NotImplemented})
