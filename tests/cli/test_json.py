"""``--json``: exactly one object on standard output, whatever happens."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Write = Callable[[str, str], Path]
KEYS = ["value", "output", "usage", "duration_s", "error"]
ERROR_KEYS = ["type", "code", "message", "language", "location", "frames"]


def one_object(ran: Any) -> dict[str, Any]:
    assert ran.out.count("\n") == 1
    loaded: dict[str, Any] = json.loads(ran.out)
    assert list(loaded) == KEYS
    if loaded["error"] is not None:
        assert list(loaded["error"]) == ERROR_KEYS
    return loaded


def test_a_run_that_goes_well(llmspell: Run) -> None:
    ran = llmspell("exec", "lua", "print('a') print('b') return {x = {1, 'é'}}", "--json")
    told = one_object(ran)
    assert (ran.code, ran.err) == (0, "")
    assert told["value"] == {"x": [1, "é"]}
    assert told["output"] == "a\nb\n"
    assert told["error"] is None
    assert told["usage"]["calls"] == 0
    assert 0 < told["duration_s"] < 60


def test_values_that_json_lacks(llmspell: Run) -> None:
    told = one_object(llmspell("exec", "lua", "return {0/0, 1/0, 'a\\xff', math.maxinteger}", "--json"))
    assert told["value"] == ["nan", "inf", "Yf8=", 2**63 - 1]


def test_a_run_that_fails_keeps_its_output(llmspell: Run, write: Write) -> None:
    write("a.lua", "print('before')\nlocal function f()\n  error('boom')\nend\nf()")
    ran = llmspell("run", "a.lua", "--json")
    told = one_object(ran)
    assert ran.code == 4
    assert told["output"] == "before\n"
    assert told["value"] is None
    error = told["error"]
    assert (error["type"], error["code"], error["language"]) == ("ScriptRuntimeError", "runtime", "lua")
    assert error["location"] == {"file": "a.lua", "line": 3, "column": None}
    assert [frame["location"]["line"] for frame in error["frames"]] == [3, 5]
    assert error["frames"][0]["function"] == "f"
    assert "boom" in ran.err


def test_a_host_error_carries_its_code(llmspell: Run) -> None:
    ran = llmspell("exec", "lua", "require('fs').read('/etc/passwd')", "--json")
    told = one_object(ran)
    assert ran.code == 6
    assert (told["error"]["type"], told["error"]["code"]) == ("BridgeCallError", "denied")


@pytest.mark.parametrize(
    ("arguments", "kind", "code"),
    [
        (["run", "absent.lua"], "SpellNotFoundError", 12),
        (["run", "a.lua", "-p", "novalue"], "UsageError", 2),
        (["run", "a.lua", "--nonsense"], "UsageError", 2),
        (["run"], "UsageError", 2),
        (["exec", "cobol", "x"], "EngineNotFoundError", 5),
        (["exec", "lua", "return ="], "ScriptSyntaxError", 4),
        (["exec", "lua", "return print"], "ConversionError", 10),
        (["exec", "lua", "while true do end", "--timeout", "200ms"], "DeadlineExceeded", 8),
    ],
)
def test_a_run_that_never_began_or_ended_badly(
    llmspell: Run, write: Write, arguments: list[str], kind: str, code: int
) -> None:
    write("a.lua", "return 1")
    ran = llmspell(*arguments, "--json")
    assert one_object(ran)["error"]["type"] == kind
    assert ran.code == code


def test_an_exit_with_status_0_is_no_error(llmspell: Run) -> None:
    ran = llmspell("exec", "lua", "print('x') os.exit(0)", "--json")
    told = one_object(ran)
    assert (ran.code, told["error"], told["output"]) == (0, None, "x\n")
    ran = llmspell("exec", "lua", "os.exit(3)", "--json")
    assert ran.code == 3
    assert one_object(ran)["error"]["type"] == "ScriptExitError"


def test_an_interrupt_before_the_run_still_prints_its_json(monkeypatch: Any, capfd: Any) -> None:
    main = importlib.import_module("llmspell.cli.main")

    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "_run", interrupted)
    assert main.run(["exec", "lua", "return 1", "--level", "minimal", "--json"]) == 130
    shown = capfd.readouterr()
    assert json.loads(shown.out)["error"]["code"] == "cancelled"
    assert shown.err == "interrupted\n"
