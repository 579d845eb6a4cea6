"""Spells that call each other across languages: functions, callbacks, errors, limits, whole spells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell import (
    BridgeCallError,
    Cancelled,
    DeadlineExceeded,
    Host,
    MemoryExceeded,
    MemoryRecorder,
    Policy,
    ScriptModuleNotFoundError,
)
from llmspell.runtime.worker.pool import Workers

FILES = {
    "tools.js": """
        export function double(n) { return n * 2; }
        export async function each(items, fn) { return Promise.all(items.map((x) => fn(x))); }
        export async function slow(n) { const core = require("core"); await core.sleep(n); return n; }
        export function fail() {
          throw new TypeError("bad tool");
        }
        export function back(fn, n) { return n === 0 ? 0 : fn(n - 1); }
        export function forever(fn) { return fn(); }
        export async function jobs() { for (;;) await null; }
        export function fill() { const a = []; for (;;) a.push(new Uint8Array(1e6)); }
        export function spin() { for (;;) {} }
        export function read() { return require("fs").read("/etc/passwd"); }
        export const version = "1.0";
        """,
    "lib.lua": """
        local M = {}
        function M.greet(name) return "hello " .. name end
        function M.map(list, fn) local out = {} for i, v in ipairs(list) do out[i] = fn(v) end return out end
        function M.fail() error({code = "mine", message = "bad lib"}) end
        return M
        """,
    "waits.lua": """
        local core = require("core")
        local M, begun, ended = {}
        local function reached(seen) while not seen() do core.sleep(0.005) end return seen() end
        function M.wait()
            begun = true
            local ok, e = pcall(core.sleep, 600)
            ended = ok and "slept" or e.code
        end
        function M.begun() return reached(function() return begun end) end
        function M.ended() return reached(function() return ended end) end
        return M
        """,
    "meet.lua": """
        local meeting = require("channel").new()
        return {wait = function() return meeting:receive() end, come = function(x) return meeting:send(x) end}
        """,
    "facts.json": f'{{"n": 7, "list": ["a", null, {2**60}]}}',
    "through.tengo": "export {call: func(f) { return f() }}",
    "torn.json": "{",
    "torn.js": "\nfoo(",
    "bad.lua": "local function f()\n  error('not today')\nend\nf()",
    "bad.tengo": "f := func() { return 1 + [] }\n\nx := f()\nexport x",
    "full.js": "const a = []; for (;;) a.push(new Uint8Array(1e6));",
    "circle.lua": 'return require("./circle.js")',
    "circle.js": 'module.exports = require("./circle.lua");',
    "loads.lua": 'return require("spell").load("./loads.js")',
    "loads.js": 'export default await require("spell").load("./loads.lua");',
    "later.lua": 'return {n = 1, again = function() return require("./later.js").n() end}',
    "later.js": 'const lib = require("./later.lua"); exports.n = () => lib.n + 1',
    "child.js": "export default params.n + 1;",
    "endless.js": "for (;;) {}",
    "loud.js": 'console.log("from the child"); export default await require("core").uuid();',
}


@pytest.fixture(params=["minimal", "standard"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Run a main file, by its name and text, in a folder with the files above."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    with Host(config={}) as host:
        engines = host.plugins.engines
        if "lua" not in engines or "javascript" not in engines:
            pytest.skip("the engines lua and javascript are not both installed")

        def run_main(name: str, text: str, params: Any = None, recorder: Any = None, **limits: Any) -> Any:
            (tmp_path / name).write_text(text)
            policy = Policy.at_level(request.param).narrow(**{"time": 10, **limits})
            with host.session(policy=policy) as session:
                return session.run(tmp_path / name, params, recorder=recorder)

        run_main.folder = tmp_path  # type: ignore[attr-defined]
        yield run_main


def test_lua_calls_javascript_as_if_local(run: Any) -> None:
    source = 'local t = require("./tools.js") return {t.double(21), t.version, t.slow(0.01)}'
    assert run("main.lua", source).value == [42, "1.0", 0.01]


def test_javascript_calls_lua_as_if_local(run: Any) -> None:
    source = 'const lib = require("./lib.lua"); export default await lib.greet("js");'
    assert run("main.js", source).value == "hello js"


def test_javascript_imports_lua(run: Any) -> None:
    assert run("main.js", 'import lib from "./lib.lua"; export default await lib.greet("js");').value == "hello js"


def test_spell_load_gives_the_same_module(run: Any) -> None:
    assert run("main.lua", 'return spell.load("tools.js").double(4)').value == 8


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("main.lua", 'local d = require("./facts.json") return {d.n, d.list}'),
        ("main.js", 'import d, { n } from "./facts.json" with { type: "json" }; export default [n, d.list];'),
        ("main.js", 'const d = require("./facts.json"); export default [d.n, d.list];'),
        ("main.js", 'const { default: d } = await import("./facts.json"); export default [d.n, d.list];'),
    ],
)
def test_a_json_file_is_a_module_of_every_language(run: Any, name: str, source: str) -> None:
    assert run(name, source).value == [7, ["a", None, 2**60]]


def test_a_json_file_that_is_none_says_where(run: Any) -> None:
    with pytest.raises(BridgeCallError, match=r"'./torn.json' is not JSON: .* \(line 1, column 2\)"):
        run("main.js", 'require("./torn.json")')


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("main.lua", 'return require("./tools.js").each({1, 2, 3}, function(x) return x * 10 end)'),
        ("main.js", 'export default await require("./lib.lua").map([1, 2, 3], (x) => x * 10);'),
        ("main.js", 'export default await require("./lib.lua").map([1, 2, 3], async (x) => x * 10);'),
    ],
)
def test_callbacks_go_both_ways(run: Any, name: str, source: str) -> None:
    assert run(name, source).value == [10, 20, 30]


def test_an_error_carries_one_stack_of_both_languages(run: Any) -> None:
    source = (
        'local tools = require("./tools.js")\nlocal function call()\n  local r = tools.fail()\n  return r\nend\ncall()'
    )
    with pytest.raises(BridgeCallError, match="bad tool") as caught:
        run("main.lua", source)
    frames = [(frame.language, Path(frame.location.file).name, frame.location.line) for frame in caught.value.frames]
    assert frames[0] == ("javascript", "tools.js", 6)
    assert ("lua", "main.lua", 3) in frames


def test_frames_of_a_module_name_its_own_functions_and_files_only(run: Any) -> None:
    with pytest.raises(BridgeCallError, match="invalid operation") as caught:
        run("main.lua", 'local bad = require("./bad.tengo")')
    frames = [(Path(frame.location.file).name, frame.location.line, frame.function) for frame in caught.value.frames]
    assert frames == [("bad.tengo", 1, "f"), ("bad.tengo", 3, ""), ("main.lua", 1, "")]


def test_functions_of_another_language_are_named_as_they_are_exported(run: Any) -> None:
    source = "import { greet } from './lib.lua'; export default [greet.name, require('./lib.lua').map.name]"
    assert run("main.js", source).value == ["greet", "map"]


def test_a_lua_frame_is_not_named_by_what_calls_it_inside_the_engine(run: Any) -> None:
    with pytest.raises(BridgeCallError) as caught:
        run("main.js", "export default await require('./lib.lua').map([1], null)")
    [frame] = [frame for frame in caught.value.frames if frame.language == "lua"]
    assert frame.function == "function at line 4"


def test_an_error_of_the_other_language_can_be_caught(run: Any) -> None:
    source = """
        const lib = require("./lib.lua");
        try { await lib.fail(); } catch (error) { module.exports = [error.code, error.message]; }
        """
    assert run("main.js", source).value == ["mine", "bad lib"]


def test_recursion_across_languages_works_and_is_bounded(run: Any) -> None:
    good = 'local t = require("./tools.js") local function rec(n) return t.back(rec, n) end return rec(20)'
    assert run("main.lua", good).value == 0
    endless = 'local t = require("./tools.js") local function rec() return t.forever(rec) end return rec()'
    with pytest.raises(BridgeCallError, match="too deep"):
        run("main.lua", endless)


@pytest.mark.parametrize(
    ("main", "source", "circle"),
    [
        ("main.lua", 'return require("./circle.lua")', ("circle.lua", "circle.js", "circle.lua")),
        ("main.js", 'export default require("./circle.js")', ("circle.js", "circle.lua", "circle.js")),
        ("main.lua", 'return require("./circle.js")', ("circle.js", "circle.lua", "circle.js")),
        ("main.js", 'export default await spell.load("./loads.lua")', ("loads.lua", "loads.js", "loads.lua")),
        ("main.lua", 'return spell.load("./loads.js")', ("loads.js", "loads.lua", "loads.js")),
    ],
)
def test_modules_that_require_each_other_are_named(run: Any, main: str, source: str, circle: tuple[str, ...]) -> None:
    with pytest.raises((ScriptModuleNotFoundError, BridgeCallError), match="in a circle") as caught:
        run(main, source)
    named = caught.value.message.partition("circle: ")[2].split(" -> ")
    assert tuple(path.rpartition("/")[2] for path in named) == circle


def test_recursion_through_three_languages_is_bounded(run: Any) -> None:
    source = """
        const lib = require("./lib.lua"), through = require("./through.tengo");
        let calls = 0, refused;
        const again = async () => {
          calls++;
          const told = await through.call(async () => { await lib.map([1], async () => { await again(); }); });
          refused ??= told?.error?.code; // as a value, which is Tengo's way
        };
        await again();
        export default [calls > 100, refused];
        """
    assert run("main.js", source).value == [True, "too_deep"]


THROWN = {
    "null": "null was thrown",
    "undefined": "undefined was thrown",
    "42": "42",
    "'text'": "text",
    "{ a: 1 }": '{"a":1}',
    "Symbol('s')": "a symbol was thrown",
    "Promise.resolve(1)": "an object was thrown that cannot be shown",
    "new Proxy({}, { get() { throw 1 } })": "the script threw something that cannot be described",
}


def test_what_javascript_throws_may_be_anything(run: Any) -> None:
    functions = ", ".join(f"() => {{ throw {thrown} }}" for thrown in THROWN)
    Path(run.folder, "throws.js").write_text(f"module.exports = [{functions}]")
    lua = """
        local told = {}
        for i, f in ipairs(require("./throws.js")) do
            local ok, e = pcall(f)
            told[i] = {ok, e.code, e.message}
        end
        return told
        """
    assert run("main.lua", lua).value == [[False, "script", message] for message in THROWN.values()]


RAISED = {
    "nil": "nil",
    "42": "42",
    "'text', 0": "text",
    "{a = 1}": "the error is a table without a message",
    "print": "the error is a function",
    "setmetatable({}, {__tostring = function() return 'shown' end})": "shown",
}


def test_what_lua_raises_may_be_anything(run: Any) -> None:
    functions = ", ".join(f"function() error({raised}) end" for raised in RAISED)
    Path(run.folder, "raises.lua").write_text(f"return {{{functions}}}")
    source = """
        const told = [];
        for (const f of require("./raises.lua")) {
          told.push(await f().catch((e) => [e instanceof Error, e.code, e.message]));
        }
        export default told;
        """
    assert run("main.js", source).value == [[True, "script", message] for message in RAISED.values()]


def test_thousands_of_functions_cross_and_can_be_called(run: Any) -> None:
    Path(run.folder, "many.lua").write_text(
        "return function(n) local t = {} for i = 1, n do t[i] = function() return i end end return t end"
    )
    source = """
        const many = await require("./many.lua")(5000);
        export default [many.length, await many[0](), await many[4999]()];
        """
    assert run("main.js", source).value == [5000, 1, 5000]


def test_a_module_that_is_there_closes_no_circle(run: Any) -> None:
    assert run("main.lua", 'return require("./later.lua").again()').value == 2


@pytest.mark.parametrize("source", ['require("./full.js")', 'require("./tools.js").fill()'])
def test_a_callee_that_needs_too_much_memory_ends_the_run_by_that_name(run: Any, source: str) -> None:
    with pytest.raises(MemoryExceeded):
        run("main.lua", source)


def test_an_error_while_a_module_is_loaded_carries_the_frames_of_both_languages(run: Any) -> None:
    source = "function load() {\n  return require('./bad.lua');\n}\nload()"
    with pytest.raises(BridgeCallError, match="not today") as caught:
        run("main.js", source)
    frames = [(Path(frame.location.file).name, frame.location.line) for frame in caught.value.frames]
    assert frames == [("bad.lua", 2), ("bad.lua", 4), ("main.js", 2), ("main.js", 4)]


def test_an_error_of_syntax_in_the_other_language_says_where(run: Any) -> None:
    with pytest.raises(BridgeCallError, match=r"torn\.js:2:5: unexpected end of input") as caught:
        run("main.lua", 'local ok = 1\nlocal torn = require("./torn.js")')
    places = [(Path(frame.location.file).name, frame.location.line) for frame in caught.value.frames]
    assert places == [("torn.js", 2), ("main.lua", 2)]


def test_a_callee_whose_jobs_have_no_end_can_be_called_off(run: Any) -> None:
    lua = 'local ok, e = pcall(require("async").timeout, 0.01, require("./tools.js").jobs) return {ok, e.code}'
    assert run("main.lua", lua).value == [False, "timeout"]


def test_the_deadline_ends_a_callee(run: Any) -> None:
    with pytest.raises(DeadlineExceeded):
        run("main.lua", 'return require("./tools.js").spin()', time=0.5)


def test_a_callee_has_no_more_rights_than_its_caller(tmp_path: Path) -> None:
    (tmp_path / "tools.js").write_text(FILES["tools.js"])
    (tmp_path / "main.lua").write_text('local ok, e = pcall(require("./tools.js").read) return {ok, e.code}')
    with Host(config={}) as host, host.session(policy=Policy.standard()) as session:
        if "javascript" not in host.plugins.engines:
            pytest.skip("the engine javascript is not installed")
        assert session.run(tmp_path / "main.lua").value == [False, "denied"]


def test_a_whole_spell_runs_as_a_child(run: Any) -> None:
    result = run("main.lua", 'return {spell.run("child.js", {n = 1}), #spell.run("loud.js")}')
    assert result.value == [2, 36]
    assert result.output == "from the child\n"


def test_what_a_child_calls_counts_for_its_parent(run: Any) -> None:
    result = run("main.lua", 'spell.run("loud.js")')
    assert result.usage.calls >= 3


def test_a_child_may_be_given_less_time_and_its_parent_goes_on(run: Any) -> None:
    lua = """
        local ok, e = pcall(spell.run, "endless.js", {}, {time = 0.2})
        return {ok, e.code, spell.run("child.js", {n = 1})}
        """
    assert run("main.lua", lua, time=60).value == [False, "deadline", 2]


def test_the_end_of_the_parents_own_time_is_not_caught_through_a_child(run: Any) -> None:
    with pytest.raises(DeadlineExceeded):
        run("main.lua", 'while true do pcall(spell.run, "endless.js", {}, {time = 50}) end', time=1)


def test_cancelling_a_task_ends_what_it_awaits_in_the_other_language(run: Any) -> None:
    javascript = """
        import async from "async";
        const lib = require("./waits.lua");
        const task = async.spawn(() => lib.wait());
        await lib.begun();
        task.cancel("enough");
        await task.catch(() => null);
        export default await lib.ended();
        """
    assert run("main.js", javascript).value == "cancelled"


def test_a_guest_that_serves_another_may_wait_for_its_next_call(run: Any) -> None:
    javascript = """
        const meet = require("./meet.lua");
        const waiting = meet.wait();
        await require("core").sleep(0.01);
        await meet.come("here");
        export default await waiting;
        """
    assert run("main.js", javascript).value == "here"


def test_calls_between_languages_are_recorded_and_bounded_like_others(run: Any) -> None:
    recorder = MemoryRecorder()
    twice = 'const lib = require("./lib.lua"); await lib.greet("a"); export default await lib.greet("b")'
    result = run("main.js", twice, recorder=recorder)
    calls = [call for call in recorder.records if call.method == "call"]
    assert [(call.args, call.result) for call in calls] == [(["a"], "hello a"), (["b"], "hello b")]
    assert result.usage.calls == len(recorder.records)
    many = """
        const lib = require("./lib.lua");
        const all = await Promise.allSettled([1, 2, 3].map(() => lib.greet("x")));
        export default all.map((one) => one.status === "fulfilled" ? "ok" : one.reason.code);
        """
    assert run("main.js", many, concurrent_calls=2).value == ["ok", "ok", "too_many_calls"]
    assert run("main.js", many, concurrent_calls=3).value == ["ok"] * 3


def test_cancelling_reaches_the_callee(tmp_path: Path) -> None:
    import asyncio

    (tmp_path / "tools.js").write_text(FILES["tools.js"])
    (tmp_path / "main.lua").write_text('print("ready") return require("./tools.js").slow(100)')

    async def main() -> None:
        ready = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with Host(config={}) as host:
            if "javascript" not in host.plugins.engines:
                pytest.skip("the engine javascript is not installed")
            session = host.session(policy=Policy.standard(), on_output=lambda *_: loop.call_soon_threadsafe(ready.set))
            task = asyncio.create_task(session.arun(tmp_path / "main.lua"))
            await ready.wait()
            task.cancel()
            with pytest.raises((asyncio.CancelledError, Cancelled)):
                await task
            await session.aclose()

    asyncio.run(main())


def test_the_next_run_finds_the_worker_of_the_other_language_warm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib.lua").write_text(FILES["lib.lua"])
    (tmp_path / "main.js").write_text("import { greet } from './lib.lua'; export default await greet(params.name)")
    forked: list[Any] = []
    fork = Workers._fork

    def counted(self: Workers, kind: Any, *rest: Any) -> Any:
        forked.append(kind)
        return fork(self, kind, *rest)

    monkeypatch.setattr(Workers, "_fork", counted)
    with Host(config={}) as host:
        if not {"lua", "javascript"} <= set(host.plugins.engines):
            pytest.skip("the engines lua and javascript are not both installed")
        with host.session(policy=Policy.standard()) as session:
            for name in ("ann", "bob", "eve"):
                assert session.run(tmp_path / "main.js", {"name": name}).value == f"hello {name}"
            assert len(forked) == 2
