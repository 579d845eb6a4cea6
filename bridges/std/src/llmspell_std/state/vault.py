"""Where states are saved: in memory for the session, or in an SQLite file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from llmspell.plugin import BridgeError
from llmspell_std.data import jsontext
from llmspell_std.sizes import Quota

MAX_VERSIONS = 20
_APPLICATION = 0x6C6C7370
_TABLE = (
    "CREATE TABLE states (name TEXT NOT NULL, version INTEGER NOT NULL, document TEXT NOT NULL, "
    "saved REAL NOT NULL, expires REAL, PRIMARY KEY (name, version))"
)


@dataclass(frozen=True, slots=True)
class Version:
    """One saved version of a state. ``saved`` and ``expires`` are seconds since 1970."""

    name: str
    version: int
    saved: float
    expires: float | None = None


class Vault(Protocol):
    """Keeps documents by name, each save a new version, the last twenty of them."""

    def save(self, name: str, document: dict[str, Any]) -> int: ...
    def load(self, name: str, version: int | None = None) -> dict[str, Any] | None: ...
    def versions(self, name: str | None = None) -> list[Version]: ...
    def delete(self, name: str, version: int | None = None) -> int: ...
    def expire(self, name: str, seconds: float) -> bool: ...
    def cleanup(self, age: float) -> int: ...


class MemoryVault:
    """Keeps documents as JSON for as long as the session lives."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._saved: dict[str, list[tuple[Version, str]]] = {}

    def save(self, name: str, document: dict[str, Any]) -> int:
        text = jsontext.write(document)
        self._quota.change(len(text))
        known = self._saved.setdefault(name, [])
        number = known[-1][0].version + 1 if known else 1
        known.append((Version(name, number, time.time()), text))
        if len(known) > MAX_VERSIONS:
            self._quota.change(-len(known.pop(0)[1]))
        return number

    def load(self, name: str, version: int | None = None) -> dict[str, Any] | None:
        for found, text in reversed(self._living(name)):
            if version in (None, found.version):
                document: dict[str, Any] = jsontext.parse(text)
                return document
        return None

    def versions(self, name: str | None = None) -> list[Version]:
        names = list(self._saved) if name is None else [name]
        return [found for each in names for found, _ in self._living(each)]

    def delete(self, name: str, version: int | None = None) -> int:
        return self._drop(name, lambda found: version in (None, found.version))

    def expire(self, name: str, seconds: float) -> bool:
        known = self._living(name)
        until = time.time() + seconds
        self._saved[name] = [(Version(v.name, v.version, v.saved, until), text) for v, text in known]
        return bool(known)

    def cleanup(self, age: float) -> int:
        oldest = time.time() - age
        return sum(self._drop(name, lambda found: found.saved < oldest) for name in list(self._saved))

    def _living(self, name: str) -> list[tuple[Version, str]]:
        now = time.time()
        self._drop(name, lambda found: found.expires is not None and found.expires <= now)
        return self._saved.get(name, [])

    def _drop(self, name: str, unwanted: Any) -> int:
        known = self._saved.get(name, [])
        gone = [(found, text) for found, text in known if unwanted(found)]
        for _, text in gone:
            self._quota.change(-len(text))
        kept = [pair for pair in known if pair not in gone]
        if kept:
            self._saved[name] = kept
        else:
            self._saved.pop(name, None)
        return len(gone)


class SqliteVault:
    """Keeps documents in a file of its own kind; a file that is anything else is refused and left alone.

    Each call opens the file anew and closes it: nothing is held between calls, and several processes may share it.

    Args:
        path: A real path that was checked.
        max_size: Bytes the file may reach.
    """

    def __init__(self, path: str, max_size: int = 256 * 1024 * 1024) -> None:
        self._path = path
        self._max_size = max_size

    def save(self, name: str, document: dict[str, Any]) -> int:
        text = jsontext.write(document)
        with self._open() as db:
            row = db.execute("SELECT max(version) FROM states WHERE name = ?", (name,)).fetchone()
            number = int(row[0] or 0) + 1
            db.execute("INSERT INTO states VALUES (?, ?, ?, ?, NULL)", (name, number, text, time.time()))
            db.execute("DELETE FROM states WHERE name = ? AND version <= ?", (name, number - MAX_VERSIONS))
            return number

    def load(self, name: str, version: int | None = None) -> dict[str, Any] | None:
        with self._open() as db:
            row = db.execute(
                "SELECT document FROM states WHERE name = ? AND (? IS NULL OR version = ?) "
                "AND (expires IS NULL OR expires > ?) ORDER BY version DESC LIMIT 1",
                (name, version, version, time.time()),
            ).fetchone()
        document = None if row is None else jsontext.parse(str(row[0]))
        return document if isinstance(document, dict) else None

    def versions(self, name: str | None = None) -> list[Version]:
        with self._open() as db:
            rows = db.execute(
                "SELECT name, version, saved, expires FROM states WHERE (? IS NULL OR name = ?) "
                "AND (expires IS NULL OR expires > ?) ORDER BY name, version",
                (name, name, time.time()),
            ).fetchall()
        return [Version(*row) for row in rows]

    def delete(self, name: str, version: int | None = None) -> int:
        with self._open() as db:
            return db.execute(
                "DELETE FROM states WHERE name = ? AND (? IS NULL OR version = ?)", (name, version, version)
            ).rowcount

    def expire(self, name: str, seconds: float) -> bool:
        with self._open() as db:
            until = time.time() + seconds
            return db.execute("UPDATE states SET expires = ? WHERE name = ?", (until, name)).rowcount > 0

    def cleanup(self, age: float) -> int:
        now = time.time()
        with self._open() as db:
            return db.execute("DELETE FROM states WHERE saved < ? OR expires <= ?", (now - age, now)).rowcount

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=5, isolation_level=None)) as db:
                db.execute("PRAGMA trusted_schema = OFF")
                page = int(db.execute("PRAGMA page_size").fetchone()[0])
                db.execute(f"PRAGMA max_page_count = {self._max_size // page}")
                db.execute("BEGIN IMMEDIATE")
                self._prepare(db)
                yield db
                db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise BridgeError("there is no room left to save the state", code="no_space", exit_code=12) from error
            raise BridgeError("the file of saved states cannot be used now", code="io", exit_code=12) from error
        except sqlite3.DatabaseError as error:
            raise _not_ours() from error

    @staticmethod
    def _prepare(db: sqlite3.Connection) -> None:
        """Make the table in an empty file; refuse a file with anything else in it, such as a trigger."""
        schema = db.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        if not schema and db.execute("PRAGMA application_id").fetchone()[0] == 0:
            db.execute(f"PRAGMA application_id = {_APPLICATION}")
            db.execute(_TABLE)
            return
        known = [entry for entry in schema if entry[1] != "sqlite_autoindex_states_1"]
        if db.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION or known != [("table", "states", _TABLE)]:
            raise _not_ours()


def _not_ours() -> BridgeError:
    return BridgeError("the file holds something else than saved states", code="not_states", exit_code=12)
