"""TypeScript: types become blanks, so every place stays; what erasing cannot run is refused by name."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_typescript_spell_runs(stage: Any) -> None:
    code = """
    import type { Nothing } from "./types";
    import { type Also, default as kit } from "kit";
    export interface Point { x: number; y?: number }
    type Pair<T> = [T, T];
    declare const outside: number;
    function over(a: string): string;
    function over(a: number, b?: Pair<number>): number;
    function over(this: void, a: any, b?: any): any { return a! as unknown }
    abstract class Shape<T extends object = {}> {
      private readonly name: string = "shape"; static count?: number = 1; declare ghost: T; #secret!: number;
      abstract area(): number;
      constructor(protected_: boolean) { this.#secret = 2 }
      public get label(): string { return `${this.name}${this.#secret}` }
      [key: string]: any;
    }
    class Square extends Shape<{ a: 1 }> implements Point {
      x = 1; override area(): number { return 4 }
    }
    const generic = <T,>(value: T, ...rest: readonly T[]): T => value;
    const later = async <T>(value: Promise<T>): Promise<T | null> => await value;
    const isText = (value: unknown): value is string => typeof value === "string";
    let maybe: { deep?: { er: number } } | null = null satisfies null;
    const list = new Map<string, Array<number>>([["a", [1]]]);
    for (const key of list.keys() as Iterable<string>) {}
    try { over("x") } catch (error: unknown) {}
    export default [new Square(true).label, new Square(true).area(), generic<number>(3), await later(kit.fetch(4)),
      isText("s"), maybe?.deep?.er ?? 0, <number>5, list.get("a")![0], over(6 as const)];
    """
    assert stage.run(code, "spell.ts") == ["shape2", 4, 3, 4, True, 0, 5, 1, 6]


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("const a: Array<number> = [] as any; (boom as number[])()", 1, 38),
        ("interface A {\n  x: number\n}\nconst f = <T,>(x: T): never => { boom() }\nf<string>('a')", 4, 34),
        ("function f(a: string, b?: number): void { boom()! }\nf('a')", 1, 43),
    ],
)
def test_places_are_the_authors(stage: Any, source: str, line: int, column: int) -> None:
    failure = stage.failure(source, "spell.ts")
    assert (failure.line, failure.column) == (line, column)


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("enum Color { Red }", "enum"),
        ("const enum Color { Red }", "enum"),
        ("namespace A { export const x = 1 }", "namespace"),
        ("class A { constructor(private x: number) {} }", "parameter property"),
        ("import x = require('y')", "import x = require"),
        ("export = 1", "export ="),
        ("const a = b as Foo\n(c)", "semicolon"),
        ("class A { accessor x = 1 }", "write get and set"),
        ("@decorated class A {}", "decorators"),
        ("const x = <b>bold</b>;", "JSX"),
        ("const a = b as Foo\n[0].x", "semicolon"),
    ],
)
def test_what_erasing_cannot_run_is_refused(stage: Any, source: str, word: str) -> None:
    failure = stage.failure("\n" + source, "spell.ts")
    assert failure.kind == "syntax"
    assert word in failure.message
    assert failure.line >= 2


def test_ambient_declarations_may_hold_anything(stage: Any) -> None:
    assert stage.run("declare namespace A { enum B { C } }\ndeclare module 'x' { export = 1 }\n7", "a.ts") == 7


def test_a_return_type_over_several_lines(stage: Any) -> None:
    assert stage.run("const f = (): Promise<\n  number\n> => Promise.resolve(8);\nawait f()", "a.ts") == 8


def test_erased_statements_do_not_join_their_neighbours(stage: Any) -> None:
    assert stage.run("const a = 1\ntype T = string\n(function () { return 2 })()", "a.ts") == 2


def test_modules_in_typescript(stage: Any) -> None:
    stage.files["./lib.ts"] = "export const twice = (n: number): number => n * 2;\nexport type N = number"
    assert stage.run("import { twice, type N } from './lib.ts'; export default twice(21 as N)", "a.ts") == 42


def test_a_syntax_error_in_typescript_has_its_place(stage: Any) -> None:
    failure = stage.failure("let a: number = 1;\nlet b: string = ;", "a.ts")
    assert (failure.kind, failure.line, failure.column) == ("syntax", 2, 17)


@pytest.mark.parametrize(
    "source",
    [
        "interface A {", "interface A { x: number;\n", "type A =", "type A = {\n x: number", "export type A = B |",
        "let x:", "function f(x: number):", "const a = 1 as",
    ],
)  # fmt: skip
def test_a_type_that_is_not_finished_may_go_on(stage: Any, source: str) -> None:
    failure = stage.failure(source, "a.ts")
    assert (failure.kind, failure.incomplete) == ("syntax", True), failure.message


@pytest.mark.parametrize("source", ["interface A { x: ) }", "type A = )", "let x: [ = 1;\nlet y = 2", "(1 as )"])
def test_a_type_that_makes_no_sense_is_refused_and_hides_nothing(stage: Any, source: str) -> None:
    failure = stage.failure("\n" + source, "a.ts")
    assert (failure.kind, failure.incomplete) == ("syntax", False), failure.message
    assert failure.line >= 2
