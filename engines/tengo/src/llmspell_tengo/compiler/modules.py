"""What ``import`` finds: modules written in Tengo, modules of the runtime, modules of the host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from llmspell_tengo.syntax.file import SourceFile

if TYPE_CHECKING:
    from llmspell_tengo.compiler.symbols import Function, Symbol
    from llmspell_tengo.syntax.tree import Binary, Logical, Stmt


@dataclass(frozen=True, slots=True)
class SourceModule:
    """A module written in Tengo.

    Attributes:
        path: Its identity; what positions in it say before the line.
    """

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class NativeModule:
    """A module of our runtime, e.g. ``math``: the program may bind its members when it is loaded.

    Attributes:
        runs: Which of its functions may run script code, or let it run while they wait; None for all of them.
    """

    name: str
    runs: frozenset[str] | None = frozenset()

    def may_run(self, member: str) -> bool:
        """Tell whether calling ``member`` may run script code."""
        return self.runs is None or member in self.runs


@dataclass(frozen=True, slots=True)
class HostModule:
    """A module that the guest's driver provides when the program runs: a bridge, or a table of values."""

    name: str


Module = SourceModule | NativeModule | HostModule


class Modules(Protocol):
    """Finds modules while a program is compiled."""

    def find(self, name: str, importer: str) -> Module | None:
        """Return what ``import(name)`` means in the file called ``importer``, or None."""


@dataclass(slots=True, eq=False)
class Unit:
    """A file of a program: the main one (index 0) or a module."""

    index: int
    file: SourceFile
    body: list[Stmt]
    function: Function


@dataclass(slots=True, eq=False)
class Resolved:
    """A program whose names are bound.

    Attributes:
        units: The main file and the source modules, each after those it imports for the first time.
        globals: The main program's outermost variables by name, predefined ones included.
        host_modules: Names of the host modules it imports.
        imports: Where each file first imports what, by the names of file and module.
        native_modules: Names of the runtime's modules it imports.
        functions: Every function, the bodies of units included.
        symbols: Every variable.
        operators: Every binary and logical operation.
        constants: How many distinct constants it has.
        plain: It reassigns a variable that held a module, so what the resolver believed of calls is unsound and
            nothing may be optimised.
    """

    units: list[Unit] = field(default_factory=list)
    globals: dict[str, Symbol] = field(default_factory=dict)
    host_modules: list[str] = field(default_factory=list)
    imports: dict[tuple[str, str], int] = field(default_factory=dict)
    native_modules: list[str] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    symbols: list[Symbol] = field(default_factory=list)
    operators: list[Binary | Logical] = field(default_factory=list)
    constants: int = 0
    plain: bool = False
