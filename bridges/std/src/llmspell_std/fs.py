"""The ``fs`` bridge: files and directories, through the guard alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal

from llmspell.guards import FileInfo
from llmspell.plugin import Bridge, BridgeError, Call, export

_MAX_LINE = 1024 * 1024


class FsBridge(Bridge):
    """Read and write what the policy grants.

    A granted directory means all below it, a granted file exactly it. Relative paths start at the working directory.
    Texts are UTF-8.
    """

    name = "fs"
    permissions = ("read", "write")

    @export(blocking=True, permissions=("read",))
    def read(self, call: Call, path: str, *, encoding: str = "utf-8", limit: int | None = None) -> str:
        """Return a text file whole, or refuse it if it has more than ``limit`` bytes."""
        return call.files.read_text(path, encoding=encoding, limit=_positive(limit))

    @export(blocking=True, permissions=("read",))
    def read_bytes(self, call: Call, path: str, *, limit: int | None = None) -> bytes:
        """Return a file's bytes."""
        return call.files.read_bytes(path, limit=_positive(limit))

    @export(permissions=("read",))
    async def lines(self, call: Call, path: str, *, keep_ends: bool = False) -> AsyncGenerator[str, None]:
        """Read a text file line by line, without holding it whole."""
        import asyncio

        file = await asyncio.to_thread(call.files.open, path)
        try:
            number = 0
            while line := await asyncio.to_thread(file.readline, _MAX_LINE + 1):
                number += 1
                if len(line) > _MAX_LINE:
                    raise BridgeError(f"line {number} of {path!r} is longer than {_MAX_LINE:,} bytes", code="too_large")
                try:
                    text = line.decode("utf-8")
                except UnicodeDecodeError:
                    raise BridgeError(f"line {number} of {path!r} is not UTF-8 text", code="not_text") from None
                yield text if keep_ends else text.removesuffix("\n").removesuffix("\r")
        finally:
            file.close()

    @export(blocking=True, permissions=("write",))
    def write(self, call: Call, path: str, content: str | bytes, *, exclusive: bool = False) -> int:
        """Write a file, replacing what it held; return how many bytes. ``exclusive`` refuses if it exists."""
        if isinstance(content, bytes):
            return call.files.write_bytes(path, content, exclusive=exclusive)
        return call.files.write_text(path, content, exclusive=exclusive)

    @export(blocking=True, permissions=("write",))
    def append(self, call: Call, path: str, content: str | bytes) -> int:
        """Write at the end of a file, which is made if there is none; return how many bytes."""
        if isinstance(content, bytes):
            return call.files.write_bytes(path, content, append=True)
        return call.files.write_text(path, content, append=True)

    @export(blocking=True, permissions=("read",))
    def list_(self, call: Call, path: str = ".", *, recursive: bool = False) -> list[FileInfo]:
        """List a directory, sorted by name: ``{name, kind, size, modified}`` each. Links are not followed."""
        return call.files.list(path, recursive=recursive)

    @export(blocking=True, permissions=("read",))
    def exists(self, call: Call, path: str) -> bool:
        """Tell whether there is something at a granted path."""
        return call.files.exists(path)

    @export(blocking=True, permissions=("read",))
    def stat(self, call: Call, path: str) -> FileInfo:
        """Tell what a path is: ``{name, kind, size, modified}``."""
        return call.files.stat(path)

    @export(blocking=True, permissions=("read",))
    def is_file(self, call: Call, path: str) -> bool:
        """Tell whether a path is a file."""
        return _kind_is(call, path, "file")

    @export(blocking=True, permissions=("read",))
    def is_directory(self, call: Call, path: str) -> bool:
        """Tell whether a path is a directory."""
        return _kind_is(call, path, "directory")

    @export(blocking=True, permissions=("write",))
    def remove(self, call: Call, path: str, *, recursive: bool = False) -> None:
        """Remove a file or an empty directory; with ``recursive`` a directory with all in it."""
        call.files.remove(path, recursive=recursive)

    @export(blocking=True, permissions=("write",))
    def mkdir(self, call: Call, path: str, *, parents: bool = True, exist_ok: bool = True) -> None:
        """Make a directory, and those above it."""
        call.files.mkdir(path, parents=parents, exist_ok=exist_ok)

    @export(blocking=True, permissions=("write",))
    def move(self, call: Call, source: str, target: str, *, replace: bool = False) -> None:
        """Move a file or directory to another name."""
        call.files.rename(source, target, replace=replace)

    @export(blocking=True, permissions=("read", "write"))
    def copy(self, call: Call, source: str, target: str, *, replace: bool = False) -> int:
        """Copy a file; return how many bytes."""
        return call.files.write_bytes(target, call.files.read_bytes(source), exclusive=not replace)


def _kind_is(call: Call, path: str, kind: Literal["file", "directory"]) -> bool:
    return call.files.exists(path) and call.files.stat(path).kind == kind


def _positive(limit: int | None) -> int | None:
    if limit is not None and limit < 0:
        raise BridgeError("limit should not be negative", code="invalid_argument")
    return limit
