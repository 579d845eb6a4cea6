"""What a spell is worth: its exports, or a top-level return, or the value of its last statement."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("", None),
        ("// nothing", None),
        ("1 + 1", 2),
        ("1 + 1;", 2),
        ("1; 2; // last", 2),
        ("'use strict'; 3", 3),
        ("'use strict'", "use strict"),
        ("'text'", "text"),
        ("({ a: 1 })", {"a": 1}),
        ("5; let x = 2", 5),
        ("5; function f() {}", 5),
        ("5; class A {}\n;", 5),
        ("let x = 2", None),
        ("if (true) 1; else 2", 1),
        ("if (false) { 1 } else if (true) { 2; 3 }", 3),
        ("for (let i = 0; i < 3; i++) i * 2", 4),
        ("let i = 0; while (i < 3) { i++; i * 10 }", 30),
        ("let i = 0; do i++; while (i < 5)", 4),
        ("for (const x of [1, 2]) { x }", 2),
        ("for (const k in { a: 1 }) k", "a"),
        ("try { null.x } catch (e) { 'caught' }", "caught"),
        ("try { 1 } finally { 2 }", 1),
        ("switch (2) { case 1: 'one'; break; case 2: 'two'; break; default: 'other' }", "two"),
        ("label: { 7 }", 7),
        ("5; { let x = 1 }", 5),
        ("5; label: { var x = 1 }\nfunction f() {}", 5),
        ("5; if (false) 6", None),
        ("label: { 7; break label; }", 7),
        ("while (true) { if (true) { 'found'; break } 'not' }", "found"),
        ("for (const i of [1, 2, 3]) { if (i === 3) { 'c'; continue } i }", "c"),
        ("switch (2) { case 1: 'a'; break; case 2: { 'b'; break } }", "b"),
        ("let require = 1; const module = 2; class exports {}\nrequire + module", 3),
        ("const { module } = { module: 5 }; require('kit') !== undefined && module", 5),
        ("const exports = {}; exports.a = 1; exports.a", 1),
        ("{ 1; 2 }", 2),
        ("(function () { return 8 })()", 8),
        ("await Promise.resolve(9)", 9),
        ("Promise.resolve(10)", 10),
        ("async function f() { return 11 } f()", 11),
        ("if (true) return 1; export default 5", 1),
        ("if (true) return 1; let x = 5; export { x as default }", 1),
        ("return 12", 12),
        ("if (true) return 13; 14", 13),
        ("return Promise.resolve(15)", 15),
        ("return", None),
        ("for await (const x of [1, 2]) x", 2),
        ("module.exports = 16", 16),
        ("exports.a = 17", {"a": 17}),
        ("module.exports = async () => 1; 18", None),
        ("module.exports = Promise.resolve(19); 0", 19),
        ("export default 20", 20),
        ("export default async () => 1\n21", None),
        ("export default { a: await Promise.resolve(22) }", {"a": 22}),
        ("export default Promise.resolve(23)", 23),
        ("export default function named() {}\n24", None),
        ("export default class {}\n25", None),
        ("export const a = 1; export let b = 2; 26", 26),
        ("let x = 1; export { x as default }; x = 27", 27),
        ("#!/usr/bin/env llmspell\n28", 28),
        ("\ufeff29", 29),
        ("`a\n// no comment\n${1}`", "a\n// no comment\n1"),
        ("/}/.test('}')", True),
        ("1\n/* trailing */", 1),
        ("let a = 1; a++ // two\n(a)", 2),
        ("let a = 1; a--\n[a, 5]", [0, 5]),
        ("let a = 1; if (a) { 0, a++\n(a) + 1 }", 3),
        ("void function () { return 1 } // trailing\n", None),
        ("typeof function () {} /* trailing */ // twice", "function"),
        ("export default typeof function () {} // trailing\nlet x = 1", "function"),
        ("x = 5; globalThis.x", 5),
        ("typeof this", "object"),
        ("var undefined_ = void 0; arguments.length > 0", True),
    ],
)
def test_a_spell_is_worth(stage: Any, source: str, value: Any) -> None:
    result = stage.run(source)
    if (value is None and "export default" in source) or "async () =>" in source:
        assert result is None or type(result).__name__ == "FunctionRef"
    else:
        assert result == value


def test_a_module_is_strict_and_a_script_is_not(stage: Any) -> None:
    assert stage.run("function f() { return this === undefined } f()") is False
    assert stage.run("function f() { return this === undefined } export default f()") is True


def test_the_result_waits_for_calls_nobody_awaits(stage: Any) -> None:
    assert stage.run("const got = []; kit.fetch(1).then((x) => got.push(x)); module.exports = got") == [1]


def test_top_level_names_stay_in_the_file(stage: Any) -> None:
    assert stage.run("const a = 1; function f() {} return [typeof globalThis.a, typeof globalThis.f]") == [
        "undefined",
        "undefined",
    ]


def test_every_run_begins_afresh(stage: Any) -> None:
    stage.run("globalThis.left = 1; Array.prototype.left = 2; return 0")
    assert stage.run("return [typeof left, typeof [].left]") == ["undefined", "undefined"]


def test_modern_javascript_runs(stage: Any) -> None:
    code = """
    class Counter {
      #n = 0; static made = 0; get n() { return this.#n } up() { this.#n++; return this } static { this.made = 1 }
    }
    function* three() { yield* [1, 2, 3] }
    const { a, ...rest } = { a: 1, b: 2, c: 3 };
    const nested = { deep: { er: null } };
    const label = `${[...three()].map((x) => x ** 2).join("-")}`;
    return [new Counter().up().up().n, Counter.made, label, rest, nested?.deep?.er ?? "none", 10n ** 20n,
      Object.groupBy([1, 2, 3], (x) => (x % 2 ? "odd" : "even")), [3, 1, 2].toSorted(), "abc".at(-1),
      [..."aXbX".matchAll(/(?<c>[a-z])X/g)].map((m) => m.groups.c), new Set([1, 2]).union(new Set([3])), 1_000]
    """
    assert stage.run(code) == [
        2, 1, "1-4-9", {"b": 2, "c": 3}, "none", 10**20, {"odd": [1, 3], "even": [2]}, [1, 2, 3], "c", ["a", "b"],
        [1, 2, 3], 1000,
    ]  # fmt: skip


def test_a_spell_that_exports_its_value_does_not_wait_for_that_of_a_statement(stage: Any) -> None:
    code = "globalThis.lost = Promise.reject(new Error('no'));\nexport default await lost.catch((e) => e.message)"
    assert stage.run(code) == "no"
