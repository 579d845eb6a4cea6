"""Programs: only granted ones, with nothing of the host's environment, and nothing left of them afterwards."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from llmspell.errors import BridgeError, PolicyDeniedError
from llmspell.guards import FilesGuard, ProgramsGuard
from llmspell.policy import Grants, Policy

T = TypeVar("T")
PYTHON = sys.executable
NAME = os.path.basename(PYTHON)
ENVIRON = {"PATH": os.path.dirname(PYTHON), "SECRET": "hush", "SHOWN": "yes", "KEY": "k"}


def guard(*programs: str, **grants: Any) -> ProgramsGuard:
    granted = Grants(subprocess=frozenset(programs), **grants)
    return ProgramsGuard(granted, ENVIRON, FilesGuard(granted))


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def python(code: str, **options: Any) -> Any:
    return run(guard(PYTHON).run(PYTHON, ["-c", code], **options))


@pytest.mark.parametrize("program", ["git", "/bin/sh", "./git", "", "a\0b", f"/tmp/{NAME}"])
def test_a_program_that_is_not_granted_is_refused(program: str) -> None:
    with pytest.raises((PolicyDeniedError, BridgeError)):
        guard(NAME).find(program)


def test_a_name_means_what_the_host_finds_and_nothing_else(tmp_path: Path) -> None:
    other = tmp_path / NAME
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    assert guard(NAME).find(NAME) == PYTHON
    assert guard(NAME).find(PYTHON) == PYTHON
    with pytest.raises(PolicyDeniedError, match="does not allow starting"):
        guard(NAME).find(str(other))


def test_a_name_is_never_a_program_that_the_script_may_have_written(tmp_path: Path) -> None:
    own = tmp_path / "tidy"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    linked = tmp_path / "bin" / "linked"
    linked.parent.mkdir()
    linked.symlink_to(own)
    environ = {"PATH": f"{tmp_path}:{linked.parent}"}
    for write in (str(own), str(tmp_path)):
        granted = Grants(subprocess=frozenset({"tidy", "linked"}), write=frozenset({write}))
        programs = ProgramsGuard(granted, environ, FilesGuard(granted))
        for name in ("tidy", "linked"):
            with pytest.raises(PolicyDeniedError, match="the script itself may write") as caught:
                programs.find(name)
            assert caught.value.hint is not None
            assert "--allow-run" in caught.value.hint
    meant = Grants(subprocess=frozenset({str(own)}), write=frozenset({str(tmp_path)}))
    assert ProgramsGuard(meant, environ, FilesGuard(meant)).find(str(own)) == str(own)


def test_a_path_grants_exactly_it() -> None:
    assert guard(PYTHON).find(PYTHON) == PYTHON
    with pytest.raises(PolicyDeniedError) as caught:
        guard(PYTHON).find(NAME)
    assert caught.value.hint == f"grant it: --allow-run {NAME}"


def test_a_program_that_is_not_there_is_said_so() -> None:
    with pytest.raises(BridgeError) as caught:
        guard("*").find("no-such-program")
    assert caught.value.code == "not_found"


@pytest.mark.parametrize("program", ["./x", "bin/x"])
def test_a_relative_path_is_no_program(program: str) -> None:
    with pytest.raises(BridgeError) as caught:
        guard("*").find(program)
    assert caught.value.code == "invalid_argument"


def test_a_script_found_as_executable_but_that_cannot_start_is_said_so(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF not really")
    broken.chmod(0o755)
    with pytest.raises(BridgeError) as caught:
        run(guard(str(broken)).run(str(broken)))
    assert caught.value.code == "not_started"


def test_it_gets_its_arguments_and_input_and_gives_its_output_and_status() -> None:
    code = "import sys; print(sys.argv[1:], sys.stdin.read()); print('bad', file=sys.stderr); sys.exit(3)"
    done = run(guard(PYTHON).run(PYTHON, ["-c", code, "a b; $(id)", "*"], stdin=b"in"))
    assert done.stdout == b"['a b; $(id)', '*'] in\n"
    assert (done.stderr, done.status, done.truncated, done.timed_out) == (b"bad\n", 3, False, False)


def test_it_sees_nothing_of_the_environment_but_what_is_granted() -> None:
    code = "import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))"
    shown = guard(PYTHON, env=frozenset({"SHOWN", "SECRET"}), secrets=frozenset({"SECRET"}))
    assert python(code).stdout == b"['LANG', 'PATH']\n"
    assert run(shown.run(PYTHON, ["-c", code])).stdout == b"['LANG', 'PATH', 'SHOWN']\n"


def test_a_variable_it_needs_must_be_granted() -> None:
    async def started(*secrets: str) -> int:
        program = await guard(PYTHON, secrets=frozenset({"KEY", "GONE"})).start(
            PYTHON, ["-c", "import os; raise SystemExit(os.environ['KEY'] == 'k')"], secrets=secrets
        )
        status = await program.wait()
        await program.end()
        return status

    assert run(started("KEY")) == 1
    with pytest.raises(PolicyDeniedError, match="SECRET"):
        run(started("SECRET"))
    with pytest.raises(BridgeError, match="not set"):
        run(started("GONE"))


def test_it_starts_only_in_a_granted_directory(tmp_path: Path) -> None:
    code = ["-c", "import os; print(os.getcwd())"]
    with pytest.raises(PolicyDeniedError):
        run(guard(PYTHON).run(PYTHON, code, directory=str(tmp_path)))
    reading = guard(PYTHON, read=frozenset({str(tmp_path)}))
    assert run(reading.run(PYTHON, code, directory=str(tmp_path))).stdout.decode().strip() == str(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(BridgeError, match="not a directory"):
        run(reading.run(PYTHON, code, directory=str(tmp_path / "file")))


def gone(pid: int) -> bool:
    """Tell whether a process has ended, perhaps not reaped yet by whoever inherited it."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


FAMILY = """
import os, sys, time
child = os.fork()
if child == 0:
    time.sleep(600)
print(child, flush=True)
{then}
"""


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs /proc")
@pytest.mark.parametrize("then", ["while True: print('x' * 1000)", "sys.exit(0)", "os.kill(os.getpid(), 11)"])
def test_nothing_of_it_is_left(then: str) -> None:
    done = python(FAMILY.format(then=then), max_output=10_000)
    child = int(done.stdout.split(b"\n")[0])
    assert done.truncated == ("while" in then)
    asyncio.run(_until(lambda: gone(child)))


def test_it_is_ended_when_it_takes_too_long() -> None:
    done = python("import time; time.sleep(600)", timeout=0.1)
    assert (done.timed_out, done.status) == (True, -9)


async def _until(holds: Any) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


def test_it_is_ended_when_it_writes_too_much() -> None:
    done = python("while True: print('x' * 1000)", max_output=10_000)
    assert done.truncated
    assert len(done.stdout) == 10_000


def test_it_is_ended_when_nobody_waits_any_more() -> None:
    async def cancelled() -> int:
        pids: list[int] = []
        files = guard(PYTHON)
        start = files.start

        async def noting(*args: Any, **options: Any) -> Any:
            program = await start(*args, **options)
            pids.append(program.pid)
            return program

        files.start = noting  # type: ignore[method-assign]
        task = asyncio.create_task(files.run(PYTHON, ["-c", "import time; time.sleep(600)"]))
        await _until(lambda: pids)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return pids[0]

    with pytest.raises(ProcessLookupError):
        os.kill(run(cancelled()), 0)


def test_a_program_that_reads_nothing_is_no_failure() -> None:
    assert python("pass", stdin=b"x" * 1_000_000).status == 0


@pytest.mark.parametrize("args", [["a\0b"], ["\ud800"], ["x"] * 1001, ["x" * 200_000]])
def test_arguments_that_cannot_be_passed_are_refused(args: list[str]) -> None:
    with pytest.raises(BridgeError) as caught:
        run(guard(PYTHON).run(PYTHON, args))
    assert caught.value.code == "invalid_argument"


def test_strict_never_grants_programs() -> None:
    from llmspell.errors import PolicyError

    with pytest.raises(PolicyError, match="never grants subprocesses"):
        Policy.strict().grant(subprocess="git")


def test_many_programs_at_once_leave_no_descriptors() -> None:
    async def many() -> None:
        programs = guard(PYTHON)
        await asyncio.gather(*(programs.run(PYTHON, ["-c", "print(1)"]) for _ in range(8)))

    run(many())
    before = len(os.listdir("/proc/self/fd"))
    run(many())
    assert len(os.listdir("/proc/self/fd")) == before
