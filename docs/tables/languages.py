"""What the languages have: modules of Tengo, conversions of values, cases of conformance."""

from __future__ import annotations

import re
from typing import Any

from tables.markup import table


def tengo_builtins() -> str:
    from llmspell_tengo.stdlib.catalogue import BUILTINS, catalogue

    return _functions(catalogue()[BUILTINS])


def tengo_modules() -> str:
    from llmspell_tengo.stdlib.catalogue import BUILTINS, catalogue

    parts = []
    for module, functions in catalogue().items():
        if module != BUILTINS:
            parts.append(f"\n### `{module}`\n\n{_functions(functions)}")
            if constants := _tengo_constants(module):
                parts.append(f"\nConstants: {', '.join(constants)}.\n")
    return "".join(parts)


def _functions(functions: Any) -> str:
    rows = [(f"`{function.signature}`", function.meaning) for function in functions.values()]
    return table(("function", "what it does"), rows)


def _tengo_constants(module: str) -> list[str]:
    from llmspell_tengo.machine.parts import STANDARD, source
    from llmspell_tengo.machine.vm import LuaVM

    if module == "os":
        found = re.search(r"^local constants = \{\n(.*?)^\}", source("os.lua").decode(), re.MULTILINE | re.DOTALL)
        assert found is not None
        names = [*re.findall(r"^  (\w+) = ", found[1], re.MULTILINE), "platform", "arch"]
        return [f"`{name}`" for name in sorted(names)]
    if module not in STANDARD:
        return []
    vm = LuaVM()
    vm.require(module)
    shown = []
    for name, value in vm.table[b"members"][module.encode()].items():
        if isinstance(value, bytes):
            shown.append(f'`{name.decode()}` = `"{value.decode()}"`')
        elif isinstance(value, int | float):
            shown.append(f"`{name.decode()}` = {value!r}")
    return sorted(shown)


def conversions() -> str:
    """Show what Python objects become, by converting one of each."""
    import datetime
    import decimal
    import enum
    import pathlib
    import uuid
    from collections import namedtuple

    from llmspell.values import ValueConverter

    Point = namedtuple("Point", "east north")

    class Colour(enum.Enum):
        RED = "red"

    instant = datetime.datetime(2026, 1, 31, 10, tzinfo=datetime.UTC)
    samples = [
        ("a named tuple, a dataclass, a pydantic model", "Point(1, 2)", Point(1, 2)),
        ("an enum", "Colour.RED", Colour.RED),
        ("a day or a time of day", "date(2026, 1, 31)", datetime.date(2026, 1, 31)),
        ("both, without a zone", "datetime(2026, 1, 31, 10)", datetime.datetime(2026, 1, 31, 10)),
        ("both, with a zone", "datetime(2026, 1, 31, 10, tzinfo=UTC)", instant),
        ("a duration, in seconds", "timedelta(minutes=1.5)", datetime.timedelta(minutes=1.5)),
        ("a decimal", 'Decimal("1.10")', decimal.Decimal("1.10")),
        ("a UUID", "UUID(int=1)", uuid.UUID(int=1)),
        ("a path", 'Path("a", "b")', pathlib.PurePosixPath("a", "b")),
        ("a set", "{3, 1, 2}", {3, 1, 2}),
        ("a tuple or other sequence", "(1, 2)", (1, 2)),
        ("a mapping; keys become texts", '{1: "a"}', {1: "a"}),
        ("bytes of every kind", 'bytearray(b"\\xff")', bytearray(b"\xff")),
    ]
    convert = ValueConverter().to_value
    rows = [
        (f"{what}: `{shown}`", f"`{convert(item)!r}`" + " where the language has no type for it" * (item is instant))
        for what, shown, item in samples
    ]
    return table(("Python", "value"), rows)


def deviations() -> str:
    from llmspell.testing.matrix import deviations_table

    return deviations_table().replace("|---|---|---|---|", "| --- | --- | --- | --- |") + "\n"


def conformance() -> str:
    from llmspell.testing.cases import load_cases

    def holds(case: Any, language: str) -> str:
        if language not in case.sources:
            return "–"
        return "differs" if language in case.deviations else "yes"

    cases = load_cases()
    languages = ("lua", "javascript", "tengo")
    total = tuple(str(sum(language in case.sources for case in cases)) for language in languages)
    rows = [(f"`{case.id}`", case.what, *(holds(case, language) for language in languages)) for case in cases]
    return table(("case", "what holds", *languages), [*rows, ("", "**cases**", *total)])
