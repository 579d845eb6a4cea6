"""Schemas by name, with versions and the ways from one to the next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmspell_llm.structured.schema import Schema, SchemaError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(slots=True)
class Versions:
    """One schema's versions, and which of them counts."""

    current: int = 0
    schemas: dict[int, Schema] = field(default_factory=dict)


class SchemaRegistry:
    """Named schemas of a session.

    Example:
        >>> registry = SchemaRegistry()
        >>> registry.save("person", {"type": "object"})
        1
        >>> registry.get("person").definition
        {'type': 'object'}
    """

    def __init__(self) -> None:
        self._names: dict[str, Versions] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    @property
    def names(self) -> list[str]:
        return sorted(self._names)

    def save(self, name: str, definition: Mapping[str, Any] | bool, version: int | None = None) -> int:
        """Keep a schema as a new version, or as the version given; it becomes the current one. Return its number.

        Raises:
            SchemaError: It is no schema, or the name cannot be one.
        """
        if not _NAME.fullmatch(name):
            raise SchemaError(f"{name!r} is no name for a schema: use letters, digits, '.', '_' and '-'")
        if version is not None and version < 1:
            raise SchemaError(f"versions count from 1, not {version}")
        schema = Schema(definition)
        kept = self._names.setdefault(name, Versions())
        number = version if version is not None else max(kept.schemas, default=0) + 1
        kept.schemas[number] = schema
        kept.current = number
        return number

    def get(self, name: str, version: int | None = None) -> Schema:
        """Return a schema: its current version, or the one given.

        Raises:
            SchemaError: There is none.
        """
        kept = self.versions(name)
        number = kept.current if version is None else version
        if number not in kept.schemas:
            known = ", ".join(map(str, sorted(kept.schemas)))
            raise SchemaError(f"schema {name!r} has no version {number}; versions: {known}")
        return kept.schemas[number]

    def versions(self, name: str) -> Versions:
        try:
            return self._names[name]
        except KeyError:
            known = ", ".join(self.names) or "none"
            raise SchemaError(f"there is no schema {name!r}; schemas: {known}") from None

    def set_current(self, name: str, version: int) -> None:
        self.get(name, version)
        self._names[name].current = version

    def delete(self, name: str) -> None:
        self.versions(name)
        del self._names[name]

    def resolve(self, given: str | Mapping[str, Any] | bool) -> Schema:
        """Return the schema of a name, or of a definition.

        Raises:
            SchemaError: There is none of that name, or the definition is no schema.
        """
        return self.get(given) if isinstance(given, str) else Schema(given)

    def export(self) -> dict[str, Any]:
        """Return everything as data that :meth:`load` takes."""
        return {
            "format": "llmspell-schemas",
            "version": 1,
            "schemas": {
                name: {
                    "current": kept.current,
                    "versions": {str(number): schema.definition for number, schema in sorted(kept.schemas.items())},
                }
                for name, kept in sorted(self._names.items())
            },
        }

    def load(self, data: Mapping[str, Any], *, overwrite: bool = True) -> list[str]:
        """Take over an export; return the names that were taken over.

        Raises:
            SchemaError: It is no export; nothing is taken over then.
        """
        entries = data.get("schemas")
        if data.get("format") != "llmspell-schemas" or not isinstance(entries, Mapping):
            raise SchemaError("this is no export of schemas")
        fresh = SchemaRegistry()
        for name, entry in entries.items():
            if not isinstance(entry, Mapping) or not isinstance(entry.get("versions"), Mapping):
                raise SchemaError("this is no export of schemas", path=f"$.schemas.{name}")
            for number, definition in entry["versions"].items():
                if not str(number).isdigit():
                    raise SchemaError(f"{number!r} is no version", path=f"$.schemas.{name}")
                fresh.save(str(name), definition, int(number))
            fresh.set_current(str(name), int(entry.get("current", 0)) or max(map(int, entry["versions"])))
        taken = [name for name in fresh.names if overwrite or name not in self._names]
        for name in taken:
            self._names[name] = fresh._names[name]
        return taken
