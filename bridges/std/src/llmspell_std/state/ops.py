"""What can be done with one state: the functions of ``state`` itself and the methods of state objects."""

from __future__ import annotations

from typing import Any

from llmspell.plugin import BridgeError, Call, ScriptFunction, Value, export
from llmspell_std.data import paths, schemas
from llmspell_std.errors.shape import Failing
from llmspell_std.state.store import Store

_TRIES = 100


class StateOps:
    """Mixed into the bridge, for its own state, and into :class:`~llmspell_std.state.objects.State`."""

    _store: Store

    @export
    def get(self, call: Call, path: str, default: Value = None) -> Value:
        """Return what stands at a path like ``"user.name"``, or ``default``."""
        found = self._store.read("data", paths.split_path(path), paths.first_index(call.language))
        return default if found is paths.MISSING else found

    @export
    def set(self, call: Call, path: str, value: Value) -> None:
        """Set what stands at a path; nothing (``nil``) removes it. Missing levels are made."""
        parts, base = paths.split_path(path), paths.first_index(call.language)
        if value is None:
            self._store.remove("data", parts, base)
        else:
            self._store.write("data", parts, value, base)

    @export
    def batch_set(self, call: Call, values: dict[str, Any]) -> None:
        """Set several paths."""
        for path, value in values.items():
            self.set(call, path, value)

    @export
    async def update(self, call: Call, path: str, fn: ScriptFunction) -> Value:
        """Replace what stands at a path by ``fn(value)``, and return that.

        If somebody else changed it meanwhile, ``fn`` is called again with the new value.
        """
        parts, base = paths.split_path(path), paths.first_index(call.language)
        for _ in range(_TRIES):
            before = self._store.read("data", parts, base)
            after = await fn(None if before is paths.MISSING else before)
            now = self._store.read("data", parts, base)
            if now is before or now == before:
                self.set(call, path, after)
                return after  # type: ignore[no-any-return]
        raise BridgeError(f"{path!r} is changed by others all the time", code="conflict")

    @export
    def increment(self, call: Call, path: str, by: int | float = 1) -> int | float:
        """Add to a number, which counts as 0 where there is none, and return it."""

        def add(value: Any) -> int | float:
            number = 0 if value is paths.MISSING else value
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise BridgeError(f"what stands at {path!r} is no number", code="invalid_argument")
            return number + by

        changed: int | float = self._store.change(paths.split_path(path), paths.first_index(call.language), add)
        return changed

    @export
    def append(self, call: Call, path: str, value: Value) -> int:
        """Add to the end of a list, which is made where there is none, and return its length."""

        def add(items: Any) -> list[Any]:
            known = [] if items is paths.MISSING or items == {} else items
            if not isinstance(known, list):
                raise BridgeError(f"what stands at {path!r} is no list", code="invalid_argument")
            return [*known, value]

        return len(self._store.change(paths.split_path(path), paths.first_index(call.language), add))

    @export
    def delete(self, call: Call, path: str) -> bool:
        """Remove what stands at a path; tell whether there was something."""
        return self._store.remove("data", paths.split_path(path), paths.first_index(call.language))

    @export
    def has(self, call: Call, path: str) -> bool:
        """Tell whether something stands at a path."""
        return self._store.read("data", paths.split_path(path), paths.first_index(call.language)) is not paths.MISSING

    @export
    def keys(self, call: Call, path: str | None = None) -> list[str]:
        """Return the keys, of the whole or of the table at a path."""
        return list(self._table(call, path))

    @export
    def values(self, call: Call, path: str | None = None) -> list[Any]:
        """Return the values, of the whole or of the table at a path."""
        return list(self._table(call, path).values())

    @export
    def clear(self) -> None:
        """Remove everything, metadata, artifacts and messages too."""
        self._store.replace({})

    @export
    def to_table(self) -> dict[str, Any]:
        """Return a copy of the data."""
        data: dict[str, Any] = self._store.read("data", [])
        return data

    @export
    def snapshot(self) -> dict[str, Any]:
        """Return a copy of everything: ``{data, metadata, artifacts, messages}``."""
        return self._store.document()

    export_ = snapshot

    @export
    def restore(self, document: dict[str, Any]) -> None:
        """Replace everything by what ``snapshot`` returned."""
        self._store.replace(document)

    import_ = restore

    @export
    async def transaction(self, fn: ScriptFunction) -> Value:
        """Call ``fn()``; if it fails, everything in the state is as before, and the failure goes on."""
        before = self._store.document()
        try:
            return await fn()  # type: ignore[no-any-return]
        except Failing:
            self._store.replace(before)
            raise

    @export
    def set_schema(self, schema: dict[str, Any] | None) -> None:
        """Set the schema that ``validate`` checks against."""
        self._store.schema = schema

    @export
    def validate(self, call: Call, schema: dict[str, Any] | None = None) -> schemas.Verdict:
        """Check the data against a schema, or the one that was set: ``{valid, errors}``."""
        wanted = schema if schema is not None else self._store.schema
        if wanted is None:
            return schemas.Verdict(True, [])
        return schemas.validate(self._store.read("data", []), wanted, call.checkpoint)

    @export
    def lock(self) -> None:
        """Refuse changes until ``unlock``."""
        self._store.locked = True

    @export
    def unlock(self) -> None:
        """Allow changes again."""
        self._store.locked = False

    @export
    def is_locked(self) -> bool:
        """Tell whether changes are refused."""
        return self._store.locked

    @export
    def stats(self) -> dict[str, int]:
        """Return how many keys, artifacts, messages and pieces of metadata there are."""
        document = self._store.document()
        return {
            "keys": len(document["data"]),
            "artifacts": len(document["artifacts"]),
            "messages": len(document["messages"]),
            "metadata": len(document["metadata"]),
        }

    # Beside the data

    @export
    def set_metadata(self, key: str, value: Value) -> None:
        """Set a piece of metadata."""
        self._store.write("metadata", [key], value)

    @export
    def get_metadata(self, key: str | None = None) -> Value:
        """Return a piece of metadata, or all of it."""
        found = self._store.read("metadata", [] if key is None else [key])
        return None if found is paths.MISSING else found

    @export
    def get_all_metadata(self) -> dict[str, Any]:
        """Return all metadata."""
        found: dict[str, Any] = self._store.read("metadata", [])
        return found

    @export
    def add_artifact(self, name: str, data: Value, metadata: dict[str, Any] | None = None) -> None:
        """Keep a piece of work under a name."""
        self._store.write("artifacts", [name], {"name": name, "data": data, "metadata": metadata or {}})

    @export
    def get_artifact(self, name: str) -> dict[str, Any] | None:
        """Return ``{name, data, metadata}``, or nothing."""
        found = self._store.read("artifacts", [name])
        return None if found is paths.MISSING else found

    @export
    def artifacts(self) -> list[dict[str, Any]]:
        """Return all artifacts."""
        return list(self._store.read("artifacts", []).values())

    @export
    def add_message(self, role: str | dict[str, Any], content: Value = None) -> int:
        """Add a message: a role and its content, or ``{role, content, ...}``; return how many there are."""
        message = role if isinstance(role, dict) else {"role": role, "content": content}
        count = len(self._store.read("messages", []))
        self._store.write("messages", [str(count)], message)
        return count + 1

    @export
    def messages(self) -> list[dict[str, Any]]:
        """Return all messages."""
        found: list[dict[str, Any]] = self._store.read("messages", [])
        return found

    def _table(self, call: Call, path: str | None) -> dict[str, Any]:
        parts = [] if path is None else paths.split_path(path)
        found = self._store.read("data", parts, paths.first_index(call.language))
        if isinstance(found, list):
            first = paths.first_index(call.language)
            return {str(place): item for place, item in enumerate(found, first)}
        return found if isinstance(found, dict) else {}
