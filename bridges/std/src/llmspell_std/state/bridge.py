"""``StateBridge``: what scripts see as ``state``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from llmspell.plugin import Bridge, BridgeContext, BridgeError, Call, ScriptFunction, Value, export
from llmspell_std.data import schemas
from llmspell_std.ending import at_end
from llmspell_std.sizes import Quota
from llmspell_std.state.objects import SharedContext, State, data_of, merged
from llmspell_std.state.ops import StateOps
from llmspell_std.state.store import Store
from llmspell_std.state.transforms import TRANSFORMS
from llmspell_std.state.vault import MemoryVault, SqliteVault, Vault, Version

MAX_BYTES = 64 * 1024 * 1024
MAX_STATES = 1_000
Strategy = Literal["last", "merge_all", "union"]
T = TypeVar("T")


class StateBridge(StateOps, Bridge):
    """Keep values for the session, by dotted path (``state.set("user.name", "Ann")``).

    The functions themselves work on one state; ``state.create`` gives others. ``save`` and ``load`` keep versions in
    memory, or in an SQLite file after ``state.persist_to``. Only plain data can be kept, 64 MiB in a session.
    """

    name = "state"
    permissions = ("write",)

    def __init__(self) -> None:
        self._quota = Quota(MAX_BYTES, "the states of this session")
        self._store = Store(self._quota)
        self._named: dict[str, Store] = {}
        self._memory = MemoryVault(self._quota)
        self._file: str | None = None
        self._host_file: str | None = None
        self._transforms: dict[str, ScriptFunction] = {}
        self._validators: dict[str, ScriptFunction] = {}

    async def open(self, context: BridgeContext) -> None:
        """Take the operator's file, if the configuration names one: ``state.file``."""
        file = context.config.get("file")
        self._host_file = str(file) if file else None

    # States

    @export
    def create(
        self, call: Call, first: str | dict[str, Any] | None = None, *, defaults: dict[str, Any] | None = None
    ) -> State:
        """Return a state: with a name the session's state of that name, else a new one that ends with the run.

        ``create{...}`` begins with that data; ``defaults`` fill what a named state does not have.
        """
        if isinstance(first, str):
            known = self._named.get(first)
            if known is None:
                if len(self._named) >= MAX_STATES:
                    raise BridgeError(f"there are {MAX_STATES:,} states already", code="too_many")
                known = self._named[first] = Store(self._quota)
            if defaults:
                known.replace(merged([{"data": defaults}, known.document()]))
            return State(known, first)
        return State(Store(self._quota, merged([{"data": defaults or {}}, {"data": first or {}}])))

    @export
    def from_table(self, data: dict[str, Any]) -> State:
        """Return a state with this data."""
        return State(Store(self._quota, {"data": data}))

    @export
    def list_states(self) -> list[str]:
        """Return the names of the session's states."""
        return sorted(self._named)

    @export
    def delete_state(self, name: str) -> bool:
        """Forget a state of the session; tell whether there was one."""
        found = self._named.pop(name, None)
        if found is not None:
            found.release()
        return found is not None

    @export
    def merge_states(self, states: list[State | dict[str, Any]], strategy: Strategy = "merge_all") -> State:
        """Return one state of several: ``merge_all`` level by level, ``union`` whole keys, the first winning, ``last``
        the last one alone."""
        documents = [each.store.document() if isinstance(each, State) else {"data": each} for each in states]
        if strategy == "last":
            documents = documents[-1:]
        elif strategy == "union":
            data = {key: value for document in reversed(documents) for key, value in document["data"].items()}
            documents = [*documents, {"data": data}]
            return State(Store(self._quota, {**merged(documents), "data": data}))
        return State(Store(self._quota, merged(documents)))

    @export
    def merge(self, *states: State | dict[str, Any]) -> State:
        """Return one state of several, level by level, later ones winning."""
        return self.merge_states(list(states))

    @export
    def equals(self, left: State | dict[str, Any], right: State | dict[str, Any]) -> bool:
        """Compare the data of two states in depth."""
        return data_of(left) == data_of(right)

    # Transforms and validators

    @export
    def register_transform(self, call: Call, name: str, fn: ScriptFunction) -> None:
        """Give ``fn(data, options)`` a name, for this run."""
        if name in TRANSFORMS:
            raise BridgeError(f"the transform {name!r} is built in", code="exists")
        _lend(call, self._transforms, name, fn)

    @export
    def list_transforms(self) -> list[str]:
        """Return the transforms there are."""
        return sorted({*TRANSFORMS, *self._transforms})

    @export
    async def apply_transform(
        self, name: str, state: State | dict[str, Any] | None = None, options: dict[str, Any] | None = None
    ) -> State:
        """Return a new state: ``filter`` (``keys``, ``drop``), ``flatten``, ``sanitize`` or one of your own, of a
        state or table, or of this bridge's own state."""
        data = self._store.read("data", []) if state is None else data_of(state)
        return State(Store(self._quota, {"data": await self._transformed(name, data, options or {})}))

    @export
    async def chain_transforms(self, names: list[str], state: State | dict[str, Any] | None = None) -> State:
        """Return a new state after several transforms, one after the other."""
        data = self._store.read("data", []) if state is None else data_of(state)
        for name in names:
            data = await self._transformed(name, data, {})
        return State(Store(self._quota, {"data": data}))

    @export
    def register_validator(self, call: Call, name: str, fn: ScriptFunction) -> None:
        """Give ``fn(data)`` a name, for this run: it returns true, or false and an error text."""
        _lend(call, self._validators, name, fn)

    @export
    async def validate_state(
        self, call: Call, state: State | dict[str, Any], schema: str | dict[str, Any]
    ) -> schemas.Verdict:
        """Check a state against a schema, or by a validator's name: ``{valid, errors}``."""
        data = data_of(state)
        if isinstance(schema, dict):
            return schemas.validate(data, schema, call.checkpoint)
        validator = self._validators.get(schema)
        if validator is None:
            raise BridgeError(f"there is no validator {schema!r}", code="not_found")
        said = await validator.call_all(data)
        if said and said[0] not in (None, False):
            return schemas.Verdict(True, [])
        reason = said[1] if len(said) > 1 and isinstance(said[1], str) else f"the validator {schema!r} refused it"
        return schemas.Verdict(False, [schemas.Problem("", reason)])

    # Contexts

    @export
    def create_context(self, parent: State | SharedContext | None = None) -> SharedContext:
        """Return a context over a state or another context: it reads through and writes only its own."""
        return SharedContext(self._quota, parent)

    @export
    def configure_inheritance(
        self, context: SharedContext, messages: bool = True, artifacts: bool = True, metadata: bool = True
    ) -> SharedContext:
        """Say what a context sees of the state below, besides its data."""
        return context.configure_inheritance(messages, artifacts, metadata)

    @export
    def get_from_context(self, call: Call, context: SharedContext, path: str, default: Value = None) -> Value:
        """Return what stands at a path of a context."""
        return context.get(call, path, default)

    @export
    def set_in_context(self, call: Call, context: SharedContext, path: str, value: Value) -> None:
        """Set what stands at a path of a context."""
        context.set(call, path, value)

    # Saving

    @export(permissions=("write",))
    async def persist_to(self, call: Call, path: str) -> None:
        """Save in an SQLite file from now on, which the policy has to grant for writing; it is made if need be."""
        file = await asyncio.to_thread(_file_in, call, path)
        await asyncio.to_thread(SqliteVault(call.files.unguarded_path(file, write=True)).versions)
        self._file = file

    @export
    async def save(self, call: Call, name: str = "default") -> int:
        """Save this bridge's own state; return the version."""
        return await self._save(call, name, self._store)

    @export
    async def load(self, call: Call, name: str = "default", version: int | None = None) -> bool:
        """Replace this bridge's own state by a saved one; tell whether there was one."""
        document = await self._vaulted(call, lambda vault: vault.load(name, version))
        if document is not None:
            self._store.replace(document)
        return document is not None

    @export
    async def save_state(self, call: Call, state: State, name: str | None = None) -> int:
        """Save a state under a name, its own if it has one; return the version."""
        known = name or state.name()
        if not known:
            raise BridgeError("a state without a name needs one to be saved under", code="invalid_argument")
        return await self._save(call, known, state.store)

    @export
    async def load_state(self, call: Call, name: str, default: dict[str, Any] | None = None) -> State | None:
        """Return a saved state; if there is none, one with ``default``, or nothing."""
        document = await self._vaulted(call, lambda vault: vault.load(name))
        if document is not None:
            return State(Store(self._quota, document))
        return None if default is None else self.from_table(default)

    @export
    async def load_version(self, call: Call, name: str, version: int) -> State | None:
        """Return a version of a saved state, or nothing."""
        document = await self._vaulted(call, lambda vault: vault.load(name, version))
        return None if document is None else State(Store(self._quota, document))

    @export
    async def list_versions(self, call: Call, name: str) -> list[Version]:
        """Return the versions saved under a name, oldest first."""
        return await self._vaulted(call, lambda vault: vault.versions(name))

    @export
    async def list_saved(self, call: Call) -> list[str]:
        """Return the names there are saved states of."""
        versions = await self._vaulted(call, lambda vault: vault.versions())
        return sorted({found.name for found in versions})

    @export
    async def delete_saved(self, call: Call, name: str, version: int | None = None) -> int:
        """Delete a saved state, or one version of it; return how many versions are gone."""
        return await self._vaulted(call, lambda vault: vault.delete(name, version))

    @export
    async def expire(self, call: Call, name: str, seconds: float) -> bool:
        """Have a saved state deleted after a while; tell whether there is one."""
        return await self._vaulted(call, lambda vault: vault.expire(name, seconds))

    @export
    async def cleanup(self, call: Call, age: float) -> int:
        """Delete what was saved more than ``age`` seconds ago; return how many versions are gone."""
        return await self._vaulted(call, lambda vault: vault.cleanup(age))

    async def _save(self, call: Call, name: str, store: Store) -> int:
        document = store.document()
        return await self._vaulted(call, lambda vault: vault.save(name, document))

    async def _vaulted(self, call: Call, work: Callable[[Vault], T]) -> T:
        """Do something with the vault in force. A file is checked against the grants of the run that asks."""
        if self._file is not None:
            file = self._file
            return await asyncio.to_thread(lambda: work(SqliteVault(call.files.unguarded_path(file, write=True))))
        if self._host_file is not None:
            return await asyncio.to_thread(work, SqliteVault(self._host_file))
        return work(self._memory)

    async def _transformed(self, name: str, data: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        if name in TRANSFORMS:
            return TRANSFORMS[name](data, options)
        own = self._transforms.get(name)
        if own is None:
            raise BridgeError(
                f"there is no transform {name!r}; there are {', '.join(self.list_transforms())}", code="not_found"
            )
        result = await own(data, options)
        if not isinstance(result, dict):
            raise BridgeError(f"the transform {name!r} returned no table", code="invalid_argument")
        return result


def _file_in(call: Call, path: str) -> str:
    """Return the file that a path to a file or directory stands for."""
    if call.files.exists(path) and call.files.stat(path).kind == "directory":
        return path.rstrip("/") + "/state.db"
    return path


def _lend(call: Call, names: dict[str, ScriptFunction], name: str, fn: ScriptFunction) -> None:
    names[name] = fn

    def forget() -> None:
        if names.get(name) is fn:
            del names[name]

    at_end(call, forget)
