"""The inline budgets of the design (section 6), measured side by side in one run and printed as ratios.

    python tests/bench/inline.py [--quick]

Every figure stands beside the bare engine's own figure of the same run, so that a busy machine weighs on both. What
runs in this process is measured in processor time, which others who share the machine cannot take away; what starts
processes in wall time.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lupa import lua54

from llmspell import Host, Policy, Source
from llmspell.plugin import Bridge, BridgeSpec, export, hookimpl

QUICK = "--quick" in sys.argv
MINIMAL = Policy.minimal().narrow(time=120)


class Bench(Bridge):
    """What the benchmark calls."""

    name = "bench"

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.waiting = 0

    @export
    def add(self, a: int, b: int) -> int:
        """Add."""
        return a + b

    @export
    async def later(self, n: int) -> int:
        """Return it, asynchronously."""
        return n

    @export
    async def wait(self) -> int:
        """Wait until all are waiting."""
        self.waiting += 1
        await self.gate.wait()
        return 1

    @export
    def take(self, data: Any) -> int:
        """Take a value."""
        return len(data)

    @export
    def give(self) -> dict[str, int]:
        """Give a value."""
        return KEYS


KEYS = {f"key_{n}": n for n in range(1000)}


class Plugin:
    def __init__(self) -> None:
        self.bench = Bench()

    @hookimpl
    def llmspell_bridges(self) -> Any:
        yield BridgeSpec("bench", factory=lambda: self.bench)


def best(*functions: Callable[[], object], count: int, rounds: int = 7, clock: Any = time.process_time) -> list[float]:
    """Return each function's best seconds per call; their rounds alternate, so that all have the same luck."""
    figures: list[list[float]] = [[] for _ in functions]
    for round_ in range(rounds + 1):
        for function, found in zip(functions, figures, strict=True):
            began = clock()
            for _ in range(count if round_ else 1):
                function()
            found.append((clock() - began) / count if round_ else float("inf"))
    return [min(found) for found in figures]


def row(what: str, figure: str, budget: str, met: bool | None) -> None:
    verdict = "" if met is None else "met" if met else "NOT MET"
    print(f"{what:<58} {figure:>30}   {budget:<22} {verdict}")


def warm_run(session: Any) -> None:
    runtime = lua54.LuaRuntime(register_eval=False, register_builtins=False)
    bare = runtime.eval("function() return 1 + 1 end")
    source = Source("return 1 + 1", language="lua")
    count = 500 if QUICK else 5000
    ours, floor = best(lambda: session.run(source), bare, count=count)
    row(
        "warm tiny run, fresh environment",
        f"{1 / ours:,.0f}/s ({ours / floor:.0f}x bare call)",
        ">= 20,000/s",
        ours <= 1 / 20_000,
    )


def host_call(session: Any) -> None:
    count = 2_000 if QUICK else 20_000
    loop = f"local n = 0 for i = 1, {count} do n = bench.add(n, 1) end return n"
    empty = f"local n = 0 local function add(a, b) return a + b end for i = 1, {count} do n = add(n, 1) end return n"
    some = count // 10
    later = f"local n = 0 for i = 1, {some} do n = bench.later(i) end return n"
    with_calls, without, awaited = best(
        lambda: session.eval("lua", loop),
        lambda: session.eval("lua", empty),
        lambda: session.eval("lua", later),
        count=1,
    )
    each = (with_calls - without) / count * 1e6
    row("host call through the full gate", f"{each:.1f} us", "<= 15 us", each <= 15)
    row("awaited host call", f"{awaited / some * 1e6:.1f} us", "", None)


def conversions(session: Any) -> None:
    count = 200 if QUICK else 1_000
    # The binding's best figure for the same thing: a dict whose keys are texts on both sides.
    runtime = lua54.LuaRuntime()
    make, table = runtime.table_from, runtime.table_from(KEYS)
    give = f"for i = 1, {count} do bench.give() end"
    take = f"local t = bench.give() for i = 1, {count} do bench.take(t) end"
    none = f"for i = 1, {count} do bench.add(1, 2) end"

    def again(function: Callable[[], object]) -> None:
        for _ in range(count):
            function()

    bare_in, bare_out, base, with_in, with_out = best(
        lambda: again(lambda: make(KEYS, recursive=True)),
        lambda: again(lambda: dict(table.items())),
        lambda: session.eval("lua", none),
        lambda: session.eval("lua", give),
        lambda: session.eval("lua", take),
        count=1,
    )
    bare_in, bare_out = bare_in / count, bare_out / count
    ours_in, ours_out = (with_in - base) / count, (with_out - base) / count
    row(
        "1,000-key dict to Lua, whole gate",
        f"{ours_in / bare_in:.1f}x lupa ({ours_in * 1e6:.0f} us)",
        "<= 3x",
        ours_in <= 3 * bare_in,
    )
    row(
        "1,000-key dict from Lua, whole gate",
        f"{ours_out / bare_out:.1f}x lupa ({ours_out * 1e6:.0f} us)",
        "<= 3x",
        ours_out <= 3 * bare_out,
    )


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def waiting(plugin: Plugin) -> None:
    count = 500 if QUICK else 10_000

    async def main() -> None:
        async with Host(config={}) as host:
            host.register(plugin)
            async with host.session(policy=MINIMAL) as session:
                source = Source("return bench.wait()", language="lua")
                before = resident()
                began = time.perf_counter()
                tasks = [asyncio.create_task(session.arun(source)) for _ in range(count)]
                while plugin.bench.waiting < count:
                    await asyncio.sleep(0.01)
                held = (resident() - before) / count / 1024
                started = time.perf_counter() - began
                plugin.bench.gate.set()
                results = await asyncio.gather(*tasks)
                assert sum(result.value for result in results) == count
                row(f"{count:,} waiting spells, memory each", f"{held:.0f} KB", "<= 100 KB", held <= 100)
                row(f"{count:,} waiting spells, start each", f"{started / count * 1e6:.0f} us", "", None)

    asyncio.run(main())


def cold_command() -> None:
    """Compare with ``llm --version`` in an environment of its own, made once."""
    home = Path(tempfile.gettempdir()) / f"llmspell-bench-llm-{os.getuid()}"
    command = home / "bin" / "llm"
    if not command.exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([home / "bin" / "pip", "install", "-q", "llm"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        spell = Path(folder) / "hello.lua"
        spell.write_text('print("hello")')
        ours = Path(sys.executable).parent / "llmspell"
        count = 3 if QUICK else 7

        # An installer compiles what it installs; a workspace is compiled at first use, unless this forbids it.
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

        def command_of(*arguments: str) -> Callable[[], object]:
            return lambda: subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, env=environ)

        llm, run, inline = best(
            command_of(str(command), "--version"),
            command_of(str(ours), "run", str(spell)),
            command_of(str(ours), "run", "--level", "minimal", str(spell)),
            count=1,
            rounds=count,
            clock=time.perf_counter,
        )
    row(
        "llmspell run hello.lua, cold",
        f"{run / llm:.2f}x llm ({run * 1e3:.0f} ms)",
        "<= 0.5x llm --version",
        run <= 0.5 * llm,
    )
    row("  the same at level minimal", f"{inline / llm:.2f}x llm ({inline * 1e3:.0f} ms)", "", None)


def main() -> None:
    plugin = Plugin()
    print(json.dumps({"python": sys.version.split()[0], "cpus": os.cpu_count()}))
    with Host(config={}) as host:
        host.register(plugin)
        with host.session(policy=MINIMAL.narrow(calls=100_000_000)) as session:
            warm_run(session)
            host_call(session)
            conversions(session)
    waiting(Plugin())
    cold_command()


if __name__ == "__main__":
    main()
