"""Random programs of spawn, await, send, receive, select and cancel do what a small model of the semantics says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmspell import Host, Policy, ScriptError, Session, Source
from llmspell.errors import ScriptModuleNotFoundError

LANGUAGES = {"lua": "lua", "tengo": "tengo", "javascript": "js"}
TIME = 10.0
"""Seconds a program may take, which needs milliseconds: no program hangs."""


@pytest.fixture(scope="module", params=LANGUAGES)
def run(request: pytest.FixtureRequest, interpreter: Callable[[str], Path]) -> Iterator[Callable[[Any], Any]]:
    language = request.param
    path = interpreter(LANGUAGES[language])
    source = Source(path.read_text(encoding="utf-8"), path.name, language)
    policy = Policy.at_level("minimal")
    policy = replace(policy, limits=replace(policy.limits, time=TIME))
    with Host(config={}) as host, host.session(policy=policy) as session:
        _skip_without_modules(session, source)
        yield lambda program: _outcome(session, source, program)


def _skip_without_modules(session: Session, source: Source) -> None:
    try:
        session.run(source, params={"channels": [], "tasks": [], "victims": [], "yields": 0})
    except ScriptModuleNotFoundError as error:
        pytest.skip(f"the {source.language} engine: {error.message}")


def _outcome(session: Session, source: Source, program: Any) -> Any:
    try:
        return _lists(session.run(source, params=program).value)
    except ScriptError as error:
        value = getattr(error, "value", None)
        code = value.get("code") if isinstance(value, dict) else error.code
        if code != "deadlock":
            raise
        return "deadlock"


def _lists(value: Any) -> Any:
    """In Lua an empty table is an empty dict; programs return no other."""
    if isinstance(value, dict):
        return {key: _lists(part) for key, part in value.items()} or []
    return [_lists(part) for part in value] if isinstance(value, list) else value


def _check(seeds: range, run: Any, model: Any, program_maker: Any) -> None:
    for seed in seeds:
        program = program_maker(seed)
        expected = model(program)
        try:
            outcome = run(program)
        except Exception as error:
            raise AssertionError(f"program {seed}: {json.dumps(program)}: expected {expected}") from error
        assert outcome == expected, f"program {seed}: {json.dumps(program)}"


def test_two_hundred_programs(run: Any, model: Any, program_maker: Any) -> None:
    _check(range(200), run, model, program_maker)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_five_thousand_programs(run: Any, model: Any, program_maker: Any) -> None:
    _check(range(1_000, 6_000), run, model, program_maker)


def test_the_programs_are_worth_running(model: Any, program_maker: Any) -> None:
    programs = [program_maker(seed) for seed in range(200)]
    outcomes = [model(program) for program in programs]
    deadlocks = outcomes.count("deadlock")
    assert 20 <= deadlocks <= 150
    names = {step[0] for program in programs for task in program["tasks"] for step in task}
    assert names >= {"send", "receive", "close", "await", "merge", "fail", "child", "scope", "race", "scatter"}
    assert sum(len(program["victims"]) for program in programs) > 100
