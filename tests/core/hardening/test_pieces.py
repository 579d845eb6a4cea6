"""Each piece of hardening, done to a real process."""

import importlib.util
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

InChild = Callable[..., Any]


def test_capabilities_leave_every_set_empty(in_child: InChild) -> None:
    sets = in_child("capabilities")
    assert {name: value for name, value in sets.items() if name != "CapBnd"} == dict.fromkeys(
        ("CapInh", "CapPrm", "CapEff", "CapAmb"), 0
    )


def test_no_new_privileges_is_set(in_child: InChild) -> None:
    assert in_child("no_new_privileges") == "1"


def test_a_process_stops_being_dumpable(in_child: InChild) -> None:
    assert in_child("not_dumpable") == [1, 0]


def test_the_death_of_the_parent_kills(in_child: InChild) -> None:
    assert in_child("parent_death") == signal.SIGKILL


def test_a_parent_that_is_gone_already_is_noticed(in_child: InChild) -> None:
    assert "before its death could be watched" in in_child("parent_gone")


def test_the_environment_holds_only_what_the_plan_names(in_child: InChild) -> None:
    assert in_child("environment") == ["canary", {"KEPT": "yes"}]


def test_a_process_leads_its_own_session_and_group(in_child: InChild) -> None:
    assert in_child("session") == [True, True]


def test_descriptors_are_closed_but_for_the_kept_and_three_null_ones(in_child: InChild) -> None:
    left = in_child("descriptors")
    assert set(left) == {"0", "1", "2", "57"}
    assert left["0"] == left["2"] == "/dev/null"
    assert left["1"] != "/dev/null"


def test_resource_limits_hold(in_child: InChild) -> None:
    detail, limits, grown, small = in_child("limits")
    assert limits == {"RLIMIT_CORE": [0, 0], "RLIMIT_CPU": [7, 7], "RLIMIT_FSIZE": [0, 0], "RLIMIT_NOFILE": [33, 33]}
    assert "address space" in detail
    assert grown == 0
    assert small == 32 << 20


def test_a_limit_is_never_raised(in_child: InChild) -> None:
    assert in_child("limits_under_a_lower_one") == [50, 50]


def test_landlock_leaves_reading_below_the_given_paths(in_child: InChild, tmp_path: Path) -> None:
    readable = tmp_path / "readable"
    readable.mkdir()
    (readable / "file").write_text("text")
    hidden = tmp_path / "hidden"
    hidden.write_text("text")
    assert in_child("landlock", str(readable), str(hidden)) == {
        "read inside": "opened",
        "write inside": "Permission denied",
        "create inside": "Permission denied",
        "read outside": "Permission denied",
    }


def test_in_its_own_root_nothing_exists_but_what_is_readable(in_child: InChild, tmp_path: Path) -> None:
    readable = tmp_path / "readable"
    readable.mkdir()
    (readable / "file").write_text("text")
    alone = tmp_path / "alone"
    alone.write_text("text")
    (tmp_path / "hidden").write_text("text")
    got = in_child("own_root", str(tmp_path))
    if got["state"] != [True, ""]:
        pytest.skip(f"this machine lacks own-root: {got['state'][1]}")
    assert got["root"] == [tmp_path.parts[1]]
    assert got["beside"] == ["alone", "readable"]
    assert got["text"] == "text"
    assert got["write"] == "Read-only file system"
    assert (readable / "file").read_text() == "text"


def test_landlock_closes_tcp(in_child: InChild) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        assert in_child("landlock_network", server.getsockname()[1]) == "Permission denied"
        with pytest.raises(TimeoutError):
            server.accept()


def _check_namespaces(got: dict[str, Any]) -> None:
    for piece, (applied, why) in got["report"].items():
        if not applied:
            pytest.skip(f"this machine lacks {piece}: {why}")
    assert got["changed"] == ["user", "net", "ipc"]
    assert got["pids"] == [1, [[1, 0], [1, 0], [1, 0]]]


def test_a_zygote_and_each_of_its_children_are_process_1_of_their_namespaces(in_child: InChild) -> None:
    _check_namespaces(in_child("namespaces"))


def test_an_ordinary_user_enters_namespaces_too(in_child: InChild) -> None:
    import os

    if os.getuid() != 0:
        pytest.skip("root is missing; the test above ran as an ordinary user")
    got = in_child("namespaces_of_an_ordinary_user")
    _check_namespaces(got)
    assert got["ids"] == [65534, 65534]


def test_children_in_nested_namespaces_die_with_the_zygote(in_child: InChild) -> None:
    assert in_child("killing_the_zygote") == ["g", ""]


def test_engines_threads_and_waiting_work_under_every_wall(in_child: InChild) -> None:
    for engine in ("lupa", "quickjs"):
        if importlib.util.find_spec(engine) is None:  # not imported here: quickjs would start a thread
            pytest.skip(f"{engine} is missing: no engine to run under the walls")
    said, waited, random, grown = in_child("strict_interpreter")
    assert said[:12] == [488895, 48891, True] * 4
    assert said[12] == ["hello", True, []]
    assert (waited, random, grown) == (False, 8, 100 << 20)


def test_a_plan_that_asks_nothing_does_nothing(in_child: InChild) -> None:
    assert in_child("warn_about_nothing") == []
