"""Checkpoints on disk: one SQLite file a run, each step committed before the next begins.

The file is locked while the run goes on. The system gives the lock back when the process ends, however it ends.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from llmspell.errors import BridgeError
from llmspell_llm.plain import dump, load
from llmspell_llm.workflow.journal import INPUT, NestedJournal

SUFFIX = ".run.sqlite3"
MAX_OUTPUT = 16 * 1024 * 1024
MAX_FILE = 1024 * 1024 * 1024
_APPLICATION = 0x6C6C7377
_TABLE = "CREATE TABLE steps (place TEXT PRIMARY KEY, output BLOB NOT NULL, time REAL NOT NULL) WITHOUT ROWID"


class CheckpointError(BridgeError):
    """What a workflow has done cannot be written down or read.

    Its code is ``checkpoint_busy`` (the run goes on elsewhere), ``checkpoint_broken`` (the file is something else),
    ``checkpoint_input`` (the run began with another input), ``not_data`` or ``checkpoint``.
    """

    code = "checkpoint"
    exit_code = 12


def file_name(workflow: str, run: str) -> str:
    """Return the name of a run's file.

    Raises:
        CheckpointError: The names are too long for one.

    Example:
        >>> file_name("nightly", "2026/11/28")
        'nightly+2026%2F11%2F28.run.sqlite3'
    """
    name = f"{quote(workflow, safe='')}+{quote(run, safe='')}{SUFFIX}"
    if len(name) > 240:
        raise CheckpointError("the names of a workflow and its run are too long for the name of a file")
    return name


def names_of(file: str) -> tuple[str, str] | None:
    """Return the workflow and the run that a file's name tells, or None if it is none of ours."""
    workflow, plus, run = file.removesuffix(SUFFIX).partition("+")
    return (unquote(workflow), unquote(run)) if plus and file.endswith(SUFFIX) else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an unfinished run is. Times in seconds since 1970."""

    steps: int
    began: float
    last: float


class SqliteJournal:
    """Keeps a run in a file of its own, from :meth:`open` to :meth:`close`.

    Args:
        path: A real path that was checked.
        run: The run's id, for messages.
    """

    def __init__(self, path: str, run: str) -> None:
        self._path = path
        self._run = run
        self._turn = asyncio.Lock()
        self._db: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Take the file, which is made if there is none.

        Raises:
            CheckpointError: Another has it, or it is no such file.
        """
        work = asyncio.ensure_future(asyncio.to_thread(self._opened))
        try:
            self._db = await asyncio.shield(work)
        except asyncio.CancelledError:
            for opened in await asyncio.gather(work, return_exceptions=True):
                if isinstance(opened, sqlite3.Connection):
                    opened.close()
            raise

    async def begin(self, input: Any) -> Any:
        """Return the input the run first began with.

        Raises:
            CheckpointError: It began with another than is given now.
        """
        found, first = await self.find(INPUT)
        if not found:
            await self.note(INPUT, input)
            return input
        if input is not None and input != first:
            raise CheckpointError(
                f"run {self._run!r} began with another input",
                code="checkpoint_input",
                hint="give the same input or none, or another run_id for a new run",
            )
        return first

    async def find(self, place: str) -> tuple[bool, Any]:
        rows = await self._do("SELECT output FROM steps WHERE place = ?", place)
        return (True, self._plain(rows[0][0])) if rows else (False, None)

    async def note(self, place: str, output: Any) -> None:
        what = "the input" if place == INPUT else f"the output of step {place!r}"
        try:
            written = dump(output)
        except ValueError as error:
            raise CheckpointError(f"{what} cannot be written down: {error}", code="not_data") from error
        if len(written) > MAX_OUTPUT:
            raise CheckpointError(f"{what} is larger than {MAX_OUTPUT:,} bytes")
        await self._do("INSERT OR REPLACE INTO steps VALUES (?, ?, ?)", place, written, time.time())

    async def progress(self) -> Progress:
        """Tell how far the run is."""
        rows = await self._do("SELECT count(*), min(time), max(time) FROM steps WHERE place NOT LIKE '%>'")
        began = await self._do("SELECT time FROM steps WHERE place = ?", INPUT)
        count, first, last = rows[0]
        start = began[0][0] if began else first or 0.0
        return Progress(count, start, last or start)

    async def finish(self) -> None:
        """Forget what was done."""
        await self._do("DELETE FROM steps")

    def within(self, place: str) -> NestedJournal:
        return NestedJournal(self, place)

    async def close(self) -> None:
        """Give the file back."""
        async with self._turn:
            db, self._db = self._db, None
            if db is not None:
                await asyncio.to_thread(db.close)

    async def _do(self, statement: str, *values: Any) -> list[Any]:
        async with self._turn:
            assert self._db is not None
            work = asyncio.ensure_future(asyncio.to_thread(self._execute, self._db, statement, values))
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                await asyncio.gather(work, return_exceptions=True)  # the connection is free only then
                raise

    def _execute(self, db: sqlite3.Connection, statement: str, values: tuple[Any, ...]) -> list[Any]:
        try:
            return db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _opened(self) -> sqlite3.Connection:
        db = None
        try:
            db = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
            db.execute("PRAGMA trusted_schema = OFF")
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            page = int(db.execute("PRAGMA page_size").fetchone()[0])
            db.execute(f"PRAGMA max_page_count = {MAX_FILE // page}")
            db.execute("BEGIN EXCLUSIVE")
            self._prepare(db)
            db.execute("COMMIT")
        except BaseException as error:
            if db is not None:
                db.close()
            if isinstance(error, sqlite3.Error):
                raise self._failure(error) from error
            raise
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        """Make the table in an empty file; refuse a file with anything else in it, such as a trigger."""
        schema = db.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        if not schema and db.execute("PRAGMA application_id").fetchone()[0] == 0:
            db.execute(f"PRAGMA application_id = {_APPLICATION}")
            db.execute(_TABLE)
        elif db.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION or schema != [
            ("table", "steps", _TABLE)
        ]:
            raise self._broken()

    def _plain(self, written: Any) -> Any:
        try:
            return load(written)
        except ValueError as error:
            raise self._broken() from error

    def _failure(self, error: sqlite3.Error) -> CheckpointError:
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return CheckpointError(f"run {self._run!r} is going on elsewhere", code="checkpoint_busy")
        if code is not None and code & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return self._broken()
        if code == sqlite3.SQLITE_FULL:
            return CheckpointError(f"there is no room left for the checkpoints of run {self._run!r}")
        return CheckpointError(f"the checkpoints of run {self._run!r} cannot be used: {error}")

    def _broken(self) -> CheckpointError:
        return CheckpointError(
            f"the file of run {self._run!r} holds something else than checkpoints, or is damaged; it was left alone",
            code="checkpoint_broken",
            hint="move the file away, or discard the checkpoint, and the run begins anew",
        )
