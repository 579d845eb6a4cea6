"""The table of cases: readable, complete, and able to fail."""

from __future__ import annotations

import re

import pytest

from llmspell import errors
from llmspell.testing.cases import Case, Expected, load_cases
from llmspell.testing.engine import Outcome
from llmspell.testing.expect import difference
from llmspell.testing.matrix import deviations_table, matrix_table
from llmspell.testing.stage import snippets_for

LANGUAGES = ("lua", "javascript", "tengo")


def test_there_are_at_least_150_cases_in_all_three_languages() -> None:
    assert sum(all(language in case.sources for language in LANGUAGES) for case in load_cases()) >= 150


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.id)
def test_a_case_is_well_made(case) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+", case.id)
    assert case.what
    assert case.sources
    for expected in case.expected.values():
        assert not expected.error or issubclass(getattr(errors, expected.error), errors.LlmspellError)
        re.compile(expected.message)


def test_all_languages_have_the_same_snippets() -> None:
    names = [set(snippets_for(language)) for language in LANGUAGES]
    assert names[0] == names[1] == names[2]
    assert snippets_for("cobol") == {}


@pytest.mark.parametrize(
    ("actual", "expected", "words"),
    [
        (1, 1.0, "1 (int), expected 1.0 (float)"),
        (True, 1, "True (bool), expected 1 (int)"),
        (None, "", "None"),
        ([1, [2]], [1, [3]], "$[1][0] is 2"),
        ({"a": 1}, {"b": 1}, "has the keys ['a'], expected ['b']"),
        ([1], [1, 2], "has 1 items, expected 2"),
        (0.0, -0.0, "0.0, expected -0.0"),
        ("a", b"a", "(str), expected"),
        (float("nan"), 1.0, "nan, expected 1.0"),
    ],
)
def test_a_difference_is_found_and_said(actual, expected, words) -> None:
    assert words in difference(actual, expected)


@pytest.mark.parametrize(
    "value", [None, 1, 1.5, -0.0, float("nan"), float("inf"), "x", b"x", [1, {"a": [float("nan")]}]]
)
def test_a_value_does_not_differ_from_itself(value) -> None:
    assert difference(value, value) == ""


def outcome(**fields: object) -> Outcome:
    made = Outcome()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


CASE = Case("topic.name", "something holds", {"lua": "return 1"}, {"": Expected(has_value=True, value=1)})
RUNTIME = errors.ScriptRuntimeError("went wrong", location=errors.Location("case.lua", 3))


@pytest.mark.parametrize(
    ("actual", "expected", "words"),
    [
        (outcome(values=(2,)), Expected(has_value=True, value=1), "$ is 2"),
        (outcome(), Expected(has_value=True, value=1), "None"),
        (outcome(values=(1,), output="x"), Expected(output="y"), "output"),
        (outcome(notes=[1]), Expected(notes=[]), "notes"),
        (outcome(calls=["kit.echo"]), Expected(calls=[]), "calls"),
        (outcome(values=(1, 2)), Expected(values=[1]), "values"),
        (outcome(values=(1,)), Expected(error="ScriptRuntimeError"), "expected ScriptRuntimeError, but the run ended"),
        (outcome(error=RUNTIME), Expected(has_value=True, value=1), "ScriptRuntimeError at case.lua:3: went wrong"),
        (
            outcome(error=RUNTIME),
            Expected(error="DeadlineExceeded"),
            "expected DeadlineExceeded, got ScriptRuntimeError",
        ),
        (outcome(error=RUNTIME), Expected(error="ScriptError", line=2), "line is 3, expected 2"),
        (outcome(error=RUNTIME), Expected(error="ScriptError", message="went right"), "does not match"),
        (outcome(error=RUNTIME), Expected(error="ScriptError", code="busy"), "code is 'runtime', expected 'busy'"),
        (outcome(error=RUNTIME), Expected(error="ScriptError", frame_lines=[3]), "lines of the frames"),
    ],
)
def test_what_does_not_hold_fails_and_names_the_case(actual, expected, words) -> None:
    with pytest.raises(AssertionError) as caught:
        actual.check(expected, CASE)
    assert str(caught.value).startswith("topic.name (something holds)")
    assert words in str(caught.value)


def test_what_holds_passes() -> None:
    outcome(values=(1,), output="x", notes=[], calls=[]).check(
        Expected(has_value=True, value=1, output="x", notes=[], calls=[], values=[1]), CASE
    )
    outcome(error=RUNTIME).check(Expected(error="ScriptError", line=3, message="^went"), CASE)


def test_the_matrix_shows_every_case_and_what_is_declared_otherwise() -> None:
    table = matrix_table({"lua": {case.id: "yes" for case in load_cases()}})
    assert all(f"| `{case.id}` |" in table for case in load_cases())
    declared = [case for case in load_cases() if case.deviations]
    assert declared
    assert deviations_table().count("\n") == 1 + sum(len(case.deviations) for case in declared)
