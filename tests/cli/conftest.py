"""The real ``llmspell``, in processes of its own, with pipes and with a terminal."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sysconfig
import termios
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAM = os.path.join(sysconfig.get_path("scripts"), "llmspell")

DEMO = '''
import asyncio
import pathlib

import click

from llmspell.plugin import Bridge, BridgeSpec, Call, export, hookimpl


class Demo(Bridge):
    """Things a test wants to see."""

    name = "demo"

    @export
    async def wait(self, call: Call, marker: str, started: str = "") -> None:
        """Say that it waits, then wait to be cancelled, and leave a file behind when it is."""
        call.emit("waiting\\n")
        if started:
            pathlib.Path(started).write_text("waiting")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pathlib.Path(marker).write_text("cancelled")
            raise

    @export
    async def work(self, call: Call) -> None:
        """Tell of progress."""
        call.progress(0.5, "half way")
        call.progress(1.0, "done")

    @export
    def fail(self) -> None:
        """Fail in a way nobody foresaw."""
        raise RuntimeError("the demo is broken")


@hookimpl
def llmspell_bridges():
    yield BridgeSpec("demo", "demo_plugin:Demo", description="A bridge for tests.")


@hookimpl
def llmspell_commands(cli):
    @cli.command("greet")
    @click.argument("name")
    def greet(name):
        """Greet somebody."""
        click.echo(f"hello {name}")

    @cli.command("run")
    def run():
        """Take the place of run."""
        click.echo("hijacked")
'''


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


class Terminal:
    """A process whose standard streams are one pseudo-terminal, which also is its controlling terminal."""

    def __init__(self, arguments: list[str], cwd: Path, environment: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()

        def take_terminal() -> None:
            os.setsid()
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)

        self.process = subprocess.Popen(
            [PROGRAM, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=cwd,
            env={**environment, "TERM": "xterm-256color", "COLUMNS": "100"},
            preexec_fn=take_terminal,
        )
        os.close(theirs)
        self.text = ""

    def read_until(self, wanted: str | None, seconds: float = 30) -> str:
        """Read until ``wanted`` has been shown, or, for None, to the end."""
        limit = time.monotonic() + seconds
        while wanted is None or wanted not in self.text:
            ready, _, _ = select.select([self._ours], [], [], max(0, limit - time.monotonic()))
            if not ready:
                raise AssertionError(f"{wanted!r} was not shown in {seconds} s; only: {self.text!r}")
            try:
                chunk = os.read(self._ours, 65536)
            except OSError:  # the other side is closed
                chunk = b""
            if not chunk:
                if wanted is None:
                    break
                raise AssertionError(f"it ended without showing {wanted!r}; only: {self.text!r}")
            self.text += chunk.decode(errors="replace")
        return self.text

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def finish(self, seconds: float = 30) -> int:
        """Read to the end and return the exit code."""
        self.read_until(None, seconds)
        return self.process.wait(seconds)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment without anybody's settings or keys."""
    (tmp_path / "home").mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "LANG": "C.UTF-8",
        "LLMSPELL_BLOCK": "llm,local,tengo,toolbox",
    }


@pytest.fixture
def llmspell(tmp_path: Path, environment: dict[str, str]) -> Callable[..., Ran]:
    """Run a command to its end in ``tmp_path``."""

    def run(*arguments: str, stdin: str | bytes = "", env: dict[str, str] | None = None, seconds: float = 60) -> Ran:
        done = subprocess.run(
            [PROGRAM, *arguments],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=tmp_path,
            env={**environment, **(env or {})},
            timeout=seconds,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a command with pipes; it is gone when the test ends."""
    started: list[subprocess.Popen[bytes]] = []

    def restore() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)

    def begin(*arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env={**environment, **(env or {})},
            preexec_fn=restore,
            bufsize=0,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def terminal(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[..., Terminal]]:
    """Start a command on a terminal of its own."""
    opened: list[Terminal] = []

    def begin(*arguments: str, env: dict[str, str] | None = None) -> Terminal:
        opened.append(Terminal(list(arguments), tmp_path, {**environment, **(env or {})}))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file into ``tmp_path``."""

    def put(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return path

    return put


@pytest.fixture
def demo(tmp_path: Path) -> dict[str, str]:
    """An installed distribution with a bridge and two commands; the environment that shows it."""
    site = tmp_path / "site"
    about = site / "demo_plugin-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "demo_plugin.py").write_text(DEMO)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: demo-plugin\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[llmspell]\ndemo = demo_plugin\n")
    return {"PYTHONPATH": str(site)}
