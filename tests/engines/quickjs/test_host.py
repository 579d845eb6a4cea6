"""The engine in its places: inline in a thread that may block, in a worker, in a hardened worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmspell import (
    BridgeCallError,
    DeadlineExceeded,
    Host,
    Policy,
    PolicyUnsupportedError,
    ScriptRuntimeError,
    Session,
)
from llmspell.plugin import Bridge, BridgeSpec, Call, ScriptFunction, export, hookimpl

LEVELS = ("minimal", "standard", "strict")


class Kit(Bridge):
    """What the tests call."""

    name = "kit"

    @export
    def add_up(self, first: int, *, second_value: int = 0) -> int:
        """Add; the option is camelCase in JavaScript."""
        return first + second_value

    @export
    async def apply(self, function: ScriptFunction, items: list[Any]) -> list[Any]:
        """Call a function of the script for each item."""
        return [await function(item) for item in items]

    @export
    async def count(self, call: Call, limit: int) -> Any:
        """Stream numbers."""
        for number in range(limit):
            yield number


class Plugin:
    @hookimpl
    def llmspell_bridges(self) -> Any:
        yield BridgeSpec("kit", factory=Kit)


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with Host(config={}) as host:
        host.register(Plugin())
        yield host


@pytest.fixture(scope="module", params=LEVELS)
def session(request: pytest.FixtureRequest, host: Host) -> Iterator[Session]:
    policy = replace(Policy.at_level(request.param), grants=Policy.minimal().grants)
    with host.session(policy=policy) as session:
        yield session


def test_a_spell_has_its_value_and_its_output(session: Session) -> None:
    result = session.eval("javascript", "console.log('hi'); ({ answer: 6 * 7, big: 2n ** 70n })")
    assert (result.value, result.output) == ({"answer": 42, "big": 2**70}, "hi\n")


def test_options_are_camel_case(session: Session) -> None:
    assert session.eval("js", "kit.addUp(40, { secondValue: 2 })").value == 42


def test_the_host_calls_functions_of_the_script_while_it_waits(session: Session) -> None:
    code = "let n = 0; const out = await kit.apply(async (x) => { n += x; return x * 2 }, [1, 2, 3]); [out, n]"
    assert session.eval("js", code).value == [[2, 4, 6], 6]


def test_streams_are_drawn_item_by_item(session: Session) -> None:
    code = "let s = 0; for await (const x of kit.count(100)) { s += x; if (x === 10) break } s"
    assert session.eval("js", code).value == 55


def test_errors_name_file_line_and_function(session: Session, tmp_path: Path) -> None:
    spell = tmp_path / "bad.js"
    spell.write_text("function inner() {\n  throw new TypeError('bad')\n}\n\ninner()\n")
    with pytest.raises(ScriptRuntimeError, match="TypeError: bad") as caught:
        session.run(spell)
    assert [(f.location.line, f.function) for f in caught.value.frames] == [(2, "inner"), (5, "")]


def test_a_typescript_spell_with_a_module(session: Session, tmp_path: Path) -> None:
    (tmp_path / "lib.ts").write_text("export const twice = (n: number): number => n * 2\n")
    spell = tmp_path / "main.ts"
    spell.write_text("import { twice } from './lib.ts'\nexport default twice(21 as number)\n")
    assert session.run(spell).value == 42


def test_runs_share_nothing(session: Session) -> None:
    session.eval("js", "globalThis.left = 1; Array.prototype.left = 1")
    assert session.eval("js", "[typeof left, typeof [].left]").value == ["undefined", "undefined"]


@pytest.mark.parametrize(
    "code",
    [
        "for (;;);",
        "try { for (;;); } catch {} finally { for (;;); }",
        "let x = 3n ** 20000n; const m = 7n ** 15000n; for (;;) x = x * x % m",
        "Array.prototype.reverse.call({ length: 2 ** 53 - 1 })",
        "/^(a+)+$/.test('a'.repeat(60) + '!')",
    ],
)
def test_a_worker_ends_whatever_it_runs_at_the_deadline(host: Host, code: str) -> None:
    policy = Policy.standard().narrow(time=0.5)
    with host.session(policy=policy) as session:
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            session.eval("js", code)
        assert time.monotonic() - began < 2.5
        assert session.eval("js", "6 * 7").value == 42


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("kit.addUpp(1)", "kit has no function 'addUpp'; did you mean 'addUp'?"),
        ("kit.addUp(1, { secondValu: 2 })", "addUp has no option 'secondValu'; did you mean 'secondValue'?"),
        ("kit.addUp(1, { secondValue: 'b' })", "addUp: option 'secondValue' should be an integer, got a text"),
        ("kit.addUp()", "addUp: argument 1 ('first') is missing; it should be an integer"),
        ("kit.addUp(1, 2)", "addUp takes at most 1 argument and a table of options, got 2"),
    ],
)
def test_messages_spell_names_as_javascript_does(host: Host, code: str, message: str) -> None:
    with host.session(policy=Policy.minimal()) as session, pytest.raises(BridgeCallError) as caught:
        session.eval("js", code)
    assert caught.value.message == message


def test_a_denial_spells_names_as_javascript_does(host: Host) -> None:
    policy = Policy.minimal().grant(denied="kit.add_up")
    with host.session(policy=policy) as session, pytest.raises(BridgeCallError, match=r"kit\.addUp is not granted"):
        session.eval("js", "kit.addUp(1)")


def test_limits_the_engine_does_not_have_are_refused_before_the_run(host: Host) -> None:
    for limits in ({"steps": 1000}, {"recursion": 10}):
        policy = Policy.minimal().narrow(**limits)
        with host.session(policy=policy) as session, pytest.raises(PolicyUnsupportedError):
            session.eval("js", "1")
