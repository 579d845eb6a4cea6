"""State objects, and contexts that see through to the state they come from."""

from __future__ import annotations

from typing import Any

from llmspell.plugin import Call, ScriptFunction, Value, export
from llmspell_std.data import paths
from llmspell_std.data.compare import Difference, difference
from llmspell_std.handle import Handle
from llmspell_std.sizes import Quota
from llmspell_std.state.ops import StateOps
from llmspell_std.state.store import Store


class State(StateOps, Handle):
    """A state that a script holds.

    Args:
        name: Empty for one that ends with its run.
    """

    def __init__(self, store: Store, name: str = "") -> None:
        self._store = store
        self._name = name

    @property
    def store(self) -> Store:
        """The state itself, for bridges."""
        return self._store

    def close(self) -> None:
        """A state without a name is gone when its run ends."""
        if not self._name:
            self._store.release()

    @export
    def name(self) -> str:
        """Return its name, empty if it ends with the run."""
        return self._name

    @export
    def clone(self) -> State:
        """Return a copy without a name."""
        return State(Store(self._store.quota, self._store.document()))

    @export
    def merge(self, other: State | dict[str, Any]) -> State:
        """Take over what another state or a table has, level by level; return this state."""
        document = self._store.document()
        beside = other.store.document() if isinstance(other, State) else {"data": other}
        self._store.replace(merged([document, beside]))
        return self

    @export
    def equals(self, other: State | dict[str, Any]) -> bool:
        """Compare the data in depth."""
        return bool(self._store.read("data", []) == data_of(other))

    @export
    def diff(self, other: State | dict[str, Any]) -> Difference:
        """Tell what another state added, removed and modified."""
        return difference(self._store.read("data", []), data_of(other))

    @export
    async def filter(self, fn: ScriptFunction) -> State:
        """Return a state with only those keys for which ``fn(key, value)`` is true."""
        data = self._store.read("data", [])
        kept = {key: value for key, value in data.items() if await fn(key, value) not in (None, False)}
        return State(Store(self._store.quota, {**self._store.document(), "data": kept}))

    @export
    async def transform(self, fn: ScriptFunction) -> Value:
        """Return what ``fn(copy of the data)`` returns: a table becomes a state."""
        result = await fn(self._store.read("data", []))
        return State(Store(self._store.quota, {"data": result})) if isinstance(result, dict) else result  # type: ignore[return-value]


class SharedContext(Handle):
    """A state on top of another: it reads through to the one below and writes only its own.

    Args:
        below: What it inherits from, if anything.
    """

    def __init__(self, quota: Quota, below: State | SharedContext | None) -> None:
        self._local = State(Store(quota))
        self._below = below
        self._quota = quota
        self._inherits = {"messages": True, "artifacts": True, "metadata": True}

    def close(self) -> None:
        self._local.close()

    @export
    def get(self, call: Call, path: str, default: Value = None) -> Value:
        """Return what stands at a path here, else below, else ``default``."""
        if self._local.has(call, path):
            return self._local.get(call, path)
        return default if self._below is None else self._below.get(call, path, default)

    @export
    def set(self, call: Call, path: str, value: Value) -> None:
        """Set what stands at a path, here only."""
        self._local.set(call, path, value)

    @export
    def delete(self, call: Call, path: str) -> bool:
        """Remove what stands at a path here."""
        return self._local.delete(call, path)

    @export
    def has(self, call: Call, path: str) -> bool:
        """Tell whether something stands at a path, here or below."""
        return self._local.has(call, path) or (self._below is not None and self._below.has(call, path))

    @export
    def keys(self) -> list[str]:
        """Return the keys of both."""
        return list(self.document()["data"])

    @export
    def values(self) -> list[Any]:
        """Return the values of both."""
        return list(self.document()["data"].values())

    @export
    def configure_inheritance(
        self, messages: bool = True, artifacts: bool = True, metadata: bool = True
    ) -> SharedContext:
        """Say what else is seen of the state below; return this context."""
        self._inherits = {"messages": messages, "artifacts": artifacts, "metadata": metadata}
        return self

    @export
    def messages(self) -> list[dict[str, Any]]:
        """Return the messages below, if they are inherited, and here."""
        found: list[dict[str, Any]] = self.document()["messages"]
        return found

    @export
    def artifacts(self) -> list[dict[str, Any]]:
        """Return the artifacts below, if they are inherited, and here."""
        return list(self.document()["artifacts"].values())

    @export
    def get_artifact(self, name: str) -> dict[str, Any] | None:
        """Return an artifact, or nothing."""
        found: dict[str, Any] | None = self.document()["artifacts"].get(name)
        return found

    @export
    def get_metadata(self, key: str | None = None) -> Value:
        """Return a piece of metadata, or all of it."""
        found: Any = self.document()["metadata"]
        result: Value = found if key is None else found.get(key)
        return result

    @export
    def local(self) -> State:
        """Return the state that is written to."""
        return self._local

    @export
    def parent(self) -> State | SharedContext | None:
        """Return what this context inherits from, or nothing."""
        return self._below

    @export
    def clone(self) -> SharedContext:
        """Return a context over the same state, with nothing of its own."""
        fresh = SharedContext(self._quota, self._below)
        fresh._inherits = dict(self._inherits)
        return fresh

    @export
    def as_state(self) -> State:
        """Return both as one state."""
        return State(Store(self._quota, self.document()))

    @export
    def snapshot(self) -> dict[str, Any]:
        """Return a copy of everything that is seen."""
        return self.document()

    def document(self) -> dict[str, Any]:
        """Return what is seen, for bridges."""
        mine = self._local.store.document()
        if self._below is None:
            return mine
        below = self._below.document() if isinstance(self._below, SharedContext) else self._below.store.document()
        seen = {"data": below["data"]} | {part: below[part] for part, wanted in self._inherits.items() if wanted}
        return merged([seen, mine])


def merged(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one document of several: tables level by level, later ones winning; messages one after another."""
    out: dict[str, Any] = {"data": {}, "metadata": {}, "artifacts": {}, "messages": []}
    for document in documents:
        for part in ("data", "metadata", "artifacts"):
            out[part] = paths.merge(out[part], document.get(part, {}))
        out["messages"] = [*out["messages"], *document.get("messages", [])]
    return out


def data_of(other: State | dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = other.store.read("data", []) if isinstance(other, State) else other
    return data
