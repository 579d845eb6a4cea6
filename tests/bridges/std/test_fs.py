"""``fs``: files through the guard. What must be refused is in tests/security/host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmspell.policy import Policy


@pytest.fixture
def granted(spells: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return spells(policy=Policy.standard().grant(read=["."], write=["."]))


def test_files_are_written_and_read(granted: Any) -> None:
    assert granted.call("fs.write", "a.txt", "grüße") == 7
    assert granted.call("fs.read", "a.txt") == "grüße"
    assert granted.call("fs.read_bytes", "a.txt") == "grüße".encode()
    granted.call("fs.write", "b.bin", b"\xff\x00")
    assert granted.call("fs.read_bytes", "b.bin") == b"\xff\x00"
    assert granted.fails("fs.read", "b.bin").code == "not_text"
    assert granted.call("fs.read", "b.bin", {"encoding": "latin-1"}) == "ÿ\0"


def test_appending_adds(granted: Any) -> None:
    granted.call("fs.append", "log", "one\n")
    granted.call("fs.append", "log", b"two\n")
    assert granted.call("fs.read", "log") == "one\ntwo\n"


def test_limits_and_exclusive_writing(granted: Any) -> None:
    granted.call("fs.write", "a", "12345", {"exclusive": True})
    assert granted.fails("fs.write", "a", "x", {"exclusive": True}).code == "exists"
    assert granted.fails("fs.read", "a", {"limit": 4}).code == "too_large"
    assert granted.fails("fs.read", "a", {"limit": -1}).code == "invalid_argument"


def test_lines_come_one_by_one(granted: Any) -> None:
    granted.call("fs.write", "a", "one\r\ntwo\n\nlast")
    stream = granted.call("fs.lines", "a")
    assert stream.kind == "stream"
    assert granted.drain(stream) == ["one", "two", "", "last"]
    assert granted.drain(granted.call("fs.lines", "a", {"keep_ends": True})) == ["one\r\n", "two\n", "\n", "last"]


def test_lines_that_are_no_text_or_endless_are_told(granted: Any, tmp_path: Path) -> None:
    (tmp_path / "work" / "bad").write_bytes(b"ok\n\xff\n")
    stream = granted.call("fs.lines", "bad")
    assert granted.call((stream, "next")) == [False, "ok"]
    fault = granted.fails((stream, "next"))
    assert (fault.code, "line 2" in fault.message) == ("not_text", True)
    (tmp_path / "work" / "long").write_bytes(b"x" * 1_100_000)
    assert granted.fails((granted.call("fs.lines", "long"), "next")).code == "too_large"


def test_leaving_lines_early_closes_the_file(granted: Any) -> None:
    granted.call("fs.write", "a", "one\ntwo\n")
    stream = granted.call("fs.lines", "a")
    granted.call((stream, "next"))
    granted.call((stream, "close"))
    assert granted.call((stream, "next")) == [True, None]


def test_a_file_that_is_not_there_is_told_at_the_first_line(granted: Any) -> None:
    assert granted.fails((granted.call("fs.lines", "absent"), "next")).code == "not_found"


def test_directories_are_made_listed_and_removed(granted: Any) -> None:
    granted.call("fs.mkdir", "a/b/c")
    granted.call("fs.mkdir", "a/b/c")
    assert granted.fails("fs.mkdir", "a", {"exist_ok": False}).code == "exists"
    assert granted.fails("fs.mkdir", "x/y", {"parents": False}).code == "not_found"
    granted.call("fs.write", "a/f", "123")
    names = [info["name"] for info in granted.call("fs.list", "a")]
    assert names == ["b", "f"]
    assert [info["name"] for info in granted.call("fs.list", ".", {"recursive": True})] == ["a", "a/b", "a/b/c", "a/f"]
    assert granted.fails("fs.remove", "a").code == "not_empty"
    granted.call("fs.remove", "a", {"recursive": True})
    assert granted.call("fs.list") == []


def test_paths_are_told_apart(granted: Any) -> None:
    granted.call("fs.write", "f", "123")
    granted.call("fs.mkdir", "d")
    info = granted.call("fs.stat", "f")
    assert (info["kind"], info["size"], info["name"]) == ("file", 3, "f")
    assert [granted.call("fs.is_file", path) for path in ("f", "d", "x")] == [True, False, False]
    assert [granted.call("fs.is_directory", path) for path in ("f", "d", "x")] == [False, True, False]
    assert [granted.call("fs.exists", path) for path in ("f", "d", "x")] == [True, True, False]


def test_files_are_moved_and_copied(granted: Any) -> None:
    granted.call("fs.write", "a", "x")
    granted.call("fs.move", "a", "b")
    assert granted.call("fs.copy", "b", "c") == 1
    assert granted.fails("fs.copy", "b", "c").code == "exists"
    assert granted.fails("fs.move", "b", "c").code == "exists"
    granted.call("fs.copy", "b", "c", {"replace": True})
    granted.call("fs.move", "b", "c", {"replace": True})
    assert [info["name"] for info in granted.call("fs.list")] == ["c"]


def test_what_is_not_granted_is_refused_with_the_remedy(spells: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    spell = spells(policy=Policy.standard())
    fault = spell.fails("fs.read", str(tmp_path / "secret"))
    assert fault.code == "denied"
    assert f"--allow-read {tmp_path / 'secret'}" in fault.message


def test_javascript_sees_camel_case(spells: Any, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    spell = spells("javascript", Policy.standard().grant(read=[str(tmp_path)]))
    assert spell.drain(spell.call("fs.lines", str(tmp_path / "f"), {"keepEnds": True})) == ["x"]
