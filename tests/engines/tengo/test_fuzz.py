"""Random programs give the same three ways: optimised, unoptimised, and by a small evaluator that walks the tree."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from llmspell_tengo.compiler import CompileOptions, compile_program
from llmspell_tengo.machine.faults import RuntimeFault
from llmspell_tengo.machine.run import RunLimits, Runner
from llmspell_tengo.syntax import SourceFile
from llmspell_tengo.values import Char, ErrorValue, Immutable, NamedFunction, RawString

SHORT, LONG = 400, 20_000


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tengo_fuzz_{name}", Path(__file__).parent / "fuzz" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


evaluator, programs = _load("evaluator"), _load("programs")


class _NoModules:
    def find(self, name: str, importer: str) -> None:
        return None


def _plain(value: Any) -> Any:
    """Put a value of ours into a form that can be compared."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, RawString):
        return value.data
    if isinstance(value, float):
        return ("float", repr(value))
    if isinstance(value, Char):
        return ("char", value.code)
    if isinstance(value, list):
        return ("array", [_plain(item) for item in value])
    if isinstance(value, dict):
        return ("map", {key.encode("utf-8", "surrogatepass"): _plain(item) for key, item in value.items()})
    if isinstance(value, Immutable):
        kind, inner = _plain(value.value)
        return (f"immutable-{kind}", inner)
    if isinstance(value, ErrorValue):
        return ("error", _plain(value.value))
    return (value.name,) if isinstance(value, NamedFunction) else value


def _walked(value: Any) -> Any:
    """Put a value of the evaluator's into the same form."""
    evaluator.Budget.spend()
    kind = evaluator.type_name(value)
    if isinstance(value, float):
        return ("float", repr(value))
    if kind == "char":
        return ("char", value.code)
    if kind.endswith("array"):
        return (kind, [_walked(item) for item in value.items])
    if kind.endswith("map"):
        return (kind, {key: _walked(item) for key, item in value.items.items()})
    if kind == "error":
        return ("error", _walked(value.value))
    return (kind,) if "function" in kind else value


def by_evaluator(text: str) -> Any:
    """Return the outermost variables, or the error's message and line, or None for a program that takes too
    long, or ends with a value that contains itself."""
    walker = evaluator.Evaluator(text)
    try:
        found = walker.run()
        return {name: _walked(value) for name, value in found.items()}
    except evaluator.Fault as fault:
        return ("fault", str(fault), walker.file.locate(fault.pos).line)
    except (evaluator.TooLong, RecursionError):
        return None


def by_compiler(text: str, *, optimise: bool) -> Any:
    """Return the same of the compiled program; None if a value cannot come out (a key that is not UTF-8)."""
    options = CompileOptions(exports=False, expose=True, optimise=optimise)
    program = compile_program(SourceFile("fuzz", text), _NoModules(), options)
    limits = RunLimits(steps=5_000_000, memory=256 << 20)
    try:
        final = Runner(limits).run(program).value
    except RuntimeFault as fault:
        if fault.kind == "value":
            return None
        return ("fault", fault.detail, fault.trace[0].line)
    return {name: _plain(value) for name, value in zip(final[::2], final[1::2], strict=True)}


def check(seed: int) -> str:
    """Run one program three ways; return what came of it."""
    text = programs.Program(seed).text()
    expected = by_evaluator(text)
    if expected is None:
        return "long"
    for optimise in (True, False):
        found = by_compiler(text, optimise=optimise)
        if found is None:
            return "long"
        if isinstance(found, dict) and isinstance(expected, dict):
            # a variable whose definition was never reached is undefined in the compiled program
            found = {name: value for name, value in found.items() if value is not None}
            wanted = {name: value for name, value in expected.items() if value is not None}
        else:
            wanted = expected
        assert found == wanted, f"seed {seed}, {'optimised' if optimise else 'unoptimised'}\n{text}"
    return "fault" if isinstance(expected, tuple) else "done"


def run(seeds: range) -> None:
    outcomes = [check(seed) for seed in seeds]
    # most programs must get to their end, or little would have been compared
    assert outcomes.count("done") > len(outcomes) * 0.6
    assert outcomes.count("fault") > 0


def test_programs_give_the_same_three_ways() -> None:
    run(range(SHORT))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_many_programs_give_the_same_three_ways() -> None:
    run(range(SHORT, SHORT + LONG))


def test_the_evaluator_agrees_with_itself_on_what_is_written_down() -> None:
    text = 'a := [1]; b := append(a, 2); s := "x" + b + 1.5; c := -7 / 2; d := -7 % 3; e := 1 << 64'
    assert by_evaluator(text) == {
        "a": ("array", [1]),
        "b": ("array", [1, 2]),
        "s": b"x[1, 2]1.5",
        "c": -3,
        "d": -1,
        "e": 0,
    }
