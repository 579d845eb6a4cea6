"""What a defence is, and how to switch one off."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Edit:
    """A change of one function's source."""

    function: Any
    old: str
    new: str


def apply(edits: tuple[Edit, ...], patch: pytest.MonkeyPatch) -> None:
    """Change functions in place: it reaches everybody who holds them, by whatever name."""
    sources: dict[Any, str] = {}
    for edit in edits:
        source = sources.get(edit.function) or textwrap.dedent(inspect.getsource(edit.function))
        assert source.count(edit.old) == 1, f"{edit.function.__qualname__} no longer says {edit.old!r} once"
        sources[edit.function] = source.replace(edit.old, edit.new)
    for function, source in sources.items():
        names: dict[str, Any] = {}
        exec(compile(source, "mutant", "exec"), dict(function.__globals__), names)
        (mutant,) = names.values()
        patch.setattr(function, "__code__", mutant.__code__)


@dataclass(frozen=True)
class Defence:
    """One defence.

    Attributes:
        name: What it is.
        attack: Tells whether it succeeded. Called with a directory of its own.
        edits: What switches the defence off; where two walls stand one behind the other, both go.
    """

    name: str
    attack: Callable[[Path], bool]
    edits: tuple[Edit, ...]
