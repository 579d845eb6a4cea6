"""The bridges from real scripts, in Lua and JavaScript, through a real host."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell import Host, Policy, Source
from llmspell.errors import BridgeCallError, EngineNotFoundError

Evaluate = Callable[..., Any]


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with Host() as host:
        for language in ("lua", "javascript"):
            try:
                host.engine_spec(Source("", language=language))
            except EngineNotFoundError:
                pytest.skip(f"the engine {language} is missing")
        yield host


@pytest.fixture
def evaluate(host: Host) -> Iterator[Evaluate]:
    """Evaluate sources in one session: ``evaluate("lua", text)``."""
    with host.session(policy=Policy.minimal()) as session:
        yield lambda language, text: session.eval(language, text).value


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("lua", "return data.map({1, 2, 3}, function(value, place) return value * place end)"),
        ("javascript", "return await data.map([1, 2, 3], (value, place) => value * (place + 1))"),
    ],
)
def test_functions_of_a_script_are_called(evaluate: Evaluate, language: str, text: str) -> None:
    assert evaluate(language, text) == [1, 4, 9]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "lua",
            """
            local runs = 0
            local double = core.memoize(function(n) runs = runs + 1; return n * 2 end)
            return {double(2), double(2), runs}
            """,
        ),
        (
            "javascript",
            """
            let runs = 0;
            const double = core.memoize((n) => { runs += 1; return n * 2; });
            return [await double(2), await double(2), runs];
            """,
        ),
    ],
)
def test_functions_of_the_host_are_called(evaluate: Evaluate, language: str, text: str) -> None:
    assert evaluate(language, text) == [4, 4, 1]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "lua",
            """
            local ok, problem = pcall(errors.throw, {code = "BAD", message = "no", extra = 1})
            local caught = errors.try(function() error({code = "WORSE", message = "none"}) end,
                                      function(found) return found.code end)
            return {ok, problem.code, problem.message, caught}
            """,
        ),
        (
            "javascript",
            """
            let problem;
            try { errors.throw({code: "BAD", message: "no", extra: 1}); } catch (found) { problem = found; }
            const caught = await errors.try(
                () => { throw Object.assign(new Error("none"), {code: "WORSE"}); }, (found) => found.code);
            return [problem === undefined, problem.code, problem.message, caught];
            """,
        ),
    ],
)
def test_errors_keep_their_codes(evaluate: Evaluate, language: str, text: str) -> None:
    assert evaluate(language, text) == [False, "BAD", "no", "WORSE"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("lua", "return data.map({1}, function() error({code = 'MINE', message = 'no'}) end)"),
        (
            "javascript",
            "return await data.map([1], () => { throw Object.assign(new Error('no'), {code: 'MINE'}); })",
        ),
    ],
)
def test_what_a_function_raises_passes_through_an_export(evaluate: Evaluate, language: str, text: str) -> None:
    with pytest.raises(BridgeCallError) as caught:
        evaluate(language, text)
    assert caught.value.fault_code == "MINE"
    assert caught.value.message == "no"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("lua", "local found = {} for line in fs.lines(params.path) do found[#found + 1] = line end return found"),
        (
            "javascript",
            "const found = []; for await (const line of fs.lines(params.path)) found.push(line); return found;",
        ),
    ],
)
def test_lines_are_a_native_iterator(host: Host, tmp_path: Path, language: str, text: str) -> None:
    (tmp_path / "text").write_text("one\ntwo\n")
    policy = Policy.minimal()
    with host.session(policy=policy) as session:
        assert session.eval(language, text, params={"path": str(tmp_path / "text")}).value == ["one", "two"]


def test_a_state_is_shared_between_runs_and_languages(evaluate: Evaluate) -> None:
    evaluate("lua", "state.set('user.visits', 1)")
    assert evaluate("javascript", "return state.increment('user.visits')") == 2
    assert evaluate("lua", "return state.update('user.visits', function(n) return n * 10 end)") == 20
    assert evaluate("javascript", "const s = state.create('s'); s.set('a.b', 1); return s.toTable();") == {
        "a": {"b": 1}
    }


def test_listeners_are_called_and_end_with_their_run(evaluate: Evaluate) -> None:
    text = "local heard = {} events.on('x', function(n) heard[#heard + 1] = n end) events.emit('x', 5) return heard"
    assert evaluate("lua", text) == [5]
    assert evaluate("javascript", "return await events.emit('x', 5)") is False


def test_a_function_stands_around_another(evaluate: Evaluate) -> None:
    lua = """
        events.around("save", function(following, n) return following(n + 1) * 10 end)
        return events.execute("save", function(n) return n end, 4)
        """
    assert evaluate("lua", lua) == 50


def test_hooks_change_what_they_see(evaluate: Evaluate) -> None:
    lua = """
        local function grow(ctx) ctx.n = ctx.n + 1 return ctx end
        hooks.register_hook{id = "h", type = "before_generate", handler = grow}
        return hooks.execute_hooks("before_generate", {n = 1}).n
        """
    assert evaluate("lua", lua) == 2


def test_a_transaction_is_undone(evaluate: Evaluate) -> None:
    lua = """
        local ok, problem = pcall(state.transaction, function()
            state.set("q", 1)
            error({code = "OOPS", message = "x"})
        end)
        return {ok, problem.code, state.has("q")}
        """
    assert evaluate("lua", lua) == [False, "OOPS", False]


def test_files_are_held_to_the_policy(host: Host, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("hello")
    policy = Policy.standard().grant(read=[str(tmp_path / "in.txt")])
    with host.session(policy=policy) as session:
        path = str(tmp_path / "in.txt")
        assert session.eval("lua", "return fs.read(params.path)", params={"path": path}).value == "hello"
        with pytest.raises(BridgeCallError) as caught:
            session.eval("lua", "return fs.read(params.path)", params={"path": path + "x"})
    assert (caught.value.fault_code, caught.value.exit_code) == ("denied", 6)


def test_other_names_of_bridges_work(evaluate: Evaluate) -> None:
    assert evaluate("lua", "return utils.general_hash('abc')").startswith("ba7816bf")
    assert evaluate("lua", "local log = require('logging') return log.get_level()") == "info"


def test_a_time_limit_stops_a_function_of_the_script(evaluate: Evaluate) -> None:
    began = time.monotonic()
    lua = """
        local ok, problem = pcall(errors.timeout(function() core.sleep(60) end, 20))
        return {ok, problem.code}
        """
    assert evaluate("lua", lua) == [False, "timeout"]
    assert time.monotonic() - began < 10


def test_suites_run_in_a_script(host: Host) -> None:
    lua = """
        testing.describe("sums", function()
            testing.it("adds", function() testing.assert_equals(1 + 1, 2) end)
            testing.it("fails", function() testing.expect({1}):to_equal({2}) end)
        end)
        local report = testing.run()
        return {report.passed, report.failed}
        """
    with host.session(policy=Policy.standard()) as session:
        result = session.eval("lua", lua)
    assert result.value == [1, 1]
    assert "FAILED sums > fails: expected [2], got [1]\n2 tests: 1 passed, 1 failed" in result.output
