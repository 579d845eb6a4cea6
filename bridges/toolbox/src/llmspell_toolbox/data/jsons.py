"""JSON values: read, queried by JSONPath (RFC 9535) or dotted paths, changed, reshaped, checked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from llmspell.plugin import BridgeError
from llmspell_llm.structured import Schema
from llmspell_std.data import jsontext, paths
from llmspell_toolbox.patience import patient

MAX_PATH = 500
MAX_MATCHES = 10_000
_ABSENT = paths.MISSING


def value_of(data: Any) -> Any:
    """Return JSON data: a text is read, anything else is a value already."""
    return jsontext.parse(data) if isinstance(data, str) else data


def find(value: Any, path: str) -> list[Any]:
    """Return all that a path selects: JSONPath if it begins with ``$``, else dotted, counting from 0.

    Raises:
        BridgeError: ``invalid_path``; ``too_slow``; ``too_large``: more than 10,000 matches.
    """
    if not path.startswith("$"):
        found = paths.look_up(value, paths.split_path(path), 0)
        return [] if found is _ABSENT else [found]
    if len(path) > MAX_PATH:
        raise BridgeError(f"a path has at most {MAX_PATH} characters", code="invalid_path")
    from jsonpath import JSONPathError

    matches: list[Any] = []
    try:
        with patient("selecting"):
            for match in _environment().compile(path).finditer(value):
                matches.append(match.obj)
                if len(matches) > MAX_MATCHES:
                    raise BridgeError(f"the path selects more than {MAX_MATCHES:,} values", code="too_large")
    except JSONPathError as error:
        told = str(error).splitlines()[0]
        raise BridgeError(f"the path {path!r} cannot be used: {told}", code="invalid_path") from None
    return matches


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jsonpath import JSONPathEnvironment

    class Environment(JSONPathEnvironment):
        """Without regular expressions, which this library runs with backtracking."""

        def setup_function_extensions(self) -> None:
            super().setup_function_extensions()
            for name in ("match", "search"):
                self.function_extensions.pop(name, None)

    return Environment(strict=True)


def get(value: Any, path: str | None) -> Any:
    """Return what a path selects: a list where a JSONPath may select several, None where there is nothing."""
    if path is None:
        return value
    found = find(value, path)
    if path.startswith("$") and not _singular(path):
        return found
    return found[0] if found else None


def _singular(path: str) -> bool:
    return bool(_environment().compile(path).singular_query())


def changed(value: Any, path: str | None, item: Any, *, remove: bool = False) -> Any:
    """Return a copy with something set or removed at a dotted path.

    Raises:
        BridgeError: ``invalid_path``: also for JSONPath, which selects but does not name one place.
    """
    if path is None or path.startswith("$"):
        raise BridgeError("set and delete need a dotted path such as users.0.name", code="invalid_path")
    copy = paths.copied(value)
    parts = paths.split_path(path)
    if remove:
        paths.take(copy, parts, 0)
    else:
        paths.put(copy, parts, item, 0)
    return copy


def reshaped(value: Any, mapping: Any) -> Any:
    """Return a table with, by name, what each path selects; a list is reshaped item by item.

    Raises:
        BridgeError: ``invalid_argument``: the mapping is not one of names to paths.
    """
    if not isinstance(mapping, Mapping) or not all(isinstance(path, str) for path in mapping.values()):
        raise BridgeError("transform needs a table of paths by name as value", code="invalid_argument")
    if isinstance(value, list):
        return [reshaped(item, mapping) for item in value]
    return {name: get(value, path) for name, path in mapping.items()}


def problems(value: Any, schema: Any) -> list[dict[str, str]]:
    """Return why a value does not fit a JSON Schema."""
    if not isinstance(schema, Mapping):
        raise BridgeError("validate needs a JSON Schema as value", code="invalid_argument")
    return [{"path": problem.path, "message": problem.message} for problem in Schema(schema).problems(value)]
