"""One state: its data, and the metadata, artifacts and messages beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from llmspell.plugin import BridgeError
from llmspell_std.data import paths
from llmspell_std.sizes import Quota, weight

PARTS = ("data", "metadata", "artifacts", "messages")
Document = dict[str, Any]


class Store:
    """Hold the four parts of a state. What goes in and comes out is copied, so that no two hands hold one table.

    Args:
        quota: Shared with the other states of the session.
    """

    def __init__(self, quota: Quota, document: Document | None = None) -> None:
        self.quota = quota
        self._lock = threading.RLock()
        self._parts: Document = {"data": {}, "metadata": {}, "artifacts": {}, "messages": []}
        self.locked = False
        self.schema: dict[str, Any] | None = None
        if document:
            self.replace(document)

    def read(self, part: str, path: list[str], base: int = 0) -> Any:
        """Return a copy of what stands at a path of a part, or :data:`~llmspell_std.data.paths.MISSING`."""
        with self._lock:
            return paths.copied(paths.look_up(self._parts[part], path, base))

    def write(self, part: str, path: list[str], value: Any, base: int = 0) -> None:
        """Set what stands at a path.

        Raises:
            BridgeError: ``invalid_path``; ``not_data``; ``too_large``; ``locked``.
        """
        with self._changing():
            before = paths.look_up(self._parts[part], path, base)
            grown = weight(value) - (0 if before is paths.MISSING else weight(before))
            self.quota.change(grown)
            try:
                paths.put(self._parts[part], path, value, base)
            except BridgeError:
                self.quota.change(-grown)
                raise

    def remove(self, part: str, path: list[str], base: int = 0) -> bool:
        """Remove what stands at a path; tell whether there was something."""
        with self._changing():
            before = paths.look_up(self._parts[part], path, base)
            if before is paths.MISSING:
                return False
            self.quota.change(-weight(before))
            return paths.take(self._parts[part], path, base)

    def change(self, path: list[str], base: int, work: Callable[[Any], Any]) -> Any:
        """Replace what stands at a path of the data by what ``work`` makes of it, with nobody in between."""
        with self._lock:
            changed = work(self.read("data", path, base))
            self.write("data", path, changed, base)
            return changed

    def document(self) -> Document:
        """Return a copy of all parts."""
        with self._lock:
            copied: Document = paths.copied(self._parts)
            return copied

    def replace(self, document: Document) -> None:
        """Take over the parts a document has, and empty the others."""
        fresh: Document = {"data": {}, "metadata": {}, "artifacts": {}, "messages": []}
        for part in PARTS:
            found = document.get(part)
            if isinstance(found, type(fresh[part])):
                fresh[part] = paths.copied(found)
        with self._changing():
            self.quota.change(weight(fresh) - weight(self._parts))
            self._parts = fresh

    def release(self) -> None:
        """Give back what the state takes of the quota, when nobody can reach it any more."""
        with self._lock:
            self.quota.change(-weight(self._parts))
            self._parts = {"data": {}, "metadata": {}, "artifacts": {}, "messages": []}
            self.quota.change(weight(self._parts))

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            if self.locked:
                raise BridgeError("the state is locked", code="locked")
            yield
