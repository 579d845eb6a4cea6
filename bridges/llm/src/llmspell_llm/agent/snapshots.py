"""Snapshots of agents on disk: one file each, in a directory that the policy grants."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from llmspell.errors import BridgeError
from llmspell.guards import FilesGuard
from llmspell_llm.plain import dump, load

SUFFIX = ".snapshot"


class SnapshotError(BridgeError):
    """A snapshot cannot be kept or brought back: ``not_found``, ``not_data`` or ``snapshot_broken``."""

    code = "snapshot"
    exit_code = 12


class Shelf:
    """Keeps snapshots in a directory.

    Args:
        files: The one way to the file system.
        directory: A granted directory; it is made when something is saved.
    """

    def __init__(self, files: FilesGuard, directory: str) -> None:
        self._files = files
        self._directory = directory

    def save(self, agent: str, name: str, snapshot: dict[str, Any]) -> None:
        """Keep a snapshot: either the whole of it, or what was there before.

        Raises:
            SnapshotError: It holds a function or handle.
        """
        try:
            written = dump(snapshot)
        except ValueError as error:
            raise SnapshotError(
                f"the state of agent {agent!r} cannot be written down: {error}", code="not_data"
            ) from error
        self._files.mkdir(self._directory, parents=True, exist_ok=True)
        path = self._path(agent, name)
        self._files.write_bytes(f"{path}.new", written)
        self._files.rename(f"{path}.new", path, replace=True)

    def load(self, agent: str, name: str) -> dict[str, Any]:
        """Return a snapshot.

        Raises:
            SnapshotError: There is none, or the file is something else.
        """
        path = self._path(agent, name)
        if not self._files.exists(path):
            raise SnapshotError(f"agent {agent!r} has no snapshot {name!r} in {self._directory!r}", code="not_found")
        broken = SnapshotError(f"the file of snapshot {name!r} is damaged, or something else", code="snapshot_broken")
        written = self._files.read_bytes(path)
        try:
            snapshot = load(written)
        except ValueError as error:
            raise broken from error
        if not isinstance(snapshot, dict) or not isinstance(snapshot.get("saved_at"), int | float):
            raise broken
        return snapshot

    def list(self, agent: str) -> list[dict[str, Any]]:
        """Return ``{name, saved_at}`` of an agent's snapshots, the oldest first; times as the files have them."""
        if not self._files.exists(self._directory):
            return []
        start = f"{quote(agent, safe='')}+"
        found = [
            {"name": unquote(entry.name[len(start) : -len(SUFFIX)]), "saved_at": entry.modified}
            for entry in self._files.list(self._directory)
            if entry.kind == "file" and entry.name.startswith(start) and entry.name.endswith(SUFFIX)
        ]
        return sorted(found, key=lambda each: each["saved_at"])

    def delete(self, agent: str, name: str) -> bool:
        """Forget a snapshot; tell whether there was one."""
        path = self._path(agent, name)
        there = self._files.exists(path)
        if there:
            self._files.remove(path)
        return there

    def _path(self, agent: str, name: str) -> str:
        return f"{self._directory}/{quote(agent, safe='')}+{quote(name, safe='')}{SUFFIX}"
