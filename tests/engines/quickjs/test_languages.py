"""A guest that serves other languages: modules loaded into it, and its functions invoked."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell.engine import Source
from llmspell.engine.messages import Call, Cancel, Done, Failed, Invoke, Load, Reply
from llmspell.values import FunctionRef


@pytest.fixture
def idle(stage: Any) -> Any:
    """A stage whose guest has no main chunk."""
    assert stage.start("", mode="idle") == []
    return stage


def load(stage: Any, text: str, name: str = "tools.js", id: int = 1) -> Any:
    said = stage.guest.step(Load(id, Source(text, name, "javascript")))
    while not any(isinstance(word, Done | Failed) for word in said):
        said = [word for call in said for word in stage.guest.step(stage.answer(call))]
    [word] = [word for word in said if isinstance(word, Done | Failed)]
    assert word.id == id
    return word


@pytest.mark.parametrize(
    "text",
    [
        "export const twice = (x) => x * 2; export const name = 'tools'",
        "exports.twice = (x) => x * 2; exports.name = 'tools'",
        "module.exports = { twice: (x) => x * 2, name: 'tools' }",
        "const name = await kit.fetch('tools'); export const twice = (x) => x * 2; export { name }",
    ],
)
def test_a_modules_exports_are_given_with_its_functions(idle: Any, text: str) -> None:
    [exports] = load(idle, text).values
    assert exports["name"] == "tools"
    assert idle.invoke(exports["twice"], 21, id=2) == 42


def test_a_default_export_is_one_among_the_names(idle: Any) -> None:
    [exports] = load(idle, "export default (x) => x + 1").values
    assert list(exports) == ["default"]
    [function] = load(idle, "module.exports = (x) => x + 1", "other.js", 2).values
    assert isinstance(function, FunctionRef)


def test_a_module_that_is_there_is_not_run_again(idle: Any) -> None:
    load(idle, "console.log('run'); exports.a = 1")
    assert load(idle, "console.log('run'); exports.a = 1", id=2).values == [{"a": 1}]
    assert idle.output == "run\n"


def test_asynchronous_functions_answer_when_they_are_done(idle: Any) -> None:
    [exports] = load(idle, "export const get = async (x) => (await kit.fetch(x)) + 1").values
    [call] = idle.guest.step(Invoke(2, exports["get"].id, [41]))
    assert isinstance(call, Call)
    assert idle.guest.step(Reply(call.id, 41)) == [Done(2, [42])]


def test_several_invocations_overlap(idle: Any) -> None:
    [exports] = load(idle, "export const get = async (x) => [x, await kit.fetch(x)]").values
    calls = [idle.guest.step(Invoke(n, exports["get"].id, [n]))[0] for n in (2, 3, 4)]
    for call in reversed(calls):
        n = call.args[0]
        assert idle.guest.step(Reply(call.id, n * 10)) == [Done(n, [[n, n * 10]])]


def test_a_failing_module_and_a_failing_function_say_where(idle: Any) -> None:
    failure = load(idle, "\nthrow new TypeError('bad')").failure
    assert (failure.message, failure.file, failure.line) == ("TypeError: bad", "tools.js", 2)
    failure = load(idle, "let x = ;", "broken.js", 2).failure
    assert (failure.kind, failure.file) == ("syntax", "broken.js")
    [exports] = load(idle, "export function boom() {\n  null.x\n}", "late.js", 3).values
    [failed] = idle.guest.step(Invoke(4, exports["boom"].id, []))
    assert (failed.id, failed.failure.file, failed.failure.line) == (4, "late.js", 2)


def test_an_unhandled_rejection_is_printed_since_there_is_no_end_to_fail(idle: Any) -> None:
    [exports] = load(idle, "export const lose = () => { Promise.reject(new Error('lost')) }").values
    idle.invoke(exports["lose"], id=2)
    assert idle.error_output == "Uncaught (in promise) Error: lost\n"


def test_an_idle_guest_ends_when_it_is_cancelled(idle: Any) -> None:
    [failed] = idle.guest.step(Cancel())
    assert (failed.id, failed.failure.kind) == (0, "cancelled")


def test_modules_load_while_a_spell_waits(stage: Any) -> None:
    stage.files["./tools.js"] = "console.log('once'); exports.n = 1"
    said = stage.start("const t = require('./tools.js'); return [await kit.fetch(1), t.n]")
    assert load(stage, stage.files["./tools.js"], "tools.js", 9).values == [{"n": 1}]
    call = next(word for word in said if isinstance(word, Call))
    assert stage.guest.step(Reply(call.id, 5)) == [Done(0, [[5, 1]])]
    assert stage.output == "once\n"
