"""Defences that can be switched off, each with an attack that it withstands."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent


def load(name: str) -> ModuleType:
    known = sys.modules.get(name)
    if known is not None:
        return known
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def defences() -> list[Any]:
    load("defences")  # the others import it by that name
    return [
        each
        for name in ("of_the_wire", "of_the_gate", "of_files", "of_the_net", "of_programs")
        for each in load(name).DEFENCES
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "defence" in metafunc.fixturenames:
        found = defences()
        metafunc.parametrize("defence", found, ids=[each.name for each in found])
    if "lua_defence" in metafunc.fixturenames:
        names = load("lua_mutants").MUTATIONS
        metafunc.parametrize("lua_defence", names, ids=list(names))


@pytest.fixture
def off(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Switch a defence off until the test is over."""

    def switch(defence: Any) -> None:
        load("defences").apply(defence.edits, monkeypatch)

    return switch


@pytest.fixture
def count_of_defences() -> Callable[[], int]:
    return lambda: len({each.name for each in defences()})


@pytest.fixture
def mutants() -> ModuleType:
    return load("lua_mutants")
