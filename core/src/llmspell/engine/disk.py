"""The disk layer of a program cache: one checksummed file a program, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmspell.engine.cache import ProgramKey

_MAGIC = b"llmspell-program-1\n"
_SUFFIX = ".program"
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def user_cache_directory() -> Path:
    """Return where this user's programs are kept; nothing is created."""
    from platformdirs import user_cache_path

    return user_cache_path("llmspell") / "programs"


class DiskLayer:
    """Programs in a directory of the user's own.

    A program is executed when it is loaded, so the directory must be ours alone: it is created for the owner only,
    and what somebody else owns or may write is not read. Checksums find damage, not malice.

    Failures of the disk are never errors of a run: a program that cannot be read or written is made anew.

    Args:
        directory: Created when first written to; by default :func:`user_cache_directory`.
        max_bytes: Of all files together; the longest unused go first.
        ttl: Seconds a file stays good after it was written or last read; None for ever.
    """

    def __init__(
        self, directory: Path | None = None, *, max_bytes: int = 256 * 1024 * 1024, ttl: float | None = 30 * 86400
    ) -> None:
        self.directory = directory if directory is not None else user_cache_directory()
        self._max_bytes = max_bytes
        self._ttl = ttl

    def read(self, key: ProgramKey) -> bytes | None:
        """Return what was written under ``key``, or None if it is absent, old, damaged or not ours."""
        path = self._path(key)
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not _is_ours(status) or not stat.S_ISREG(status.st_mode):
                return None
            old = self._ttl is not None and time.time() - status.st_mtime > self._ttl
            raw = b"" if old else file.read()
        payload = _unseal(raw, key)
        if payload is None:
            self.remove(key)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return payload

    def write(self, key: ProgramKey, payload: bytes) -> bool:
        """Write a program; tell whether it is there now."""
        if len(payload) > self._max_bytes:
            return False
        path = self._path(key)
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_ours(self.directory.stat()):
                return False
            import tempfile

            descriptor, temporary = tempfile.mkstemp(prefix=".", dir=self.directory)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(_seal(payload, key))
                os.replace(temporary, path)
            except OSError:
                os.unlink(temporary)
                raise
        except OSError:
            return False
        self._make_room()
        return True

    def remove(self, key: ProgramKey) -> None:
        """Remove a program, if it is there."""
        with contextlib.suppress(OSError):
            self._path(key).unlink()

    def _path(self, key: ProgramKey) -> Path:
        return self.directory / (hashlib.sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest() + _SUFFIX)

    def _make_room(self) -> None:
        with contextlib.suppress(OSError):
            files = []
            for entry in os.scandir(self.directory):
                if entry.name.endswith(_SUFFIX):
                    with contextlib.suppress(FileNotFoundError):
                        files.append((entry.stat().st_mtime_ns, entry.stat().st_size, entry.path))
            total = sum(size for _, size, _ in files)
            for _, size, path in sorted(files):
                if total <= self._max_bytes:
                    break
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
                total -= size


def _is_ours(status: os.stat_result) -> bool:
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & _OTHERS)


def _seal(payload: bytes, key: ProgramKey) -> bytes:
    return _MAGIC + _checksum(payload, key) + payload


def _unseal(raw: bytes, key: ProgramKey) -> bytes | None:
    head = len(_MAGIC) + hashlib.sha256().digest_size
    payload = raw[head:]
    if not raw.startswith(_MAGIC) or raw[len(_MAGIC) : head] != _checksum(payload, key):
        return None
    return payload


def _checksum(payload: bytes, key: ProgramKey) -> bytes:
    """Cover the key too, so that a file under a wrong name is not taken for another program."""
    return hashlib.sha256("\0".join(key).encode("utf-8", "surrogatepass") + b"\0" + payload).digest()
