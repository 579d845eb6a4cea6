"""Workers with an engine for tests, and a check that nothing of them stays behind."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from llmspell.engine import GuestLimits, Source
from llmspell.engine import messages as m
from llmspell.errors import LlmspellError, OutputExceeded
from llmspell.policy import Policy
from llmspell.runtime.watchdog import Watchdog
from llmspell.runtime.worker.pool import Workers
from llmspell.runtime.worker.source import MakeSource, best_source
from llmspell.runtime.worker.spawner import Spawner

HERE = Path(__file__).parent
SOURCES: dict[str, MakeSource] = {"forked": best_source, "spawned": Spawner}
Answer = Callable[..., Any]


class Port:
    """What the host hears of a run while it is still running."""

    def __init__(self, limit: int | None = None) -> None:
        self.said: list[m.Emit] = []
        self.limit = limit
        self.heard = threading.Event()

    def emit(self, message: m.Emit) -> None:
        self.said.append(message)
        self.heard.set()
        if self.limit is not None and len(self.text) > self.limit:
            raise OutputExceeded("too much output", limit="output", value=self.limit)

    @property
    def text(self) -> str:
        return "".join(str(each.data) for each in self.said if each.kind == "output")


@dataclass
class Outcome:
    """How a run ended: what the guest said last, or what its seat raised."""

    said: list[Any] = field(default_factory=list)
    error: LlmspellError | None = None
    seconds: float = 0.0
    port: Port = field(default_factory=Port)

    @property
    def value(self) -> Any:
        if self.error is not None:
            raise self.error
        last = self.said[-1]
        assert isinstance(last, m.Done), last
        return last.values[0] if last.values else None

    @property
    def failure(self) -> m.Failure:
        if self.error is not None:
            raise self.error
        last = self.said[-1]
        assert isinstance(last, m.Failed), last
        return last.failure


class Bench:
    """Runs spells in workers, answering their calls as a host would."""

    def __init__(self, **options: Any) -> None:
        import python_spells

        self.engine = python_spells
        self.spec = python_spells.spec()
        self.watchdog = Watchdog()
        self.workers = Workers(self.watchdog, **options)
        self.policy = Policy.standard()
        self.port = Port

    def seat(self, port: Port | None = None, **more: Any) -> Any:
        return self.workers.seat(
            more.get("spec", self.spec),
            more.get("options", {}),
            more.get("policy", self.policy),
            more.get("limits", GuestLimits(memory=64 << 20)),
            port or Port(),
            more.get("principal", ""),
        )

    def start(self, text: str, **params: Any) -> m.Start:
        return m.Start(Source(text, "test.py", "python"), params)

    def run(self, text: str, *, answer: Answer | None = None, deadline: float | None = None, **more: Any) -> Outcome:
        port = more.pop("port", None) or Port()
        params = more.pop("params", {})
        seat = self.seat(port, **more)
        outcome = Outcome(port=port)
        began = time.monotonic()
        token = 0
        if deadline is not None:
            token = self.watchdog.watch(began + deadline, lambda: seat.interrupt("deadline"))
        try:
            inbox: list[Any] = [self.start(text, **params)]
            while inbox:
                for said in seat.step(inbox.pop(0)):
                    outcome.said.append(said)
                    if isinstance(said, m.Call):
                        inbox.append(reply_to(said, answer))
        except LlmspellError as error:
            outcome.error = error
        finally:
            outcome.seconds = time.monotonic() - began
            self.watchdog.unwatch(token)
            seat.close()
        return outcome

    def once_busy(self, text: str, then: Callable[[Any], object]) -> Outcome:
        """Run a text, and do something to its seat as soon as it has said a word."""

        class Telling(Port):
            def emit(self, message: m.Emit) -> None:
                super().emit(message)
                if len(self.said) == 1:
                    then(seat)

        outcome = Outcome(port=Telling())
        seat = self.seat(outcome.port)
        try:
            outcome.said = seat.step(self.start(text))
        except LlmspellError as error:
            outcome.error = error
        finally:
            seat.close()
        return outcome

    async def arun(self, text: str, *, answer: Answer | None = None, **more: Any) -> Outcome:
        port = more.pop("port", None) or Port()
        params = more.pop("params", {})
        seat = self.seat(port, **more)
        outcome = Outcome(port=port)
        began = time.monotonic()
        try:
            inbox: list[Any] = [self.start(text, **params)]
            while inbox:
                for said in await astep(seat, inbox.pop(0)):
                    outcome.said.append(said)
                    if isinstance(said, m.Call):
                        inbox.append(reply_to(said, answer))
        except LlmspellError as error:
            outcome.error = error
        finally:
            outcome.seconds = time.monotonic() - began
            seat.leave()
            seat.close()
        return outcome

    def close(self) -> None:
        self.workers.close()
        self.watchdog.close()


async def astep(seat: Any, word: Any) -> Any:
    """Bring a guest something on the running loop, and wait for what it says."""
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    seat.begin(word, lambda said, failure: answer.set_exception(failure) if failure else answer.set_result(said))
    return await answer


def reply_to(call: m.Call, answer: Answer | None) -> m.Reply:
    value = answer(call.target, call.method, *call.args) if answer is not None else None
    return value if isinstance(value, m.Reply) else m.Reply(call.id, value)


def children_of(pid: int | str) -> set[int]:
    """List a process's children, as the machine's /proc knows them. Its threads come and go meanwhile."""
    found: set[int] = set()
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(FileNotFoundError, ProcessLookupError):
                found.update(int(child) for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


@dataclass
class Traces:
    """What this process has open."""

    children: set[int]
    descriptors: set[str]
    threads: set[str]

    @classmethod
    def now(cls) -> "Traces":
        children = children_of("self")
        descriptors = set()
        for entry in os.listdir("/proc/self/fd"):
            try:
                descriptors.add(f"{entry} {os.readlink(f'/proc/self/fd/{entry}')}")
            except FileNotFoundError:
                continue
        names = {thread.name for thread in threading.enumerate() if not thread.name.startswith("asyncio")}
        return cls(children, {entry for entry in descriptors if "eventpoll" not in entry}, names)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a module's tests on spawned workers too, if it says which of them are about forked ones (perhaps none)."""
    forked_only = getattr(metafunc.module, "FORKED_ONLY", None)
    if forked_only is not None and "source" in metafunc.fixturenames:
        names = ["forked"] if metafunc.function.__name__ in forked_only else list(SOURCES)
        metafunc.parametrize("source", names, indirect=True, scope="module")


@pytest.fixture(scope="module")
def source(request: pytest.FixtureRequest) -> str:
    """Name where the workers of a bench come from."""
    return str(getattr(request, "param", "forked"))


@pytest.fixture(autouse=True)
def _engine_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


@contextmanager
def benches(source: str) -> Iterator[Callable[..., Bench]]:
    """Make benches; afterwards nothing they opened may be left."""
    if sys.platform != "linux":
        pytest.skip("Linux is missing: leaks are looked for in /proc")
    before = Traces.now()
    made: list[Bench] = []

    def make(**options: Any) -> Bench:
        made.append(Bench(**{"source": SOURCES[source], **options}))
        return made[-1]

    yield make
    for each in made:
        each.close()
    after = Traces.now()
    assert after.children <= before.children
    assert after.descriptors <= before.descriptors
    assert after.threads <= before.threads


@pytest.fixture
def make_bench(source: str) -> Iterator[Callable[..., Bench]]:
    with benches(source) as make:
        yield make


@pytest.fixture(scope="module")
def shared_bench(source: str) -> Iterator[Bench]:
    """One bench for tests that need no zygote of their own."""
    with pytest.MonkeyPatch.context() as patch, benches(source) as make:
        patch.syspath_prepend(str(HERE))
        yield make()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture
def make_port() -> type[Port]:
    return Port


@pytest.fixture
def port() -> Port:
    return Port()


@pytest.fixture
def rss() -> Callable[[], int]:
    """Tell how many bytes of memory this process has ever held at once, as far as Linux remembers."""

    def peak() -> int:
        (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024

    return peak


@pytest.fixture(params=["standard", "strict"])
def each_level(request: pytest.FixtureRequest, bench: Bench) -> Bench:
    """A bench at ``standard`` and again at ``strict``."""
    bench.policy = Policy.at_level(request.param)
    return bench


@pytest.fixture(scope="session", name="children_of")
def _children_of() -> Callable[[int], set[int]]:
    """List a process's children."""
    return children_of


@pytest.fixture(scope="session")
def traces() -> Callable[[], Traces]:
    """Tell what this process has open now."""
    return Traces.now


@pytest.fixture(scope="module")
def open_benches() -> Callable[[str], Any]:
    """Make benches of a source by hand."""

    @contextmanager
    def opened(source: str) -> Iterator[Callable[..., Bench]]:
        with pytest.MonkeyPatch.context() as patch, benches(source) as make:
            patch.syspath_prepend(str(HERE))
            yield make

    return opened


@pytest.fixture(scope="session")
def family() -> Callable[[int], set[int]]:
    """List a process's descendants."""

    def find(root: int) -> set[int]:
        found: set[int] = set()
        todo = [root]
        while todo:
            children = children_of(todo.pop())
            found |= children
            todo += children
        return found

    return find


@pytest.fixture
def wait_until() -> Callable[[Callable[[], Any]], Any]:
    """Wait for something another process does; there is no event to wait for."""

    def wait(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.005)
        return found

    return wait


@pytest.fixture(scope="session", name="astep")
def _astep() -> Callable[[Any, Any], Any]:
    return astep


@pytest.fixture
def in_loop() -> Callable[[Any], Any]:
    return asyncio.run
