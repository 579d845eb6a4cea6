"""Files: what is granted is reached, and nothing else, whatever links, races and patterns try."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from llmspell import Policy


@pytest.fixture
def files(bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Tools that may read and write one directory, which is also where they stand."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.txt").write_text("hush")
    monkeypatch.chdir(inside)
    bench.policy = Policy.standard().grant(read={str(inside)}, write={str(inside)})
    return bench


def test_a_file_is_written_read_moved_and_deleted(files: Any) -> None:
    assert files.run("file_write", path="a.txt", content="Grüße") == {"path": "a.txt", "bytes_written": 7}
    assert files.run("file_write", path="a.txt", content="!", mode="append")["bytes_written"] == 1
    assert files.run("file_read", path="a.txt") == {"path": "a.txt", "content": "Grüße!", "size": 8}
    assert files.run("file_move", source="a.txt", destination="b.txt")["destination"] == "b.txt"
    assert files.run("file_delete", path="b.txt") == {"path": "b.txt", "deleted": True}
    assert files.refused("file_read", path="b.txt")[0] == "not_found"


def test_bytes_travel_as_base64(files: Any) -> None:
    raw = base64.b64encode(b"\x00\xff").decode()
    files.run("file_write", path="raw", content=raw, encoding="base64")
    assert files.run("file_read", path="raw", encoding="base64")["content"] == raw
    assert files.refused("file_read", path="raw")[0] == "not_text"


def test_a_directory_is_listed_by_pattern(files: Any) -> None:
    Path("sub").mkdir()
    for name in ("a.txt", "b.md", "sub/c.txt"):
        Path(name).write_text(name)
    assert [entry["name"] for entry in files.run("file_list")["entries"]] == ["a.txt", "b.md", "sub"]
    found = files.run("file_list", recursive=True, pattern="*.txt", max_results=1)
    assert (found["entries"][0]["name"], found["total"], found["truncated"]) == ("a.txt", 2, True)


def test_files_are_found_by_content_age_and_size(files: Any) -> None:
    Path("a.txt").write_text("one\nTwo bees\n")
    Path("b.txt").write_text("x" * 100)
    Path("c.bin").write_bytes(b"\xff\xfe bees")
    os.utime("b.txt", (0, 0))
    (match,) = files.run("file_search", content="two", case_sensitive=False)["matches"]
    assert (match["path"], match["line"], match["text"]) == ("./a.txt", 2, "Two bees")
    assert [m["path"] for m in files.run("file_search", size_greater_than=50)["matches"]] == ["./b.txt"]
    assert "./b.txt" not in [m["path"] for m in files.run("file_search", modified_after="2000-01-01")["matches"]]
    assert files.run("file_search", pattern="*.none")["matches"] == []
    assert files.run("file_search", content="o", max_results=1)["truncated"] is True


@pytest.mark.parametrize(
    "path", ["../secret.txt", "../inside/../secret.txt", "/etc/passwd", "link.txt", "dir/secret.txt", "loop", "fifo"]
)
def test_what_is_outside_is_not_read(files: Any, tmp_path: Path, path: str) -> None:
    Path("link.txt").symlink_to(tmp_path / "secret.txt")
    Path("dir").symlink_to(tmp_path)
    Path("loop").symlink_to("loop")
    os.mkfifo("fifo")
    code, message = files.refused("file_read", path=path)
    assert code in ("denied", "link_loop", "special_file")
    assert "hush" not in message


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("file_write", {"path": "../new.txt", "content": "x"}),
        ("file_write", {"path": "dir/new.txt", "content": "x"}),
        ("file_move", {"source": "mine.txt", "destination": "../stolen.txt"}),
        ("file_move", {"source": "../secret.txt", "destination": "mine2.txt"}),
        ("file_delete", {"path": "../secret.txt"}),
        ("file_delete", {"path": ".", "recursive": True}),
        ("file_list", {"path": ".."}),
        ("file_list", {"path": "dir"}),
        ("file_search", {"path": "..", "content": "hush"}),
    ],
)
def test_what_is_outside_is_not_touched(files: Any, tmp_path: Path, tool: str, given: dict[str, Any]) -> None:
    Path("dir").symlink_to(tmp_path)
    Path("mine.txt").write_text("mine")
    assert files.refused(tool, **given)[0] == "denied"
    assert (tmp_path / "secret.txt").read_text() == "hush"
    assert sorted(os.listdir(tmp_path)) == ["inside", "secret.txt"]


def test_a_search_follows_no_links_out(files: Any, tmp_path: Path) -> None:
    Path("dir").symlink_to(tmp_path)
    Path("link.txt").symlink_to(tmp_path / "secret.txt")
    assert files.run("file_search", content="hush")["matches"] == []


def test_deleting_a_link_leaves_what_it_leads_to(files: Any, tmp_path: Path) -> None:
    Path("dir").symlink_to(tmp_path)
    files.run("file_delete", path="dir", recursive=True)
    assert (tmp_path / "secret.txt").exists()


def test_reading_is_not_writing(files: Any) -> None:
    files.policy = Policy.standard().grant(read={os.getcwd()})
    code, message = files.refused("file_write", path="a.txt", content="x")
    assert (code, "--allow-write a.txt" in message) == ("denied", True)


@pytest.mark.parametrize(
    ("tool", "given", "code"),
    [
        ("file_read", {"path": "a\0b"}, "invalid_path"),
        ("file_read", {"path": ""}, "invalid_path"),
        ("file_read", {"path": 3}, "invalid_parameters"),
        ("file_read", {"path": ["a.txt"]}, "invalid_parameters"),
        ("file_read", {"path": "a.txt", "encoding": "rot13"}, "invalid_argument"),
        ("file_read", {"path": "a.txt", "encoding": "nope"}, "invalid_argument"),
        ("file_read", {"path": "a.txt", "limit": 1}, "too_large"),
        ("file_read", {"path": "a.txt", "limit": -1}, "invalid_parameters"),
        ("file_read", {"path": "."}, "is_directory"),
        ("file_write", {"path": "b.txt", "content": "é", "encoding": "ascii"}, "not_text"),
        ("file_write", {"path": "b.txt", "content": "!", "encoding": "base64"}, "not_text"),
        ("file_write", {"path": "b.txt", "content": "x", "mode": "truncate"}, "invalid_parameters"),
        ("file_write", {"path": "none/b.txt", "content": "x"}, "not_found"),
        ("file_write", {"path": "b.txt", "content": "x", "colour": 1}, "invalid_argument"),
        ("file_move", {"source": "a.txt", "destination": "c.txt"}, "exists"),
        ("file_delete", {"path": "full"}, "not_empty"),
        ("file_search", {"content": "(a"}, "invalid_pattern"),
        ("file_search", {"content": "(?=a)"}, "invalid_pattern"),
        ("file_search", {"content": "a" * 2000}, "invalid_pattern"),
        ("file_list", {"path": "a.txt"}, "not_directory"),
    ],
)
def test_what_cannot_be_done_is_said_so(files: Any, tool: str, given: dict[str, Any], code: str) -> None:
    Path("a.txt").write_text("text")
    Path("c.txt").write_text("text")
    Path("full/x").mkdir(parents=True)
    assert files.refused(tool, **given)[0] == code


def test_an_expression_made_to_be_slow_is_not(files: Any) -> None:
    Path("a.txt").write_text("a" * 50_000 + "!")
    assert files.run("file_search", content="(a+)+$")["matches"] == []


def test_without_a_grant_there_is_nothing(bench: Any) -> None:
    assert bench.refused("file_list")[0] == "denied"
    assert bench.refused("file_read", path="/etc/hostname")[0] == "denied"
