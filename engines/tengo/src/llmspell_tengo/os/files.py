"""Files that a script holds open."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Literal

from llmspell.guards import FileInfo, FilesGuard
from llmspell.plugin import BridgeError, HostObject, export

READ_ONLY, WRITE_ONLY, READ_WRITE, APPEND, CREATE, EXCLUSIVE, SYNC, TRUNCATE = (
    0, 1, 2, 0x400, 0x40, 0x80, 0x101000, 0x200
)  # fmt: skip
"""Flags as Linux has them, on every system; ``runtime/os.lua`` repeats them."""

_KNOWN = WRITE_ONLY | READ_WRITE | APPEND | CREATE | EXCLUSIVE | SYNC | TRUNCATE

MOST_OPEN = 64
"""Files that a session may have open at once: their number is the whole host's."""

_LONGEST_READ = 16 * 1024 * 1024


def described(info: FileInfo) -> dict[str, Any]:
    """Return what scripts are told of a file."""
    return {
        "name": info.name,
        "size": info.size,
        "modified": int(info.modified * 1_000_000_000),
        "directory": info.kind == "directory",
    }


class OpenFile(HostObject):
    """A file open for reading or for writing, or a directory open for listing."""

    def __init__(self, owner: OpenFiles, files: FilesGuard, name: str, file: IO[bytes] | None) -> None:
        self._owner = owner
        self._files = files
        self._name = name
        self._file = file
        self._closed = False

    @export(blocking=True)
    def read(self, size: int) -> bytes:
        """Return the next bytes, ``size`` at most; none at the end."""
        with self._failures():
            return self._open_file().read(min(max(size, 0), _LONGEST_READ))

    @export(blocking=True)
    def write(self, data: bytes | str) -> int:
        """Write bytes, or a text as UTF-8; return how many bytes."""
        content = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        with self._failures():
            file = self._open_file()
            if file.tell() + len(content) > self._files.max_size:
                raise BridgeError(f"{self._name!r} would pass {self._files.max_size:,} bytes", code="too_large")
            return file.write(content)

    @export(blocking=True)
    def seek(self, offset: int, whence: int) -> int:
        """Go to a place, counted from the start (0), from here (1) or from the end (2); return where it is."""
        if whence not in (0, 1, 2):
            raise BridgeError(f"whence should be 0, 1 or 2, it is {whence}", code="invalid_argument")
        with self._failures():
            return self._open_file().seek(offset, whence)

    @export(blocking=True)
    def sync(self) -> bool:
        """Write through to the disk."""
        with self._failures():
            file = self._open_file()
            file.flush()
            os.fsync(file.fileno())
        return True

    @export(blocking=True)
    def stat(self) -> dict[str, Any]:
        """Tell of the file, as ``os.stat`` does."""
        self._must_be_open()
        if self._file is not None:
            with self._failures():
                self._file.flush()
        return described(self._files.stat(self._name))

    @export(blocking=True)
    def readdirnames(self, most: int) -> list[str]:
        """List the names in a directory, sorted; ``most`` of them, if it is above 0."""
        self._must_be_open()
        names = [info.name for info in self._files.list(self._name)]
        return names[:most] if most > 0 else names

    @export(blocking=True, name="close")
    def end(self) -> bool:
        """Close the file."""
        self._must_be_open()
        with self._failures():
            self._release()
        return True

    def close(self) -> None:
        """Close what the script left open."""
        if not self._closed:
            self._release()

    def _release(self) -> None:
        self._closed = True
        self._owner.forget(self)
        if self._file is not None:
            self._file.close()

    def _must_be_open(self) -> None:
        if self._closed:
            raise BridgeError(f"{self._name!r} is closed already", code="closed")

    def _open_file(self) -> IO[bytes]:
        self._must_be_open()
        if self._file is None:
            raise BridgeError(f"{self._name!r} is a directory", code="is_directory")
        return self._file

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            code = "no_space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "io"
            reason = "was not opened for that" if error.errno is None else "could not be used"
            raise BridgeError(f"{self._name!r} {reason}", code=code) from error


class OpenFiles:
    """The files that one session's scripts hold open."""

    def __init__(self) -> None:
        self._files: dict[int, OpenFile] = {}

    def open(self, guard: FilesGuard, name: str, flag: int) -> OpenFile:
        """Open a file by its flags.

        Raises:
            PolicyDeniedError: It is not granted.
            BridgeError: ``unsupported`` for what no guard holds, ``too_many_open``, ``not_found``, ``exists`` and the
                like.
        """
        if len(self._files) >= MOST_OPEN:
            raise BridgeError(f"at most {MOST_OPEN} files may be open at once; close some", code="too_many_open")
        file = _opened(guard, name, flag)
        opened = OpenFile(self, guard, name, file)
        self._files[id(opened)] = opened
        return opened

    def forget(self, file: OpenFile) -> None:
        """Count a file no more."""
        self._files.pop(id(file), None)

    def close(self) -> None:
        """Close all of them."""
        for file in list(self._files.values()):
            file.close()


def _opened(guard: FilesGuard, name: str, flag: int) -> IO[bytes] | None:
    if flag & ~_KNOWN:
        raise BridgeError(f"open_file knows no flag {flag & ~_KNOWN:#x}", code="invalid_argument")
    if flag & (READ_WRITE | WRITE_ONLY) == READ_ONLY:
        if flag & ~SYNC:
            raise BridgeError("a file opened for reading is neither made nor changed; add o_wronly", code="unsupported")
        return _for_reading(guard, name)
    if flag & READ_WRITE:
        raise BridgeError("a file is opened for reading or for writing, not both", code="unsupported")
    if not flag & CREATE and not guard.exists(name):
        if not guard.allows(name, write=True):
            guard.open(name, "wb")  # refuses
        raise BridgeError(f"there is no file or directory {name!r}", code="not_found")
    mode: Literal["xb", "ab", "wb"] = "xb" if flag & EXCLUSIVE and flag & CREATE else "ab" if flag & APPEND else "wb"
    file = guard.open(name, mode)
    if flag & TRUNCATE and mode != "xb":
        file.truncate(0)
    return file


def _for_reading(guard: FilesGuard, name: str) -> IO[bytes] | None:
    try:
        return guard.open(name)
    except BridgeError as error:
        if error.code == "is_directory":
            return None
        raise
