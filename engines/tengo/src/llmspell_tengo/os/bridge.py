"""``OsBridge``: one export for each function of the module that reaches anything."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import Any

from llmspell.guards import FilesGuard
from llmspell.plugin import Bridge, BridgeContext, BridgeError, Call, export
from llmspell_tengo.os import environment
from llmspell_tengo.os.files import OpenFile, OpenFiles, described

MOST_OUTPUT = 16 * 1024 * 1024
"""Bytes a program may write, before it is ended."""


class OsBridge(Bridge):
    """Files, environment and programs, as Tengo's ``os`` names them.

    Files need the grants ``read`` and ``write``, variables ``env``, programs ``subprocess``; to be granted the bridge
    itself opens only what tells about the host (``hostname``, ``getpid`` and the like). Functions that would change the
    host's own process, or what a guard of llmspell cannot hold, fail with the code ``unsupported``.
    """

    name = "os"
    permissions = ("read", "write", "env", "subprocess")

    def __init__(self) -> None:
        self._environ: Mapping[str, str] = {}
        self._open = OpenFiles()

    async def open(self, context: BridgeContext) -> None:
        """Take the environment that grants may show."""
        self._environ = context.environ

    async def close(self) -> None:
        """Close what scripts left open."""
        self._open.close()

    # Files

    @export(blocking=True, permissions=("read",))
    def read_file(self, call: Call, name: str) -> bytes:
        """Return a file's bytes."""
        return call.files.read_bytes(name)

    @export(blocking=True, permissions=("read",))
    def stat(self, call: Call, name: str) -> dict[str, Any]:
        """Tell name, size in bytes, time of change in nanoseconds since 1970, and whether it is a directory."""
        return described(call.files.stat(name))

    @export(blocking=True, permissions=("read", "write"))
    def open_file(self, call: Call, name: str, flag: int, perm: int) -> OpenFile:
        """Open a file, or for reading a directory; ``flag`` is a sum of ``O_`` constants, ``perm`` is not used."""
        return self._open.open(call.files, name, flag)

    @export(blocking=True, permissions=("write",))
    def mkdir(self, call: Call, name: str, perm: int) -> bool:
        """Make a directory; ``perm`` is not used."""
        call.files.mkdir(name)
        return True

    @export(blocking=True, permissions=("write",))
    def mkdir_all(self, call: Call, name: str, perm: int) -> bool:
        """Make a directory and those above it, unless they are there; ``perm`` is not used."""
        call.files.mkdir(name, parents=True, exist_ok=True)
        return True

    @export(blocking=True, permissions=("write",))
    def remove(self, call: Call, name: str) -> bool:
        """Remove a file or an empty directory."""
        call.files.remove(name)
        return True

    @export(blocking=True, permissions=("write",))
    def remove_all(self, call: Call, name: str) -> bool:
        """Remove a file, or a directory with all in it; nothing there is no failure."""
        if call.files.exists(name):
            call.files.remove(name, recursive=True)
        return True

    @export(blocking=True, permissions=("write",))
    def rename(self, call: Call, oldpath: str, newpath: str) -> bool:
        """Move a file or directory to another name, in place of a file that has it."""
        call.files.rename(oldpath, newpath, replace=True)
        return True

    @export(blocking=True, permissions=("write",))
    def truncate(self, call: Call, name: str, size: int) -> bool:
        """Make a file that long: cut off, or filled up with zeros."""
        _truncate(call.files, name, size)
        return True

    # The environment

    @export(permissions=("env",))
    def getenv(self, call: Call, name: str) -> str:
        """Return a variable's value; empty if it is not set."""
        return environment.lookup(self._environ, call.policy.grants, name) or ""

    @export(permissions=("env",))
    def lookup_env(self, call: Call, name: str) -> str | bool:
        """Return a variable's value, or false if it is not set."""
        value = environment.lookup(self._environ, call.policy.grants, name)
        return False if value is None else value

    @export(permissions=("env",))
    def environ(self, call: Call) -> list[str]:
        """List all granted variables that are set, as ``NAME=value``."""
        shown = environment.granted(self._environ, call.policy.grants)
        return [f"{name}={value}" for name, value in sorted(shown.items())]

    @export(permissions=("env",))
    def expand_env(self, call: Call, text: str) -> str:
        """Put the values of variables in place of ``$name`` and ``${name}``."""
        return environment.expand(self._environ, call.policy.grants, text)

    # Programs

    @export(permissions=("subprocess",))
    def exec_look_path(self, call: Call, file: str) -> str:
        """Return where a granted program is."""
        return call.programs.find(file)

    @export(permissions=("subprocess",))
    async def execute(self, call: Call, name: str, args: list[str], directory: str = "") -> dict[str, Any]:
        """Run a granted program to its end: ``{status, output, errors}``. Its input is empty.

        Args:
            directory: Where it runs, which must be granted for reading.
        """
        done = await call.programs.run(name, args, directory=directory or None, max_output=MOST_OUTPUT)
        if done.truncated:
            raise BridgeError(f"the program wrote more than {MOST_OUTPUT:,} bytes", code="too_large")
        return {"status": done.status, "output": done.stdout, "errors": done.stderr}

    # What the host is like

    @export
    def getwd(self) -> str:
        """Return the directory at which relative paths start."""
        return os.getcwd()

    @export
    def temp_dir(self) -> str:
        """Return the directory for temporary files; writing there needs its grant."""
        return tempfile.gettempdir()

    @export
    def hostname(self) -> str:
        """Return the host's name."""
        import socket

        return socket.gethostname()

    @export
    def getpid(self) -> int:
        """Return the number of the host's process."""
        return os.getpid()

    @export
    def getppid(self) -> int:
        """Return the number of the process that started the host's."""
        return os.getppid()

    @export
    def getuid(self) -> int:
        """Return the user the host's process belongs to; -1 where users have no numbers."""
        return _number("getuid")

    @export
    def geteuid(self) -> int:
        """Return the user the host's process acts as; -1 where users have no numbers."""
        return _number("geteuid")

    @export
    def getgid(self) -> int:
        """Return the group the host's process belongs to; -1 where groups have no numbers."""
        return _number("getgid")

    @export
    def getegid(self) -> int:
        """Return the group the host's process acts as; -1 where groups have no numbers."""
        return _number("getegid")

    @export
    def getgroups(self) -> list[int]:
        """Return all groups the host's process belongs to."""
        return list(os.getgroups()) if hasattr(os, "getgroups") else []

    @export
    def getpagesize(self) -> int:
        """Return the bytes of a page of memory."""
        import mmap

        return mmap.PAGESIZE


def _truncate(files: FilesGuard, name: str, size: int) -> None:
    if not 0 <= size <= files.max_size:
        raise BridgeError(f"size should be from 0 to {files.max_size:,}, it is {size:,}", code="invalid_argument")
    if not files.exists(name):
        raise BridgeError(f"there is no file or directory {name!r}", code="not_found")
    with files.open(name, "ab") as file:
        file.truncate(size)


def _number(function: str) -> int:
    ask = getattr(os, function, None)
    return -1 if ask is None else int(ask())
