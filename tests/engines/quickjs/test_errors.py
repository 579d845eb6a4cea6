"""Errors: their class, message, code, and the author's own places."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell_quickjs import hints


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("throw new Error('plain')", "plain"),
        ("throw new TypeError('typed')", "TypeError: typed"),
        ("throw new (class Own extends Error { constructor(m) { super(m); this.name = 'Own' } })('mine')", "Own: mine"),
        ("throw 'a text'", "a text"),
        ("throw 5", "5"),
        ("throw null", "null was thrown"),
        ("throw undefined", "undefined was thrown"),
        ("throw Promise.resolve(1)", "an object was thrown that cannot be shown"),
        ("const o = {}; o.o = o; throw o", "an object was thrown that cannot be shown"),
        ("throw { code: 7 }", '{"code":7}'),
        ("throw { toString() { return 'shown' } }", "shown"),
        ("null.x", "TypeError: cannot read property 'x' of null"),
        ("nowhere", "ReferenceError: nowhere is not defined"),
        ("throw new AggregateError([new Error('a')], 'several')", "AggregateError: several"),
        ("structuredClone(() => 1)", "DataCloneError: a function could not be cloned"),
        ("JSON.parse('{')", None),
    ],
)
def test_what_is_thrown_is_told(stage: Any, source: str, message: str | None) -> None:
    failure = stage.failure(source)
    assert (failure.kind, failure.language) == ("runtime", "javascript")
    if message is not None:
        assert failure.message == message


def test_what_an_error_carries_is_told_with_it(stage: Any) -> None:
    failure = stage.failure("const e = new Error('m'); e.code = 'E_OWN'; e.left = [1]; throw e")
    assert failure.code == "E_OWN"
    assert failure.value == {"name": "Error", "message": "m", "code": "E_OWN", "left": [1]}
    assert stage.failure("throw { a: [1] }").value == {"a": [1]}


def test_frames_name_function_line_and_column_of_the_author(stage: Any) -> None:
    code = """// ü😀
const inner = () => {
  const é = 'ü'; throw new Error('x')
}
function outer() { inner() }

  outer()
"""
    failure = stage.failure(code)
    assert [(f.function, f.line, f.column) for f in failure.frames] == [
        ("inner", 3, 28),
        ("outer", 5, 20),
        ("", 7, 3),
    ]
    assert (failure.file, failure.line, failure.column) == ("spell.js", 3, 28)


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("boom()", 1, 1),
        ("  boom()", 1, 3),
        ("import kit from 'kit'; boom()", 1, 24),
        ("export default 1; boom()", 1, 19),
        ("await kit.fetch(1); boom()", 1, 21),
        ("const a = await kit.fetch(await kit.fetch(1)); boom()", 1, 48),
        ("export const a = 1,\n  b = boom()", 2, 7),
        ("const f = async () => await boom();\nawait f()", 1, 29),
        ("'use strict'; boom()", 1, 15),
        ("/* ü😀 */ await boom()", 1, 16),
        ("if (1) boom()\n", 1, 8),
        ("let o = {};\n\n  o.x.y", 3, 7),
    ],
)
def test_rewriting_moves_no_place(stage: Any, source: str, line: int, column: int) -> None:
    failure = stage.failure(source)
    assert (failure.line, failure.column) == (line, column)


def test_frames_after_an_await_are_the_async_functions_own(stage: Any) -> None:
    failure = stage.failure("async function f() {\n  await kit.fetch(1)\n  null.x\n}\nawait f()")
    assert (failure.frames[0].function, failure.frames[0].line) == ("f", 3)


def test_scripts_see_their_own_places_in_the_stack_of_an_error(stage: Any) -> None:
    code = "function f() {\n  return new Error('x').stack\n}\nreturn f()"
    stack = stage.run(code, "dir/spell.js")
    assert "at f (dir/spell.js:2:" in stack
    assert "dir/spell.js:4:" in stack
    assert "<input>" not in stack


def test_captured_stacks_are_the_authors_too(stage: Any) -> None:
    code = "const o = {}; function f() {\n  Error.captureStackTrace(o, f)\n}\nf(); return o.stack"
    assert "spell.js:4:" in stage.run(code)


def test_an_exception_of_the_web_has_frames_too(stage: Any) -> None:
    failure = stage.failure("const copied = 1\nstructuredClone({ a: () => 1 })")
    assert [(f.line, f.column) for f in failure.frames] == [(2, 1)]


def test_a_fault_has_the_stack_of_its_call(stage: Any) -> None:
    code = "async function ask() {\n  await kit.refuseLater()\n}\ntry { await ask() } catch (e) { return e.stack }"
    assert stage.run(code).startswith("    at ask (spell.js:2:")


def test_evaluated_text_has_no_place_in_the_file(stage: Any) -> None:
    failure = stage.failure("\n\neval('null.x')")
    assert [(f.line, f.function) for f in failure.frames] == [(3, "")]
    failure = stage.failure("eval('foo(')")
    assert (failure.kind, failure.message.split(":")[0]) == ("runtime", "SyntaxError")


def test_faults_of_the_host_are_errors_with_code_and_details(stage: Any) -> None:
    code = """
    try { kit.refuse('busy', 'too busy', { retryAfter: 3 }) }
    catch (e) { return [e instanceof BridgeError, e instanceof Error, e.name, e.message, e.code, e.details] }
    """
    assert stage.run(code) == [True, True, "BridgeError", "too busy", "busy", {"retryAfter": 3}]


def test_an_unhandled_fault_names_its_call_and_line(stage: Any) -> None:
    failure = stage.failure("\nfunction f() { kit.refuse('busy', 'too busy') }\nf()")
    assert (failure.message, failure.code, failure.line) == ("too busy", "busy", 2)
    assert failure.fault == stage.calls[-1].id
    assert [f.function for f in failure.frames] == ["f", ""]


def test_an_error_thrown_anew_is_the_scripts_own(stage: Any) -> None:
    failure = stage.failure("try { kit.refuse('busy') } catch (e) { throw new Error('gave up', { cause: e }) }")
    assert (failure.message, failure.fault) == ("gave up", 0)


def test_endless_recursion_says_where(stage: Any) -> None:
    failure = stage.failure("function down(n) {\n  return down(n + 1)\n}\ndown(0)")
    assert failure.message == "RangeError: Maximum call stack size exceeded"
    assert (failure.frames[0].function, failure.line) == ("down", 2)


def test_recursion_can_be_caught_and_the_run_goes_on(stage: Any) -> None:
    assert stage.run("function f() { f() } try { f() } catch (e) { return kit.echo(e.name) }") == "RangeError"


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("let x = ;", 1, 9),
        ("\n\n  let x = ;", 3, 11),
        ("const a = await kit.fetch(1); let x = ;", 1, 39),
        ("import kit from 'kit';\nlet x = ;", 2, 9),
        ("foo)", 1, 4),
        ("let a = 1;\nlet a = 2;", 2, 5),
        ("a b", 1, 3),
        ("export default ;", 1, 8),
        ("'ü'; let x = ;", 1, 14),
    ],
)
def test_syntax_errors_name_their_place(stage: Any, source: str, line: int, column: int) -> None:
    failure = stage.failure(source)
    assert (failure.kind, failure.incomplete) == ("syntax", False)
    assert (failure.line, failure.column) == (line, column)


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        ("const a = 1;\nfunction f(b) { let b }", (2, 21), "'b' is declared twice"),
        ("class A {}\nclass A {}", (2, 7), "'A' is declared twice"),
        ("let { a, a } = {}", (1, 10), "'a' is declared twice"),
        ("let é; let b;\n'é'; x = /(/", (2, 10), "this regular expression makes no sense: expecting ')'"),
        ("1; /a/gg", (1, 4), "this regular expression makes no sense: invalid regular expression flags"),
        ("f();\nbreak", (2, 6), "break must be inside loop or switch"),
        (
            "\n@decorated class A {}",
            (2, 1),
            "decorators are not supported; call the function instead: const Bee = decorate(class { ... })",
        ),
        ("x = <b>bold</b>", (1, 5), "JSX is not supported; texts are made with templates: `<p>${text}</p>`"),
        ("x = <br/>", (1, 5), "JSX is not supported; texts are made with templates: `<p>${text}</p>`"),
    ],
)
def test_syntax_errors_are_told_in_words(stage: Any, source: str, place: tuple[int, int], message: str) -> None:
    failure = stage.failure(source)
    assert (failure.kind, failure.incomplete) == ("syntax", False)
    assert (failure.line, failure.column, failure.message) == (*place, message)


@pytest.mark.parametrize(
    "source",
    ["foo(", "if (x) {", "`abc", "`a ${b", "/* abc", "[1,", "{ a:", "x =>", "class A {", "1 +", "async function f() {",
     "switch (x) { case 1:", "const a =", "foo(\n", "import { a,", "export const", "({ a() {", "a ?", "for (;;",
     "while (x)", "if (x)", "export const a =", "export const f = (x", "export class A extends",
     "const { a, b", "let [a,", "import a", "import { a }", "import * as a"],
)  # fmt: skip
def test_unfinished_sources_say_so(stage: Any, source: str) -> None:
    failure = stage.failure(source)
    assert (failure.kind, failure.incomplete) == ("syntax", True), failure.message


@pytest.mark.parametrize("source", ["}", "foo()\n}", "let x = ;", "foo(]", "else", '"abc', "a }); b(); (function () {",
                                    "import { a } form 'kit'; a", "import 5", "export const = 3", "/(/", "break",
                                    "import a b"])  # fmt: skip
def test_broken_sources_do_not_claim_to_be_unfinished(stage: Any, source: str) -> None:
    failure = stage.failure(source)
    assert (failure.kind, failure.incomplete) == ("syntax", False)


@pytest.mark.parametrize(
    "source",
    [
        "}); kit.echo('escaped'); (function () {",
        "}}); kit.echo('escaped'); ({ a() {",
        "}); throw 1; (async function () {",
        "/* */ }); kit.echo(`escaped`); (() => {",
    ],
)
def test_a_source_cannot_close_the_function_it_stands_in(stage: Any, source: str) -> None:
    assert stage.failure(source).kind == "syntax"
    assert stage.calls == []


def test_checking_runs_nothing(stage: Any) -> None:
    from llmspell.engine.messages import Done, Failed

    assert stage.start("kit.echo(1)", mode="check") == [Done(0, [])]
    [failed] = stage.start("let x = ;", mode="check")
    assert isinstance(failed, Failed)
    assert (failed.failure.kind, failed.failure.column) == ("syntax", 9)
    assert stage.calls == []


def test_half_a_surrogate_pair_in_a_source_is_refused_by_place(stage: Any) -> None:
    failure = stage.failure("let a = 1;\nlet b = '\ud800'")
    assert (failure.kind, failure.line, failure.column) == ("syntax", 2, 10)


def test_a_deeply_nested_source_is_an_error_not_a_crash(stage: Any) -> None:
    assert stage.failure("if (1) " * 5000 + "1").kind in ("syntax", "runtime")
    assert stage.failure("[" * 20000).kind in ("syntax", "runtime")


def test_what_authors_know_from_elsewhere_is_answered_with_what_is_there(stage: Any) -> None:
    assert "http.get" in stage.failure("await fetch('https://example.org')").hint
    assert "--allow-bridge http" in stage.failure("await http.get('https://example.org')").hint
    assert "params" in stage.failure("const f = () => process.argv; f()").hint
    assert stage.failure("spelled_wrong").hint == ""
    assert "bridges" in stage.failure("import own from 'npm:own'").hint
    assert stage.failure("require('./gone.js')").hint == ""
    assert "fs.read" in stage.failure("import fs from 'node:fs/promises'").hint
    assert "files of the spell's own directory" in stage.failure("import x from 'https://esm.sh/x'").hint
    assert "llm.complete" in stage.failure("require('openai')").hint
    assert "core.hash" in stage.failure("crypto.subtle.digest('SHA-256', 1)").hint
    assert stage.failure("import { nope } from 'kit'").hint == ""


@pytest.mark.parametrize(
    "source", ["setTimeout(F, 1)", "queueMicrotask(F)", "setTimeout(() => kit.refuse('no', 'mine'))"]
)
def test_what_is_thrown_where_nobody_can_catch_it_speaks_of_no_promise(stage: Any, source: str) -> None:
    failure = stage.failure(source.replace("F", "() => { throw new Error('mine') }") + "; 5")
    assert (failure.kind, failure.message, failure.hint) == ("runtime", "mine", "")


def test_every_name_with_a_hint_is_really_not_there(stage: Any) -> None:
    names = list(hints._GLOBALS)
    assert stage.run("return params.names.filter((name) => name in globalThis)", params={"names": names}) == []


def test_all_that_went_wrong_at_once_is_told(stage: Any) -> None:
    code = "await Promise.any([Promise.reject(new TypeError('one')), Promise.reject('two')])"
    assert stage.failure(code).message == "AggregateError: TypeError: one; two"


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("function f() { await 1 }", 16),
        ("[1].forEach((x) => { await kit.fetch(x) })", 22),
        ("class A { x = await 1 }", 15),
        ("class A { static { await 1 } }", 20),
        ("async () => { class A { m() { for await (const x of []); } } }", 31),
    ],
)
def test_await_outside_of_an_async_function_is_named(stage: Any, source: str, column: int) -> None:
    failure = stage.failure(source)
    assert failure.message == "await stands in a function that is not async"
    assert (failure.kind, failure.line, failure.column) == ("syntax", 1, column)


def test_a_function_may_be_called_await_where_the_language_allows_it(stage: Any) -> None:
    assert stage.run("function f() { function await(x) { return x + 1 } return await(1) } return f()") == 2


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("throw new Error('mute', { cause: new TypeError('no line') })", "mute", "its cause: TypeError: no line"),
        ("throw new Error('a', { cause: 'tired' })", "a", "its cause: tired"),
        ("const e = new Error('a'); e.cause = e; throw e", "a", "its cause: a" + ", whose cause: a" * 4),
        (
            "throw new AggregateError([new Error('one'), new TypeError('two')], 'several')",
            "AggregateError: several",
            "it is made of: Error: one; TypeError: two",
        ),
    ],
)
def test_what_is_behind_an_error_is_told_with_it(stage: Any, source: str, message: str, hint: str) -> None:
    failure = stage.failure(source)
    assert (failure.message, failure.hint) == (message, hint)


@pytest.mark.parametrize(
    ("source", "places"),
    [
        ("const n = 1\nfunction g(a) {\n  kit.refuse(\n    'busy',\n    n)\n}\ng(\n  n)", [("g", 3, 7), ("", 7, 1)]),
        ("const n = 1\nawait kit.refuseLater('busy', 'no', {\n  n,\n  m: n,\n})", [("", 2, 11)]),
        ("const n = 1\nthrow new Error('é' +\n  n)", [("", 2, 11)]),
        (
            "class A { constructor(a) { throw new TypeError(a) } }\nconst n = 1\nnew A(\n  n)",
            [("A", 1, 38), ("", 3, 5)],
        ),
        (
            "const n = 1\nfunction f(a) { null.x }\n;[n].map((x) =>\n  f(f,\n  n))",
            [("f", 2, 22), ("", 4, 3), ("", 3, 6)],
        ),
    ],
)
def test_a_call_over_several_lines_stands_where_it_begins(stage: Any, source: str, places: list[Any]) -> None:
    failure = stage.failure(source)
    found = [(f.function.replace("<anonymous>", ""), f.line, f.column) for f in failure.frames]
    assert found == places


def test_a_call_that_may_be_another_is_left_where_the_engine_saw_it(stage: Any) -> None:
    failure = stage.failure("function f(a) { null.x }\nf(1,\n  f(2))")
    assert [(f.line, f.column) for f in failure.frames] == [(1, 22), (3, 3)]
