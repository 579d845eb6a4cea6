"""GraphQL over HTTP: what is sent, how deep a query goes, and what an interface offers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llmspell.plugin import BridgeError

_SKIPPED = re.compile(r'"""[\s\S]*?"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*')

INTROSPECTION = (
    "query IntrospectionQuery { __schema { queryType { name } mutationType { name } types { name kind description "
    "fields { name description args { name type { name kind ofType { name kind ofType { name kind } } } } "
    "type { name kind ofType { name kind ofType { name kind } } } } } } }"
)


def depth(query: str) -> int:
    """Return how deep the selections of a query are nested.

    Example:
        >>> depth('{ a { b(x: "}{") { c } } }')
        3
    """
    deepest = here = 0
    for sign in re.findall(r"[{}]", _SKIPPED.sub("", query)):
        here += 1 if sign == "{" else -1
        deepest = max(deepest, here)
    return deepest


def request(query: str, variables: Mapping[str, Any] | None, name: str | None, most: int) -> dict[str, Any]:
    """Return what to post for a query.

    Raises:
        BridgeError: ``too_deep``.
    """
    found = depth(query)
    if found > most:
        raise BridgeError(f"the query is {found} levels deep, more than the {most} allowed", code="too_deep")
    sent: dict[str, Any] = {"query": query, "variables": dict(variables or {})}
    if name is not None:
        sent["operationName"] = name
    return sent


def offered(answer: Any) -> dict[str, Any]:
    """Return what an introspection tells: ``{queries, mutations, types}``.

    Raises:
        BridgeError: ``bad_response``: the answer is none of an introspection.
    """
    try:
        schema = answer["data"]["__schema"]
        types = {str(found["name"]): found for found in schema["types"]}
        return {
            "queries": _fields(types, schema.get("queryType")),
            "mutations": _fields(types, schema.get("mutationType")),
            "types": sorted(name for name in types if not name.startswith("__")),
        }
    except (AttributeError, KeyError, TypeError):
        raise BridgeError("the interface does not tell what it offers", code="bad_response", exit_code=7) from None


def _fields(types: Mapping[str, Any], root: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": str(field["name"]),
            "description": str(field.get("description") or ""),
            "arguments": {str(arg["name"]): _named(arg.get("type")) for arg in field.get("args") or ()},
            "type": _named(field.get("type")),
        }
        for field in (types[root["name"]].get("fields") or () if root else ())
    ]


def _named(given: Any) -> str:
    """Write a type as GraphQL does: ``[Bee!]``."""
    if not isinstance(given, Mapping):
        return "?"
    inner = given.get("ofType")
    if given.get("kind") == "NON_NULL":
        return f"{_named(inner)}!"
    if given.get("kind") == "LIST":
        return f"[{_named(inner)}]"
    return str(given.get("name") or "?")
