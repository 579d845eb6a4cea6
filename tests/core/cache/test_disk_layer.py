"""Programs on disk: whole or not at all, ours or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from llmspell.engine.cache import ProgramKey
from llmspell.engine.disk import DiskLayer

A = ProgramKey("lua", "5.4", "aa")
B = ProgramKey("lua", "5.4", "bb")


def only_file(directory):
    (path,) = directory.iterdir()
    return path


def test_what_is_written_is_read(tmp_path) -> None:
    disk = DiskLayer(tmp_path)
    assert disk.write(A, b"one\x00two")
    assert disk.read(A) == b"one\x00two"
    assert disk.read(B) is None


def test_the_directory_is_made_for_the_owner_only(tmp_path) -> None:
    disk = DiskLayer(tmp_path / "new")
    disk.write(A, b"x")
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    assert only_file(tmp_path / "new").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "foreign"])
def test_a_damaged_file_is_not_used_and_removed(tmp_path, damage) -> None:
    disk = DiskLayer(tmp_path)
    disk.write(A, b"program")
    path = only_file(tmp_path)
    raw = path.read_bytes()
    path.write_bytes({"flip": raw[:-1] + b"X", "cut": raw[:-2], "empty": b"", "foreign": b"\x1bLua" + raw}[damage])
    assert disk.read(A) is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_under_another_programs_name_is_not_used(tmp_path) -> None:
    disk = DiskLayer(tmp_path)
    disk.write(A, b"program a")
    theirs = only_file(tmp_path)
    disk.write(B, b"program b")
    (ours,) = set(tmp_path.iterdir()) - {theirs}
    theirs.write_bytes(ours.read_bytes())
    assert disk.read(A) is None
    assert disk.read(B) == b"program b"


def test_what_others_may_write_is_not_read(tmp_path) -> None:
    disk = DiskLayer(tmp_path)
    disk.write(A, b"program")
    only_file(tmp_path).chmod(0o666)
    assert disk.read(A) is None


def test_a_link_is_not_followed(tmp_path) -> None:
    disk = DiskLayer(tmp_path / "cache")
    disk.write(A, b"program")
    path = only_file(tmp_path / "cache")
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert disk.read(A) is None


def test_a_directory_others_may_write_is_not_written_to(tmp_path) -> None:
    tmp_path.chmod(0o777)
    assert not DiskLayer(tmp_path).write(A, b"program")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_is_no_error(tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    disk = DiskLayer(tmp_path / "file")
    assert not disk.write(A, b"program")
    assert disk.read(A) is None


def test_the_longest_unused_goes_when_room_is_needed(tmp_path) -> None:
    disk = DiskLayer(tmp_path, max_bytes=700)
    for index in range(3):
        disk.write(ProgramKey("lua", "5.4", str(index)), b"x" * 100)
        newest = max(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (1_000_000 + index, time.time() - 100 + index))
    disk.write(A, b"x" * 250)
    kept = [disk.read(ProgramKey("lua", "5.4", str(index))) is not None for index in range(3)]
    assert kept == [False, True, True]
    assert disk.read(A) is not None


def test_a_file_older_than_its_time_is_not_used(tmp_path) -> None:
    disk = DiskLayer(tmp_path, ttl=60)
    disk.write(A, b"program")
    os.utime(only_file(tmp_path), (1, time.time() - 61))
    assert disk.read(A) is None


def test_processes_that_write_at_once_leave_one_whole_file(tmp_path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from llmspell.engine.cache import ProgramKey\n"
        "from llmspell.engine.disk import DiskLayer\n"
        "disk = DiskLayer(Path(sys.argv[1]))\n"
        "for _ in range(50):\n"
        "    disk.write(ProgramKey('lua', '5.4', 'aa'), sys.argv[2].encode() * 20_000)\n"
        "    found = disk.read(ProgramKey('lua', '5.4', 'aa'))\n"
        "    assert found in (b'1' * 20_000, b'2' * 20_000), found and len(found)\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), who]) for who in "12"]
    assert [child.wait(60) for child in children] == [0, 0]
    assert len(list(tmp_path.iterdir())) == 1
