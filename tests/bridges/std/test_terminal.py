"""The ``terminal`` bridge: whom it asks, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from llmspell import Host, Policy
from llmspell.errors import BridgeCallError, DeadlineExceeded


class Person:
    """Answers as told."""

    interactive = True

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def read_line(self, prompt: str = "") -> str | None:
        self.asked.append(prompt)
        return self.answers.pop(0)


def run(code: str, person: Any = None, *, seconds: float = 60, language: str = "lua") -> Any:
    with Host(plugins=("llmspell-lua", "llmspell-std"), config={}) as host:
        if person is not None:
            host.services["terminal"] = person
        with host.session(policy=Policy.minimal().narrow(time=seconds)) as session:
            return session.eval(language, code).value


def test_where_nobody_answers_it_is_refused_by_name() -> None:
    for call, args in (("terminal.read_line", ""), ("terminal.confirm", "'?'"), ("terminal.choose", "'?', {'a'}")):
        with pytest.raises(BridgeCallError, match="there is no terminal to ask at") as caught:
            run(f"return {call}({args})")
        assert caught.value.__cause__.code == "no_terminal"  # type: ignore[union-attr]
    call = "terminal.interactive"
    assert run(f"return {call}()") is False


def test_answers_are_lines_and_null_at_the_end() -> None:
    person = Person("one", "", None)
    assert run("return {terminal.read_line('> '), terminal.read_line(), terminal.read_line() == nil}", person) == [
        "one", "", True,
    ]  # fmt: skip
    assert person.asked == ["> ", "", ""]


@pytest.mark.parametrize(
    ("answers", "default", "expected"),
    [
        (["y"], "false", True), ([" YES "], "false", True), (["n"], "true", False), ([""], "true", True),
        ([None], "false", False), (["what", "no"], "true", False),
    ],
)  # fmt: skip
def test_confirm_reads_yes_and_no(answers: list[str | None], default: str, expected: bool) -> None:
    assert run(f"return terminal.confirm('Sure?', {default})", Person(*answers)) is expected


def test_an_answer_that_is_neither_is_given_up() -> None:
    with pytest.raises(BridgeCallError, match="not answered with yes or no"):
        run("return terminal.confirm('Sure?')", Person("a", "b", "c"))


def test_choose_takes_the_text_or_the_number() -> None:
    person = Person("2", "7", "red", "9" * 5000, None)
    assert run("return terminal.choose('Which?', {'red', 'green'})", person) == "green"
    assert run("return terminal.choose('Which?', {'red', 'green'})", person) == "red"
    assert person.asked[0] == "Which?\n  1. red\n  2. green\n> "
    with pytest.raises(BridgeCallError, match="not answered with one of the options"):
        run("return terminal.choose('Which?', {'red'})", person)
    with pytest.raises(BridgeCallError, match="at least one answer"):
        run("return terminal.choose('Which?', array{})", person)


class Slow(Person):
    """Answers when the run's time would be up, if it did not stand still."""

    def __init__(self, until: float) -> None:
        super().__init__()
        self.until = until

    async def read_line(self, prompt: str = "") -> str | None:
        await asyncio.sleep(max(0.0, self.until - time.monotonic()))
        return "at last"


def test_time_stands_still_while_a_person_thinks() -> None:
    # The answer comes after the limit; the rest of it is left for what the spell does then.
    assert run("return terminal.read_line()", Slow(time.monotonic() + 3.5), seconds=3) == "at last"


def test_a_spell_that_works_on_while_it_asks_is_stopped_at_its_deadline() -> None:
    with pytest.raises(DeadlineExceeded):
        run(
            "async.spawn(function() terminal.read_line() end) async.sleep(0.01) while true do end",
            Slow(time.monotonic() + 3600),
            seconds=0.7,
        )


def test_a_spell_that_waits_for_something_else_too_is_stopped_at_its_deadline() -> None:
    with pytest.raises(DeadlineExceeded):
        run(
            "async.spawn(function() terminal.read_line() end) async.sleep(3600)",
            Slow(time.monotonic() + 3600),
            seconds=0.7,
        )
