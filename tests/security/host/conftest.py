"""A granted directory in a hostile neighbourhood."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

SECRET = "the secret outside"


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Make ``granted`` (read and write), ``readable`` (read), ``one.txt`` (a granted file) and ``outside``."""
    world = tmp_path / "world"
    for name in ("granted/sub", "granted/empty", "readable", "outside/dir", "granted-not"):
        (world / name).mkdir(parents=True)
    (world / "outside" / "secret").write_text(SECRET)
    (world / "outside" / "dir" / "secret").write_text(SECRET)
    (world / "granted-not" / "secret").write_text(SECRET)
    (world / "one.txt.bak").write_text(SECRET)
    (world / "one.txt").write_text("one")
    (world / "granted" / "file").write_text("inside")
    (world / "granted" / "sub" / "file").write_text("inside")
    (world / "readable" / "file").write_text("inside")
    (world / "readable" / "full").mkdir()
    (world / "readable" / "full" / "x").touch()
    links = {
        "to-outside": "../outside",
        "to-secret": "../outside/secret",
        "to-secret-absolute": str(world / "outside" / "secret"),
        "to-root": "/",
        "to-proc": "/proc/self/environ",
        "to-proc-root": "/proc/self/root",
        "to-fd": "/dev/fd/0",
        "to-up": "..",
        "to-new": "../outside/new",
        "hop": "to-outside",
        "sub/deep": "../../outside/dir",
        "loop": "loop",
        "ping": "pong",
        "pong": "ping",
        "to-kmem": "/dev/mem",
    }
    for name, target in links.items():
        (world / "granted" / name).symlink_to(target)
    os.mkfifo(world / "granted" / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(world / "granted")
    try:
        listener.bind("socket")
    finally:
        os.chdir(here)
        listener.close()
    return world


@pytest.fixture
def outside_unchanged(world: Path) -> Iterator[None]:
    """Fail a test after which anything outside what is granted for writing is not as it was."""

    def snapshot() -> dict[str, bytes | None]:
        return {
            str(path.relative_to(world)): path.read_bytes() if path.is_file() else None
            for part in ("outside", "granted-not", "readable")
            for path in sorted((world / part).rglob("*"))
        } | {name: (world / name).read_bytes() for name in ("one.txt.bak",)}

    before = snapshot()
    names = sorted(os.listdir(world))
    yield
    assert snapshot() == before
    assert sorted(os.listdir(world)) == names
