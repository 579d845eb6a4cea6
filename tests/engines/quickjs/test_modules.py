"""Modules: require, import and import(), of bridges, files and other languages, through one resolver."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell.engine.messages import HOST


def test_a_bridge_is_required_imported_and_found_as_a_global(stage: Any) -> None:
    assert stage.run("return require('kit').echo(1)") == 1
    assert stage.run("import kit from 'kit'; export default kit.echo(2)") == 2
    assert stage.run("import { echo, fetch as get } from 'kit'; export default [echo(3), await get(4)]") == [3, 4]
    assert stage.run("import * as k from 'kit'; export default k.echo(5)") == 5
    assert stage.run("const { echo } = await import('kit'); return echo(6)") == 6
    assert stage.run("return kit.echo(7)") == 7


def test_a_bridge_is_asked_for_when_it_is_first_used(stage: Any) -> None:
    stage.run("return 1")
    assert stage.calls == []
    stage.run("kit.echo(1); kit.echo(2); require('kit'); return 1")
    assert [call.method for call in stage.calls] == ["module", "echo", "echo"]


def test_a_global_of_a_bridges_name_may_be_declared_otherwise(stage: Any) -> None:
    assert stage.run("const kit = 5; return kit") == 5
    assert stage.run("var kit = 6; return kit") == 6
    assert stage.run("function kit() { return 7 } return kit()") == 7
    assert stage.run("globalThis.kit = 8; return kit") == 8


def test_a_bridge_cannot_be_changed(stage: Any) -> None:
    assert stage.run("const k = require('kit'); k.echo = 1; delete k.fetch; return typeof k.echo") == "function"


def test_an_export_that_is_not_there_is_asked_of_the_host_by_its_snake_case_name(stage: Any, refused: Any) -> None:
    def nothing(*args: Any) -> None:
        raise refused("unknown_method", "kit has no function 'do_it'; did you mean 'echo'?")

    stage.bridges["kit"]["do_it"] = nothing
    exports = [name for name in stage.bridges["kit"] if name != "do_it"]
    stage._host = lambda call: {"kind": "bridge", "name": "kit", "exports": [[n, False, False] for n in exports]}
    failure = stage.failure("kit.doIt()")
    assert (failure.code, failure.line) == ("unknown_method", 1)
    assert "did you mean" in failure.message


@pytest.mark.parametrize(
    "library",
    [
        "exports.add = (a, b) => a + b; exports.name = 'lib'",
        "module.exports = { add: (a, b) => a + b, name: 'lib' }",
        "export const add = (a, b) => a + b; export const name = 'lib'",
        "function add(a, b) { return a + b } const name = 'lib'; export { add, name }",
        "export function add(a, b) { return a + b } export default 1; export let name = 'lib'",
    ],
)
def test_a_file_gives_its_exports_to_every_way_of_asking(stage: Any, library: str) -> None:
    stage.files["./lib.js"] = library
    for source in (
        "const { add, name } = require('./lib.js'); return [add(1, 2), name]",
        "import { add, name } from './lib.js'; export default [add(1, 2), name]",
        "import * as lib from './lib.js'; export default [lib.add(1, 2), lib.name]",
        "const lib = await import('./lib.js'); return [lib.add(1, 2), lib.name]",
        "export * from './lib.js'; import { add, name } from './lib.js'; export default [add(1, 2), name]",
    ):
        assert stage.run(source) == [3, "lib"]


def test_default_exports_and_default_imports_meet(stage: Any) -> None:
    stage.files |= {"./esm.js": "export default (x) => x + 1", "./cjs.js": "module.exports = (x) => x + 2"}
    code = "import a from './esm.js'; import b from './cjs.js'; export default [a(1), b(1)]"
    assert stage.run(code) == [2, 3]
    assert stage.run("return [require('./esm.js').default(1), require('./cjs.js')(1)]") == [2, 3]


def test_exports_are_live_through_the_namespace(stage: Any) -> None:
    stage.files["./count.js"] = "export let n = 0; export function up() { n++ }"
    assert stage.run("import * as c from './count.js'; c.up(); c.up(); export default c.n") == 2


def test_a_module_runs_once(stage: Any) -> None:
    stage.files |= {
        "./once.js": "console.log('run'); exports.o = {}",
        "./other.js": "module.exports = require('./once.js').o",
    }
    assert stage.run("return require('./once.js').o === require('./other.js') && require('./once.js') !== null") is True
    assert stage.output == "run\n"


def test_modules_require_each_other_by_their_own_place(stage: Any) -> None:
    stage.files |= {"./lib/a.js": "module.exports = require('./b.js') + 1", "./b.js": "module.exports = 41"}
    assert stage.run("return require('./lib/a.js')") == 42
    assert [call.args for call in stage.calls] == [["./lib/a.js", "spell.js"], ["./b.js", "lib/a.js"]]


def test_top_level_await_in_a_module(stage: Any) -> None:
    stage.files["./slow.js"] = "export const value = await kit.fetch(5)"
    assert stage.run("import { value } from './slow.js'; export default value") == 5
    assert stage.run("return (await import('./slow.js')).value") == 5
    failure = stage.failure("require('./slow.js')")
    assert "use await import" in failure.message


@pytest.mark.parametrize(
    ("files", "source", "circle"),
    [
        ({"./a.js": "require('./b.js')", "./b.js": "require('./a.js')"}, "require('./a.js')", "a.js -> b.js -> a.js"),
        (
            {"./a.js": "import './b.js'", "./b.js": "import './a.js'"},
            "import './a.js'",
            "a.js -> b.js -> a.js",
        ),
        ({"./a.js": "import './a.js'"}, "import './a.js'", "a.js -> a.js"),
    ],
)
def test_a_circle_is_an_error_that_names_it(stage: Any, files: dict[str, str], source: str, circle: str) -> None:
    stage.files |= files
    failure = stage.failure(source)
    assert failure.kind == "module"
    assert circle in failure.message


def test_a_missing_module_is_a_module_failure_with_its_name_and_line(stage: Any) -> None:
    failure = stage.failure("\nrequire('./nope.js')")
    assert (failure.kind, failure.code, failure.line) == ("module", "./nope.js", 2)
    assert failure.fault == stage.calls[0].id


def test_a_missing_module_can_be_caught(stage: Any) -> None:
    assert stage.run("try { require('./nope.js') } catch (e) { return e.code }") == "module_not_found"


def test_a_missing_export_is_named(stage: Any) -> None:
    stage.files["./lib.js"] = "export const a = 1"
    failure = stage.failure("import { b } from './lib.js'")
    assert failure.kind == "module"
    assert "has no export 'b'" in failure.message


def test_a_failing_module_fails_again_with_the_same_error(stage: Any) -> None:
    stage.files["./bad.js"] = "throw new Error('bad')"
    code = """
    const e = []; for (let i = 0; i < 2; i++) try { require('./bad.js') } catch (x) { e.push(x) }
    return e[0] === e[1]
    """
    assert stage.run(code) is True


def test_errors_in_modules_name_the_modules_file(stage: Any) -> None:
    stage.files["./lib.js"] = "\nexport function boom() {\n  null.x\n}"
    failure = stage.failure("import { boom } from './lib.js'\n\nboom()")
    assert [(f.file, f.line, f.function) for f in failure.frames] == [("lib.js", 3, "boom"), ("spell.js", 3, "")]


def test_a_syntax_error_in_a_module_names_its_place(stage: Any) -> None:
    stage.files["./lib.js"] = "let a = 1;\nlet b = ;"
    failure = stage.failure("require('./lib.js')")
    assert (failure.kind, failure.file, failure.line, failure.column) == ("syntax", "lib.js", 2, 9)


def test_what_is_imported_cannot_be_assigned(stage: Any) -> None:
    stage.files["./lib.js"] = "export const a = 1"
    assert stage.failure("import { a } from './lib.js'; a = 2").kind == "runtime"


def test_import_meta_and_json(stage: Any) -> None:
    stage.files["./data.json"] = '{"a": [1, 2]}'
    assert stage.run("import d from './data.json' with { type: 'json' }; export default d.a") == [1, 2]
    assert stage.run("export default import.meta.url") == "spell.js"


def test_a_bridge_is_an_object_like_others(stage: Any) -> None:
    assert stage.run("return [`${kit}`, kit.hasOwnProperty('echo'), 'echo' in kit, typeof kit.valueOf()]") == [
        "[object Object]", True, True, "object",
    ]  # fmt: skip


def test_a_name_a_bridge_does_not_have_is_asked_of_the_host_through_a_namespace_too(stage: Any) -> None:
    with pytest.raises(KeyError):  # of the stage's own host, which has nothing better to say
        stage.run("import * as kit from 'kit'; kit.someName(1)")
    assert (stage.calls[-1].target, stage.calls[-1].method) == ("kit", "some_name")
    code = "import * as kit from 'kit'; export default ['nope' in kit, kit.then, (await import('kit')).echo(3)]"
    assert stage.run(code) == [False, None, 3]


def test_import_meta_tells_which_file_it_is(stage: Any) -> None:
    meta = stage.run("return import.meta", "/home/bo/my spells/é.js")
    assert meta == {
        "url": "file:///home/bo/my%20spells/%C3%A9.js",
        "filename": "/home/bo/my spells/é.js",
        "dirname": "/home/bo/my spells",
        "main": True,
    }
    beside = "return new URL('./data.txt', import.meta.url).pathname"
    assert stage.run(beside, "/a/b.js") == "/a/data.txt"
    assert stage.run("return [import.meta === import.meta, import.meta.dirname]", "/b.mjs") == [True, "/"]
    assert stage.run("return import.meta", "<eval>") == {"url": "<eval>", "main": True}
    stage.files["./lib.js"] = "export const { main } = import.meta"
    assert stage.run("import { main } from './lib.js'; export default main") is False


def test_words_in_texts_and_comments_are_no_module_syntax(stage: Any) -> None:
    code = """
    // import x from "nowhere"
    const s = 'export default 1'; const t = `import("nowhere") ${'import y from "z"'}`; /* export const q = 1 */
    const r = /import a from "b"/; const o = { import: 1, export: 2, await: 3 };
    return [s.length, o.import + o.export + o.await, r.source.length]
    """
    assert stage.run(code) == [16, 6, 17]
    assert stage.calls == []


def test_modules_of_other_languages_give_functions_that_return_promises(make_stage: Any) -> None:
    from llmspell.values import HostRef, MethodRef

    add = HostRef(4, "add", (MethodRef("call", True),), "function")
    stage = make_stage(foreign={"./t.lua": {"add": add, "n": 3}}, bridges={"4": {"call": lambda a, b: a + b}})
    assert stage.run("import { add, n } from './t.lua'; export default await add(n, 4)") == 7
    assert {call.target for call in stage.calls} == {HOST, 4}


def test_a_static_import_that_fails_names_the_place_of_the_import(stage: Any) -> None:
    stage.files["./lib.js"] = "export const x = 1;"
    failure = stage.failure("const a = 1;\nimport { y } from './lib.js';")
    assert (failure.kind, failure.file, failure.line) == ("module", "spell.js", 2)
    failure = stage.failure("\n\nimport './gone.js';")
    assert (failure.kind, failure.file, failure.line) == ("module", "spell.js", 3)


def test_a_namespace_is_shown_with_its_values(stage: Any) -> None:
    stage.files["./lib.js"] = "export const a = 1\nexport default 'd'\n"
    stage.run("import * as lib from './lib.js'; console.log(lib)")
    assert stage.output == "[Module: null prototype] { a: 1, default: 'd' }\n"


def test_a_file_that_does_not_compile_says_so_each_time(stage: Any) -> None:
    stage.files["./bad.js"] = "let a; let a;"  # the parser sees nothing odd in it, the engine does
    twice = "try { require('./bad.js') } catch (error) { said.push(error.name) }"
    assert stage.run(f"const said = []; {twice} {twice} return said") == ["SyntaxError", "SyntaxError"]


FIRST = ["require('./lib.js').n", "console.log('x')", "require('./lib.lua').n", "new URL('a:b')"]


@pytest.mark.parametrize("first", FIRST)
def test_what_is_first_used_where_the_stack_ends_fails_by_a_range_error_and_is_there_later(
    make_stage: Any, first: str
) -> None:
    stage = make_stage(foreign={"./lib.lua": {"n": 1}})
    stage.files["./lib.js"] = "exports.n = 1"
    code = """
        let tries = 0;
        function f() {
          try {
            f();
          } catch (error) {
            if (error.name !== "RangeError") throw error;
            tries++;
            FIRST;
            throw new Error("it was there");
          }
        }
        try { f() } catch (error) { FIRST; return [error.message, tries > 1] }
        """
    assert stage.run(code.replace("FIRST", first)) == ["it was there", True]


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        ("export default 1;\nexport default 2", (2, 1), "'default' is exported twice"),
        ("export const a = 1;\nexport { a }", (2, 10), "'a' is exported twice"),
        ("import a from 'kit';\nimport { echo as a } from 'kit'", (2, 18), "'a' is imported twice"),
        (
            "function f() {\n  import x from './a.js'\n}",
            (2, 3),
            "an import statement stands at the top level only; here, use await import()",
        ),
        ("if (1) {\n export const x = 1 }", (2, 2), "export stands at the top level only"),
    ],
)
def test_module_syntax_that_makes_no_sense_is_refused_in_words(
    stage: Any, source: str, place: tuple[int, int], message: str
) -> None:
    failure = stage.failure(source)
    assert (failure.kind, failure.line, failure.column, failure.message) == ("syntax", *place, message)


def test_a_missing_export_is_told_with_what_there_is(stage: Any) -> None:
    stage.files = {"./a.js": "export const one = 1, two = 2", "./b.js": "export const x = 1"}
    assert stage.failure("import { three } from './a.js'").message == (
        "SyntaxError: './a.js' has no export 'three'; it has one, two"
    )
    assert stage.failure("import b from './b.js'").message == (
        "SyntaxError: './b.js' has no export 'default'; import { name } or * as name from './b.js'"
    )


@pytest.mark.parametrize("value", ["() => 1 // c", "async function* () {}", "class { x = 5 }", "function () {}\n(1)"])
def test_a_default_export_without_a_name_is_called_default(stage: Any, value: str) -> None:
    stage.files["./a.js"] = f"export default {value}"
    assert stage.run("import a from './a.js'; export default a.name") == "default"
