"""The budgets of workers (design, section 6; issue 2), measured in one run and printed beside what they must reach.

    python tests/bench/worker.py [--quick] [cold | zygote | overshoot | warm | calls | processor | memory ...]

Runs go through ``Host`` and ``Session``, gate and all; only the cold start and the deadline figures look at the
worker placement by itself, with an engine whose spells are Python.
"""

from __future__ import annotations

import functools
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "core" / "worker"))

import python_spells

from llmspell import EngineCrashed, Host, LlmspellError, Policy, Source
from llmspell.engine import GuestLimits
from llmspell.engine import messages as m
from llmspell.plugin import Bridge, BridgeSpec, export, hookimpl
from llmspell.runtime.watchdog import Watchdog
from llmspell.runtime.worker.pool import Workers
from llmspell.runtime.worker.source import MakeSource, best_source
from llmspell.runtime.worker.spawner import Spawner

LEVELS = ("standard", "strict")
QUICK = "--quick" in sys.argv
LIMITS = GuestLimits(memory=64 << 20)
DEAF = "import re\nre.match('(a+)+$', 'a' * 60 + 'b')"
BUSY = "while True: pass"


class Bench(Bridge):
    """What the benchmark calls."""

    name = "bench"

    @export
    def add(self, a: int, b: int) -> int:
        """Add."""
        return a + b


class Plugin:
    @hookimpl
    def llmspell_bridges(self) -> Any:
        yield BridgeSpec("bench", factory=Bench)


class Silent:
    def emit(self, message: m.Emit) -> None: ...


def row(what: str, figure: str, budget: str, met: bool | None) -> None:
    verdict = "" if met is None else "met" if met else "NOT MET"
    print(f"{what:<58} {figure:>34}   {budget:<22} {verdict}", flush=True)


def times(function: Callable[[], object], count: int) -> list[float]:
    out = []
    for _ in range(count):
        began = time.perf_counter()
        function()
        out.append(time.perf_counter() - began)
    return sorted(out)


def percentiles(figures: list[float], unit: float = 1e3) -> tuple[float, float, float]:
    ordered = sorted(figures)
    return statistics.median(ordered) * unit, ordered[int(len(ordered) * 0.99)] * unit, ordered[-1] * unit


def one_run(workers: Workers, policy: Policy, text: str, principal: str = "") -> None:
    seat = workers.seat(python_spells.spec(), {}, policy, LIMITS, Silent(), principal)
    seat.step(m.Start(Source(text, language="python")))
    seat.close()


def first_run(policy: Policy, source: MakeSource = best_source) -> float:
    began = time.perf_counter()
    watchdog = Watchdog()
    workers = Workers(watchdog, source=source)
    one_run(workers, policy, "result = 1")
    seconds = time.perf_counter() - began
    workers.close()
    watchdog.close()
    return seconds


def cold() -> None:
    for level in LEVELS:
        middle, _, worst = percentiles([first_run(Policy.at_level(level)) for _ in range(3 if QUICK else 9)])
        figure = f"{middle:.0f} ms, worst {worst:.0f}"
        row(f"cold worker, first run included, {level}", figure, "<= 250 ms", middle <= 250)
    for level in LEVELS:
        middle, _, worst = percentiles([first_run(Policy.at_level(level), Spawner) for _ in range(3 if QUICK else 9)])
        figure = f"{middle:.0f} ms, worst {worst:.0f}"
        row(f"the same where it is spawned, {level}", figure, "<= 250 ms", middle <= 250)


def from_zygote() -> None:
    for level in LEVELS:
        policy = Policy.at_level(level)
        watchdog = Watchdog()
        workers = Workers(watchdog, max_idle=0)
        one_run(workers, policy, "result = 1")
        figures = []
        for number in range(20 if QUICK else 100):
            workers._discard_spares()
            began = time.perf_counter()
            one_run(workers, policy, "result = 1", f"principal {number}")
            figures.append(time.perf_counter() - began)
        workers.close()
        watchdog.close()
        middle, p99, _ = percentiles(figures)
        row(
            f"worker from the zygote, first run included, {level}",
            f"{middle:.1f} ms, p99 {p99:.1f}",
            "<= 15 ms",
            middle <= 15,
        )


def warm(host: Host) -> None:
    count = 500 if QUICK else 5_000
    source = Source("return 1 + 1", language="lua")
    for level in LEVELS:
        with host.session(policy=Policy.at_level(level).narrow(calls=10**8)) as session:
            session.run(source)
            middle, p99, _ = percentiles(times(functools.partial(session.run, source), count))
            row(f"warm tiny Lua run, {level}", f"{middle:.3f} ms, p99 {p99:.3f}", "<= 0.5 ms", middle <= 0.5)


def host_calls(host: Host) -> None:
    count = 500 if QUICK else 5_000
    loop = f"local n = 0 for i = 1, {count} do n = bench.add(n, 1) end return n"
    for level in LEVELS:
        with host.session(policy=Policy.at_level(level).grant(bridges={"bench"})) as session:
            session.eval("lua", "return bench.add(1, 1)")
            each = min(times(functools.partial(session.eval, "lua", loop), 4)) / count * 1e6
            row(f"host call through the full gate, {level}", f"{each:.1f} us", "<= 60 us", each <= 60)


def processor_work(host: Host) -> None:
    from lupa import lua54

    text = "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end return fib(30)"
    bare = lua54.LuaRuntime()
    with host.session(policy=Policy.standard()) as session:
        session.eval("lua", "return 1")
        pairs = []
        # Many, for the quickest of each: lent processors differ by a fifth from one moment to the next.
        for _ in range(3 if QUICK else 40):
            ours = times(lambda: session.eval("lua", text), 1)[0]
            floor = times(lambda: bare.execute(text), 1)[0]
            pairs.append((ours, floor))
        ratio = min(ours for ours, _ in pairs) / min(floor for _, floor in pairs)
        row("Lua processor work at standard", f"{ratio:.3f}x bare lupa", "<= 1.10x", ratio <= 1.10)


class Terminations:
    """Runs that are ended at their deadline; half of them heed the interrupt, half must be killed."""

    deadline = 0.1

    def __init__(self, level: str) -> None:
        self.policy = Policy.at_level(level)
        self.watchdog = Watchdog()
        self.workers = Workers(self.watchdog)
        self.over: dict[str, list[float]] = {BUSY: [], DEAF: []}
        self.wrong: list[str] = []

    def one(self, text: str, principal: str) -> None:
        seat = self.workers.seat(python_spells.spec(), {}, self.policy, LIMITS, Silent(), principal)
        began = time.monotonic()
        token = self.watchdog.watch(began + self.deadline, lambda: seat.interrupt("deadline"))
        try:
            seat.step(m.Start(Source(text, language="python")))
        except LlmspellError as error:
            if not isinstance(error, EngineCrashed) or "did not stop" not in error.message:
                self.wrong.append(error.message)
        self.over[text].append(time.monotonic() - began - self.deadline)
        self.watchdog.unwatch(token)
        seat.close()

    def series(self, number: int, count: int) -> None:
        for turn in range(count):
            self.one((BUSY, DEAF)[(turn + number) % 2], f"principal {number}")

    def close(self) -> None:
        self.workers.close()
        self.watchdog.close()


def overshoot() -> None:
    total, parallel = (100 if QUICK else 1_000), 4
    for level in LEVELS:
        terminations = Terminations(level)
        threads = [
            threading.Thread(target=terminations.series, args=(number, total // parallel)) for number in range(parallel)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        terminations.close()
        for what, over in (("obedient", terminations.over[BUSY]), ("deaf", terminations.over[DEAF])):
            middle, p99, worst = percentiles(over)
            figure = f"p50 {middle:.0f} ms, p99 {p99:.0f}, max {worst:.0f}"
            met = middle <= 50 and p99 <= 250 and not terminations.wrong
            row(f"overshoot, {len(over)} {what} at {parallel} parallel, {level}", figure, "p50 50, p99 250 ms", met)
        for text in terminations.wrong[:3]:
            print("   wrong:", text)


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def memory(host: Host) -> None:
    count = 500 if QUICK else 10_000
    with host.session(policy=Policy.standard()) as session:
        text = "local t = {} for i = 1, 50 do t[i] = {name = 'n' .. i, value = i} end return t"
        for _ in range(500):
            session.eval("lua", text)
        before = resident()
        for _ in range(count):
            session.eval("lua", text)
        growth = resident() / before - 1
        row(f"host memory after {count:,} runs", f"{growth * 100:+.1f} %", "<= 5 %", growth <= 0.05)


def main() -> None:
    print(json.dumps({"python": sys.version.split()[0], "cpus": os.cpu_count()}))
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")]
    for name, measure in {"cold": cold, "zygote": from_zygote, "overshoot": overshoot}.items():
        if not wanted or name in wanted:
            measure()
    in_host = {"warm": warm, "calls": host_calls, "processor": processor_work, "memory": memory}
    in_host = {name: measure for name, measure in in_host.items() if not wanted or name in wanted}
    if not in_host:
        return
    with Host(config={}) as host:
        host.register(Plugin())
        try:
            host.engine("lua")
        except LlmspellError as error:
            print(f"the figures that need the Lua engine are missing: {error}")
            return
        for measure in in_host.values():
            measure(host)


if __name__ == "__main__":
    main()
