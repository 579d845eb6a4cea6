"""Modules of several languages inside each other: each is there before the one that asks for it goes on.

A guest of JavaScript cannot suspend while it waits for a module. What that module needs of JavaScript is run meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell import BridgeCallError, DeadlineExceeded, Host, LlmspellError, MemoryExceeded, Policy
from llmspell.errors import ScriptModuleNotFoundError

pytest.importorskip("llmspell_lua", reason="the package llmspell-lua is not installed")
pytest.importorskip("llmspell_quickjs", reason="the package llmspell-quickjs is not installed")
pytest.importorskip("llmspell_tengo", reason="the package llmspell-tengo is not installed")

Files = dict[str, str]
Run = Callable[..., Any]

ENDS = {
    "end.js": "exports.n = 1",
    "end.mjs": "export const n = 1",
    "waiting.js": "await require('core').sleep(0.01); export const n = 1",
    "one.lua": "return {n = require('./end.js').n + 1}",
    "onto.lua": "return {n = require('./waiting.js').n + 1}",
    "set.lua": "local M = {} function M.set(f) M.f = f end return M",
    "uses.lua": "return {n = require('./set.lua').f(21)}",
}


@pytest.fixture(scope="module", params=["minimal", pytest.param("standard", marks=pytest.mark.slow), "strict"])
def host(request: pytest.FixtureRequest) -> Iterator[tuple[Host, str]]:
    with Host(config={}) as host:
        yield host, request.param


@pytest.fixture
def run(host: tuple[Host, str], tmp_path: Path) -> Run:
    """Run the first of some files, with the others beside it."""

    def run_first(files: Files, **limits: Any) -> Any:
        for name, text in {**ENDS, **files}.items():
            (tmp_path / name).write_text(text)
        with host[0].session(policy=Policy.at_level(host[1]).narrow(**{"time": 20, **limits})) as session:
            return session.run(tmp_path / next(iter(files)))

    return run_first


CHAINS: dict[str, tuple[Files, Any]] = {
    "from javascript": ({"main.js": "export default require('./one.lua').n"}, 2),
    "from lua": ({"main.lua": "return require('./a.js').n", "a.js": "exports.n = require('./one.lua').n + 1"}, 3),
    "from tengo": (
        {"main.tengo": 'a := import("./a.js")\nexport a.n', "a.js": "exports.n = require('./one.lua').n + 1"},
        3,
    ),
    "of static imports": (
        {
            "main.js": "import { n } from './a.lua'; import { m } from './b.js'; export default [n, m]",
            "a.lua": "return {n = require('./b.js').n + 1}",
            "b.js": "import { n as inner } from './one.lua'; export const n = inner + 1, m = 7",
        },
        [4, 7],
    ),
    "of dynamic imports": (
        {
            "main.js": "export default (await import('./a.lua')).n",
            "a.lua": "return {n = require('./b.js').n + 1}",
            "b.js": "export const n = (await import('./one.lua')).n + 1",
        },
        4,
    ),
    "through three languages": (
        {
            "main.js": "export default require('./a.tengo').n",
            "a.tengo": 'b := import("./b.js")\nexport {n: b.n + 1}',
            "b.js": "exports.n = require('./c.lua').n + 1",
            "c.lua": "return {n = require('./d.tengo').n + 1}",
            "d.tengo": 'e := import("./end.js")\nexport {n: e.n + 1}',
        },
        5,
    ),
    "that ends in one that awaits": ({"main.js": "export default require('./onto.lua').n"}, 2),
    "that awaits a function of another language": (
        {
            "main.js": "import { n } from './a.lua'; export default n",
            "a.lua": "return {n = require('./b.js').n + 1}",
            "b.js": "const { f } = await import('./c.lua'); export const n = await f(1)",
            "c.lua": "local d = require('./d.js') return {f = function(x) return d.g(x) + 1 end}",
            "d.js": "export const g = async (x) => { await require('core').sleep(0.01); return x * 10 }",
        },
        12,
    ),
    "that calls a function": (
        {"main.js": "await require('./set.lua').set((x) => x * 2); export default require('./uses.lua').n"},
        42,
    ),
    "that calls an async function": (
        {"main.js": "await require('./set.lua').set(async (x) => x * 2); export default require('./uses.lua').n"},
        42,
    ),
    "out of a function that another language calls": (
        {"main.lua": "return require('./a.js').f()", "a.js": "exports.f = () => require('./one.lua').n"},
        2,
    ),
    "back to a module that is there": (
        {
            "main.js": "export default require('./a.js').again()",
            "a.js": "exports.n = 4; exports.again = () => require('./b.lua').n",
            "b.lua": "return {n = require('./a.js').n}",
        },
        4,
    ),
    "that two tasks ask for": (
        {
            "main.lua": """
                local function f(name) return function() return require(name).n end end
                return require("async").all({f("./f.js"), f("./f.js"), f("./g.js")})
                """,
            "f.js": "exports.n = require('./slow.lua').n",
            "g.js": "exports.n = require('./slow.lua').n + 1",
            "slow.lua": "require('core').sleep(0.01) return {n = 1}",
        },
        [1, 1, 2],
    ),
    "that two tasks ask for, protected": (
        {
            "main.lua": """
                local flags = require("./flags.lua")
                local function f() local ok, m = pcall(require, "./f.js") return ok and m.n or m.message end
                local function g() while not flags.reached do require("core").sleep(0.001) end return f() end
                return require("async").all({f, g})
                """,
            "f.js": "exports.n = require('./slow.lua').n",
            "flags.lua": "return {reached = false}",
            "slow.lua": "require('./flags.lua').reached = true require('core').sleep(0.01) return {n = 1}",
        },
        [1, 1],
    ),
    "that its task leaves behind": (
        {
            "main.js": "const { n, wait } = require('./a.lua'); export default [n, await wait()]",
            "a.lua": """
                local task = require("async").spawn(function() return require("./onto.js").n end)
                return {n = 1, wait = function() return task:await() end}
                """,
            "onto.js": "exports.n = require('./slow.lua').n",
            "slow.lua": "require('core').sleep(0.01) return {n = 3}",
        },
        [1, 3],
    ),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain(run: Run, chain: str) -> None:
    files, value = CHAINS[chain]
    assert run(files).value == value


def test_a_file_that_waits_for_a_module_goes_on_before_its_jobs_do(run: Run) -> None:
    """Unless the module needs jobs to be run, which are then all that there are, in their order."""
    text = "Promise.resolve().then(() => console.log('job')); require('./{}'); console.log('after')"
    assert run({"main.js": text.format("one.lua")}).output == "after\njob\n"
    assert run({"other.js": text.format("onto.lua")}).output == "job\nafter\n"


def test_a_task_stays_itself_while_its_file_waits(run: Run) -> None:
    main = """
        import async from "async";
        const task = async.spawn(async () => {
          require("./onto.lua");
          task.cancel("enough");
          await require("core").sleep(60);
        });
        export default await task.catch((error) => error.message);
        """
    assert run({"main.js": main}).value == "enough"


BAD = {
    "main.js": "function f() {\n  return require('./a.lua').n\n}\nexport default f()",
    "a.lua": "\nlocal function g()\n  local b = require('./b.js')\n  return b\nend\nlocal b = g()",
}


@pytest.mark.parametrize("text", ["\n\nthrow new TypeError('bad')", "await null;\n\nthrow new TypeError('bad')"])
def test_an_error_has_one_stack_of_all_the_files_that_waited(run: Run, text: str) -> None:
    with pytest.raises(BridgeCallError, match="TypeError: bad") as caught:
        run({**BAD, "b.js": text})
    places = [(Path(frame.location.file).name, frame.location.line) for frame in caught.value.frames]
    assert places == [("b.js", 3), ("a.lua", 3), ("a.lua", 6), ("main.js", 2), ("main.js", 4)]


def test_a_script_sees_its_own_part_of_the_stack(run: Run) -> None:
    b = "let text; try { throw new Error('x') } catch (e) { text = e.stack }\nexports.text = text"
    main = {"main.js": "export default require('./a.lua').text", "a.lua": "return require('./b.js')", "b.js": b}
    (line,) = run(main).value.strip().split("\n")
    assert Path(line).name.startswith("b.js:1:")


def test_an_error_of_the_innermost_module_can_be_caught(run: Run) -> None:
    main = "let e; try { require('./a.lua') } catch (error) { e = error.message }\n[e, require('./one.lua').n]"
    assert run({**BAD, "main.js": main, "b.js": "throw new Error('bad')"}).value == ["bad", 2]


CALLED_OFF = {
    "main.lua": """
        local async, core, flags = require("async"), require("core"), require("./flags.lua")
        local task = async.spawn(function() return require("./a.js").n end)
        while not flags.reached do core.sleep(0.001) end
        local other = async.spawn(function() return require("./a.js").n end)
        task:cancel("enough")
        local ok, e = pcall(function() return task:await() end)
        return {ok, e.code, other:await(), require("./a.js").n, flags.runs}
        """,
    "flags.lua": """
        local M = {runs = 0}
        function M.reach() M.runs, M.reached = M.runs + 1, true return M.runs end
        return M
        """,
    "a.js": "exports.n = require('./b.lua').n + 1",
    "b.lua": "return {n = require('./c.js').n + 1}",
    "c.js": """
        const runs = await require("./flags.lua").reach();
        if (runs === 1) await require("core").sleep(600);
        export const n = runs;
        """,
}


def test_a_load_that_is_called_off_ends_in_all_languages_and_begins_anew_for_others(run: Run) -> None:
    assert run(CALLED_OFF).value == [False, "cancelled", 4, 4, 2]


def test_a_function_that_waits_for_a_module_can_be_called_off(run: Run) -> None:
    main = """
        local async, core = require("async"), require("core")
        local a, flags = require("./a.js"), require("./flags.lua")
        local task = async.spawn(a.wait)
        while not flags.reached do core.sleep(0.001) end
        task:cancel("enough")
        local ok = pcall(function() return task:await() end)
        while a.seen() == "nothing" do core.sleep(0.001) end
        return {ok, a.seen()}
        """
    a = """
        let seen = "nothing";
        exports.wait = async () => {
          await null;
          try { require("./b.lua") } catch (error) { seen = error.code }
        };
        exports.seen = () => seen;
        """
    b = "require('./flags.lua').reach() require('core').sleep(600)"
    assert run({**CALLED_OFF, "main.lua": main, "a.js": a, "b.lua": b}).value == [False, "cancelled"]


def test_a_task_that_searches_can_be_called_off_by_what_runs_meanwhile(run: Run) -> None:
    main = """
        import async from "async";
        globalThis.task = async.spawn(() => require("./a.lua"));
        export default await task.catch((error) => error.message);
        """
    b = "task.cancel('enough'); require('./end.js'); require('./set.lua')"
    assert run({"main.js": main, "a.lua": "require('./b.js') require('core').sleep(600)", "b.js": b}).value == "enough"


def test_jobs_without_end_do_not_keep_a_module_from_being_called_off(run: Run) -> None:
    main = """
        local ok, e = pcall(require("async").timeout, 0.01, function() return require("./a.js").n end)
        return {ok, e.code, require("./one.lua").n}
        """
    assert run({**CALLED_OFF, "main.lua": main, "c.js": "for (;;) await null"}).value == [False, "timeout", 2]


CIRCLES: dict[str, tuple[Files, list[str]]] = {
    "through the spell": (
        {"main.js": "require('./b.js')", "b.js": "require('./a.lua')", "a.lua": "require('./main.js')"},
        ["main.js", "b.js", "a.lua", "main.js"],
    ),
    "through a module of a module": (
        {
            "main.js": "require('./b.js')",
            "b.js": "require('./a.lua')",
            "a.lua": "require('./c.js')",
            "c.js": "import { n } from './b.js'; export { n }",
        },
        ["b.js", "a.lua", "c.js", "b.js"],
    ),
    "through modules that await": (
        {
            "main.js": "import { n } from './b.js'",
            "b.js": "import { n } from './a.lua'; await null; export { n }",
            "a.lua": "return require('./c.js')",
            "c.js": "import { n } from './b.js'; await null; export { n }",
        },
        ["b.js", "a.lua", "c.js", "b.js"],
    ),
    "through a function that is called later": (
        {
            "main.js": "const f = require('./lib.js'); await null; f()",
            "lib.js": "module.exports = () => require('./a.lua')",
            "a.lua": "return require('./c.js')",
            "c.js": "import main from './main.js'; export { main }",
        },
        ["main.js", "lib.js", "a.lua", "c.js", "main.js"],
    ),
}


@pytest.mark.parametrize("circle", CIRCLES)
def test_a_circle_is_named(run: Run, circle: str) -> None:
    files, names = CIRCLES[circle]
    with pytest.raises((ScriptModuleNotFoundError, BridgeCallError), match="in a circle") as caught:
        run(files)
    path = caught.value.message.partition("circle: ")[2].split(" -> ")
    assert [Path(name).name for name in path] == names


def deep(files: int) -> Files:
    """Let modules of Lua and JavaScript wait for each other, ``files`` of each."""
    made = {"main.js": "export default require('./a0.lua').n"}
    for i in range(files):
        made[f"a{i}.lua"] = f"return {{n = require('./b{i}.js').n + 1}}"
        made[f"b{i}.js"] = f"exports.n = require('./a{i + 1}.lua').n + 1"
    return {**made, f"a{files}.lua": "return {n = 0}"}


def test_a_chain_is_bounded(run: Run) -> None:
    assert run(deep(24)).value == 48
    with pytest.raises(BridgeCallError, match="more than 50 files of several languages wait for each other") as caught:
        run(deep(40))
    assert len(caught.value.frames) == 51


@pytest.mark.parametrize(
    ("text", "limits", "error"),
    [
        ("for (;;) {}", {"time": 0.5}, DeadlineExceeded),
        ("await new Promise(() => {})", {"time": 0.5}, DeadlineExceeded),
        ("const a = []; for (;;) a.push(new Uint8Array(1e6))", {}, MemoryExceeded),
        ("let a = 'x'; for (;;) console.log((a += a))", {"output": 10_000}, LlmspellError),
    ],
)
def test_a_limit_ends_all_of_them(run: Run, text: str, limits: Any, error: type[LlmspellError]) -> None:
    catching = "try { require('./a.lua') } catch { }"
    with pytest.raises(error):
        run({**BAD, "main.js": catching, "b.js": text}, **limits)
    assert run({"main.js": "export default require('./one.lua').n"}).value == 2


def test_cancelling_reaches_the_innermost(host: tuple[Host, str], tmp_path: Path) -> None:
    files = {**BAD, "b.js": "console.log('here'); await require('core').sleep(600)"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    async def main() -> None:
        reached = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with Host(config={}) as own:
            told = lambda *_: loop.call_soon_threadsafe(reached.set)  # noqa: E731
            session = own.session(policy=Policy.at_level(host[1]), on_output=told)
            task = asyncio.create_task(session.arun(tmp_path / "main.js"))
            await reached.wait()
            task.cancel()
            with pytest.raises((asyncio.CancelledError, LlmspellError)):
                await task
            await session.aclose()

    asyncio.run(main())
