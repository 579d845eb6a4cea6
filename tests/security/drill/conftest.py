"""The room of the drill, one process for all tests here."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell.runtime.hardening.probe import probe

HERE = Path(__file__).parent


class Room:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.stdin, self.stdout = process.stdin, process.stdout
        self._say({"path": sys.path, "attempts": str(HERE / "attempts.py"), "host": os.getpid()})
        names, wanted_only = json.loads(self.stdout.readline())
        lacking = {str(state.piece) for state in probe().applied.states if not state.applied}
        self.names: list[str] = [name for name in names if wanted_only.get(name) not in lacking]

    def _say(self, request: dict[str, Any]) -> None:
        print(json.dumps(request), file=self.stdin, flush=True)

    def attempt(self, name: str, *, without: tuple[str, ...] = (), readable: tuple[str, ...] = ()) -> dict[str, Any]:
        self._say({"attempt": name, "without": without, "readable": readable})
        answer: dict[str, Any] = json.loads(self.stdout.readline())
        return answer


@pytest.fixture(scope="session")
def room() -> Iterator[Room]:
    if sys.platform != "linux":
        pytest.skip("the strict level needs Linux")
    environment = {"LLMSPELL_DRILL_SECRET": "canary"}
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(HERE / "room.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        room = Room(process)
        yield room
        room.stdin.close()
        assert process.wait(10) == 0
