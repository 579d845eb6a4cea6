"""Programs as the engine keeps them: compiled sources, and what they need of the host before they can run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from llmspell.engine import Source
from llmspell.errors import ScriptSyntaxError
from llmspell_tengo.compiler import CompiledProgram, CompileOptions, HostModule, Module, SourceModule
from llmspell_tengo.machine.modules import find_standard
from llmspell_tengo.syntax import Fault, SourceFile

LANGUAGE = "tengo"

MAX_SOURCE = 1024 * 1024
"""Longest source in characters: the compiler takes about a second for it, and cannot be interrupted."""

SPELL = CompileOptions(globals=("params",), exports=True, result="result")
"""How a spell is compiled."""

MODULE = CompileOptions(exports=True)
"""How the program is compiled that loads a module for another language."""


@dataclass(frozen=True, slots=True)
class TengoProgram:
    """A compiled source.

    Attributes:
        compiled: What runs, if every one of its ``host_modules`` is a bridge.
    """

    source: Source
    compiled: CompiledProgram


class Collecting:
    """Takes every module that is not standard for one of the host."""

    def find(self, name: str, importer: str) -> Module | None:
        """Return the standard module, or one that the host must provide."""
        return find_standard(name) or HostModule(name)


class Linked:
    """What the files of a program import, as far as the host has told.

    Attributes:
        modules: By importing file and name.
    """

    def __init__(self, bridges: Iterable[str]) -> None:
        self._bridges = frozenset(bridges)
        self.modules: dict[tuple[str, str], Module] = {}

    def find(self, name: str, importer: str) -> Module | None:
        """Return what ``import(name)`` means in the file ``importer``, or None if the host has not told."""
        standard = find_standard(name)
        if standard is not None:
            return standard
        return HostModule(name) if name in self._bridges else self.modules.get((importer, name))

    @property
    def digest(self) -> str:
        """What a program that was compiled with these depends on."""
        sums = hashlib.sha256()
        for (importer, name), module in sorted(self.modules.items()):
            what = module.path if isinstance(module, SourceModule) else module.name
            text = module.text if isinstance(module, SourceModule) else ""
            for part in (importer, name, type(module).__name__, what, text):
                raw = part.encode("utf-8", "surrogatepass")
                sums.update(len(raw).to_bytes(8, "big") + raw)
        return sums.hexdigest()


def syntax_error(fault: Fault) -> ScriptSyntaxError:
    """Put a fault of the front end into the host's words."""
    return ScriptSyntaxError(fault.detail, language=LANGUAGE, location=fault.location, incomplete=fault.incomplete)


def file_of(source: Source) -> SourceFile:
    """Return the source as the front end reads it: a first line for the shell is a comment."""
    text = f"//{source.text[2:]}" if source.text.startswith("#!") else source.text
    return SourceFile(source.name, text)
