"""Every export of every bridge, called with hostile arguments while nothing is granted, touches nothing."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("everything.py")
WORLDLY = ["fs", "http", "os", "toolbox", "tools", "state", "machine"]


class Listener:
    """A server on loopback that counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.visitors = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                if connection.recv(4) == b"stop":
                    return
                self.visitors += 1

    def close(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"stop")
        self._thread.join()
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


def call_everything(tmp_path: Path, listener: Listener, bridges: list[str], values: list[str], seconds: int) -> Any:
    secret = tmp_path / "canary-file"
    secret.write_text("the canary")
    places = {"file": secret, "up": "../" * 20 + str(secret).lstrip("/"), "port": listener.port}
    asked = {
        "bridges": bridges,
        "values": [value.format(**places) for value in values],
        "marks": ["canary", str(listener.port)],
        "seconds": seconds,
    }
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        input=json.dumps(asked) + "\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    if "engine_not_found" in done.stderr or "EngineNotFoundError" in done.stderr:
        pytest.skip("the lua engine is not installed")
    assert done.returncode == 0, done.stderr[-2000:]
    assert listener.visitors == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["canary-file"]
    assert secret.read_text() == "the canary"
    return json.loads(done.stdout.splitlines()[-1])


def test_bridges_to_the_world_touch_nothing_that_is_not_granted(tmp_path: Path, listener: Listener) -> None:
    said = call_everything(tmp_path, listener, WORLDLY, ["{file}", "http://127.0.0.1:{port}/canary"], 1)
    assert said["touched"] == []
    assert said["tried"] > 1000


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_bridge_touches_anything_that_is_not_granted(tmp_path: Path, listener: Listener) -> None:
    values = [
        "{file}", "{up}", "file://{file}", "file:{file}", "http://127.0.0.1:{port}/canary", "http://canary-host.test/",
        "127.0.0.1:{port}", "http://localhost:{port}/canary", "canary-new-file", "|cat {file}", "sqlite:///{file}",
    ]  # fmt: skip
    said = call_everything(tmp_path, listener, [], values, 5)
    assert said["touched"] == []
    assert said["tried"] > 100_000


def test_the_hook_sees_what_is_granted(tmp_path: Path) -> None:
    """So that nothing being seen means something: the same hook, and a bridge that may read."""
    secret = tmp_path / "canary-file"
    secret.write_text("the canary")
    code = (
        f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r})\n"
        "import everything\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append(repr(args)) if event in everything.EVENTS else None)\n"
        "from llmspell import Host, Policy\n"
        f"policy = Policy.minimal().grant(read={str(tmp_path)!r})\n"
        "with Host(config={}) as host, host.session(policy) as session:\n"
        f"    print(session.eval('lua', 'return fs.read(params.path)', {{'path': {str(secret)!r}}}).value)\n"
        "print(any('canary-file' in each for each in seen))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if "EngineNotFoundError" in done.stderr or "BridgeNotFoundError" in done.stderr:
        pytest.skip("the lua engine or the standard bridges are not installed")
    assert done.stdout.split("\n")[:2] == ["the canary", "True"], done.stderr[-2000:]
