"""What a script may call, with signatures: for documentation and for whoever helps people write."""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

BUILTINS = "builtins"
"""Stands for the functions that need no import."""

_SIGNATURE = re.compile(r"(?P<name>\w+)\((?P<parameters>.*?)\)(?: -> (?P<result>.+))?")


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    Attributes:
        parameters: Names with types, ``?`` after the name of one that may be left out, ``...`` before one that
            takes all further arguments.
        result: Its type, alternatives apart by ``/``; empty for none.
        meaning: One sentence of Markdown.
    """

    name: str
    parameters: tuple[str, ...]
    result: str
    meaning: str

    @property
    def signature(self) -> str:
        result = f" -> {self.result}" if self.result else ""
        return f"{self.name}({', '.join(self.parameters)}){result}"


@cache
def catalogue() -> Mapping[str, Mapping[str, Function]]:
    """Return all functions by module and name.

    Example:
        >>> catalogue()["text"]["repeat"].signature
        'repeat(s: string, count: int) -> string'
    """
    text = (importlib.resources.files("llmspell_tengo") / "stdlib" / "catalogue.toml").read_text(encoding="utf-8")
    return MappingProxyType({module: _functions(entries) for module, entries in tomllib.loads(text).items()})


def _functions(entries: Mapping[str, str]) -> Mapping[str, Function]:
    found = {}
    for signature, meaning in entries.items():
        match = _SIGNATURE.fullmatch(signature)
        assert match is not None, signature
        parameters = tuple(match["parameters"].split(", ")) if match["parameters"] else ()
        found[match["name"]] = Function(match["name"], parameters, match["result"] or "", meaning)
    return MappingProxyType(found)
