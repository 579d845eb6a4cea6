"""Live things in values: put in their places on the way in, described in records."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from llmspell.bridge import HostObject, ScriptFunction
from llmspell.values import FunctionRef, HostRef


class Holder(Protocol):
    """A run, as far as it knows what its handles stand for, and whether the guest's maps have an order."""

    ordered: bool

    def object_of(self, handle: int) -> HostObject: ...
    def function_of(self, ref: FunctionRef) -> ScriptFunction: ...


MOST_SORTED = 100
"""Maps with more keys are data rather than descriptions; they stay as they come."""

_DATA = frozenset({type(None), bool, int, float, str, bytes, datetime})


def receive(run: Holder, args: list[Any]) -> list[Any]:
    """Put live things where the guest named them. ``args`` is a fresh tree, so it is changed in place."""
    for index, arg in enumerate(args):
        if type(arg) not in _DATA:
            args[index] = revive(run, arg)
    return args


def revive(run: Holder, item: Any) -> Any:
    """Put live things where the guest named them; containers are changed in place.

    Small maps of a language whose maps have no order are sorted by key. A schema or a tool's result is read by models,
    and the same script shall say the same to them each time.
    """
    kind = type(item)
    if kind is dict:
        if not run.ordered and 1 < len(item) <= MOST_SORTED:
            item = dict(sorted(item.items()))
        for key, part in item.items():
            if type(part) not in _DATA:
                item[key] = revive(run, part)
    elif kind is list:
        for index, part in enumerate(item):
            if type(part) not in _DATA:
                item[index] = revive(run, part)
    elif kind is FunctionRef:
        return run.function_of(item)
    elif kind is HostRef:
        found = run.object_of(item.id)
        function = getattr(found, "script_function", None)
        return found if function is None else function
    return item


def describe(item: Any) -> Any:
    """Describe handles in a record, and copy what the export might still change."""
    kind = type(item)
    if kind is dict:
        return {key: describe(part) for key, part in item.items()}
    if kind is list:
        return [describe(part) for part in item]
    if kind in _DATA:
        return item
    if kind is ScriptFunction:
        return {"$function": item.ref.name or item.ref.id}
    if kind is FunctionRef:
        return {"$function": item.name or item.id}
    if kind is HostRef:
        return {"$handle": item.type, "id": item.id}
    return {"$handle": type(item).__name__}
