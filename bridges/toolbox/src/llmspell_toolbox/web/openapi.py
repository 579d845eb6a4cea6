"""What an OpenAPI document offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from llmspell.plugin import BridgeError
from llmspell_std.data import formats
from llmspell_toolbox.patience import patient

MAX_OPERATIONS = 2000
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")


class Parameter(TypedDict):
    """A parameter of an operation; ``place`` is path, query, header or cookie."""

    name: str
    place: str
    required: bool
    description: str


class Operation(TypedDict):
    """One operation of an interface."""

    id: str
    method: str
    path: str
    summary: str
    parameters: list[Parameter]
    has_body: bool


def document(text: str) -> Mapping[str, Any]:
    """Read an OpenAPI document, as JSON or YAML.

    Raises:
        BridgeError: ``invalid_openapi``.
    """
    try:
        with patient("reading the OpenAPI document"):
            found = formats.read(text, "json" if text.lstrip().startswith("{") else "yaml")
    except BridgeError as error:
        raise BridgeError(f"the OpenAPI document cannot be read: {error.message}", code="invalid_openapi") from error
    if not isinstance(found, Mapping) or not isinstance(found.get("paths"), Mapping):
        raise BridgeError("the document is no OpenAPI: it has no paths", code="invalid_openapi")
    return found


def operations(found: Mapping[str, Any]) -> list[Operation]:
    """List an interface's operations."""
    listed: list[Operation] = []
    for path, item in found["paths"].items():
        if not isinstance(item, Mapping):
            continue
        for method in _METHODS:
            operation = item.get(method)
            if isinstance(operation, Mapping):
                listed.append(_operation(found, str(path), method, item, operation))
                if len(listed) > MAX_OPERATIONS:
                    raise BridgeError(f"there are more than {MAX_OPERATIONS:,} operations", code="too_large")
    return listed


def _operation(
    found: Mapping[str, Any], path: str, method: str, item: Mapping[str, Any], operation: Mapping[str, Any]
) -> Operation:
    given = [*_list(item.get("parameters")), *_list(operation.get("parameters"))]
    return {
        "id": str(operation.get("operationId") or f"{method} {path}"),
        "method": method.upper(),
        "path": path,
        "summary": str(operation.get("summary") or operation.get("description") or "")[:300],
        "parameters": [_parameter(resolved) for each in given if (resolved := _resolved(found, each)) is not None],
        "has_body": "requestBody" in operation,
    }


def _parameter(given: Mapping[str, Any]) -> Parameter:
    return {
        "name": str(given.get("name", "")),
        "place": str(given.get("in", "query")),
        "required": bool(given.get("required", False)),
        "description": str(given.get("description") or "")[:300],
    }


def _resolved(found: Mapping[str, Any], given: Any) -> Mapping[str, Any] | None:
    """Follow one reference inside the document; others, and those to elsewhere, are left out."""
    if not isinstance(given, Mapping):
        return None
    reference = given.get("$ref")
    if reference is None:
        return given
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    here: Any = found
    for part in reference[2:].split("/"):
        here = here.get(part) if isinstance(here, Mapping) else None
    return here if isinstance(here, Mapping) and "$ref" not in here else None


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []
