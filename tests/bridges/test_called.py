"""Every function that the model bridges export is called by a test in at least two languages.

What a test calls is read from its scripts: texts given as ``lua=``, ``javascript=`` or ``tengo=`` (or under such keys,
or in names that end so), calls made through ``spells.calls`` (which runs in Lua and JavaScript), and example spells.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from llmspell.bridge import HostObject, exports_of

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("llmspell_llm", "llmspell_local", "llmspell_toolbox")
SCRIPTED = ("bridges", "examples", "concurrency")
LANGUAGES = {"lua": "lua", "javascript": "javascript", "js": "javascript", "tengo": "tengo"}
BOTH = ("javascript", "lua")


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


@cache
def bridges() -> dict[str, type[Any]]:
    """Return the bridges of the installed packages by name."""
    found: dict[str, type[Any]] = {}
    for package in PACKAGES:
        try:
            plugin = importlib.import_module(f"{package}.plugin")
        except ImportError:
            continue
        for spec in getattr(plugin, "llmspell_bridges", tuple)():
            module, _, attribute = spec.factory.partition(":")
            found[spec.name] = getattr(importlib.import_module(module), attribute)
    return found


def handles() -> dict[str, type[Any]]:
    """Return the classes of handles with methods that the bridges hand out, by name."""
    bridges()
    found: dict[str, type[Any]] = {}
    waiting: list[type[Any]] = [HostObject]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.partition(".")[0] in PACKAGES and exports_of(kind):
                found[kind.__name__] = kind
    return found


def scripts() -> Iterator[tuple[str, str]]:
    """Yield every script of the tests and examples with its language."""
    for path in (ROOT / "examples" / "spells").rglob("*.*"):
        if path.suffix[1:] in LANGUAGES:
            yield LANGUAGES[path.suffix[1:]], path.read_text(encoding="utf-8")
    for folder in SCRIPTED:
        for path in (ROOT / "tests" / folder).rglob("*.py"):
            if path != Path(__file__):
                yield from _in_tests(ast.parse(path.read_text(encoding="utf-8")), "")


def _in_tests(node: ast.AST, language: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield language, node.value
        return
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            name = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
            yield from _in_tests(value, LANGUAGES.get(name, language))
        return
    if isinstance(node, ast.keyword):
        yield from _in_tests(node.value, LANGUAGES.get(node.arg or "", language))
        return
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        language = LANGUAGES.get(node.targets[0].id.lower().rpartition("_")[2], language)
    for child in ast.iter_child_nodes(node):
        yield from _in_tests(child, language)


_SAID = re.compile(r"\b([A-Za-z_]\w*)([.:])([A-Za-z_]\w*)")
_BY_INDEX = re.compile(r"""\b([A-Za-z_]\w*)\[["']([A-Za-z_]\w*)["']\]""")


@cache
def called() -> tuple[dict[tuple[str, str], set[str]], dict[str, set[str]]]:
    """Return in which languages ``module.name`` is said, and ``.name`` of anything that is no module."""
    of_modules: dict[tuple[str, str], set[str]] = defaultdict(set)
    of_handles: dict[str, set[str]] = defaultdict(set)
    modules = bridges()
    for language, text in scripts():
        if not language:
            module, _, name = text.partition(".")
            if module in modules and name.isidentifier():
                of_modules[module, name].update(BOTH)
            continue
        said = [(owner, name) for owner, _, name in _SAID.findall(text)] + _BY_INDEX.findall(text)
        for owner, name in said:
            if owner in modules:
                of_modules[owner, name].add(language)
            else:
                of_handles[name].add(language)
        for module in modules:  # require("llm").complete(...)
            for name in re.findall(rf"""\(["']{module}["']\)\.(\w+)""", text):
                of_modules[module, name].add(language)
    return of_modules, of_handles


def without_tests(name: str) -> set[str]:
    """Return the exports of a bridge that are called in fewer than two languages."""
    of_modules, _ = called()
    missing = set()
    for export in exports_of(bridges()[name]):
        languages = of_modules.get((name, export), set()) - {"javascript"}
        if {"javascript"} & (of_modules.get((name, camel(export)), set()) | of_modules.get((name, export), set())):
            languages = languages | {"javascript"}
        if len(languages) < 2:
            missing.add(export)
    return missing


@pytest.mark.parametrize("name", sorted(bridges()))
def test_every_function_is_called_in_two_languages(name: str) -> None:
    assert without_tests(name) == set()


@pytest.mark.parametrize("name", sorted(handles()))
def test_every_method_of_a_handle_is_called_in_two_languages(name: str) -> None:
    _, of_handles = called()
    missing = {
        export
        for export in exports_of(handles()[name])
        if len(of_handles.get(export, set()) | of_handles.get(camel(export), set())) < 2
    }
    assert missing == set()
