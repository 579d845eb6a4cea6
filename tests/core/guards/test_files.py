"""What ``FilesGuard`` does inside what is granted. What it refuses is in tests/security/host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmspell.errors import BridgeError, PolicyDeniedError
from llmspell.guards import FilesGuard
from llmspell.guards.walk import Walker, walk_descriptors, walk_names
from llmspell.policy import Grants


@pytest.fixture(params=[walk_descriptors, walk_names], ids=["descriptors", "names"])
def walk(request: pytest.FixtureRequest) -> Walker:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def guard(root: Path, walk: Walker) -> FilesGuard:
    grants = Grants(read=frozenset({str(root)}), write=frozenset({str(root)}))
    return FilesGuard(grants, base=str(root), walk=walk)


def test_reads_what_it_wrote(guard: FilesGuard) -> None:
    assert guard.write_text("a.txt", "grüße") == 7
    assert guard.read_text("a.txt") == "grüße"


def test_relative_paths_start_at_the_base_and_absolute_ones_work(guard: FilesGuard, root: Path) -> None:
    (root / "a.txt").write_text("x")
    assert guard.read_text(str(root / "a.txt")) == guard.read_text("./a.txt") == "x"


def test_relative_paths_start_at_the_working_directory_without_a_base(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "a.txt").write_text("x")
    monkeypatch.chdir(root)
    assert FilesGuard(Grants(read=frozenset({"."}))).read_text("a.txt") == "x"


def test_writing_replaces_and_appending_adds(guard: FilesGuard) -> None:
    guard.write_text("a.txt", "a long text")
    guard.write_text("a.txt", "one")
    guard.write_text("a.txt", " two", append=True)
    assert guard.read_text("a.txt") == "one two"


def test_appending_makes_the_file(guard: FilesGuard) -> None:
    guard.write_text("new.txt", "x", append=True)
    assert guard.read_text("new.txt") == "x"


def test_exclusive_writing_refuses_what_exists(guard: FilesGuard) -> None:
    guard.write_text("a.txt", "first", exclusive=True)
    with pytest.raises(BridgeError) as caught:
        guard.write_text("a.txt", "second", exclusive=True)
    assert caught.value.code == "exists"
    assert guard.read_text("a.txt") == "first"


def test_dots_are_settled_on_the_text_of_a_path(guard: FilesGuard) -> None:
    guard.write_text("a.txt", "x")
    assert guard.read_text("no/such/../../a.txt") == "x"


def test_follows_relative_and_absolute_links_that_stay_inside(guard: FilesGuard, root: Path) -> None:
    (root / "in").mkdir()
    (root / "in" / "f").write_text("x")
    (root / "relative").symlink_to("in")
    (root / "absolute").symlink_to(root / "in" / "f")
    (root / "in" / "up").symlink_to("../in/f")
    assert guard.read_text("relative/f") == guard.read_text("absolute") == guard.read_text("relative/up") == "x"


def test_writes_through_a_link_that_stays_inside(guard: FilesGuard, root: Path) -> None:
    (root / "f").write_text("old")
    (root / "link").symlink_to("f")
    guard.write_text("link", "new")
    assert (root / "f").read_text() == "new"
    assert (root / "link").is_symlink()


def test_a_link_from_one_granted_directory_into_another_works(tmp_path: Path, walk: Walker) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "two" / "f").write_text("x")
    (tmp_path / "one" / "link").symlink_to("../two/f")
    grants = Grants(read=frozenset({str(tmp_path / "one"), str(tmp_path / "two")}))
    assert FilesGuard(grants, base=str(tmp_path), walk=walk).read_text("one/link") == "x"


def test_a_granted_link_stands_for_what_it_points_to(tmp_path: Path, walk: Walker) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "f").write_text("x")
    (tmp_path / "link").symlink_to("real")
    guard = FilesGuard(Grants(read=frozenset({str(tmp_path / "link")})), base=str(tmp_path), walk=walk)
    assert guard.read_text("link/f") == guard.read_text("real/f") == "x"


def test_a_granted_file_grants_exactly_it(tmp_path: Path, walk: Walker) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "b.txt").write_text("y")
    guard = FilesGuard(Grants(read=frozenset({str(tmp_path / "a.txt")})), base=str(tmp_path), walk=walk)
    assert guard.read_text("a.txt") == "x"
    for other in ("b.txt", ".", "a.txt.bak"):
        with pytest.raises(PolicyDeniedError):
            guard.stat(other)


def test_a_file_that_is_granted_before_it_exists_can_be_made(tmp_path: Path, walk: Walker) -> None:
    guard = FilesGuard(Grants(write=frozenset({str(tmp_path / "out.txt")})), base=str(tmp_path), walk=walk)
    guard.write_text("out.txt", "x")
    with pytest.raises(PolicyDeniedError):
        guard.write_text("other.txt", "x")


def test_writing_is_not_reading(tmp_path: Path, walk: Walker) -> None:
    guard = FilesGuard(Grants(write=frozenset({str(tmp_path)})), base=str(tmp_path), walk=walk)
    guard.write_text("a", "x")
    assert guard.exists("a")
    with pytest.raises(PolicyDeniedError, match="reading 'a'") as caught:
        guard.read_text("a")
    assert caught.value.hint == "grant it: --allow-read a"


def test_reading_is_not_writing(tmp_path: Path, walk: Walker) -> None:
    (tmp_path / "a").write_text("x")
    guard = FilesGuard(Grants(read=frozenset({str(tmp_path)})), base=str(tmp_path), walk=walk)
    for attempt in (
        lambda: guard.write_text("a", "y"),
        lambda: guard.write_text("b", "y", append=True),
        lambda: guard.remove("a"),
        lambda: guard.mkdir("d"),
        lambda: guard.rename("a", "b"),
    ):
        with pytest.raises(PolicyDeniedError):
            attempt()
    assert [info.name for info in guard.list(".")] == ["a"]


def test_lists_sorted_with_kinds_and_sizes(guard: FilesGuard, root: Path) -> None:
    (root / "b.txt").write_text("12345")
    (root / "a").mkdir()
    (root / "c").symlink_to("b.txt")
    os.mkfifo(root / "d")
    found = guard.list()
    assert [(info.name, info.kind) for info in found] == [
        ("a", "directory"),
        ("b.txt", "file"),
        ("c", "link"),
        ("d", "other"),
    ]
    assert found[1].size == 5


def test_lists_recursively_without_following_links(guard: FilesGuard, root: Path) -> None:
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "f").write_text("x")
    (root / "a" / "loop").symlink_to("..")
    assert [info.name for info in guard.list(recursive=True)] == ["a", "a/b", "a/b/f", "a/loop"]


def test_a_listing_is_bounded(root: Path, walk: Walker) -> None:
    for number in range(6):
        (root / str(number)).touch()
    guard = FilesGuard(Grants(read=frozenset({str(root)})), base=str(root), max_entries=5, walk=walk)
    with pytest.raises(BridgeError) as caught:
        guard.list()
    assert caught.value.code == "too_large"


def test_a_deep_tree_is_refused_and_not_overflowed(guard: FilesGuard, root: Path) -> None:
    deep = root
    for _ in range(80):
        deep = deep / "d"
    deep.mkdir(parents=True)
    with pytest.raises(BridgeError) as caught:
        guard.list(recursive=True)
    assert caught.value.code == "too_deep"


def test_stat_follows_links(guard: FilesGuard, root: Path) -> None:
    (root / "f").write_text("123")
    (root / "link").symlink_to("f")
    info = guard.stat("link")
    assert (info.name, info.kind, info.size) == ("link", "file", 3)


def test_exists_tells_apart_what_is_there_and_what_is_not(guard: FilesGuard, root: Path) -> None:
    (root / "f").touch()
    (root / "dangling").symlink_to("nowhere")
    assert guard.exists("f")
    assert not guard.exists("g")
    assert not guard.exists("f/below")
    assert not guard.exists("dangling")


def test_makes_directories_with_those_above(guard: FilesGuard, root: Path) -> None:
    guard.mkdir("a/b/c", parents=True)
    guard.mkdir("a/b/c", exist_ok=True)
    assert (root / "a" / "b" / "c").is_dir()
    with pytest.raises(BridgeError) as caught:
        guard.mkdir("a")
    assert caught.value.code == "exists"
    with pytest.raises(BridgeError) as caught:
        guard.mkdir("x/y")
    assert caught.value.code == "not_found"


def test_removes_files_links_and_trees(guard: FilesGuard, root: Path) -> None:
    (root / "d" / "e").mkdir(parents=True)
    (root / "d" / "f").touch()
    (root / "link").symlink_to("d")
    guard.remove("link")
    assert (root / "d").is_dir()
    with pytest.raises(BridgeError) as caught:
        guard.remove("d")
    assert caught.value.code == "not_empty"
    guard.remove("d", recursive=True)
    assert list(root.iterdir()) == []


def test_moves_files_and_directories(guard: FilesGuard, root: Path) -> None:
    guard.write_text("a", "x")
    guard.rename("a", "b")
    guard.mkdir("d")
    guard.rename("d", "e")
    guard.rename("b", "e/c")
    assert (root / "e" / "c").read_text() == "x"


def test_moving_replaces_only_when_told(guard: FilesGuard) -> None:
    guard.write_text("a", "x")
    guard.write_text("b", "y")
    with pytest.raises(BridgeError) as caught:
        guard.rename("a", "b")
    assert caught.value.code == "exists"
    guard.rename("a", "b", replace=True)
    assert guard.read_text("b") == "x"


def test_a_file_over_the_limit_is_not_read(guard: FilesGuard, root: Path) -> None:
    (root / "big").write_bytes(b"x" * 11)
    assert len(guard.read_bytes("big", limit=11)) == 11
    with pytest.raises(BridgeError) as caught:
        guard.read_bytes("big", limit=10)
    assert caught.value.code == "too_large"


def test_files_of_the_kernel_have_no_size_and_are_read_whole(walk: Walker) -> None:
    guard = FilesGuard(Grants(read=frozenset({"/proc/cpuinfo"})), walk=walk)
    content = guard.read_text("/proc/cpuinfo")
    assert "processor" in content
    with pytest.raises(BridgeError) as caught:
        guard.read_text("/proc/cpuinfo", limit=10)
    assert caught.value.code == "too_large"


def test_a_file_cannot_be_grown_beyond_the_limit(root: Path, walk: Walker) -> None:
    grants = Grants(read=frozenset({str(root)}), write=frozenset({str(root)}))
    guard = FilesGuard(grants, base=str(root), max_size=10, walk=walk)
    guard.write_bytes("f", b"123456")
    for append in (True, False):
        with pytest.raises(BridgeError) as caught:
            guard.write_bytes("f", b"x" * (5 if append else 11), append=append)
        assert caught.value.code == "too_large"
    assert (root / "f").read_bytes() == b"123456"


def test_a_refused_write_makes_no_file(guard: FilesGuard, root: Path) -> None:
    guard.max_size = 3
    with pytest.raises(BridgeError):
        guard.write_bytes("f", b"1234")
    assert not (root / "f").exists()


def test_bytes_that_are_not_text_are_told(guard: FilesGuard, root: Path) -> None:
    (root / "f").write_bytes(b"ab\xff")
    with pytest.raises(BridgeError, match=r"byte 3") as caught:
        guard.read_text("f")
    assert caught.value.code == "not_text"
    assert guard.read_text("f", encoding="latin-1") == "abÿ"


def test_an_unknown_encoding_is_told(guard: FilesGuard) -> None:
    guard.write_text("f", "x")
    with pytest.raises(BridgeError) as caught:
        guard.read_text("f", encoding="klingon")
    assert caught.value.code == "invalid_argument"


def test_names_that_are_not_unicode_come_through_a_listing(guard: FilesGuard, root: Path) -> None:
    os.close(os.open(os.fsencode(root) + b"/\xff", os.O_CREAT))
    (info,) = guard.list()
    assert guard.stat(info.name).kind == "file"


def test_open_gives_a_file_that_the_caller_closes(guard: FilesGuard) -> None:
    with guard.open("f", "xb") as file:
        file.write(b"one\ntwo\n")
    with guard.open("f", "ab") as file:
        file.write(b"three\n")
    with guard.open("f") as file:
        assert file.readlines() == [b"one\n", b"two\n", b"three\n"]


def test_allows_looks_at_the_text_alone(guard: FilesGuard) -> None:
    assert guard.allows("no/such/file")
    assert guard.allows("no/such/file", write=True)
    assert not guard.allows("../elsewhere")


def test_the_unguarded_path_is_real_and_checked(guard: FilesGuard, root: Path) -> None:
    (root / "d").mkdir()
    (root / "link").symlink_to("d")
    assert guard.unguarded_path("link/db.sqlite", write=True) == str(root.resolve() / "d" / "db.sqlite")
    with pytest.raises(PolicyDeniedError):
        guard.unguarded_path("../db.sqlite", write=True)


def test_nothing_is_left_open(guard: FilesGuard, root: Path) -> None:
    (root / "d").mkdir()
    (root / "loop").symlink_to("loop")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        guard.write_text("f", "x")
        guard.list(recursive=True)
        for attempt in (
            lambda: guard.read_text("d"),
            lambda: guard.read_text("d/no/such"),
            lambda: guard.read_text("loop"),
            lambda: guard.write_text("f/x", "y"),
            lambda: guard.read_bytes("f", limit=0),
        ):
            with pytest.raises(BridgeError):
                attempt()
    assert len(os.listdir("/proc/self/fd")) == before


def test_files_are_made_with_the_permissions_of_the_umask(guard: FilesGuard, root: Path) -> None:
    old = os.umask(0o027)
    try:
        guard.write_text("f", "x")
    finally:
        os.umask(old)
    assert (root / "f").stat().st_mode & 0o777 == 0o640
