"""Programs, variables and the machine: off unless granted, and then no more than that."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import psutil
import pytest

from llmspell import Policy

PYTHON = sys.executable


def granted(bench: Any, **grants: Any) -> Any:
    bench.policy = Policy.standard().grant(**grants)
    return bench


def test_no_program_is_started_unless_granted(bench: Any) -> None:
    code, message = bench.refused("execute_command", command="echo", args=["hello"])
    assert (code, message) == ("denied", "the policy does not allow starting 'echo'; grant it: --allow-run echo")


@pytest.mark.parametrize("command", ["/tmp/echo", "sh", "bash -c echo", "echo; id", "$(id)", "./echo"])
def test_a_grant_is_for_one_program(bench: Any, command: str) -> None:
    assert granted(bench, subprocess="echo").refused("execute_command", command=command)[0] == "denied"


def test_no_shell_reads_the_arguments(bench: Any) -> None:
    done = granted(bench, subprocess="echo").run("execute_command", command="echo", args=["$HOME; id", "*", "a  b"])
    assert done["stdout"] == "$HOME; id * a  b\n"


def test_what_came_of_it_is_told(bench: Any) -> None:
    code = "import sys; print(input()); print('bad', file=sys.stderr); sys.exit(3)"
    done = granted(bench, subprocess=PYTHON).run("execute_command", command=PYTHON, args=["-c", code], stdin="in")
    assert {key: done[key] for key in ("exit_code", "stdout", "stderr", "success", "timed_out", "truncated")} == {
        "exit_code": 3, "stdout": "in\n", "stderr": "bad\n", "success": False, "timed_out": False, "truncated": False,
    }  # fmt: skip


def test_it_is_ended_at_its_limits(bench: Any) -> None:
    granted(bench, subprocess=PYTHON)
    slow = bench.run("execute_command", command=PYTHON, args=["-c", "import time; time.sleep(600)"], timeout=0.5)
    assert (slow["timed_out"], slow["exit_code"], slow["success"]) == (True, None, False)
    loud = bench.run("execute_command", command=PYTHON, args=["-c", "while True: print('x')"], max_output=100)
    assert (loud["truncated"], len(loud["stdout"])) == (True, 100)


def test_it_sees_no_variable_that_is_not_granted(bench: Any) -> None:
    granted(bench, subprocess=PYTHON, env="TOOLBOX_SHOWN")
    done = bench.run("execute_command", command=PYTHON, args=["-c", "import os; print(*sorted(os.environ))"])
    assert set(done["stdout"].split()) - {"LC_CTYPE"} == {"LANG", "PATH", "TOOLBOX_SHOWN"}


def test_it_starts_where_reading_is_granted(bench: Any, tmp_path: Path) -> None:
    granted(bench, subprocess="pwd")
    assert bench.refused("execute_command", command="pwd", working_dir=str(tmp_path))[0] == "denied"
    granted(bench, subprocess="pwd", read=str(tmp_path))
    assert bench.run("execute_command", command="pwd", working_dir=str(tmp_path))["stdout"].strip() == str(tmp_path)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"command": "no-such-program"}, "not_found"),
        ({"command": ""}, "invalid_argument"),
        ({"command": "echo", "args": "hello"}, "invalid_parameters"),
        ({"command": "echo", "args": ["a\0b"]}, "invalid_argument"),
        ({"command": "echo", "timeout": 0}, "invalid_parameters"),
        ({"command": "echo", "timeout": 10_000}, "invalid_parameters"),
        ({"command": ["echo"]}, "invalid_parameters"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(bench: Any, given: dict[str, Any], code: str) -> None:
    assert granted(bench, subprocess="*").refused("execute_command", **given)[0] == code


def test_a_granted_variable_is_told_and_no_other(bench: Any) -> None:
    granted(bench, env="TOOLBOX_*", secrets="TOOLBOX_HIDDEN")
    assert bench.run("get_environment_variable", name="TOOLBOX_SHOWN") == {
        "name": "TOOLBOX_SHOWN", "value": "yes", "set": True,
    }  # fmt: skip
    assert bench.run("get_environment_variable", name="TOOLBOX_NONE", default="d")["value"] == "d"
    assert bench.run("get_environment_variable", name="TOOLBOX_NONE")["value"] is None
    assert bench.refused("get_environment_variable", name="TOOLBOX_HIDDEN")[0] == "denied"
    assert bench.refused("get_environment_variable", name="HOME")[0] == "denied"


def test_the_machine_is_nothing_a_sandbox_may_know(bench: Any) -> None:
    for tool in ("get_system_info", "process_list"):
        code, message = bench.refused(tool)
        assert code == "denied"
        assert f"machine.{tool} is not granted" in message


def test_the_machine_is_told_of_where_that_is_granted(bench: Any) -> None:
    granted(bench, bridges="machine")
    told = bench.run("get_system_info")
    assert set(told) == {"os", "cpu", "memory", "disk", "python"}
    assert told["memory"]["total"] > 0
    assert set(bench.run("get_system_info", info_type="python")) == {"python"}
    listed = bench.run("process_list", sort_by="memory", limit=2)
    assert len(listed["processes"]) <= 2
    assert listed["total"] >= 1
    assert "cmdline" not in listed["processes"][0]
    mine = [
        process["pid"] for process in bench.run("process_list", filter=psutil.Process().name(), limit=5000)["processes"]
    ]
    assert os.getpid() in mine


def test_the_command_line_grants_programs_by_name(tmp_path: Path) -> None:
    spell = tmp_path / "echo.lua"
    spell.write_text('return tools.execute("execute_command", {command = "echo", args = {"hi"}}).stdout')

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [os.path.join(sysconfig.get_path("scripts"), "llmspell"), "run", str(spell), *options]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)}
        )

    refused, done = run(), run("--allow-run", "echo")
    assert (refused.returncode, "grant it: --allow-run echo" in refused.stderr) == (6, True)
    assert (done.returncode, done.stdout.strip()) == (0, "hi")
