"""A granted program, and what it must not be, see or leave behind."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from defences import Defence, Edit

from llmspell.errors import LlmspellError
from llmspell.guards import FilesGuard, ProgramsGuard, process
from llmspell.policy import Grants

PYTHON = sys.executable
NAME = os.path.basename(PYTHON)
ENVIRON = {"PATH": os.path.dirname(PYTHON), "KEY": "hush", "PLAIN": "x"}


def guard(*granted: str) -> ProgramsGuard:
    grants = Grants(subprocess=frozenset(granted), env=frozenset({"KEY"}), secrets=frozenset({"KEY"}))
    return ProgramsGuard(grants, ENVIRON, FilesGuard(grants))


def output(guarded: ProgramsGuard, program: str, code: str, **options: object) -> str:
    """Return what Python code prints, or nothing if it is refused."""
    try:
        return asyncio.run(guarded.run(program, ["-c", code], **options)).stdout.decode()  # type: ignore[arg-type]
    except LlmspellError:
        return ""


def not_granted(_: Path) -> bool:
    return output(guard("git"), PYTHON, "print(1)") == "1\n"


def another_of_that_name(world: Path) -> bool:
    other = world / NAME
    other.write_text("#!/bin/sh\necho mine\n")
    other.chmod(0o755)
    return output(guard(NAME), str(other), "") == "mine\n"


def sees(name: str) -> Callable[[Path], bool]:
    return lambda _: f"{name}\n" in output(guard(PYTHON), PYTHON, "import os; print(*os.environ, sep='\\n')")


def starts_anywhere(world: Path) -> bool:
    code = "import os; print(os.getcwd())"
    return output(guard(PYTHON), PYTHON, code, directory=str(world)) == f"{world}\n"


def outlives(_: Path) -> bool:
    """Leave a child behind that holds nothing of its parent."""
    code = (
        "import os, time\npid = os.fork()\nif pid == 0:\n    os.close(1); os.close(2); os.close(0); time.sleep(30)\n"
        "print(pid)"
    )
    pid = int(output(guard(PYTHON), PYTHON, code))
    while True:
        try:
            told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        except FileNotFoundError:
            return False
        state, killed = told["State"].split()[0], int(told["SigPnd"], 16) >> 8 & 1
        if state in "ZX":
            return False
        if state == "S" and not killed:  # asleep, and nobody wakes it
            os.kill(pid, 9)
            return True
        time.sleep(0.001)


def writes_without_end(_: Path) -> bool:
    return len(output(guard(PYTHON), PYTHON, "print('x' * 5000)", max_output=100)) > 100


DEFENCES = [
    Defence("which programs are granted", not_granted,
            (Edit(ProgramsGuard.allows, "return any(", "return True or any("),)),
    Defence("what the name of a program means", another_of_that_name,
            (Edit(ProgramsGuard._found_by_name, "shutil.which(name, path=self._path) == program", "True"),)),
    Defence("the environment of a program", sees("PLAIN"),
            (Edit(ProgramsGuard._environment, "_names(self._passed, name) and ", ""),)),
    Defence("secrets that a program is not given", sees("KEY"),
            (Edit(ProgramsGuard._environment, " and not _names(self._secrets, name)", ""),)),
    Defence("where a program starts", starts_anywhere,
            (Edit(ProgramsGuard._directory, 'files.stat(directory).kind != "directory"', "False"),
             Edit(ProgramsGuard._directory, "return files.unguarded_path(directory)", "return directory"),)),
    Defence("the group of a program", outlives,
            (Edit(process.Program._kill_group, "os.killpg(self.pid, signal.SIGKILL)", "pass"),)),
    Defence("what a program may write", writes_without_end,
            (Edit(process.run_to_end, "part[:room]", "part"),)),
]  # fmt: skip
