"""Paths that a hostile script may give, each with the code of its refusal. Nothing outside is read or changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmspell.errors import BridgeError, LlmspellError, PolicyDeniedError
from llmspell.guards import FilesGuard
from llmspell.guards.paths import checked_path
from llmspell.guards.walk import Walker, walk_descriptors, walk_names
from llmspell.policy import Grants

SECRET = "the secret outside"
WALKERS = [pytest.param(walk_descriptors, id="descriptors"), pytest.param(walk_names, id="names")]


@dataclass(frozen=True)
class Vector:
    """``{world}`` in the path is the directory above what is granted; relative paths start in ``granted``."""

    path: str
    operation: str
    code: str


READS = [
    Vector("..", "list", "denied"),
    Vector("../outside/secret", "read", "denied"),
    Vector("./../outside/secret", "read", "denied"),
    Vector("sub/../../outside/secret", "read", "denied"),
    Vector("no/such/../../../outside/secret", "read", "denied"),
    Vector("sub/./.././../outside/secret", "read", "denied"),
    Vector("//..//outside//secret", "read", "denied"),
    Vector("../granted/../outside/secret", "read", "denied"),
    Vector("../granted-not/secret", "read", "denied"),
    Vector("../one.txt.bak", "read", "denied"),
    Vector("../one.txt/../outside/secret", "read", "denied"),
    Vector("../one.txt/x", "read", "not_directory"),
    Vector("{world}/outside/secret", "read", "denied"),
    Vector("{world}/granted/../outside/secret", "read", "denied"),
    Vector("//{world}/outside/secret", "read", "denied"),
    Vector("{world}", "list", "denied"),
    Vector("/", "list", "denied"),
    Vector("/etc/passwd", "read", "denied"),
    Vector("/etc/shadow", "exists", "denied"),
    Vector("/no/such/place", "exists", "denied"),
    Vector("/proc/self/environ", "read", "denied"),
    Vector("/proc/self/mem", "read", "denied"),
    Vector("/proc/self/fd/0", "read", "denied"),
    Vector("/proc/self/root/etc/passwd", "read", "denied"),
    Vector("/proc/self/cwd/file", "read", "denied"),
    Vector("/dev/stdin", "read", "denied"),
    Vector("/dev/zero", "read", "denied"),
    Vector("/sys/kernel/notes", "read", "denied"),
    Vector("~/.ssh/id_rsa", "read", "not_found"),
    Vector("~root/.bashrc", "read", "not_found"),
    Vector("$HOME/.bashrc", "read", "not_found"),
    Vector("file:///etc/passwd", "read", "not_found"),
    Vector("..\\outside\\secret", "read", "not_found"),
    Vector("%2e%2e/outside/secret", "read", "not_found"),
    Vector("..%2foutside%2fsecret", "read", "not_found"),
    Vector("．．/outside/secret", "read", "not_found"),
    Vector("..\u2215outside\u2215secret", "read", "not_found"),
    Vector("..;/outside/secret", "read", "not_found"),
    Vector(".../outside/secret", "read", "not_found"),
    Vector("to-outside/secret", "read", "denied"),
    Vector("to-outside", "list", "denied"),
    Vector("to-outside/../file", "read", "inside"),
    Vector("to-secret", "read", "denied"),
    Vector("to-secret", "stat", "denied"),
    Vector("to-secret", "exists", "denied"),
    Vector("to-secret-absolute", "read", "denied"),
    Vector("to-root/etc/passwd", "read", "denied"),
    Vector("to-proc", "read", "denied"),
    Vector("to-proc-root/etc/passwd", "read", "denied"),
    Vector("to-fd", "read", "denied"),
    Vector("to-kmem", "read", "denied"),
    Vector("to-up/outside/secret", "read", "denied"),
    Vector("to-up", "list", "denied"),
    Vector("hop/secret", "read", "denied"),
    Vector("sub/deep/secret", "read", "denied"),
    Vector("loop", "read", "link_loop"),
    Vector("ping", "read", "link_loop"),
    Vector("loop/file", "read", "link_loop"),
    Vector("fifo", "read", "special_file"),
    Vector("socket", "read", "special_file"),
    Vector("sub", "read", "is_directory"),
    Vector("file", "list", "not_directory"),
    Vector("file/", "list", "not_directory"),
    Vector("file/..", "read", "is_directory"),
    Vector("", "read", "invalid_path"),
    Vector("\0", "read", "invalid_path"),
    Vector("file\0", "read", "invalid_path"),
    Vector("file\0.txt", "read", "invalid_path"),
    Vector("../outside/secret\0.txt", "read", "invalid_path"),
    Vector("\ud800", "read", "invalid_path"),
    Vector("a" * 300, "read", "invalid_path"),
    Vector("a/" * 3000, "read", "invalid_path"),
    Vector("../" * 1000 + "etc/passwd", "read", "denied"),
]
WRITES = [
    Vector("../outside/secret", "write", "denied"),
    Vector("../outside/new", "write", "denied"),
    Vector("{world}/outside/new", "write", "denied"),
    Vector("../readable/file", "write", "denied"),
    Vector("../readable/file", "append", "denied"),
    Vector("../one.txt", "write", "denied"),
    Vector("to-secret", "write", "denied"),
    Vector("to-secret", "append", "denied"),
    Vector("to-secret", "exclusive", "denied"),
    Vector("to-new", "write", "denied"),
    Vector("to-outside/new", "write", "denied"),
    Vector("hop/secret", "append", "denied"),
    Vector("to-kmem", "write", "denied"),
    Vector("fifo", "write", "special_file"),
    Vector("socket", "write", "special_file"),
    Vector("sub", "write", "is_directory"),
    Vector("/dev/null", "write", "denied"),
    Vector("/proc/self/comm", "write", "denied"),
    Vector("../outside/new", "mkdir", "denied"),
    Vector("to-outside/new/deep", "mkdir", "denied"),
    Vector("../outside/secret", "remove", "denied"),
    Vector("to-outside/secret", "remove", "denied"),
    Vector("to-outside/dir", "rmtree", "denied"),
    Vector("../readable/full", "rmtree", "denied"),
    Vector("../readable/file", "remove", "denied"),
    Vector(".", "rmtree", "denied"),
    Vector("{world}/granted", "rmtree", "denied"),
    Vector("sub/..", "rmtree", "denied"),
    Vector("..", "rmtree", "denied"),
    Vector("/", "rmtree", "denied"),
    Vector("to-secret", "move-from", "special_file"),
    Vector("../outside/secret", "move-from", "denied"),
    Vector("../readable/file", "move-from", "denied"),
    Vector(".", "move-from", "denied"),
    Vector("../outside/new", "move-to", "denied"),
    Vector("to-outside/new", "move-to", "denied"),
    Vector("../readable/new", "move-to", "denied"),
    Vector("../one.txt.bak", "move-to", "denied"),
    Vector("\0", "write", "invalid_path"),
    Vector("a" * 300, "mkdir", "invalid_path"),
]

OPERATIONS: dict[str, Callable[[FilesGuard, str], object]] = {
    "read": lambda guard, path: guard.read_text(path),
    "list": lambda guard, path: guard.list(path),
    "stat": lambda guard, path: guard.stat(path),
    "exists": lambda guard, path: guard.exists(path),
    "write": lambda guard, path: guard.write_text(path, "changed"),
    "append": lambda guard, path: guard.write_text(path, "changed", append=True),
    "exclusive": lambda guard, path: guard.write_text(path, "changed", exclusive=True),
    "mkdir": lambda guard, path: guard.mkdir(path, parents=True),
    "remove": lambda guard, path: guard.remove(path),
    "rmtree": lambda guard, path: guard.remove(path, recursive=True),
    "move-from": lambda guard, path: guard.rename(path, "moved"),
    "move-to": lambda guard, path: guard.rename("file", path, replace=True),
}


def guard_of(world: Path, walk: Walker) -> FilesGuard:
    grants = Grants(
        read=frozenset(str(world / name) for name in ("granted", "readable", "one.txt")),
        write=frozenset({str(world / "granted")}),
    )
    return FilesGuard(grants, base=str(world / "granted"), walk=walk)


def name_of(vector: Vector) -> str:
    return f"{vector.operation}-{vector.path[:40]!r}"


@pytest.mark.parametrize("walk", WALKERS)
@pytest.mark.parametrize("vector", READS + WRITES, ids=name_of)
def test_every_path_meets_its_answer(vector: Vector, walk: Walker, world: Path, outside_unchanged: None) -> None:
    guard = guard_of(world, walk)
    path = vector.path.replace("{world}", str(world))
    if vector.code == "inside":
        assert OPERATIONS[vector.operation](guard, path) == "inside"
        return
    with pytest.raises(PolicyDeniedError if vector.code == "denied" else BridgeError) as caught:
        OPERATIONS[vector.operation](guard, path)
    assert caught.value.code == vector.code
    if "{world}" not in vector.path:
        assert str(world) not in f"{caught.value.message} {caught.value.hint}", "a path of the host is shown"


def test_there_are_enough_vectors() -> None:
    assert len({(vector.path, vector.operation) for vector in READS + WRITES}) >= 100


@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc/1/environ", "/sys/kernel", "/dev/null", "/proc"])
def test_granting_everything_leaves_out_the_kernels_own_trees(path: str) -> None:
    guard = FilesGuard(Grants(read=frozenset({"/"}), write=frozenset({"/"})))
    for operation in ("read", "list", "stat", "write"):
        with pytest.raises(PolicyDeniedError):
            OPERATIONS[operation](guard, path)


def test_a_link_to_the_kernels_trees_is_refused_even_when_everything_is_granted(world: Path) -> None:
    guard = FilesGuard(Grants(read=frozenset({"/"})), base=str(world / "granted"))
    with pytest.raises(PolicyDeniedError):
        guard.read_text("to-proc")
    with pytest.raises(PolicyDeniedError):
        guard.read_text("to-fd")


def test_a_kernel_file_can_be_granted_by_name() -> None:
    assert "Linux" in FilesGuard(Grants(read=frozenset({"/proc/version"}))).read_text("/proc/version")


@pytest.mark.parametrize("walk", WALKERS)
def test_a_refusal_tells_nothing_about_what_exists(world: Path, walk: Walker) -> None:
    guard = guard_of(world, walk)
    said = []
    for path in ("../outside/secret", "../outside/absent"):
        with pytest.raises(PolicyDeniedError) as caught:
            guard.read_text(path)
        said.append(caught.value.message.replace(path, "PATH"))
    assert said[0] == said[1]


@pytest.mark.parametrize("walk", WALKERS)
def test_a_granted_directory_cannot_be_swapped_for_a_link(tmp_path: Path, walk: Walker) -> None:
    """A script that may write above a root moves things so that the root's name leads elsewhere: no run after
    it, with a guard of its own, may follow."""
    (tmp_path / "data" / "a" / "b").mkdir(parents=True)
    (tmp_path / "data" / "trap").mkdir()
    (tmp_path / "data" / "trap" / "b").symlink_to(tmp_path / "outside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text(SECRET)
    grants = Grants(read=frozenset({str(tmp_path / "data" / "a" / "b")}), write=frozenset({str(tmp_path / "data")}))
    first = FilesGuard(grants, base=str(tmp_path / "data"), walk=walk)
    for attempt in (
        lambda: first.rename("a", "z"),
        lambda: first.rename("a/b", "z"),
        lambda: first.rename("trap", "a", replace=True),
        lambda: first.remove("a/b"),
        lambda: first.remove("a", recursive=True),
    ):
        with pytest.raises(PolicyDeniedError):
            attempt()
    second = FilesGuard(grants, base=str(tmp_path / "data"), walk=walk)
    assert not second.exists("a/b/secret")


def test_no_race_wins(world: Path) -> None:
    """Another process swaps a directory for a link to the outside, again and again, while the guard reads."""
    granted, outside = world / "granted", world / "outside"
    (granted / "sub" / "secret").write_text("harmless")
    guard = guard_of(world, walk_descriptors)
    done = threading.Event()

    def swap() -> None:
        spare = granted / "spare"
        trap = granted / "trap"
        trap.symlink_to("../outside")
        while not done.is_set():
            os.rename(granted / "sub", spare)
            os.rename(trap, granted / "sub")
            os.rename(granted / "sub", trap)
            os.rename(spare, granted / "sub")

    swapper = threading.Thread(target=swap)
    swapper.start()
    seen = {"harmless": 0, "refused": 0}
    try:
        for _ in range(3_000):
            try:
                content = guard.read_text("sub/secret")
            except LlmspellError:
                seen["refused"] += 1
            else:
                assert content == "harmless"
                seen["harmless"] += 1
            try:
                guard.write_text("sub/new", "x")
            except LlmspellError:
                seen["refused"] += 1
    finally:
        done.set()
        swapper.join()
    assert not (outside / "new").exists()
    assert (outside / "secret").read_text() == SECRET
    assert seen["refused"] > 0, "the race never happened"
    assert seen["harmless"] > 0, "nothing was ever read"


def test_a_link_that_appears_between_the_walk_and_the_opening_is_not_followed(world: Path) -> None:
    """The last step of the race, made certain: the walk finds a file, then it becomes a link."""

    def late(*args: object) -> object:
        place = walk_descriptors(*args)  # type: ignore[arg-type]
        (world / "granted" / "file").unlink()
        (world / "granted" / "file").symlink_to("../outside/secret")
        return place

    guard = guard_of(world, late)  # type: ignore[arg-type]
    with pytest.raises(BridgeError) as caught:
        guard.read_text("file")
    assert caught.value.code in ("special_file", "link_loop")


@pytest.mark.parametrize("walk", WALKERS)
def test_a_file_that_becomes_a_link_after_the_look_is_not_opened(
    world: Path, walk: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.open
    armed = [True]

    def late(path: object, flags: int, *args: object, **options: object) -> int:
        if armed[0] and not flags & getattr(os, "O_PATH", 0) and str(path).endswith("file"):
            armed[0] = False
            (world / "granted" / "file").unlink()
            (world / "granted" / "file").symlink_to("../outside/secret")
        return real_open(path, flags, *args, **options)  # type: ignore[call-overload,no-any-return]

    guard = guard_of(world, walk)
    monkeypatch.setattr(os, "open", late)
    with pytest.raises(BridgeError) as caught:
        guard.read_text("file")
    assert caught.value.code == "link_loop"
    assert not armed[0]


@pytest.mark.parametrize(
    "path",
    [
        "C:file", "1:\\x", "\\\\server\\share\\x", "\\\\?\\C:\\x", "\\\\.\\PhysicalDrive0", "//server/share", "CON",
        "con.txt", "a\\NUL", "a/aux.c", "COM1", "lpt9.log", "COM¹", "file.txt:stream", "file.txt::$DATA", "a. ", "a.",
        "dir /x", "conin$",
    ],
)  # fmt: skip
def test_windows_names_with_a_second_meaning_are_refused(path: str) -> None:
    with pytest.raises(BridgeError) as caught:
        checked_path(path, windows=True)
    assert caught.value.code == "invalid_path"


@pytest.mark.parametrize("path", ["C:\\data\\x.txt", "C:/data/x", "..\\x", "a.b\\c.d", "console.txt", "."])
def test_ordinary_windows_names_pass(path: str) -> None:
    assert checked_path(path, windows=True) == path
