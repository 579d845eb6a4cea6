"""A granted directory in a hostile neighbourhood."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from defences import Defence, Edit

from llmspell.errors import LlmspellError
from llmspell.guards import FilesGuard, files, paths, walk
from llmspell.guards.paths import Roots
from llmspell.policy import Grants

SECRET = "the secret outside"


def guard(world: Path) -> FilesGuard:
    granted = world / "granted"
    granted.mkdir()
    (world / "outside").mkdir()
    (world / "outside" / "secret").write_text(SECRET)
    (granted / "link").symlink_to(world / "outside")
    (granted / "file").write_text("x" * 100)
    return FilesGuard(Grants(read=frozenset({str(granted)})), base=str(granted), max_size=50)


def attack(path: str) -> Callable[[Path], bool]:
    def attempt(world: Path) -> bool:
        try:
            return guard(world).read_text(path) == SECRET
        except LlmspellError:
            return False

    return attempt


def swapped(world: Path) -> bool:
    """Put a link in the place of a file after the way to it was walked."""
    guarded = guard(world)
    target = world / "granted" / "file"
    with guarded._place("file", "read") as place:
        target.unlink()
        target.symlink_to(world / "outside" / "secret")
        try:
            descriptor = place.open(os.O_RDONLY)
        except OSError:
            return False
        with os.fdopen(descriptor, "rb") as file:
            return file.read() == SECRET.encode()


def environment_of_the_host(_: Path) -> bool:
    everything = FilesGuard(Grants(read=frozenset({"/"})))
    try:
        return bool(everything.read_bytes("/proc/self/environ"))
    except LlmspellError:
        return False


def waits_in_a_pipe(world: Path) -> bool:
    guarded = guard(world)
    os.mkfifo(world / "granted" / "pipe")
    try:
        guarded.read_bytes("pipe")
    except LlmspellError:
        return False
    return True


def too_large(world: Path) -> bool:
    try:
        return len(guard(world).read_bytes("file")) == 100
    except LlmspellError:
        return False


DEFENCES = [
    Defence("what a path is granted by", attack("../outside/secret"),
            (Edit(Roots.locate, "return None", "return path"),)),
    Defence("links that lead out", attack("link/secret"),
            (Edit(walk.walk_descriptors, "raise LeadsOut", "located = found"),)),
    Defence("directories opened without following", attack("link/secret"),
            (Edit(walk._descend, "_DIRECTORY | _NOFOLLOW", "_DIRECTORY"),)),
    Defence("files opened without following", swapped,
            (Edit(walk.Place.open, "flags |= _NOFOLLOW | ", "flags |= "),)),
    Defence("the kernel's own trees", environment_of_the_host,
            (Edit(paths._kernel_tree, "return next", "return None and next"),)),
    Defence("files that are no files", waits_in_a_pipe,
            (Edit(files._must_be_file, 'if kind != "file"', "if False"),)),
    Defence("the size of a file", too_large,
            (Edit(FilesGuard._open, 'mode == "rb" and now.st_size > self.max_size', "False"),
             Edit(FilesGuard.read_bytes, "if len(content) > most", "if False"),
             Edit(FilesGuard.read_bytes, "min(size, most) + 1", "size"),)),
]  # fmt: skip
