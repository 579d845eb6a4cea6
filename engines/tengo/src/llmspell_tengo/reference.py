"""Run one record of the conformance data, which was recorded from the reference implementation.

The format is told in the notes that come with the data; see ``docs/explanation/tengo.md`` for what may differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from llmspell_tengo.compiler import (
    CompileOptions,
    HostModule,
    Module,
    SourceModule,
    compile_program,
)
from llmspell_tengo.machine.faults import RuntimeFault
from llmspell_tengo.machine.modules import find_standard
from llmspell_tengo.machine.run import RunLimits, Runner
from llmspell_tengo.stdlib.parsing import time_parse
from llmspell_tengo.stdlib.strings import quote, raw
from llmspell_tengo.syntax import Fault, SourceFile, parse, render
from llmspell_tengo.values import Char, ErrorValue, Immutable, NamedFunction, RawString, Time

_NAME = "test"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a record.

    Attributes:
        value: The final value of ``out``, tagged as in the data, or None.
        text: Its text, as the reference's ``String()``.
        globals: Final values of the other predefined globals, tagged.
        error: The whole error text, or None.
        stage: ``"parse"``, ``"compile"`` or ``"run"`` for an error.
        tree: The syntax tree as text, for records that ask for it.
        statements: Number of statements, for those.
        passed: It is what the record expects.
    """

    value: dict[str, Any] | None = None
    text: str | None = None
    globals: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    stage: str = ""
    tree: str | None = None
    statements: int = 0
    passed: bool = False


class _RecordModules:
    """The modules of a record, before the standard ones where it asks for them."""

    def __init__(self, record: dict[str, Any], extra: dict[str, str]) -> None:
        self.own = {**record.get("modules", {}), **{name: {"source": text} for name, text in extra.items()}}
        self.standard = record.get("stdlib", False)

    def find(self, name: str, importer: str) -> Module | None:
        module = self.own.get(name)
        if module is not None:
            return SourceModule(name, module["source"]) if "source" in module else HostModule(name)
        return find_standard(name) if self.standard else None


def run_case(record: dict[str, Any]) -> Outcome:
    """Run a record as the reference ran it and compare."""
    expect = record["expect"]
    if "ast_string" in expect:
        outcome = _parse(record)
    else:
        outcome = _run(record)
        if outcome.error is None and record.get("second_pass"):
            second = _run_as_module(record)
            if not _matches(second, {"out": _frozen(expect["out"])}):
                return _with_result(second, False)
    return _with_result(outcome, _matches(outcome, expect))


def _with_result(outcome: Outcome, passed: bool) -> Outcome:
    return Outcome(
        outcome.value,
        outcome.text,
        outcome.globals,
        outcome.error,
        outcome.stage,
        outcome.tree,
        outcome.statements,
        passed,
    )


def _parse(record: dict[str, Any]) -> Outcome:
    try:
        statements = parse(SourceFile(_NAME, record["source"]))
    except Fault as fault:
        return Outcome(error=str(fault), stage="parse")
    return Outcome(tree=render(statements), statements=len(statements))


def _run(record: dict[str, Any]) -> Outcome:
    predefined = {name: untag(value) for name, value in record.get("globals", {}).items()}
    if not record.get("declares_out"):
        predefined["out"] = untag(record["out_init"]) if "out_init" in record else None
    return _execute(record, record["source"], predefined, {})


def _run_as_module(record: dict[str, Any]) -> Outcome:
    predefined = {name: untag(value) for name, value in record.get("globals", {}).items()}
    text = f"out := undefined; {record['source']}; export out"
    return _execute(record, 'out = import("__code__")', {**predefined, "out": None}, {"__code__": text})


def _execute(record: dict[str, Any], source: str, predefined: dict[str, Any], extra: dict[str, str]) -> Outcome:
    allocs = record.get("max_allocs", -1)
    longest = record.get("max_string_len", 2147483647)
    options = CompileOptions(
        globals=tuple(predefined),
        exports=False,
        expose=True,
        count_allocs=allocs >= 0,
        check_lengths="max_string_len" in record,
        max_string_len=longest,
    )
    try:
        program = compile_program(SourceFile(_NAME, source), _RecordModules(record, extra), options)
    except Fault as fault:
        return Outcome(error=str(fault), stage=fault.stage.lower())
    if record["expect"].get("compiles"):
        return Outcome()
    attributes = {
        name: {key: untag(value) for key, value in module["attrs"].items()}
        for name, module in record.get("modules", {}).items()
        if "attrs" in module
    }
    limits = RunLimits(allocs=allocs, max_string_len=longest, max_bytes_len=record.get("max_bytes_len", 2147483647))
    try:
        outcome = Runner(limits, attributes).run(program, list(predefined.values()))
    except RuntimeFault as fault:
        return Outcome(error=str(fault), stage="run")
    final = dict(zip(outcome.value[::2], outcome.value[1::2], strict=True))
    return Outcome(
        value=tag(final.get("out")),
        text=show(final.get("out")),
        globals={name: tag(value) for name, value in final.items() if name != "out"},
    )


# Comparison


def _matches(outcome: Outcome, expect: dict[str, Any]) -> bool:
    if "error" in expect:
        if expect.get("stage") == "panic":
            return outcome.error is not None
        return bool(outcome.error == expect["error_full"])
    if outcome.error is not None:
        return False
    if expect.get("compiles"):
        return True
    if "ast_string" in expect:
        return bool(outcome.tree == expect["ast_string"] and outcome.statements == expect["stmts"])
    if not _equal(outcome.value, expect["out"]):
        return False
    if "str" in expect and outcome.text != expect["str"]:
        return False
    return all(_equal(outcome.globals.get(name), value) for name, value in expect.get("globals", {}).items())


def _equal(found: Any, wanted: Any) -> bool:
    if found is None or found["t"] != wanted["t"]:
        return False
    kind = wanted["t"]
    if kind in ("array", "immutable-array"):
        return len(found["v"]) == len(wanted["v"]) and all(map(_equal, found["v"], wanted["v"]))
    if kind in ("map", "immutable-map"):
        return found["v"].keys() == wanted["v"].keys() and all(
            _equal(found["v"][key], wanted["v"][key]) for key in wanted["v"]
        )
    if kind == "error":
        return _equal(found["v"], wanted["v"])
    if kind == "float":
        return _same_float(float(found["v"]), float(wanted["v"]))
    if kind == "time":
        return bool(found["unix_nano"] == wanted["unix_nano"])
    return bool(found == wanted)


def _same_float(found: float, wanted: float) -> bool:
    if math.isnan(wanted):
        return math.isnan(found)
    return found == wanted and math.copysign(1, found) == math.copysign(1, wanted)


def _frozen(tagged: dict[str, Any]) -> dict[str, Any]:
    if tagged["t"] in ("array", "map"):
        return {**tagged, "t": f"immutable-{tagged['t']}"}
    return tagged


# Tagged values


def untag(tagged: dict[str, Any] | None) -> Any:
    """Turn a tagged value of the data into one that the runtime takes."""
    if tagged is None:
        return None
    kind, value = tagged["t"], tagged.get("v")
    if kind == "int":
        return int(value)  # type: ignore[arg-type]
    if kind == "float":
        return float(value)  # type: ignore[arg-type]
    if kind == "char":
        return Char(int(value))  # type: ignore[arg-type]
    if kind == "string":
        return RawString(bytes.fromhex(tagged["hex"])) if "hex" in tagged else value
    if kind == "bytes":
        return bytes.fromhex(tagged["hex"])
    if kind in ("array", "immutable-array"):
        items = [untag(item) for item in value]  # type: ignore[union-attr]
        return items if kind == "array" else Immutable(items)
    if kind in ("map", "immutable-map"):
        pairs = {key: untag(item) for key, item in value.items()}  # type: ignore[union-attr]
        return pairs if kind == "map" else Immutable(pairs)
    if kind == "error":
        return ErrorValue(untag(value))
    if kind == "time":
        parts = time_parse("2006-01-02T15:04:05.999999999Z07:00", str(value))
        assert isinstance(parts, list)
        return Time(*parts)  # type: ignore[arg-type]
    return value if kind == "bool" else None


def tag(value: Any) -> dict[str, Any]:
    """Tag a value as the data does."""
    kind = type(value)
    if value is None:
        return {"t": "undefined"}
    if kind is bool:
        return {"t": "bool", "v": value}
    if kind is int:
        return {"t": "int", "v": str(value)}
    if kind is float:
        return {"t": "float", "v": repr(value)}
    if kind is str:
        return {"t": "string", "v": value}
    if kind is RawString:
        return {"t": "string", "hex": value.data.hex()}
    if kind is bytes:
        return {"t": "bytes", "hex": value.hex()}
    if kind is Char:
        return {"t": "char", "v": value.code}
    if kind is list:
        return {"t": "array", "v": [tag(item) for item in value]}
    if kind is dict:
        return {"t": "map", "v": {key: tag(item) for key, item in value.items()}}
    if kind is Immutable:
        inner = tag(value.value)
        return {**inner, "t": f"immutable-{inner['t']}"}
    if kind is ErrorValue:
        return {"t": "error", "v": tag(value.value)}
    if kind is Time:
        nanos = value.seconds * 10**9 + value.nanoseconds
        return {"t": "time", "unix_nano": str((nanos + 2**63) % 2**64 - 2**63)}
    assert isinstance(value, NamedFunction)
    return {"t": value.name}


def show(value: Any) -> str:
    """Return the text of a value, as the reference's ``String()``."""
    kind = type(value)
    if value is None:
        return "<undefined>"
    if kind is bool:
        return "true" if value else "false"
    if kind in (str, RawString):
        return quote(value)
    if kind is bytes:
        return raw(value).decode("utf-8", "replace")
    if kind is list:
        return f"[{', '.join(map(show, value))}]"
    if kind is dict:
        return "{" + ", ".join(f"{key}: {show(item)}" for key, item in sorted(value.items())) + "}"
    if kind is Immutable:
        return show(value.value)
    if kind is ErrorValue:
        return f"error: {show(value.value)}"
    if kind is float:
        return _show_float(value)
    if kind is NamedFunction:
        return f"<{value.name.partition(':')[0]}>"
    if kind is Time:
        from llmspell_tengo.stdlib.layouts import time_string

        return time_string(value.seconds, value.nanoseconds, value.zone, value.offset)
    return str(value)


def _show_float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    from decimal import Decimal

    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
