"""A canary for a secret is put everywhere one may stand, and looked for in everything that comes out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import pytest

from llmspell import Host, JsonlRecorder, LlmspellError, Policy
from llmspell.plugin import Bridge, BridgeSpec, Call, Secret, export, hookimpl

CANARY = "cnry-5b1e-0f77-aa93"
GRANTED = {"CANARY_KEY": CANARY, "OTHER": "plain"}


class Careless(Bridge):
    """Shows its secret wherever it can."""

    name = "careless"

    @export
    def value(self) -> dict[str, Any]:
        """Return it, inside other data."""
        return {"headers": [f"Bearer {CANARY}"], f"x-{CANARY}": 1}

    @export
    def fail(self) -> None:
        """Raise it."""
        from llmspell.errors import BridgeError

        raise BridgeError(f"401 for key {CANARY}", code="denied", details={"key": CANARY})

    @export
    def crash(self) -> None:
        """Fail with it inside the host."""
        raise RuntimeError(f"no route with {CANARY}")

    @export
    def report(self, call: Call) -> None:
        """Say it as an event."""
        call.emit("progress", {"text": f"using {CANARY}"})

    @export
    def login(self, password: Annotated[str, Secret()] = "", user: str = "") -> str:
        """Take a secret."""
        return f"hello {user}"

    @export
    def sign(self, user: str, *, password: Annotated[str, Secret()] = "") -> str:
        """Take a secret as an option."""
        return f"hello {user}"

    @export
    def login_error(self, password: Annotated[str, Secret()] = "", count: int = 0) -> str:
        """Take a secret and a number."""
        return "in"


class Plugin:
    def __init__(self) -> None:
        self.events: list[Any] = []

    @hookimpl
    def llmspell_bridges(self) -> Any:
        yield BridgeSpec("careless", factory=Careless)

    @hookimpl
    def llmspell_on_event(self, event: Any) -> None:
        self.events.append(event)


# What a script does with what a bridge lets slip. Halves are put together only by the script itself.
MADE = f"'{CANARY[:8]}' .. '{CANARY[8:]}'"
SPELLS = {
    "returns it": "return careless.value()",
    "prints it": "local v = careless.value() print(v.headers[1]) for k in pairs(v) do print(k) end",
    "raises it": "careless.fail()",
    "catches it": "local ok, e = pcall(careless.fail) print(e, e.message, e.details.key) return e.message",
    "raises a table of it": "local ok, e = pcall(careless.fail) error(e)",
    "crashes the bridge": "careless.crash()",
    "has it reported": "careless.report()",
    "makes it": f"local s = {MADE} print(s) error('key ' .. s)",
    "raises it made": f"local s = {MADE} error({{ code = 'x', message = s }})",
    "has it in a variable when it fails": f"local s = {MADE} local t = {{ s }} error('plain')",
    "passes it": f"return careless.login({MADE}, 'me')",
    "passes it by name": f"return careless.login({{ password = {MADE} }})",
    "passes it in the wrong place": f"return careless.login_error('x', {MADE})",
    "passes it to nobody": f"return careless.nothing({MADE})",
    "asks for a module of its name": f"return require({MADE})",
    "returns it made": f"return {{ a = {MADE} }}",
}


def everything_of(error: LlmspellError) -> list[str]:
    """Collect what an embedder would log of an error; its cause is the embedder's own to look at."""
    fields = {
        name: value for name in dir(error) if not name.startswith("_") and not callable(value := getattr(error, name))
    }
    fields.pop("result", None)
    return [str(error), repr(error), repr(fields), "".join(traceback.format_exception_only(error))]


@pytest.mark.parametrize("level", ["minimal", "standard"])
@pytest.mark.parametrize("text", SPELLS.values(), ids=SPELLS)
def test_a_secret_of_the_environment_comes_out_nowhere(text: str, level: str, tmp_path: Path) -> None:
    plugin, printed, seen = Plugin(), [], []
    policy = Policy.at_level(level).narrow(time=20).grant(secrets=["CANARY_KEY"], bridges=["careless"])
    recorder = JsonlRecorder(tmp_path / "calls.jsonl")
    with Host(config={}, environ=GRANTED) as host:
        host.register(plugin, "careless")
        with host.session(policy, recorder=recorder, on_output=lambda *said: printed.append(said)) as session:
            try:
                result: Any = session.eval("lua", text)
                seen += [repr(result)]
            except LlmspellError as error:
                seen += [*everything_of(error), repr(error.result)]
    recorder.close()
    seen += [repr(printed), repr(plugin.events), (tmp_path / "calls.jsonl").read_text("utf-8")]
    assert [each for each in seen if CANARY in each] == []


@pytest.mark.parametrize("kind", ["parameter", "option"])
def test_a_secret_parameter_is_in_no_record_even_if_nobody_granted_the_secret(kind: str, tmp_path: Path) -> None:
    call = f"login('{CANARY}', 'me')" if kind == "parameter" else f"sign('me', {{ password = '{CANARY}' }})"
    plugin = Plugin()
    recorder = JsonlRecorder(tmp_path / "calls.jsonl")
    with Host(config={}, environ={}) as host:
        host.register(plugin, "careless")
        policy = Policy.at_level("minimal")
        with host.session(policy, recorder=recorder) as session:
            assert session.eval("lua", f"return careless.{call}").value == "hello me"
    recorder.close()
    records = (tmp_path / "calls.jsonl").read_text("utf-8")
    assert "hello me" in records
    assert CANARY not in records
    assert CANARY not in repr(plugin.events)


@pytest.mark.parametrize("text", ["return careless.value()", "careless.fail()", SPELLS["makes it"]])
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["plain", "json"])
def test_the_command_line_shows_it_nowhere(text: str, options: list[str], tmp_path: Path) -> None:
    (tmp_path / "llmspell.toml").write_text('[policy.grants]\nsecrets = ["CANARY_KEY"]\n')
    record = tmp_path / "calls.jsonl"
    code = (
        "import sys, importlib.util\n"
        f"spec = importlib.util.spec_from_file_location('canary', {str(Path(__file__))!r})\n"
        "module = importlib.util.module_from_spec(spec); sys.modules['canary'] = module\n"
        "spec.loader.exec_module(module)\n"
        "from llmspell.cli.app import Settings\n"
        "begin = Settings.open_host\n"
        "def open_host(self, **more):\n"
        "    host = begin(self, **more)\n"
        "    host.register(module.Plugin(), 'careless')\n"
        "    return host\n"
        "Settings.open_host = open_host\n"
        "from llmspell.cli import main\n"
        "main()\n"
    )
    line = ["--config", str(tmp_path / "llmspell.toml"), "exec", "lua", text, "--allow-bridge", "careless"]
    done = subprocess.run(
        [sys.executable, "-c", code, *line, "--record", str(record), *options],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "CANARY_KEY": CANARY},
        check=False,
    )
    assert "<secret>" in done.stdout + done.stderr, (done.stdout, done.stderr)
    assert CANARY not in done.stdout + done.stderr
    assert CANARY not in record.read_text("utf-8")
    if options:
        json.loads(done.stdout)
