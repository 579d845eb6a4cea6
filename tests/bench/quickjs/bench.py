"""The budgets of the JavaScript engine (issue 4), measured in one run and printed beside what they must reach.

    python tests/bench/quickjs/bench.py [--local DIRECTORY]

``DIRECTORY`` holds quickjs-ng as built on this machine (``pip install --no-deps --no-binary quickjs-ng --target
DIRECTORY quickjs-ng``); the bare figures of both are then shown, since the published wheel is the slower one.
Runs go through ``Host`` and ``Session``, gate and wire and all.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bare import DATA, PROGRAMS

from llmspell import Host, Policy, Session
from llmspell.engine import GuestLimits, Source
from llmspell.engine.messages import Done, Reply, Start
from llmspell.plugin import Bridge, BridgeSpec, export, hookimpl
from llmspell_quickjs.engine import JavaScriptEngine
from llmspell_quickjs.extension import Context

HERE = Path(__file__).parent


class Bench(Bridge):
    """What the benchmark calls."""

    name = "bench"

    @export
    def add(self, a: int, b: int) -> int:
        """Add."""
        return a + b

    @export
    async def later(self, value: int) -> int:
        """Give it back."""
        return value


class Plugin:
    @hookimpl
    def llmspell_bridges(self) -> Any:
        yield BridgeSpec("bench", factory=Bench)


class Port:
    def emit(self, message: Any) -> None: ...

    def ask(self, calls: list[Any], *, hears: bool = False) -> Reply:
        exports = [["take", False, False], ["give", False, False]]
        call = calls[-1]
        if call.method == "module":
            return Reply(call.id, {"kind": "bridge", "name": "bench", "exports": exports})
        return Reply(call.id, DATA if call.method == "give" else None)


def row(what: str, figure: str, budget: str, met: bool | None) -> None:
    verdict = "" if met is None else "met" if met else "NOT MET"
    print(f"{what:<50} {figure:>40}   {budget:<22} {verdict}", flush=True)


def times(work: Callable[[], object], count: int) -> list[float]:
    out = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        out.append(time.perf_counter() - began)
    return sorted(out)


def bare(directory: str | None) -> dict[str, float]:
    command = [sys.executable, str(HERE / "bare.py"), *([directory] if directory else [])]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def tiny(session: Session, level: str) -> None:
    for _ in range(20):
        session.eval("javascript", "1 + 1")
    figures = times(lambda: session.eval("javascript", "1 + 1"), 300)
    middle = statistics.median(figures) * 1e3
    row(f"warm tiny spell, {level}", f"{middle:.3f} ms, best {figures[0] * 1e3:.3f}", "<= 0.7 ms", middle <= 0.7)


def calls(session: Session, level: str) -> None:
    """Time calls by the difference between many and few, so that the run itself does not count."""
    few = 100
    for what, budget, many, text in (
        ("synchronous call", 80, 2000, "let s = 0; for (let i = 0; i < {n}; i++) s = bench.add(s, 1); return s"),
        ("awaited call", 150, 2000, "let s = 0; for (let i = 0; i < {n}; i++) s += await bench.later(1); return s"),
        (
            "awaited call, batched by 100", 40, 5000,
            "let s = 0; for (let i = 0; i < {n}; i += 100)"
            " s += (await Promise.all(Array.from({{ length: 100 }}, () => bench.later(1)))).length; return s",
        ),
    ):  # fmt: skip
        assert session.eval("javascript", text.format(n=few)).value == few
        base = times(lambda t=text: session.eval("javascript", t.format(n=few)), 5)[0]
        full = times(lambda t=text, n=many: session.eval("javascript", t.format(n=n)), 5)
        figure = (full[0] - base) / (many - few) * 1e6
        middle = (full[2] - base) / (many - few) * 1e6
        row(f"{what}, {level}", f"{figure:.1f} us (middle of five {middle:.1f})", f"<= {budget} us", figure <= budget)


def cpu(session: Session, level: str, wheel: dict[str, float], local: dict[str, float] | None) -> None:
    ratios = []
    for name, text in PROGRAMS.items():
        timed = f"const t = performance.now(); for (let i = 0; i < 3; i++) {{ {text} }}"
        spell = f"{timed} return (performance.now() - t) / 3000"
        spent = min(session.eval("javascript", spell).value for _ in range(3))
        ratios.append(spent / wheel[name])
        beside = "" if local is None else f"; built here {local[name] * 1e3:.1f}"
        figure = f"{spent * 1e3:.1f} ms, bare {wheel[name] * 1e3:.1f}{beside}"
        row(f"CPU work: {name}, {level}", figure, "", None)
    mean = statistics.geometric_mean(ratios)
    row(f"CPU work as a spell / bare, {level}", f"{mean:.2f}", "<= 1.10", mean <= 1.1)


def languages(host: Host, session: Session, level: str) -> None:
    """Time calls of a Lua function, if there is Lua."""
    if "lua" not in host.plugins.engines:
        return
    text = (
        "import {{ add }} from './tools.lua'; let s = 0;"
        " for (let i = 0; i < {n}; i++) s = await add(s, 1); export default s"
    )
    with tempfile.TemporaryDirectory() as root:
        (Path(root) / "tools.lua").write_text("return {add = function(a, b) return a + b end}")

        def run(count: int) -> object:
            return session.run(Source(text.format(n=count), str(Path(root) / "main.js"), "javascript", root)).value

        assert run(50) == 50
        base = times(lambda: run(50), 5)[0]
        full = times(lambda: run(1050), 5)
        figure = (full[0] - base) * 1e3
        row(f"call of a Lua function, {level}", f"{figure:.0f} us", "<= 200 us", figure <= 200)


def conversion() -> None:
    """Time a 1,000-key object each way at the guest and, in turns with it, JSON through the bare binding."""
    engine = JavaScriptEngine()
    context = Context()
    context.eval("globalThis.take = (t) => { data = JSON.parse(t) }; globalThis.give = () => JSON.stringify(data)")
    take, give = context.get("take"), context.get("give")

    def by_guest(text: str, count: int) -> float:
        guest = engine.open(GuestLimits(memory=1 << 28), Port())
        began = time.perf_counter()
        said = guest.step(Start(Source(text.format(n=count), "a.js"), bridges=("bench",)))
        taken = time.perf_counter() - began
        assert isinstance(said[-1], Done), said
        guest.close()
        return taken

    def by_json(work: Callable[[], object], count: int) -> float:
        began = time.perf_counter()
        for _ in range(count):
            work()
        return (time.perf_counter() - began) / count

    for what, text, work in (
        ("to JavaScript", "for (let i = 0; i < {n}; i++) bench.give()", lambda: take(json.dumps(DATA))),
        (
            "from JavaScript",
            "const d = bench.give(); for (let i = 0; i < {n}; i++) bench.take(d)",
            lambda: json.loads(give()),
        ),
    ):
        few, many, plain = [], [], []
        for _ in range(15):
            few.append(by_guest(text, 2))
            many.append(by_guest(text, 32))
            plain.append(by_json(work, 30))
        each, bare_each = (min(many) - min(few)) / 30, min(plain)
        figure = f"{each * 1e6:.0f} us, JSON bare {bare_each * 1e6:.0f}: {each / bare_each:.2f}"
        row(f"1,000-key object {what}", figure, "<= 3 x", each <= 3 * bare_each)
    engine.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--local", help="directory with quickjs-ng built on this machine")
    options = parser.parse_args()
    wheel = bare(None)
    local = bare(options.local) if options.local else None
    if local is not None:
        ratio = statistics.geometric_mean(wheel[name] / local[name] for name in PROGRAMS)
        row("installed binding / built here, CPU work", f"{ratio:.2f}", "", None)
    conversion()
    with Host() as host:
        host.register(Plugin())
        for level in ("standard", "strict"):
            grants = Policy.minimal().grants
            policy = replace(Policy.at_level(level), grants=grants)
            with host.session(policy=policy) as session:
                tiny(session, level)
                calls(session, level)
                languages(host, session, level)
                cpu(session, level, wheel, local)


if __name__ == "__main__":
    main()
