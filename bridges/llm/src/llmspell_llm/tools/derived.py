"""Schemas and texts for models, derived from an export's signature and docstring."""

from __future__ import annotations

import re
import types
import typing
from typing import Any

from typing_extensions import is_typeddict

_PARAMETER = re.compile(r"    (\w+): (.*)")


def text_of(doc: str) -> str:
    """Return what a docstring says before its second paragraph, on one line.

    Example:
        >>> text_of("Do a\\nthing.\\n\\nMore.")
        'Do a thing.'
    """
    return " ".join(doc.split("\n\n", maxsplit=1)[0].split())


def input_of(export: Any) -> dict[str, Any]:
    """Return the schema of an export's parameters, each with what the docstring says of it."""
    schema: dict[str, Any] = export.signature.json_schema()
    told = _parameters(export.doc)
    for name, part in schema.get("properties", {}).items():
        part.pop("title", None)
        if name in told:
            part["description"] = told[name]
    return {key: value for key, value in schema.items() if key != "title"}


def promises(hint: Any) -> bool:
    """Tell whether a result's type promises something that can be checked as it is returned."""
    return hint not in (Any, object) and _is_plain(hint)


def output_of(hint: Any) -> dict[str, Any]:
    """Return the schema of a result."""
    from pydantic import TypeAdapter

    return TypeAdapter(hint).json_schema()


def _is_plain(hint: Any) -> bool:
    """Tell whether values of a type are texts, numbers, lists and tables already, so that a schema applies to them."""
    if is_typeddict(hint):
        hints = typing.get_type_hints(hint, include_extras=False)
        return all(_is_plain(part) for part in hints.values())
    if hint in (str, int, float, bool, type(None), list, dict, Any):
        return True
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return True
    if origin in (list, dict, typing.Union, types.UnionType, typing.Annotated, typing.NotRequired, typing.Required):
        return all(_is_plain(part) for part in typing.get_args(hint)[: 1 if origin is typing.Annotated else None])
    return False


def _parameters(doc: str) -> dict[str, str]:
    """Read the ``Args:`` section of a docstring."""
    _, found, section = doc.partition("Args:\n")
    told: dict[str, str] = {}
    name = ""
    for line in section.splitlines() if found else ():
        if line and not line.startswith(" "):
            break
        if match := _PARAMETER.fullmatch(line):
            name = match[1]
            told[name] = match[2].strip()
        elif line.strip() and name:
            told[name] = f"{told[name]} {line.strip()}"
    return {key: text.replace("``", "") for key, text in told.items()}
