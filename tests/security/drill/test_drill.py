"""Native code inside a strict process reaches nothing: every attempt of ``attempts.py`` is refused or fatal."""

import sysconfig
import tempfile
from pathlib import Path
from typing import Any

import pytest

ATTEMPTS = Path(__file__).with_name("attempts.py")
NEW_FILE = Path(tempfile.gettempdir(), "llmspell-drill-new")
STDLIB = sysconfig.get_path("stdlib")


def test_the_drill_makes_at_least_forty_attempts(room: Any) -> None:
    assert len(set(room.names)) >= 40


def test_no_attempt_succeeds_where_no_file_is_readable(room: Any) -> None:
    ended = {name: room.attempt(name) for name in room.names}
    assert {name: end for name, end in ended.items() if not end["refused"]} == {}


def test_no_attempt_succeeds_where_the_standard_library_is_readable(room: Any) -> None:
    ended = {name: room.attempt(name, readable=(STDLIB,)) for name in room.names}
    assert {name: end for name, end in ended.items() if not end["refused"]} == {}


@pytest.mark.parametrize(
    ("piece", "attempt"),
    [
        ("seccomp", "socket_tcp"),
        ("seccomp", "fork"),
        ("seccomp", "execveat"),
        ("seccomp", "writable_code"),
        ("seccomp", "memfd_create"),
        ("limits", "more_memory_than_the_limit"),
        ("descriptors", "inherited_descriptors"),
        ("environment", "secrets_in_the_environment"),
        ("own-root", "see_that_a_file_exists"),
    ],
)
def test_an_attempt_succeeds_once_its_wall_is_taken_away(room: Any, piece: str, attempt: str) -> None:
    readable = (STDLIB,) if piece in ("landlock-files", "own-root") else ()
    assert room.attempt(attempt, readable=readable)["refused"]
    assert not room.attempt(attempt, without=(piece,), readable=readable)["refused"]


@pytest.mark.parametrize(
    ("pieces", "attempt"),
    [
        (("landlock-files", "own-root"), "create_a_file"),
        (("landlock-files", "own-root"), "open_the_null_device_for_writing"),
        (("capabilities",), "chroot"),
        (("capabilities",), "reboot"),
        (("pid-namespace", "landlock-scopes"), "signal_the_parent"),
    ],
)
def test_a_second_wall_stands_behind_seccomp(room: Any, pieces: tuple[str, ...], attempt: str) -> None:
    """Each of these is refused more than once; only with every wall gone does it go through."""
    for kept in range(len(pieces)):
        others = pieces[:kept] + pieces[kept + 1 :]
        assert room.attempt(attempt, without=("seccomp", *others))["refused"]
    assert not room.attempt(attempt, without=("seccomp", *pieces))["refused"]
    NEW_FILE.unlink(missing_ok=True)


def test_the_drill_leaves_no_file_behind(room: Any) -> None:
    assert not NEW_FILE.exists()
