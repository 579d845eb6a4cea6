"""What the catalogue says of builtins and standard modules is what the runtime does."""

from __future__ import annotations

import re
from typing import Any

import pytest

from llmspell_tengo.compiler.options import BUILTINS as NAMES
from llmspell_tengo.machine.parts import NEEDS, STANDARD, source
from llmspell_tengo.machine.vm import LuaVM
from llmspell_tengo.stdlib.catalogue import BUILTINS, catalogue

KINDS = {
    "exact_bool": "bool",
    "exact_bytes": "bytes",
    "exact_int": "int",
    "exact_float": "float",
    "exact_string": "string",
}

WITH_FORMS = {"date"}
"""Functions the runtime has in several forms, by the number of arguments."""


def _runtime(module: str) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return a module's members, and the kinds of arguments it converts where it says so."""
    vm = LuaVM()
    for part in ("args", *NEEDS.get(module, ())):
        vm.require(part)
    kinds: dict[str, list[str]] = {}
    original = vm.table[b"module_function"]

    def record(name: bytes, given: Any, function: Any) -> Any:
        kinds[name.decode()] = [kind.decode() for _, kind in sorted(given.items())]
        return original(name, given, function)

    vm.table[b"module_function"] = record
    vm.require(module)
    return {name.decode(): value for name, value in vm.table[b"members"][module.encode()].items()}, kinds


def _types(parameters: tuple[str, ...]) -> list[str]:
    return [parameter.partition(": ")[2] for parameter in parameters]


def test_all_builtins_are_told() -> None:
    assert list(catalogue()[BUILTINS]) == sorted(NAMES)


@pytest.mark.parametrize("module", STANDARD)
def test_all_functions_of_a_module_are_told(module: str) -> None:
    members, _ = _runtime(module)
    functions = {name for name, value in members.items() if not isinstance(value, int | float | bytes | str)}
    assert set(catalogue()[module]) == functions


@pytest.mark.parametrize("module", STANDARD)
def test_parameters_are_what_the_runtime_converts(module: str) -> None:
    _, kinds = _runtime(module)
    told = catalogue()[module]
    for name in kinds.keys() & told.keys() - WITH_FORMS:
        assert _types(told[name].parameters) == [KINDS.get(kind, kind) for kind in kinds[name]], f"{module}.{name}"


def test_enum_is_told_with_its_parameters() -> None:
    text = source("enum.tengo").decode()
    functions = re.findall(r"^\t(\w+): func\(([^)]*)\)", text, re.MULTILINE)
    told = catalogue()["enum"]
    assert set(told) == {name for name, _ in functions}
    for name, parameters in functions:
        assert len(told[name].parameters) == len(parameters.split(", "))


def test_every_function_of_os_is_told() -> None:
    text = source("os.lua").decode()
    tables = re.findall(r"^local (?:unsupported|arguments) = \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    names = {name for table in tables for name in re.findall(r"^  (\w+) = ", table, re.MULTILINE)}
    names |= set(re.findall(r"^  members\.(\w+) = (?:R\.module_function|function)", text, re.MULTILINE))
    assert set(catalogue()["os"]) == names


def test_it_reads_well() -> None:
    for module, functions in catalogue().items():
        assert list(functions) == sorted(functions), module
        for function in functions.values():
            assert function.meaning.endswith("."), function
