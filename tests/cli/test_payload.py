"""The JSON of ``--json``: whole, valid, and of the promised shape."""

import json
from datetime import UTC, datetime

from llmspell.cli.payload import dumps, error_payload, run_payload
from llmspell.errors import BridgeCallError, Frame, Location, ScriptRuntimeError


def test_values_that_json_lacks_are_told_as_text() -> None:
    value = {
        "bytes": b"\x00\xff",
        "nan": float("nan"),
        "inf": float("-inf"),
        "big": 2**70,
        "half": "\ud800",
        "é": [1, None],
        "at": datetime(2026, 1, 31, 12, tzinfo=UTC),
    }
    text = dumps(value).encode("utf-8", "backslashreplace").decode()
    assert json.loads(text) == {
        "bytes": "AP8=",
        "nan": "nan",
        "inf": "-inf",
        "big": 2**70,
        "half": "\ud800",
        "é": [1, None],
        "at": "2026-01-31T12:00:00.000Z",
    }


def test_an_error_has_exactly_the_promised_fields() -> None:
    error = ScriptRuntimeError(
        "boom",
        language="lua",
        location=Location("x.lua", 3),
        frames=(Frame("lua", Location("x.lua", 3, 2), "f", {"a": "1"}),),
    )
    assert error_payload(error) == {
        "type": "ScriptRuntimeError",
        "code": "runtime",
        "message": "boom",
        "language": "lua",
        "location": {"file": "x.lua", "line": 3, "column": None},
        "frames": [
            {
                "language": "lua",
                "function": "f",
                "location": {"file": "x.lua", "line": 3, "column": 2},
                "locals": {"a": "1"},
            }
        ],
    }


def test_an_unhandled_host_call_has_the_code_of_what_failed() -> None:
    assert error_payload(BridgeCallError("no", fault_code="denied"))["code"] == "denied"


def test_an_error_of_another_kind_is_internal() -> None:
    payload = error_payload(KeyError("x"))
    assert (payload["type"], payload["code"], payload["message"]) == ("KeyError", "internal", "KeyError: 'x'")
    assert (payload["language"], payload["location"], payload["frames"]) == (None, None, [])


def test_a_run_has_exactly_the_promised_fields() -> None:
    assert run_payload(value=1, output="a", usage={"calls": 0}, seconds=0.5, error=None) == {
        "value": 1,
        "output": "a",
        "usage": {"calls": 0},
        "duration_s": 0.5,
        "error": None,
    }
