"""``os``: files, environment and programs, each behind its own grant."""

from __future__ import annotations

import asyncio
import functools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmspell import Host, Policy, Source
from llmspell.errors import BridgeCallError, Cancelled, PolicyError, ScriptExitError, ScriptRuntimeError
from llmspell.policy import Grants

Runs = Callable[..., Any]

ENVIRON = {"TG_GREETING": "hello", "TG_EMPTY": "", "HIDDEN": "secret"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX system")


def run_in(host: Host, body: str, **grants: Any) -> Any:
    """Run the body of a script that imported ``os``."""
    with host.session(policy=_policy(**grants)) as session:
        return session.run(Source(f'os := import("os"); {body}', "main.tengo", "tengo")).value


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRON.items():
            patch.setenv(name, value)
        with Host() as host:
            yield host


@pytest.fixture
def runs(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Run scripts in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return functools.partial(run_in, host)


def _policy(**grants: Any) -> Policy:
    given = {"bridges": {"os"}, "read": {"."}, "write": {"."}, **grants}
    return replace(Policy.minimal(), grants=Grants(**given))


def code_of(value: Any) -> Any:
    return value["error"]["code"]


# Files


def test_a_file_is_written_moved_and_read(runs: Runs) -> None:
    script = """
    f := os.create("a.txt")
    wrote := [f.write_string("grüße\\n"), f.write(bytes("more")), f.sync(), f.close()]
    os.rename("a.txt", "b.txt")
    info := os.stat("b.txt")
    export [wrote, string(os.read_file("b.txt")), info.name, info.size, info.directory, type_name(info.mtime), f.name()]
    """
    assert runs(script) == [[8, 4, True, True], "grüße\nmore", "b.txt", 12, False, "time", "a.txt"]


def test_reading_fills_bytes_and_ends_with_an_error_value(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"hello world")
    script = """
    f := os.open("a")
    b := bytes(8)
    first := [f.read(b), string(b)]
    second := [f.read(b), string(b)]
    third := f.read(b)
    back := [f.seek(-5, os.seek_end), f.read(b), string(b[:5]), f.seek(0, os.seek_set), f.seek(2, os.seek_cur)]
    export [first, second, third, back]
    """
    first, second, third, back = runs(script)
    assert (first, second) == ([8, "hello wo"], [3, "rldlo wo"])
    assert third == {"error": {"code": "eof", "message": "EOF"}}
    assert back == [6, 5, "world", 0, 2]


@pytest.mark.parametrize(
    ("flags", "outcome"),
    [
        ("os.o_rdonly", "old!"),
        ("os.o_wronly|os.o_append", "old!new"),
        ("os.o_wronly|os.o_create|os.o_trunc", "new"),
        ("os.o_wronly", "new!"),
        ("os.o_wronly|os.o_create|os.o_excl", "exists"),
        ("os.o_rdwr", "unsupported"),
        ("1 << 40", "invalid_argument"),
    ],
)
def test_flags_say_how_a_file_is_opened(runs: Runs, tmp_path: Path, flags: str, outcome: str) -> None:
    (tmp_path / "a").write_text("old!")
    script = f"""
    f := os.open_file("a", {flags}, 0)
    if is_error(f) {{ export f }}
    if {flags} != os.o_rdonly {{ f.write_string("new") }}
    f.close()
    export string(os.read_file("a"))
    """
    if outcome == "invalid_argument":
        with pytest.raises(BridgeCallError, match="knows no flag"):
            runs(script)
        return
    found = runs(script)
    assert (found if isinstance(found, str) else code_of(found)) == outcome


def test_directories(runs: Runs, tmp_path: Path) -> None:
    script = """
    made := [os.mkdir("a", 0755), os.mkdir_all("a/b/c", 0755), os.mkdir_all("a/b/c", 0755)]
    os.create("a/file").close()
    export [made, os.open("a").readdirnames(-1), os.open("a").readdirnames(1), os.stat("a").mode == os.mode_dir,
            os.mkdir("a", 0755), os.remove("a"), os.remove_all("a"), os.remove_all("a"), os.remove("a")]
    """
    found = runs(script)
    assert found[:4] == [[True, True, True], ["b", "file"], ["b"], True]
    assert [code_of(found[4]), code_of(found[5]), found[6], found[7], code_of(found[8])] == [
        "exists", "not_empty", True, True, "not_found"
    ]  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_truncating_cuts_and_fills(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("12345")
    assert runs('export [os.truncate("a", 2), os.truncate("a", 3), os.read_file("a")]') == [True, True, b"12\0"]
    assert code_of(runs('export os.truncate("nothing", 2)')) == "not_found"
    with pytest.raises(BridgeCallError, match="size should be"):
        runs('os.truncate("a", 1 << 50)')


def test_a_closed_file_says_so(runs: Runs) -> None:
    script = 'f := os.create("a"); f.close(); export [f.close(), f.write_string("x"), f.stat()]'
    assert [code_of(value) for value in runs(script)] == ["closed", "closed", "closed"]


def test_a_file_open_the_other_way_is_an_error_value(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    script = 'export [os.open("a").write_string("x"), os.create("b").read(bytes(1)), os.open(".").read(bytes(1))]'
    assert [code_of(value) for value in runs(script)] == ["io", "io", "is_directory"]


def test_only_so_many_files_are_open_at_once(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    script = 'for i := 0; i < 100; i++ { f := os.open("a"); if is_error(f) { export [i, f.value.code] } }'
    assert runs(script) == [64, "too_many_open"]


def test_a_read_is_asked_into_bytes(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(ScriptRuntimeError, match="expected bytes, found string"):
        runs('os.open("a").read("12345")')


@pytest.mark.parametrize(
    "body",
    [
        'os.read_file("/etc/passwd")',
        'os.open("/etc/passwd")',
        'os.open("../x")',
        'os.create("/tmp/llmspell-not-granted")',
        'os.open_file("/tmp/llmspell-not-granted", os.o_wronly, 0)',
        'os.mkdir("/tmp/llmspell-not-granted", 0)',
        'os.remove_all("/")',
        'os.remove_all(".")',
        'os.rename("/etc/passwd", "a")',
        'os.truncate("/etc/passwd", 0)',
        'os.stat("/etc")',
    ],
)
def test_what_is_not_granted_ends_the_script(runs: Runs, body: str) -> None:
    with pytest.raises(BridgeCallError, match=r"the policy does not allow|is itself granted"):
        runs(body)


def test_a_link_does_not_lead_out(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/etc")
    with pytest.raises(BridgeCallError, match="a symbolic link leads out"):
        runs('os.read_file("out/passwd")')


# The environment


def test_granted_variables_are_seen(runs: Runs) -> None:
    script = """export [os.getenv("TG_GREETING"), os.getenv("TG_NONE"), os.lookup_env("TG_EMPTY"),
        os.lookup_env("TG_NONE"), os.environ()]"""
    assert runs(script, env={"TG_*"}) == ["hello", "", "", False, ["TG_EMPTY=", "TG_GREETING=hello"]]


@pytest.mark.parametrize("body", ['os.getenv("HIDDEN")', 'os.lookup_env("HIDDEN")', 'os.expand_env("a $HIDDEN")'])
def test_other_variables_are_refused(runs: Runs, body: str) -> None:
    with pytest.raises(BridgeCallError, match="reading the environment variable 'HIDDEN'"):
        runs(body, env={"TG_*"})


def test_variables_are_put_into_texts_as_go_does(runs: Runs) -> None:
    text = "$TG_GREETING-${TG_GREETING}s $TG_NONE. $$ $1 ${} a$ $"
    assert runs(f'export os.expand_env("{text}")', env={"TG_*"}) == "hello-hellos .    a$ $"


# Programs


def test_a_program_runs_to_its_end(runs: Runs) -> None:
    script = """
    sh := func(text) { return os.exec("sh", "-c", text) }
    export [string(os.exec("echo", "a", 5).output()), sh("exit 0").run(), sh("echo bad >&2; exit 3").run(),
        string(sh("echo out; echo err >&2").combined_output()), string(sh("cat").output())]
    """
    out, ran, failed, combined, fed = runs(script, subprocess={"echo", "sh"})
    assert (out, ran, combined, fed) == ("a 5\n", True, "out\nerr\n", "")
    assert failed["error"] == {"code": "exit_status", "message": "exit status 3", "status": 3, "errors": b"bad\n"}


def test_a_program_sees_granted_variables_and_a_granted_directory(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    script = """
    c := os.exec("sh", "-c", "echo $TG_GREETING/$HIDDEN; pwd")
    c.set_dir("in")
    export [string(c.output()), c.set_env(["HIDDEN=1"])]
    """
    out, set_env = runs(script, subprocess={"sh"}, env={"TG_*"})
    assert out == f"hello/\n{tmp_path / 'in'}\n"
    assert code_of(set_env) == "unsupported"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('os.exec("ls").run()', "starting 'ls'"),
        ('os.exec("/bin/ls").run()', "starting '/bin/ls'"),
        ('os.exec("./sh").run()', "starting './sh'"),
        ('c := os.exec("sh"); c.set_path("ls"); c.run()', "starting 'ls'"),
        ('c := os.exec("sh"); c.set_dir("/"); c.run()', "does not allow looking at '/'"),
        ('os.exec_look_path("ls")', "starting 'ls'"),
    ],
)
def test_only_granted_programs_run(runs: Runs, body: str, message: str) -> None:
    with pytest.raises(BridgeCallError, match=message):
        runs(body, subprocess={"sh"})


def test_a_program_that_writes_too_much_is_ended(runs: Runs) -> None:
    assert code_of(runs('export os.exec("sh", "-c", "yes").output()', subprocess={"sh"})) == "too_large"


def test_a_cancelled_run_takes_its_program_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    body = 'os := import("os"); os.exec("sh", "-c", "echo $$ > pid; sleep 600").run()'

    async def main() -> None:
        async with Host() as host, host.session(policy=_policy(subprocess={"sh"})) as session:
            running = asyncio.ensure_future(session.arun(Source(body, "main.tengo", "tengo")))
            while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
                await asyncio.sleep(0.01)
            running.cancel()
            with pytest.raises((asyncio.CancelledError, Cancelled)):
                await running

    asyncio.run(main())
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()


def test_programs_are_never_granted_to_hostile_code() -> None:
    with pytest.raises(PolicyError, match="never grants subprocesses"):
        Policy.strict().grant(subprocess={"sh"})


# The rest


def test_what_cannot_be_held_is_refused_by_name(runs: Runs) -> None:
    names = [
        "args",
        "chdir",
        "chmod",
        "chown",
        "lchown",
        "link",
        "symlink",
        "readlink",
        "setenv",
        "unsetenv",
        "clearenv",
        "find_process",
        "start_process",
    ]
    calls = ", ".join(f"os.{name}()" for name in names)
    assert [
        (code_of(value), value["error"]["message"].partition(" is ")[0]) for value in runs(f"export [{calls}]")
    ] == [("unsupported", f"os.{name}") for name in names]


def test_the_host_tells_about_itself(runs: Runs, tmp_path: Path) -> None:
    names = [
        "getpid",
        "getppid",
        "getuid",
        "geteuid",
        "getgid",
        "getegid",
        "getpagesize",
        "getgroups",
        "hostname",
        "temp_dir",
        "getwd",
    ]
    calls = ", ".join(f"os.{name}()" for name in names)
    types = ["int"] * 7 + ["array", "string", "string", "string"]
    text = (
        f"export func(list) {{ out := []; for v in list {{ out = append(out, type_name(v)) }}; return out }}([{calls}])"
    )
    assert runs(text) == types
    assert runs("export os.getwd()") == str(tmp_path)


@pytest.mark.parametrize(("call", "status"), [("os.exit()", 0), ("os.exit(3)", 3)])
def test_a_script_can_end_itself_with_a_status(runs: Runs, call: str, status: int) -> None:
    with pytest.raises(ScriptExitError) as caught:
        runs(f'async := import("async"); async.spawn(func() {{ {call} }}); async.sleep(60)')
    assert caught.value.status == status


def test_the_module_is_immutable_and_named(runs: Runs) -> None:
    assert runs("export [type_name(os), os.__module_name__, os.platform, os.nothing]") == [
        "immutable-map", "os", sys.platform, None
    ]  # fmt: skip
    with pytest.raises(ScriptRuntimeError, match="not index-assignable"):
        runs("os.getenv = 1")


def test_without_its_grant_there_is_no_module(runs: Runs) -> None:
    with pytest.raises(BridgeCallError, match="the bridge 'os' is not granted"):
        runs("export 1", bridges={"data"})


def test_a_single_function_can_be_granted(runs: Runs) -> None:
    assert runs("export os.getpid() > 0", bridges={"os.getpid"}) is True
    with pytest.raises(BridgeCallError, match=r"os\.getppid is not granted"):
        runs("os.getppid()", bridges={"os.getpid"})
