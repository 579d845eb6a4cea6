"""Nothing is exported that no test calls, in at least two languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmspell.bridge import exports_of
from llmspell.bridge.registry import load_factory
from llmspell_llm.llm.session import ChatSession
from llmspell_llm.plugin import llmspell_bridges

HERE = Path(__file__).parent
OWN = ("llm", "providers", "pool", "modelinfo")
LANGUAGES = ("lua", "javascript", "tengo")


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def texts() -> Iterator[tuple[str, str]]:
    """Yield every text of every test with the language it is in; ``any`` for those that run in each language."""
    for path in HERE.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in LANGUAGES:
                yield from ((node.arg, text) for text in constants(node.value))
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value in LANGUAGES:
                        yield from ((key.value, text) for text in constants(value))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield "any", node.value


def constants(node: ast.AST) -> Iterator[str]:
    return (each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str))


TEXTS = list(texts())


def languages_of(module: str, name: str) -> set[str]:
    """Return the languages in which a test calls an export: by its full name, or in a script's text."""
    found: set[str] = set()
    for language, text in TEXTS:
        if language == "any":
            # ``spells.calls(("module.name", ...))`` makes the call in Lua and in JavaScript.
            if text == f"{module}.{name}":
                found |= {"lua", "javascript"}
        elif re.search(rf"\b{module}[.:]{camel(name) if language == 'javascript' else name}\b", text):
            found.add(language)
    return found


def test_the_bridges_of_this_distribution_are_known() -> None:
    assert set(OWN) <= {spec.name for spec in llmspell_bridges()}


@pytest.mark.parametrize("name", OWN)
def test_every_export_is_called_in_two_languages(name: str) -> None:
    spec = next(spec for spec in llmspell_bridges() if spec.name == name)
    called = {export: languages_of(name, export) for export in exports_of(load_factory(spec.factory, name))}
    assert {export: sorted(found) for export, found in called.items() if len(found) < 2} == {}


def test_every_method_of_a_conversation_is_called_in_two_languages() -> None:
    called = {method: languages_of("chat", method) for method in exports_of(ChatSession)}
    assert {method: sorted(found) for method, found in called.items() if len(found) < 2} == {}
