"""A worker's process starts before the command line imports anything, and only where one is going to be used."""

import json
import subprocess
import sys

import pytest

from llmspell.cli.ahead import launched, wants_worker


@pytest.mark.parametrize(
    "line",
    [
        "run spell.lua",
        "exec lua 1",
        "--block x run spell.lua",
        "run --level standard a.lua",
        "run a.lua --level=strict",
    ],
)
def test_a_run_wants_a_worker(line: str) -> None:
    assert wants_worker(line.split())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "engines",
        "version",
        "run a.lua --level minimal",
        "exec lua 1 --level=minimal",
        "run --help",
        "security doctor",
    ],
)
def test_what_needs_no_worker_starts_none(line: str) -> None:
    assert not wants_worker(line.split())


def test_nobody_uses_what_was_launched_and_it_ends_all_the_same() -> None:
    with launched(["run", "x.lua"]) as launch:
        assert launch is not None
        assert launch.process.poll() is None
    assert launch.process.returncode is not None
    assert launch.control.fileno() == -1


WATCH = """
import json, subprocess, sys
launched = []
begin = subprocess.Popen.__init__
def noted(self, *args, **more):
    heavy = ("click", "pydantic", "asyncio", "llmspell.host.host")
    launched.append(sorted(name for name in heavy if name in sys.modules))
    begin(self, *args, **more)
subprocess.Popen.__init__ = noted
sys.argv = ["llmspell", "exec", "lua", "return 1", "-q"]
from llmspell.cli import main
try:
    main()
finally:
    sys.stderr.write(json.dumps(launched))
"""


def test_the_one_process_that_forks_workers_is_launched_before_anything_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", WATCH], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stderr.splitlines()[-1]) == [[]]


def test_the_exit_status_survives_leaving_without_teardown() -> None:
    code = "import sys; sys.argv = ['llmspell', 'exec', 'lua', 'error(1)']; from llmspell.cli import main; main()"
    at_exit = f"import atexit; atexit.register(print, 'told of the end'); {code}"
    done = subprocess.run([sys.executable, "-c", at_exit], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    late = "import atexit, llmspell.cli.main; from llmspell.cli import whole; "
    late += "leaving = whole.leave_quickly(); leaving.code = 7; atexit.register(print, 'told of the end')"
    done = subprocess.run([sys.executable, "-c", late], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (7, "told of the end\n")
