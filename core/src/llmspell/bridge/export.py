"""``@export``: what turns a Python method into something a script can call."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from llmspell.bridge.signature import Signature

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "__llmspell_export__"


@dataclass(frozen=True, slots=True)
class Secret:
    """Marks a parameter whose value never appears in a record: ``key: Annotated[str, Secret()]``."""


@dataclass(frozen=True, slots=True)
class ExportMark:
    name: str | None
    blocking: bool
    permissions: tuple[str, ...]
    ahead: int = 0


@overload
def export(function: F, /) -> F: ...
@overload
def export(
    *, name: str | None = None, blocking: bool = False, permissions: tuple[str, ...] = (), ahead: int = 0
) -> Callable[[F], F]: ...
def export(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    blocking: bool = False,
    permissions: tuple[str, ...] = (),
    ahead: int = 0,
) -> Any:
    """Make a method callable from scripts.

    The signature is the contract: annotations become the schema, keyword-only parameters become one trailing
    table of options, the docstring becomes documentation. ``def`` exports must be quick, since they run where
    the conversation runs; one that blocks says so, and then runs in a thread. An async generator
    becomes a stream.

    Args:
        name: What scripts call it, if not the method's name. snake_case.
        blocking: The ``def`` method blocks (disk, subprocess): run it in a thread.
        permissions: What it needs beyond being granted, for documentation, e.g. ``("read",)``.
        ahead: The generator may run this many items ahead of the script, once the first is drawn: a script then gets
            all that are there in one exchange, each as it was yielded. For streams of many small items whose
            drawing has no effect that a script could miss; 0 advances the generator item by item.

    Example:
        >>> class Greeter:
        ...     @export
        ...     def greet(self, name: str, *, loud: bool = False) -> str:
        ...         "Greet somebody."
        ...         return name.upper() if loud else name
        >>> list(exports_of(Greeter))
        ['greet']
    """

    def mark(method: Any) -> Any:
        if isinstance(method, staticmethod | classmethod | property):
            raise TypeError(f"@export goes on a plain method, not on a {type(method).__name__}")
        if ahead < 0 or (ahead and not inspect.isasyncgenfunction(method)):
            raise TypeError("ahead is a number of items, for an async generator")
        setattr(method, _MARK, ExportMark(name, blocking, tuple(permissions), ahead))
        return method

    return mark if function is None else mark(function)


@dataclass(frozen=True)
class Export:
    """One export of a class: its name, kind and signature (built on first use)."""

    name: str
    function: Callable[..., Any]
    mark: ExportMark

    @cached_property
    def is_stream(self) -> bool:
        return inspect.isasyncgenfunction(self.function)

    @cached_property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function) or self.mark.blocking

    @property
    def blocking(self) -> bool:
        return self.mark.blocking

    @property
    def permissions(self) -> tuple[str, ...]:
        return self.mark.permissions

    @cached_property
    def doc(self) -> str:
        return inspect.getdoc(self.function) or ""

    @cached_property
    def signature(self) -> Signature:
        from llmspell.bridge.signature import Signature

        return Signature(self.name, self.function)


def exports_of(kind: type) -> dict[str, Export]:
    """Return the exports of a class by their script names (cached; do not change it)."""
    return _exports_of(kind)


@lru_cache(maxsize=1024)
def _exports_of(kind: Any) -> dict[str, Export]:
    found: dict[str, Export] = {}
    for attribute in dir(kind):
        if attribute.startswith("__"):
            continue
        method = inspect.getattr_static(kind, attribute, None)
        mark = getattr(method, _MARK, None)
        if isinstance(mark, ExportMark) and callable(method):
            name = mark.name or attribute.rstrip("_")
            found[name] = Export(name, method, mark)
    return found
