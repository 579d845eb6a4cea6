"""Keeping schemas: by name and version, in a directory, and the ways from one version to the next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llmspell.plugin import Call, ScriptFunction, export
from llmspell_llm.bridges.structured.base import StructuredBase
from llmspell_llm.scoped import RunScoped
from llmspell_llm.structured import SchemaError
from llmspell_llm.structured.formats import parse


class KeepingExports(StructuredBase):
    """The exports that keep schemas."""

    def __init__(self) -> None:
        super().__init__()
        self._migrators: RunScoped[ScriptFunction] = RunScoped()
        self._repository: str | None = None

    @export
    def save_schema(self, call: Call, name: str, schema: Any) -> int:
        """Keep a schema under a name, as a new version; return its number."""
        return self._stored(call, name, self.registry.save(name, self.table_of(schema)))

    @export
    def save_version(self, call: Call, name: str, schema: Any, version: int) -> int:
        """Keep a schema as a version of one's own number."""
        return self._stored(call, name, self.registry.save(name, self.table_of(schema), version))

    @export
    def get_schema(self, name: str) -> dict[str, Any]:
        """Return the current version of a kept schema."""
        return self.table_of(self.registry.get(name))

    @export
    def get_version(self, name: str, version: int) -> dict[str, Any]:
        """Return a version of a kept schema."""
        return self.table_of(self.registry.get(name, version))

    @export
    def list_versions(self, name: str) -> list[dict[str, Any]]:
        """List the versions of a kept schema: ``{version, current}`` each."""
        kept = self.registry.versions(name)
        return [{"version": number, "current": number == kept.current} for number in sorted(kept.schemas)]

    @export
    def set_current_version(self, call: Call, name: str, version: int) -> None:
        """Choose which version of a schema counts."""
        self.registry.set_current(name, version)
        self._stored(call, name, version)

    @export
    def list_schemas(self) -> list[str]:
        """Return the names of the kept schemas."""
        return self.registry.names

    @export
    def delete_schema(self, call: Call, name: str) -> None:
        """Forget a kept schema with all its versions."""
        self.registry.delete(name)
        if self._repository is not None:
            call.files.remove(f"{self._repository}/{name}.json")

    @export
    def register_migrator(
        self, call: Call, name: str, from_version: int, to_version: int, function: ScriptFunction
    ) -> None:
        """Say how data of one version of a schema becomes data of another: a function of the data."""
        self._migrators.of(call)[_way(name, from_version, to_version)] = function

    @export
    async def migrate(self, call: Call, name: str, data: Any, from_version: int, to_version: int) -> Any:
        """Bring data from one version of a schema to another, by the shortest way the migrators know.

        Without a migrator data that fits the new version stays as it is; new properties get their defaults.
        """
        old, new = self.registry.get(name, from_version), self.registry.get(name, to_version)
        if problems := old.problems(data):
            raise SchemaError(f"the data does not fit version {from_version}: {problems[0]}", path=problems[0].path)
        steps = self._way(call, name, from_version, to_version)
        for step in steps or ():
            data = await self._migrators.of(call)[step](data)
        if steps is None:
            data = _with_defaults(data, new.definition)
        if problems := new.problems(data):
            hint = "" if steps else "; register a migrator"
            raise SchemaError(f"the data does not fit version {to_version}: {problems[0]}{hint}", path=problems[0].path)
        return data

    @export
    def export_repository(self) -> dict[str, Any]:
        """Return every kept schema with its versions, as data that ``import_repository`` takes."""
        return self.registry.export()

    @export
    def import_repository(self, call: Call, data: dict[str, Any], *, overwrite: bool = True) -> list[str]:
        """Take over an export; return the names of the schemas that were taken over."""
        names = self.registry.load(data, overwrite=overwrite)
        for name in names:
            self._stored(call, name, 0)
        return names

    @export(blocking=True, permissions=("read", "write"))
    def init_repository(self, call: Call, directory: str) -> list[str]:
        """Keep schemas in a directory that the policy grants, one file each, and read those that are there.

        Returns:
            The names of the schemas that were read.
        """
        call.files.mkdir(directory, parents=True, exist_ok=True)
        names = []
        for entry in call.files.list(directory):
            if entry.kind == "file" and entry.name.endswith(".json"):
                names += self.registry.load(parse(call.files.read_text(f"{directory}/{entry.name}")))
        self._repository = directory.rstrip("/")
        return names

    def _stored(self, call: Call, name: str, version: int) -> int:
        if self._repository is not None:
            whole = self.registry.export()
            whole["schemas"] = {name: whole["schemas"][name]}
            call.files.write_text(f"{self._repository}/{name}.json", json.dumps(whole, indent=2, ensure_ascii=False))
        return version

    def _way(self, call: Call, name: str, start: int, goal: int) -> list[str] | None:
        """Return the shortest chain of migrators, an empty one if there is nothing to do, or None."""
        steps: dict[int, dict[int, str]] = {}
        for way in self._migrators.of(call):
            known, _, versions = way.rpartition("\n")
            if known == name:
                source, target = map(int, versions.split())
                steps.setdefault(source, {})[target] = way
        ways: dict[int, list[str]] = {start: []}
        frontier = [start]
        while frontier and goal not in ways:
            here = frontier.pop(0)
            for there, way in steps.get(here, {}).items():
                if there not in ways:
                    ways[there] = [*ways[here], way]
                    frontier.append(there)
        return ways.get(goal)


def _way(name: str, source: int, target: int) -> str:
    return f"{name}\n{source} {target}"


def _with_defaults(data: Any, definition: Any) -> Any:
    if not isinstance(data, dict) or not isinstance(definition, Mapping):
        return data
    properties = definition.get("properties", {})
    filled = {name: part["default"] for name, part in properties.items() if name not in data and "default" in part}
    return {**{name: _with_defaults(value, properties.get(name)) for name, value in data.items()}, **filled}
