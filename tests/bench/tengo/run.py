"""Measure Tengo programs beside the same work in bare, idiomatic Lua 5.4, and the front end.

``python tests/bench/tengo/run.py [repetitions]``: prints the ratio of each program (higher is faster, 1.0 is bare
Lua) with ticks and a memory limit on, their geometric mean, and the front end's lines a second.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import lupa.lua54

from llmspell_tengo import values
from llmspell_tengo.compiler import CompileOptions, compile_program
from llmspell_tengo.machine.vm import DONE, PART, LuaVM
from llmspell_tengo.syntax import SourceFile

PROGRAMS = Path(__file__).parent / "programs"
MEMORY = 512 << 20


class _NoModules:
    def find(self, name: str, importer: str) -> None:
        return None


def bare_lua(text: bytes) -> tuple[float, object]:
    """Run a chunk in a plain Lua state; return seconds and its result."""
    runtime = lupa.lua54.LuaRuntime(encoding=None)
    chunk = runtime.globals()[b"load"](text)
    begin = time.perf_counter()
    result = chunk()
    return time.perf_counter() - begin, result


def tengo(text: str) -> tuple[float, object]:
    """Run a program as the engine does, compiled before; return seconds and its result."""
    program = compile_program(SourceFile("bench", text), _NoModules(), CompileOptions(result="result"))
    vm = LuaVM()
    vm.memory_limit = MEMORY
    main = vm.load(program)
    vm.driver[b"set_limits"](None, 10_000, 0)
    vm.driver[b"set_sizes"](MEMORY, MEMORY, 64, 1_000_000, MEMORY)
    vm.driver[b"start"](main, values.encode([]), b"values")
    begin = time.perf_counter()
    while vm.step():
        kind, name, *_ = vm.take()
        assert kind == PART, kind
        vm.provide(name.decode())
    taken = time.perf_counter() - begin
    kind, _, how, value, packed = vm.take()
    assert kind == DONE, how
    return taken, values.decode(value) if packed else value


def front_end() -> float:
    """Return lines a second from text to Lua text, over a program made of all the others."""
    parts = []
    for copy in range(12):
        for path in sorted(PROGRAMS.glob("*.tengo")):
            parts.append(f"m{copy}_{path.stem} := func() {{\n{path.read_text()}\nreturn result\n}}\n")
    text = "".join(parts)
    best = math.inf
    for _ in range(3):
        begin = time.perf_counter()
        compile_program(SourceFile("bench", text), _NoModules(), CompileOptions())
        best = min(best, time.perf_counter() - begin)
    return text.count("\n") / best


def main(repetitions: int) -> None:
    ratios = []
    for path in sorted(PROGRAMS.glob("*.tengo")):
        text, lua = path.read_text(), path.with_suffix(".lua").read_bytes()
        ours = theirs = math.inf
        for _ in range(repetitions):
            taken, found = bare_lua(lua)
            theirs = min(theirs, taken)
            taken, value = tengo(text)
            ours = min(ours, taken)
            assert value == found, (path.stem, value, found)
        ratios.append(theirs / ours)
        print(f"{path.stem:10} {theirs / ours:6.2f}   tengo {ours * 1000:7.1f} ms   lua {theirs * 1000:7.1f} ms")
    print(f"geometric mean {math.exp(sum(map(math.log, ratios)) / len(ratios)):.3f} (must reach 0.40)")
    print(f"front end {front_end():,.0f} lines/s (must reach 15,000)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
