"""``log``: levels, attributes, loggers, and where messages go."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.DEBUG, logger="llmspell.script")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "llmspell.script"]


def test_messages_go_to_python_with_their_level(spell: Any, lines: Any, caplog: pytest.LogCaptureFixture) -> None:
    spell.call("log.set_level", "debug")
    for level in ("debug", "info", "warn", "error"):
        spell.call(f"log.{level}", f"a {level}", {"n": 1, "text": "two words"})
    spell.call("log.err", "again")
    spell.call("log.log", "warn", "named")
    assert lines() == [
        "DEBUG a debug n=1 text='two words'",
        "INFO  a info n=1 text='two words'",
        "WARN  a warn n=1 text='two words'",
        "ERROR a error n=1 text='two words'",
        "ERROR again",
        "WARN  named",
    ]
    assert [record.levelno for record in caplog.records[:4]] == [10, 20, 30, 40]


def test_observers_hear_of_messages(spell: Any, session: Any) -> None:
    spell.call("log.info", "hello")
    assert ("log", {"level": "info", "logger": "default", "message": "hello", "component": ""}) in session.events


def test_levels_hold_back(spell: Any, lines: Any) -> None:
    spell.call("log.debug", "not shown")
    spell.call("log.set_level", "error")
    spell.call("log.warn", "not shown")
    spell.call("log.error", "shown")
    assert lines() == ["ERROR shown"]
    assert spell.call("log.get_level") == "error"
    assert spell.call("log.levels") == {"debug": 10, "info": 20, "warn": 30, "error": 40}
    assert spell.fails("log.set_level", "loud").code == "invalid_argument"


def test_a_message_cannot_forge_another_line(spell: Any, lines: Any) -> None:
    spell.call("log.info", "a\nERROR forged\r\x1b[31m\u2028", {"k": "v\nERROR too"})
    (line,) = lines()
    assert line == "INFO  a\\nERROR forged\\r\\x1b[31m\\u2028 k='v\\nERROR too'"


def test_odd_attributes_never_fail_a_message(spell: Any, lines: Any) -> None:
    spell.call("log.info", "x", {"f": spell.fn(lambda: 1), "b": b"12", "n": float("nan"), "l": [1, {"a": None}]})
    assert lines() == ["""INFO  x f=<ScriptFunction> b='<2 bytes>' n=nan l=[1,{"a":null}]"""]


def test_a_huge_message_is_refused(spell: Any) -> None:
    assert spell.fails("log.info", "x" * 20_000).code == "too_large"


def test_json_lines(spell: Any, lines: Any) -> None:
    spell.call("log.configure", {"format": "json", "level": "debug", "context": {"app": "t"}})
    spell.call("log.debug", "hello", {"n": 1})
    entry = json.loads(lines()[0])
    assert (entry["level"], entry["message"], entry["attributes"]) == ("debug", "hello", {"app": "t", "n": 1})


def test_output_goes_to_the_script_or_nowhere(spell: Any, lines: Any) -> None:
    spell.call("log.configure", {"output": "output"})
    spell.call("log.info", "seen")
    spell.call("log.configure", {"output": "none"})
    spell.call("log.info", "kept")
    assert spell.printed == "INFO  seen\n"
    assert lines() == ["INFO  seen"]
    assert [entry["message"] for entry in spell.call("log.search")] == ["seen", "kept"]


def test_the_configuration_is_told(spell: Any) -> None:
    spell.call("log.set_context", {"a": 1})
    spell.call("log.configure", {"components": {"db": True}})
    assert spell.call("log.configuration") == {
        "level": "info",
        "format": "text",
        "output": "log",
        "context": {"a": 1},
        "components": {"db": True},
    }


def test_components_are_switched(spell: Any, lines: Any) -> None:
    spell.call("log.debug_component", "db", "off")
    spell.call("log.enable_component", "db")
    spell.call("log.debug_component", "db", "on")
    assert spell.call("log.is_enabled", "db") is True
    assert spell.call("log.components") == ["db"]
    spell.call("log.disable_component", "db")
    spell.call("log.log", "error", "dropped", {}, {"component": "db"})
    assert lines() == ["DEBUG [db] on"]


def test_named_loggers_have_level_and_context(spell: Any, lines: Any) -> None:
    logger = spell.call("log.create", "app", {"level": "warn", "context": {"app": 1}})
    spell.call((logger, "info"), "not shown")
    spell.call((logger, "warn"), "shown")
    spell.call((logger, "set_level"), "debug")
    spell.call((logger, "debug"), "now", {"n": 2})
    spell.call((logger, "debug_if"), False, "no")
    spell.call((logger, "debug_if"), True, "yes")
    spell.call((logger, "debug_component"), "db", "part")
    child = spell.call((logger, "child"), {"child": 2})
    spell.call((child, "error"), "bad")
    spell.call((child, "err"), "worse")
    spell.call((logger, "with_context"), {"later": 3})
    spell.call((logger, "log"), "info", "end")
    assert lines() == [
        "WARN  shown app=1",
        "DEBUG now app=1 n=2",
        "DEBUG yes app=1",
        "DEBUG [db] part app=1",
        "ERROR bad app=1 child=2",
        "ERROR worse app=1 child=2",
        "INFO  end app=1 later=3",
    ]


def test_a_logger_of_a_name_is_the_same_one(spell: Any) -> None:
    assert spell.call("log.create", "a") == spell.call("log.create", "a")
    assert spell.call("log.default") == spell.call("log.create")
    assert spell.call("log.create", "a") != spell.call("log.create", "b")


def test_a_script_formats_its_messages(spell: Any, lines: Any) -> None:
    spell.call("log.register_formatter", "short", spell.fn(lambda entry: f"{entry['level']}|{entry['message']}"))
    logger = spell.call("log.default")
    spell.call((logger, "set_formatter"), "short")
    spell.call((logger, "info"), "hello")
    assert lines() == ["info|hello"]
    assert spell.fails("log.register_formatter", "json", spell.fn(lambda entry: "")).code == "exists"


def test_a_format_that_is_not_there_is_told(spell: Any) -> None:
    spell.call("log.configure", {"format": "fancy"})
    assert spell.fails("log.info", "x").code == "unknown_format"


def test_a_formatter_is_forgotten_with_its_run(spells: Any) -> None:
    first = spells()
    first.call("log.register_formatter", "short", first.fn(lambda entry: "x"))
    first.end()
    second = spells()
    second.call("log.configure", {"format": "short"})
    assert second.fails("log.info", "x").code == "unknown_format"


def test_time_is_measured(spell: Any, lines: Any) -> None:
    spell.call("log.set_level", "debug")
    timer = spell.call("log.timer", "work")
    assert spell.call((timer, "stop")) >= 0
    start = spell.call("log.time")
    assert spell.call("log.duration", "more", start) >= 0
    assert spell.call("log.profile", "rest", spell.fn(lambda: 42)) == 42
    assert [line.split(" took ")[0] for line in lines()] == ["DEBUG work", "DEBUG more", "DEBUG rest"]


def test_a_profiled_failure_is_logged_and_goes_on(spell: Any, lines: Any, raised: Any) -> None:
    def fail() -> None:
        raise raised("no")

    spell.call("log.set_level", "debug")
    assert "no" in spell.fails("log.profile", "bad", spell.fn(fail)).message
    assert len(lines()) == 1


def test_failures_are_caught_and_logged(spell: Any, lines: Any, raised: Any) -> None:
    def fail() -> None:
        raise raised({"code": "mine", "message": "no"})

    assert spell.call("log.catch", spell.fn(lambda: 1)) == {"value": 1}
    assert spell.call("log.catch", spell.fn(fail), "saving") == {"error": {"code": "mine", "message": "no"}}
    assert lines() == ["ERROR saving failed: no code=mine"]


def test_assertions_are_logged_and_fail(spell: Any, lines: Any) -> None:
    assert spell.call("log.assert", 3, "fine") == 3
    fault = spell.fails("log.assert_that", False, "broken", {"n": 1})
    assert (fault.code, fault.message) == ("assertion", "broken")
    assert lines() == ["ERROR broken n=1"]


def test_audit_reaches_observers_at_any_level(spell: Any, session: Any) -> None:
    spell.call("log.set_level", "error")
    spell.call("log.audit", "login", {"user": "ann"})
    assert ("audit", {"type": "login", "details": '{"user":"ann"}'}) in session.events


def test_what_was_logged_is_searched(spell: Any) -> None:
    for number in range(5):
        spell.call("log.info", f"message {number}")
    spell.call("log.error", "bad")
    assert [e["message"] for e in spell.call("log.search", {"level": "error"})] == ["bad"]
    assert [e["message"] for e in spell.call("log.search", {"text": "message", "limit": 2})] == [
        "message 3",
        "message 4",
    ]
    assert spell.call("log.search", {"logger": "other"}) == []
    assert spell.call("log.search", {"limit": 0}) == []
    assert len(spell.call("log.search", {"since": 0})) == 6
    assert spell.call("log.stats") == {
        "total": 6,
        "kept": 6,
        "levels": {"debug": 0, "info": 5, "warn": 0, "error": 1},
    }
    assert len(json.loads(spell.call("log.export"))) == 6
    assert len(spell.call("log.export_entries", "jsonl").splitlines()) == 6


def test_only_the_last_thousand_are_kept(spell: Any) -> None:
    spell.parallel(*[("log.info", "x")] * 1_100)
    assert spell.call("log.stats")["kept"] == 1_000
    assert spell.call("log.stats")["total"] == 1_100
