"""No bridge opens a file, a socket or a program but through the guards: read from the code of every bridge.

A use that is right all the same stands in ``ALLOWED`` with its reason, and no further.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = sorted(path for path in (ROOT / "bridges").glob("*/src/**/*.py"))

MODULES = {
    "aiohttp", "anthropic", "asyncio.subprocess", "ctypes", "dbm", "ddgs", "feedparser", "fileinput", "ftplib",
    "glob", "http.client", "http.server", "httpcore", "httpcore2", "httpx", "httpx2", "imaplib", "marshal",
    "mcp.client", "mmap", "multiprocessing", "openai", "pickle", "poplib", "psutil", "pty", "requests", "shelve",
    "shutil", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "tarfile", "telnetlib",
    "tempfile", "urllib.request", "urllib3", "webbrowser", "websockets", "xmlrpc", "zipfile", "zipimport",
}  # fmt: skip
"""Modules that reach the world by themselves."""

NAMES = {
    "__import__", "breakpoint", "compile", "eval", "exec", "input", "open",
}  # fmt: skip
"""Built-in functions that do."""

METHODS = {
    "access", "chmod", "chown", "environ", "environb", "execv", "execve", "exists", "expanduser", "fork",
    "getenv", "glob", "hardlink_to", "is_dir", "is_file", "iterdir", "kill", "link", "listdir", "lstat",
    "makedirs", "mkdir", "mkfifo", "mknod", "open", "popen", "posix_spawn", "putenv", "read_bytes", "read_text",
    "readlink", "realpath", "remove", "removedirs", "rename", "replace", "resolve", "rglob", "rmdir", "scandir",
    "spawnv", "startfile", "stat", "symlink", "symlink_to", "system", "touch", "truncate", "unlink", "utime",
    "walk", "write_bytes", "write_text",
}  # fmt: skip
"""Attributes of ``os``, ``os.path``, ``io`` and of paths that do."""

CALLS = {
    "BufferedReader", "FileHandler", "FileIO", "connect_tcp", "connect_unix", "create_connection",
    "create_datagram_endpoint", "create_server", "create_subprocess_exec", "create_subprocess_shell",
    "getaddrinfo", "open_connection", "open_file", "open_process", "open_unix_connection", "run_process",
    "start_server",
}  # fmt: skip
"""Calls, whoever's they are, that do."""

ALLOWED = {
    ("bridges/std/src/llmspell_std/state/vault.py", "import sqlite3"): (
        "SQLite opens by name only; the path comes from FilesGuard.unguarded_path or the operator's configuration"
    ),
    ("bridges/llm/src/llmspell_llm/workflow/checkpoints.py", "import sqlite3"): (
        "SQLite opens by name only; the path comes from FilesGuard.unguarded_path"
    ),
    ("bridges/toolbox/src/llmspell_toolbox/system/machine.py", "import psutil"): (
        "what tells of the machine is a bridge of its own, which no sandbox grants"
    ),
    ("bridges/toolbox/src/llmspell_toolbox/feed/reading.py", "import feedparser"): (
        "it is given a stream, never a text, which it could take for an address or a file"
    ),
    ("bridges/toolbox/src/llmspell_toolbox/web/engines.py", "import ddgs.engines"): (
        "an engine is made without its own client, and given one that goes through NetGuard"
    ),
    ("bridges/toolbox/src/llmspell_toolbox/web/engines.py", "import ddgs.engines.ENGINES"): "the same",
    ("bridges/llm/src/llmspell_llm/mcp/connection.py", "import mcp.client.client"): (
        "the protocol alone: its transport is ours, over a program of ProgramsGuard or a client of NetGuard"
    ),
    ("bridges/llm/src/llmspell_llm/mcp/connection.py", "import mcp.client.client.Client"): "the same",
    ("bridges/llm/src/llmspell_llm/mcp/connection.py", "import mcp.client.streamable_http"): (
        "it is given the client of NetGuard"
    ),
    ("bridges/llm/src/llmspell_llm/mcp/connection.py", "import mcp.client.streamable_http.streamable_http_client"): (
        "the same"
    ),
}
"""Single uses that are right."""

PLACES = {
    "bridges/llm/src/llmspell_llm/adapter/": (
        "the client of model providers, which the operator configures; it is not for addresses a script names"
    ),
    "bridges/local/src/llmspell_local/": (
        "the embedded model's weights and its server on loopback; no path or address of a script comes here"
    ),
}
"""Rooms that serve the operator and not the script."""


def uses(path: Path) -> Iterator[str]:
    """Yield each use of something that reaches the world."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    paths = path_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"import {alias.name}" for alias in node.names if reaches(alias.name))
        elif isinstance(node, ast.ImportFrom) and not node.level:
            module = node.module or ""
            yield from (f"import {module}" for _ in [0] if reaches(module))
            for alias in node.names:
                if module in ("os", "os.path", "io", "posix", "nt") and alias.name in METHODS:
                    yield f"{module}.{alias.name}"
                if reaches(f"{module}.{alias.name}"):
                    yield f"import {module}.{alias.name}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
            yield f"{node.func.id}()"
        elif isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            if owner in ("os", "os.path", "io", "posixpath", "posix") and node.attr in METHODS:
                yield f"{owner}.{node.attr}"
            elif node.attr in CALLS:
                yield f".{node.attr}"
            elif node.attr in METHODS and (owner.startswith(("Path(", "pathlib.Path(")) or owner in paths):
                yield f"Path.{node.attr}"


def reaches(module: str) -> bool:
    return any(module == known or module.startswith(known + ".") for known in MODULES)


def path_names(tree: ast.AST) -> set[str]:
    """Return the names that are paths, as far as annotations and assignments tell."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None and "Path" in ast.unparse(node.annotation):
            names.add(node.arg)
        elif isinstance(node, ast.AnnAssign) and "Path" in ast.unparse(node.annotation):
            names.add(ast.unparse(node.target))
        elif isinstance(node, ast.Assign) and ast.unparse(node.value).startswith(("Path(", "pathlib.Path(")):
            names.update(ast.unparse(target) for target in node.targets)
    return names


def test_there_are_bridges_to_read() -> None:
    assert len(SOURCES) > 50


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "bridges")))
def test_a_bridge_reaches_the_world_through_the_guards_alone(path: Path) -> None:
    place = str(path.relative_to(ROOT))
    if not place.startswith(tuple(PLACES)):
        assert [use for use in uses(path) if (place, use) not in ALLOWED] == []


def test_every_exception_is_still_needed() -> None:
    found = {(str(path.relative_to(ROOT)), use) for path in SOURCES for use in uses(path)}
    assert ALLOWED.keys() - found == set()
    assert [room for room in PLACES if not any(place.startswith(room) for place, _ in found)] == []


@pytest.mark.parametrize(
    ("code", "use"),
    [
        ("import socket", "import socket"),
        ("import urllib.request", "import urllib.request"),
        ("from urllib import request", "import urllib.request"),
        ("from subprocess import run", "import subprocess"),
        ("open('x')", "open()"),
        ("import os\nos.listdir('.')", "os.listdir"),
        ("from os import environ", "os.environ"),
        ("from pathlib import Path\nPath('x').read_text()", "Path.read_text"),
        ("from pathlib import Path\np = Path('x')\np.unlink()", "Path.unlink"),
        ("def f(p: Path): return p.exists()", "Path.exists"),
        ("import asyncio\nasyncio.open_connection('x', 1)", ".open_connection"),
        ("import httpx2", "import httpx2"),
        ("import logging\nlogging.FileHandler('x')", ".FileHandler"),
    ],
)
def test_the_reader_sees_what_it_should(code: str, use: str, tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(code)
    assert use in list(uses(path))
