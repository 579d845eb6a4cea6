"""Interrupts, terminals and readers that go away."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., subprocess.Popen[bytes]]
LOOP = "print('started') while true do end"


def wait_for(process: subprocess.Popen[bytes], text: bytes) -> None:
    assert process.stdout is not None
    shown = b""
    while text not in shown:
        chunk = process.stdout.read(4096)
        assert chunk, (shown, process.stderr.read() if process.stderr else b"")
        shown += chunk


def end_of(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=20)
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("level", ["minimal", "standard"])
def test_ctrl_c_ends_an_endless_loop(terminal: Callable[..., Any], level: str) -> None:
    one = terminal("exec", "lua", LOOP, "--level", level)
    one.read_until("started")
    one.press("\x03")
    assert one.finish() == 130
    assert "interrupted" in one.text
    assert "Traceback" not in one.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_the_run_and_its_host_work(
    start: Start, demo: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    code = f"require('demo').wait('{tmp_path}/marker')"
    process = start("exec", "lua", code, "--allow-bridge", "demo", env=demo)
    wait_for(process, b"waiting")
    process.send_signal(number)
    code_, _, err = end_of(process)
    assert code_ == 130
    assert (tmp_path / "marker").read_text() == "cancelled"
    assert "Traceback" not in err


def test_an_interrupted_run_still_prints_its_json(start: Start, demo: dict[str, str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "started")
    code = f"print('before') require('demo').wait('{tmp_path}/marker', '{tmp_path}/started')"
    process = start("exec", "lua", code, "--allow-bridge", "demo", "--json", env=demo)
    assert (tmp_path / "started").read_text() == "waiting"
    process.send_signal(signal.SIGTERM)
    code_, out, _ = end_of(process)
    told = json.loads(out)
    assert code_ == 130
    assert told["output"] == "before\nwaiting\n"
    assert (told["error"]["type"], told["error"]["code"]) == ("Cancelled", "cancelled")


def test_the_second_interrupt_does_not_wait(start: Start) -> None:
    code = "print('started') local ok = pcall(function() while true do end end) while true do end"
    process = start("exec", "lua", code, "--level", "minimal")
    wait_for(process, b"started")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    assert end_of(process)[0] == 130


def test_output_appears_as_it_comes(start: Start, demo: dict[str, str], tmp_path: Path) -> None:
    code = f"print('first') require('demo').wait('{tmp_path}/marker')"
    process = start("exec", "lua", code, "--allow-bridge", "demo", env=demo)
    wait_for(process, b"first\nwaiting\n")
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert end_of(process)[0] == 130


def test_a_reader_that_goes_away_ends_the_run_quietly(start: Start) -> None:
    process = start("exec", "lua", "while true do print(('x'):rep(1000)) end", "--timeout", "60s")
    assert process.stdout is not None
    assert process.stdout.read(10) == b"xxxxxxxxxx"
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read().decode()
    assert process.wait(20) == 12
    assert err == ""


def test_a_reader_that_is_gone_before_the_value_is_shown(start: Start, demo: dict[str, str], tmp_path: Path) -> None:
    process = start("plugins", env=demo)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read().decode()
    assert process.wait(20) == 12
    assert err == ""


def test_a_full_disk_is_told(tmp_path: Path, environment: dict[str, str]) -> None:
    import sysconfig

    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [f"{sysconfig.get_path('scripts')}/llmspell", "exec", "lua", "print('x') return 1"],
            stdout=full, stderr=subprocess.PIPE, env=environment, cwd=tmp_path, timeout=30,
        )  # fmt: skip
    assert done.returncode == 12
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


def test_colours_are_for_terminals_only(terminal: Callable[..., Any], llmspell: Callable[..., Any]) -> None:
    one = terminal("exec", "lua", "error('boom')")
    assert one.finish() == 4
    assert "\x1b[1;31merror[runtime]" in one.text
    assert "\x1b" not in llmspell("exec", "lua", "error('boom')").err


def test_a_terminal_shows_tables_and_coloured_values(terminal: Callable[..., Any]) -> None:
    one = terminal("exec", "lua", "return {a = 1}")
    assert one.finish() == 0
    assert "\x1b[" in one.text
    listed = terminal("engines")
    assert listed.finish() == 0
    assert "lua" in listed.text


def test_progress_is_shown_on_a_terminal_only(
    terminal: Callable[..., Any], llmspell: Callable[..., Any], demo: dict[str, str]
) -> None:
    command = ("exec", "lua", "require('demo').work() print('after')", "--allow-bridge", "demo")
    one = terminal(*command, env=demo)
    assert one.finish() == 0
    assert "[############            ]  50% half way" in one.text
    assert one.text.endswith("100% done\r\x1b[2Kafter\r\n")
    ran = llmspell(*command, env=demo)
    assert (ran.out, ran.err) == ("after\n", "")
