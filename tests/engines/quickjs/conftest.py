"""A host played by hand: what a guest of the JavaScript engine says is answered from a table of functions."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from llmspell.engine import GuestLimits, Source
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
    Invoke,
    Reply,
    Start,
)
from llmspell.values import FunctionRef
from llmspell_quickjs.engine import JavaScriptEngine

LIMITS = GuestLimits(memory=64 * 1024 * 1024)


@pytest.fixture(scope="session")
def engine() -> Iterator[JavaScriptEngine]:
    engine = JavaScriptEngine(spares=1)
    yield engine
    engine.close()


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
    """One run: its bridges, files, output and calls.

    Attributes:
        bridges: Functions by bridge and snake_case name; an async one is marked by :attr:`waits`.
        waits: Names of exports that are ``async def``.
        files: Texts of local modules by the name they are asked for.
    """

    engine: JavaScriptEngine
    bridges: dict[str, dict[str, Callable[..., Any]]] = field(default_factory=dict)
    waits: set[str] = field(default_factory=set)
    files: dict[str, str] = field(default_factory=dict)
    foreign: dict[str, Any] = field(default_factory=dict)
    limits: GuestLimits = LIMITS
    output: str = ""
    error_output: str = ""
    calls: list[Call] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    guest: Any = None
    pending: list[Call] = field(default_factory=list)
    on_emit: Callable[[Emit], None] | None = None

    # The port

    def emit(self, message: Emit) -> None:
        if self.on_emit is not None:
            self.on_emit(message)
        if message.kind == "output":
            self.output += message.data
        else:
            self.error_output += message.data

    def ask(self, said: list[Any], *, hears: bool = False) -> Reply:
        self.pending += said[:-1]
        return self.answer(said[-1])

    # The host

    def answer(self, call: Call) -> Reply:
        self.calls.append(call)
        try:
            return Reply(call.id, self._result(call))
        except Refused as error:
            return Reply(call.id, None, error.fault)

    def _result(self, call: Call) -> Any:
        if call.target == HOST:
            return self._host(call)
        return self.bridges[str(call.target)][call.method](*call.args)

    def _host(self, call: Call) -> Any:
        if call.method != "module":
            return None
        name = call.args[0]
        if name in self.bridges:
            exports = [[each, each in self.waits, False] for each in self.bridges[name]]
            return {"kind": "bridge", "name": name, "exports": exports}
        if name in self.foreign:
            return {"kind": "foreign", "name": name, "language": "lua", "exports": self.foreign[name]}
        if name in self.files:
            text = self.files[name]
            return {"kind": "source", "name": name.removeprefix("./"), "text": text, "language": "javascript"}
        raise Refused("module_not_found", f"there is no module {name!r}")

    def open(self) -> Any:
        self.guest = self.engine.open(self.limits, self)
        return self.guest

    def start(self, text: str, name: str = "spell.js", **fields: Any) -> list[Any]:
        self.open()
        source = Source(text, name, "javascript")
        return self.guest.step(Start(source, bridges=tuple(self.bridges), **fields))

    def run(self, text: str, name: str = "spell.js", **fields: Any) -> Any:
        """Run a spell to its end and return its value.

        Raises:
            ScriptFailed: It failed.
        """
        said = self.start(text, name, **fields)
        try:
            while True:
                calls = [word for word in said if isinstance(word, Call)]
                self.pending += calls
                self.rounds.append(len(calls))
                for word in said:
                    if isinstance(word, Failed) and word.id == MAIN:
                        raise ScriptFailed(word.failure)
                    if isinstance(word, Done) and word.id == MAIN:
                        return word.values[0] if word.values else None
                assert self.pending, f"the guest says {said} and waits for nothing"
                said = self.guest.step(self.answer(self.pending.pop(0)))
        finally:
            self.guest.close()

    def failure(self, text: str, name: str = "spell.js", **fields: Any) -> Failure:
        """Run a spell that must fail; return how."""
        try:
            value = self.run(text, name, **fields)
        except ScriptFailed as error:
            return error.failure
        raise AssertionError(f"the spell ended well, with {value!r}")

    def invoke(self, function: FunctionRef, *args: Any, id: int = 1) -> Any:
        """Call a function of the script that answers at once."""
        for word in self.guest.step(Invoke(id, function.id, list(args))):
            if isinstance(word, Done) and word.id == id:
                return word.values[0]
            if isinstance(word, Failed) and word.id == id:
                raise ScriptFailed(word.failure)
        raise AssertionError("no answer yet")

    def cancel(self, reason: str = "cancelled") -> list[Any]:
        return self.guest.step(Cancel(reason))


@pytest.fixture
def stage(engine: JavaScriptEngine) -> Stage:
    """A stage with one bridge, ``kit``: ``echo`` and ``refuse`` are synchronous, ``fetch`` and ``later`` are not."""

    def refuse(code: str = "failed", message: str = "no", details: Any = None) -> None:
        raise Refused(code, message, details)

    kit = {
        "echo": lambda *args: args[0] if args else None,
        "type_name": lambda value: type(value).__name__,
        "refuse": refuse,
        "fetch": lambda *args: args[0] if args else None,
        "refuse_later": refuse,
    }
    return Stage(engine, {"kit": kit}, {"fetch", "refuse_later"})


@pytest.fixture
def make_stage(engine: JavaScriptEngine) -> Callable[..., Stage]:
    return lambda **fields: Stage(engine, **fields)


@pytest.fixture
def refused() -> type[Refused]:
    return Refused


@pytest.fixture
def script_failed() -> type[ScriptFailed]:
    return ScriptFailed


@pytest.fixture
def in_child() -> Callable[[str], str]:
    """Run Python in a process of its own; return what it printed."""

    def run(code: str, timeout: float = 60) -> str:
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", code], capture_output=True, text=True, timeout=timeout
        )
        assert done.returncode == 0, f"the process ended with {done.returncode}\n{done.stderr[-3000:]}"
        return done.stdout

    return run


@dataclass(frozen=True)
class Hostile:
    """One hostile script, for a process of its own.

    Attributes:
        text: The script. It has ``kit.echo``, ``kit.fetch`` and ``kit.fail``.
        deadline: Seconds until it is interrupted.
        memory: Bytes it may take.
    """

    text: str
    deadline: float = 0.3
    memory: int = 64 * 1024 * 1024


class Forge:
    """A process that forks one for every script, so that a crash is one script's own."""

    def __init__(self) -> None:
        folder = Path(__file__).parent
        self._process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", str(folder / "forge.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, hostile: Hostile) -> dict[str, Any]:
        """Run one script; return how it ended: ``status`` of the process, ``kind``, ``message``, ``seconds``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(hostile)) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def forge() -> Iterator[Forge]:
    forge = Forge()
    yield forge
    forge.close()


@pytest.fixture(scope="session")
def hostile() -> type[Hostile]:
    return Hostile
