"""A driver small enough to see through: it answers a guest's calls from plain functions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from llmspell.engine import GuestLimits, Source
from llmspell.engine.messages import HOST, MAIN, Call, Done, Emit, Failed, Failure, Fault, GuestMessage, Reply, Start
from llmspell.errors import OutputExceeded
from llmspell.values import FunctionRef
from llmspell_lua.engine import LuaEngine
from llmspell_lua.guest import LuaGuest

LIMITS = GuestLimits(memory=64 * 1024 * 1024)


class Stopped(Exception):
    """The run failed; ``failure`` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Listener:
    """A port that keeps what is said."""

    def __init__(self, most: int | None = None) -> None:
        self.output: list[str] = []
        self.most = most

    def emit(self, message: Emit) -> None:
        self.output.append(message.data)
        if self.most is not None and sum(map(len, self.output)) > self.most:
            raise OutputExceeded("the script printed more than it may", limit="output", value=self.most)

    def ask(self, calls: list[Call]) -> Reply:
        raise AssertionError("a guest that suspends does not ask")

    @property
    def text(self) -> str:
        return "".join(self.output)


@dataclass
class Talker:
    """Runs sources in one engine.

    Attributes:
        functions: Exports of the bridge ``t``. One that returns a ``Fault`` fails with it.
        modules: Local modules by name: source texts, or ``Fault``s.
        calls: Every call made in the last run.
    """

    engine: LuaEngine
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    modules: Mapping[str, Any] = field(default_factory=dict)
    limits: GuestLimits = LIMITS
    calls: list[Call] = field(default_factory=list)
    heard: Listener = field(default_factory=Listener)

    def open(self, limits: GuestLimits | None = None, listener: Listener | None = None) -> LuaGuest:
        self.heard = listener or Listener()
        return self.engine.open(limits or self.limits, self.heard)

    def start(self, text: str, name: str = "<eval>", **kwargs: Any) -> Start:
        return Start(Source(text, name), bridges=("t",) if self.functions else (), **kwargs)

    def answer(self, call: Call) -> Reply:
        if call.target == HOST and (call.method != "module" or not isinstance(call.args[0], str)):
            return Reply(call.id, fault=Fault("invalid_argument", f"{call.method} is not for {call.args!r:.80}"))
        if call.target == HOST:
            name = call.args[0]
            if name == "t" and self.functions:
                exports = [[each, False, each.startswith("stream")] for each in self.functions]
                return Reply(call.id, {"kind": "bridge", "name": "t", "exports": exports})
            found = self.modules.get(name, Fault("module_not_found", f"there is no module {name!r}"))
            if isinstance(found, Fault):
                return Reply(call.id, fault=found)
            return Reply(call.id, {"kind": "source", "name": name, "text": found, "language": "lua"})
        found = self.functions[call.method](*call.args)
        return Reply(call.id, fault=found) if isinstance(found, Fault) else Reply(call.id, found)

    def finish(self, guest: LuaGuest, said: list[GuestMessage]) -> list[Any]:
        """Answer until the run ends; return its results."""
        waiting = list(said)
        while waiting:
            message = waiting.pop(0)
            if isinstance(message, Call):
                self.calls.append(message)
                waiting.extend(guest.step(self.answer(message)))
            elif isinstance(message, Failed) and message.id == MAIN:
                raise Stopped(message.failure)
            elif isinstance(message, Done) and message.id == MAIN:
                return message.values
        raise AssertionError("the guest waits for nothing")

    def all(self, text: str, limits: GuestLimits | None = None, **kwargs: Any) -> list[Any]:
        """Run a source; return all its results."""
        self.calls = []
        guest = self.open(limits)
        try:
            return self.finish(guest, guest.step(self.start(text, **kwargs)))
        finally:
            guest.close()

    def __call__(self, text: str, limits: GuestLimits | None = None, **kwargs: Any) -> Any:
        """Run a source; return its only result."""
        values = self.all(text, limits, **kwargs)
        assert len(values) <= 1
        return values[0] if values else None

    def failure(self, text: str, limits: GuestLimits | None = None, **kwargs: Any) -> Failure:
        """Run a source that must fail."""
        with pytest.raises(Stopped) as caught:
            self.all(text, limits, **kwargs)
        return caught.value.failure

    def within(self, seconds: float, text: str, limits: GuestLimits | None = None, **kwargs: Any) -> tuple[Any, float]:
        """Run a source that is interrupted after ``seconds``; return its results or failure, and how long it took."""
        guest = self.open(limits)
        timer = threading.Timer(seconds, guest.interrupt, ("deadline",))
        timer.start()
        began = time.monotonic()
        try:
            return self.finish(guest, guest.step(self.start(text, **kwargs))), time.monotonic() - began
        except Stopped as stopped:
            return stopped.failure, time.monotonic() - began
        finally:
            timer.cancel()
            timer.join()
            guest.close()


@pytest.fixture(scope="session", params=["lua54", "lua55"])
def engine(request: pytest.FixtureRequest) -> Iterator[LuaEngine]:
    """One engine for a whole session: what a test leaves behind, another one finds."""
    engine = LuaEngine(vm=request.param)
    yield engine
    engine.close()


@pytest.fixture
def talk(engine: LuaEngine) -> Talker:
    return Talker(engine)


@pytest.fixture
def stopped() -> type[Exception]:
    """Return what a talker raises for a run that failed."""
    return Stopped


@pytest.fixture
def talk_to() -> Callable[..., Talker]:
    """Make a talker for an engine of the test's own."""
    return Talker


@pytest.fixture
def make_talker(engine: LuaEngine) -> Callable[..., Talker]:
    """Make a talker with functions and modules."""

    def make(functions: Mapping[str, Callable[..., Any]] | None = None, **modules: Any) -> Talker:
        return Talker(engine, functions or {}, modules)

    return make


@pytest.fixture
def function_ref() -> Callable[[Any], int]:
    """Return the id of a function handle."""

    def id_of(value: Any) -> int:
        assert isinstance(value, FunctionRef)
        return value.id

    return id_of
