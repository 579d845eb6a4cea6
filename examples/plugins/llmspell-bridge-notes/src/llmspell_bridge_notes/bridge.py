"""The bridge."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from llmspell.plugin import Bridge, BridgeContext, BridgeError, Call, ScriptFunction, export

_TABLE = (
    "CREATE TABLE IF NOT EXISTS note (owner TEXT, name TEXT, text TEXT, tags TEXT, changes INTEGER, "
    "PRIMARY KEY (owner, name))"
)


@dataclass(frozen=True)
class Note:
    """One note, as scripts see it."""

    name: str
    text: str
    tags: list[str]
    changes: int


class NotesBridge(Bridge):
    """Notes that spells keep and search."""

    name = "notes"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    async def open(self, context: BridgeContext) -> None:
        """Open the database that the configuration names, or one in memory."""
        path = str(context.config.get("path", ":memory:"))
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute(_TABLE)

    async def close(self) -> None:
        """Close the database."""
        if self._database is not None:
            self._database.close()

    async def health(self) -> dict[str, Any]:
        """Tell how many notes there are."""
        rows = self._query("SELECT count(*) FROM note")
        return {"ok": True, "notes": rows[0][0]}

    def _query(self, statement: str, *values: Any) -> list[Any]:
        assert self._database is not None, "the bridge is not open"
        with self._lock:
            return self._database.execute(statement, values).fetchall()

    @export(blocking=True)
    def add(self, call: Call, name: str, text: str, *, tags: list[str] | None = None) -> int:
        """Keep a note, or change it; return how often it was changed.

        Args:
            name: What the note is called.
            text: What it says.
            tags: Words to find it by.
        """
        if not name.strip():
            raise BridgeError("a note needs a name", code="invalid_name")
        rows = self._query(
            "INSERT INTO note VALUES (?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET text = excluded.text, "
            "tags = excluded.tags, changes = changes + 1 RETURNING changes",
            call.principal, name, text, json.dumps(tags or []),
        )  # fmt: skip
        return int(rows[0][0])

    @export(blocking=True)
    def read(self, call: Call, name: str) -> Note:
        """Return a note."""
        rows = self._query(
            "SELECT name, text, tags, changes FROM note WHERE owner = ? AND name = ?", call.principal, name
        )
        if not rows:
            raise BridgeError(f"there is no note named {name!r}", code="not_found", details={"name": name})
        return _note(rows[0])

    @export(blocking=True)
    def remove(self, call: Call, name: str) -> bool:
        """Remove a note; tell whether it was there."""
        rows = self._query("DELETE FROM note WHERE owner = ? AND name = ? RETURNING name", call.principal, name)
        return bool(rows)

    @export
    async def search(self, call: Call, words: str = "", *, tag: str | None = None) -> AsyncIterator[Note]:
        """Stream the notes that hold ``words``, by name."""
        rows = self._query(
            "SELECT name, text, tags, changes FROM note WHERE owner = ? AND instr(text, ?) ORDER BY name",
            call.principal, words,
        )  # fmt: skip
        for row in rows:
            call.checkpoint()
            note = _note(row)
            if tag is None or tag in note.tags:
                yield note

    @export
    async def each_changed(self, call: Call, function: ScriptFunction, *, at_least: int = 1) -> list[Any]:
        """Call a function with every note that was changed, and return what it returned."""
        rows = self._query(
            "SELECT name, text, tags, changes FROM note WHERE owner = ? AND changes >= ? ORDER BY name",
            call.principal, at_least,
        )  # fmt: skip
        return [await function(_note(row)) for row in rows]


def _note(row: Any) -> Note:
    name, text, tags, changes = row
    return Note(name, text, json.loads(tags), changes)
