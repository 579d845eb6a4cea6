"""One export under two names, as spells written for earlier versions know it."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar, cast

from llmspell.plugin import export

F = TypeVar("F", bound=Callable[..., Any])


def also(function: F, name: str) -> F:
    """Return a second export that does what ``function`` does.

    Args:
        function: A method marked with ``@export``.
        name: The name of the second one, under which it must stand in the class.
    """
    original = cast(FunctionType, function)
    copy = FunctionType(original.__code__, original.__globals__, name, original.__defaults__, original.__closure__)
    copy.__kwdefaults__ = original.__kwdefaults__
    copy.__annotations__ = original.__annotations__
    copy.__doc__ = f"The same as ``{original.__name__}``.\n\n{original.__doc__ or ''}"
    copy.__module__, copy.__qualname__ = original.__module__, name
    return cast(F, export(copy))
