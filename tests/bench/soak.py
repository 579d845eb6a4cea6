"""Hostile and good load, mixed, four at a time, in every language there is: does anything add up?

    python tests/bench/soak.py [--seconds 240] [--rounds 8] [--short]

Goes in rounds. In each, four principals run good spells (whose answers are known) between attacks of the corpus (whose
outcomes are announced), while workers and their zygote are killed from outside. After each round, when all is quiet,
what is left is counted: descriptors, threads, processes, temporary files, memory. Exits with 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import importlib.util
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from llmspell import EngineCrashed, Host, LlmspellError, Policy, Session, Source
from llmspell.plugin import Bridge, BridgeSpec, export, hookimpl
from llmspell.runtime.worker.loading import one_arena

TESTS = Path(__file__).parents[1]
PARALLEL = 4
ROUNDS = 8
GOOD_BETWEEN_ATTACKS = 4
COMPARED = 200
SLOWER = 0.25
"""How much slower than a fresh host's the runs of a soaked one may be."""

DYING = 2.0
"""Seconds that the workers of a killed zygote may live on, on a busy machine."""
LIMITS: dict[str, Any] = {"time": 30, "memory": "24MB", "output": "64KB", "calls": 20_000}
GOOD = {
    "lua": "local n = 0 for i = 1, 20 do n = soak.add(n, i) end return n + soak.later(1)",
    "javascript": "let n = 0; for (let i = 1; i <= 20; i++) { n = soak.add(n, i) } n + await soak.later(1)",
    "tengo": 's := import("soak")\nn := 0\nfor i := 1; i <= 20; i++ { n = s.add(n, i) }\nexport n + s.later(1)',
}
ANSWER = 211


class SoakBridge(Bridge):
    """What good spells call: one export that answers at once, one that has to be awaited."""

    name = "soak"

    @export
    def add(self, a: int, b: int) -> int:
        """Add."""
        return a + b

    @export
    async def later(self, n: int) -> int:
        """Answer a moment later."""
        await asyncio.sleep(0)
        return n


class Plugin:
    @hookimpl
    def llmspell_bridges(self) -> Any:
        yield BridgeSpec("soak", factory=SoakBridge)


@dataclass(frozen=True)
class Left:
    """What there is when all is quiet, besides the workers that are kept on purpose."""

    descriptors: int
    threads: int
    processes: int
    files: int
    memory: int


@dataclass
class Round:
    good: list[float] = field(default_factory=list)
    attacks: int = 0
    struck: int = 0
    wrong: list[str] = field(default_factory=list)


class Soak:
    """One host under load.

    Args:
        temporary: Where temporary files of this process go; nothing may be left there.
        seed: Of what is run when.
    """

    def __init__(self, temporary: Path, seed: int = 1) -> None:
        self.temporary = temporary
        self._random = random.Random(seed)
        self.host = Host(config={})
        self.host.register(Plugin(), "soak")
        self.languages = [name for name in GOOD if name in self.host.plugins.engines]
        attacks = corpus().read_corpus()
        self._attacks = [attack for attack in attacks if attack.language in self.languages]
        self._strikes: list[list[float]] = []
        self.sessions = [self._session(number) for number in range(PARALLEL)]
        self._policies = {
            (session, seconds): session.policy.narrow(time=seconds)
            for session in self.sessions
            for seconds in {attack.seconds for attack in self._attacks}
        }

    def _session(self, number: int) -> Session:
        level = ("standard", "strict")[number % 2]
        policy = Policy.at_level(level).narrow(**LIMITS).grant(bridges={"soak"})
        return self.host.session(policy, principal=f"principal {number}")

    # A round

    def round(self, seconds: float) -> Round:
        done = Round()
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._work, args=(session, random.Random(self._random.random()), end, done))
            for session in self.sessions
        ]
        for thread in threads:
            thread.start()
        while time.monotonic() < end:
            time.sleep(min(1.0, seconds / 4))
            self._strike()
            done.struck += 1
        for thread in threads:
            thread.join()
        return done

    def _work(self, session: Session, dice: random.Random, end: float, done: Round) -> None:
        while time.monotonic() < end:
            for _ in range(GOOD_BETWEEN_ATTACKS):
                self._run_good(session, dice.choice(self.languages), done)
            self._attack(session, dice.choice(self._attacks), done)

    def _run_good(self, session: Session, language: str, done: Round) -> None:
        began = time.perf_counter()
        try:
            value = session.eval(language, GOOD[language]).value
        except LlmspellError as error:
            # Its worker was killed from outside: an error, but the right one.
            if not (isinstance(error, EngineCrashed) and self._was_struck(began)):
                done.wrong.append(f"good {language}: {type(error).__name__}: {error}")
            return
        if value != ANSWER:
            done.wrong.append(f"good {language}: {value!r}")
        done.good.append(time.perf_counter() - began)

    def _attack(self, session: Session, attack: Any, done: Round) -> None:
        began = time.perf_counter()
        try:
            text = attack.path.read_text("utf-8")
            policy = self._policies[session, attack.seconds]
            outcome: Any = session.run(Source(text, attack.path.name, attack.language), policy=policy).value
        except LlmspellError as error:
            outcome = error
        done.attacks += 1
        wrong = attack.judge(outcome)
        if wrong and not (isinstance(outcome, EngineCrashed) and self._was_struck(began)):
            done.wrong.append(wrong)

    def _strike(self) -> None:
        """Kill a worker under way; every fourth time the zygote, and with it all of them."""
        workers = self.host._placements._workers
        if workers is None:
            return
        strike = [time.perf_counter(), float("inf")]
        self._strikes.append(strike)
        if len(self._strikes) % 4 == 0:
            launch = getattr(workers._source, "_launch", None)
            if launch is not None:
                launch.process.kill()
        else:
            for worker in list(workers._lent)[:1]:
                with suppress(OSError):
                    signal.pidfd_send_signal(worker._pidfd, signal.SIGKILL)
        strike[1] = time.perf_counter() + DYING

    def _was_struck(self, began: float) -> bool:
        """Tell whether a run that began then and ended now may have lost its worker."""
        now = time.perf_counter()
        return any(start <= now and began <= end for start, end in self._strikes)

    # What is left

    def left(self) -> Left:
        workers = self.host._placements._workers
        assert workers is not None
        workers._discard_spares()
        while workers._idle:
            workers._idle.pop()[2].discard()
        source = workers._source
        if source is not None and source.lost:
            source.close()
            workers._source = None
        give_back_memory()
        kept = set() if workers._source is None else zygote_of(workers._source)
        end = time.monotonic() + 10
        while (own := family(os.getpid()) - kept) and time.monotonic() < end:
            time.sleep(0.02)
        # asyncio's own pool keeps as many threads as were once busy at a time, up to a bound of its own.
        pooled = sum(each.name.startswith("asyncio_") for each in threading.enumerate())
        return Left(
            len(os.listdir("/proc/self/fd")) - (1 if kept else 0),
            len(os.listdir("/proc/self/task")) - pooled,
            len(own),
            sum(1 for _ in self.temporary.rglob("*")),
            resident(),
        )

    def close(self) -> None:
        for session in self.sessions:
            session.close()
        self.host.close()


def corpus() -> ModuleType:
    """Load the reader of the attack corpus."""
    name = "corpus_reader"
    spec = importlib.util.spec_from_file_location(name, TESTS / "security" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def family(root: int) -> set[int]:
    """List a process's descendants."""
    found: set[int] = set()
    todo = [root]
    while todo:
        parent = todo.pop()
        with suppress(FileNotFoundError, ProcessLookupError):
            for task in os.listdir(f"/proc/{parent}/task"):
                with suppress(FileNotFoundError, ProcessLookupError):
                    text = Path(f"/proc/{parent}/task/{task}/children").read_text()
                    children = [int(pid) for pid in text.split()]
                    found.update(children)
                    todo += children
    return found


def zygote_of(source: Any) -> set[int]:
    """List the processes that are kept: the zygote and its warden."""
    warden = source._launch.process.pid
    children = Path(f"/proc/{warden}/task/{warden}/children").read_text()
    return {warden, *(int(pid) for pid in children.split())}


def give_back_memory() -> None:
    """Give back what is free, so that what is still resident is really held."""
    gc.collect()
    with suppress(AttributeError, OSError):  # another libc
        ctypes.CDLL(None).malloc_trim(0)


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def told(number: int, done: Round, left: Left) -> str:
    good = sorted(done.good) or [0.0]
    return (
        f"round {number}: {len(done.good):6,} good, {done.attacks:5,} attacks, {done.struck} strikes, "
        f"p50 {statistics.median(good) * 1e3:5.1f} ms, p99 {good[int(len(good) * 0.99)] * 1e3:6.1f} ms; left: "
        f"{left.descriptors} descriptors, {left.threads} threads, {left.processes} processes, {left.files} files, "
        f"{left.memory / 2**20:.1f} MB"
    )


def judge(rounds: list[tuple[Round, Left]], *, look_at_memory: bool) -> list[str]:
    """Say what is wrong. The first round warms up; what the second left is what may be left."""
    wrong = [text for done, _ in rounds for text in done.wrong]
    first, last = rounds[1][1], rounds[-1][1]
    for name in ("descriptors", "threads"):
        if getattr(last, name) > getattr(first, name):
            wrong.append(f"{name} grow: {[getattr(left, name) for _, left in rounds]}")
    if any(left.processes or left.files for _, left in rounds):
        wrong.append(f"left behind: {[(left.processes, left.files) for _, left in rounds]}")
    held = [left.memory for _, left in rounds]
    middle = len(held) // 2
    # One round may end with a larger heap than another; what leaks does so in all of them.
    if look_at_memory and min(held[middle + 1 :]) > 1.05 * max(held[1 : middle + 1]):
        wrong.append(f"memory grows: {[round(each / 2**20, 1) for each in held]} MB")
    if any(not done.good or not done.attacks for done, _ in rounds):
        wrong.append("a round without good runs or attacks")
    return wrong


def drift(soaked: Soak) -> float:
    """Return how much slower good runs have become: those of a soaked host beside those of a fresh one, in turns."""
    fresh = Soak(soaked.temporary)
    times: dict[Soak, list[float]] = {soaked: [], fresh: []}
    try:
        for number in range(2 * COMPARED):
            one = (soaked, fresh)[number % 2]
            for language in one.languages:
                began = time.perf_counter()
                one.sessions[0].eval(language, GOOD[language])
                if number >= COMPARED // 10:  # the first ones fork
                    times[one].append(time.perf_counter() - began)
    finally:
        fresh.close()
    return statistics.median(times[soaked]) / statistics.median(times[fresh]) - 1


def soak(seconds: float, rounds: int = ROUNDS, say: Any = print, *, short: bool = False) -> tuple[list[str], float]:
    """Soak a host; return what is wrong, and how much slower than a fresh one it has become.

    To be called in a process that has no other children.

    Args:
        seconds: How long, about.
        rounds: At least two.
        say: Told how each round went.
        short: Look neither at memory nor at speed, for which some seconds are not enough.
    """
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as directory:
        tempfile.tempdir = directory
        running = Soak(Path(directory))
        try:
            done = []
            for number in range(rounds):
                one = running.round(seconds / rounds)
                done.append((one, running.left()))
                say(told(number, *done[-1]))
            slower = 0.0 if short else drift(running)
        finally:
            running.close()
            tempfile.tempdir = before
    wrong = judge(done, look_at_memory=not short)
    if left := family(os.getpid()):
        wrong.append(f"processes outlive their host: {left}")
    return wrong, slower


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--short", action="store_true", help="look neither at memory nor at speed")
    asked = parser.parse_args()
    # Each round's threads would leave free memory behind in arenas of their own, which nobody can give back.
    one_arena()
    wrong, slower = soak(asked.seconds, asked.rounds, lambda text: print(text, flush=True), short=asked.short)
    if not asked.short:
        print(f"median good run, beside a fresh host's in turns: {slower * 100:+.1f} %")
        if slower > SLOWER:
            wrong.append(f"good runs have become {slower * 100:.1f} % slower")
    for text in wrong[:20]:
        print("WRONG:", text)
    print("nothing is wrong" if not wrong else f"{len(wrong)} things are wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
