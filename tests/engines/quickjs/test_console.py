"""console: what is printed, how values are shown, and that it is said at once."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell.engine.messages import Emit
from llmspell.errors import OutputExceeded

SHOWN = r"""
console.log()
=
console.log('a', 'b', 1, true, null, undefined)
= a b 1 true null undefined
console.log(-0, NaN, 10n, Symbol('s'))
= -0 NaN 10n Symbol(s)
console.log(['a', [1, [2, [3, [4, [5, [6]]]]]]])
= [ 'a', [ 1, [ 2, [ 3, [ 4, [Array] ] ] ] ] ]
console.log({ a: 1, 'b-c': 'x', d: { e: [] }, f() {} })
= { a: 1, 'b-c': 'x', d: { e: [] }, f: [Function: f] }
console.log([1, , 3], [,,])
= [ 1, <1 empty item>, 3 ] [ <2 empty items> ]
console.log(new Map([['a', { b: 1 }]]), new Set([1, 'x']))
= Map(1) { 'a' => { b: 1 } } Set(2) { 1, 'x' }
console.log(class A {}, new (class B { x = 1 })(), Object.create(null))
= [class A] B { x: 1 } [Object: null prototype] {}
console.log(new Date(0), /x/g, new Uint8Array([1, 2]))
= 1970-01-01T00:00:00.000Z /x/g Uint8Array(2) [ 1, 2 ]
const a = { n: 1 }; a.self = a; console.log(a)
= { n: 1, self: [Circular] }
console.log({ get a() { throw 1 }, set b(x) {} })
= { a: [Getter], b: [Setter] }
console.log('%s is %d years and %i, %f, %j %o %%', 'Bo', 42.5, 42.5, '1.5', { a: 1 }, [1])
= Bo is 42.5 years and 42, 1.5, {"a":1} [ 1 ] %
console.log('%s', 'a', 'b')
= a b
console.log('100%')
= 100%
console.info('i'); console.debug('d'); console.dir({ a: 1 })
= i
= d
= { a: 1 }
console.group('g'); console.log('a\nb'); console.group(); console.log('c'); console.groupEnd(); console.log('d')
= g
=   a
=   b
=     c
=   d
console.count(); console.count('x'); console.count()
= default: 1
= x: 1
= default: 2
console.table([{ a: 1, b: 'x' }, { a: 22 }])
= | (index) | a  | b   |
= |---------|----|-----|
= | 0       | 1  | 'x' |
= | 1       | 22 |     |
console.log("it's", ["it's", '"'])
= it's [ "it's", '"' ]
console.log('é😀', '\ud800'.length)
= é😀 1
"""


def shown() -> list[tuple[str, str]]:
    """Read the table: a line of source, then the lines it prints."""
    cases: list[tuple[str, str]] = []
    for line in SHOWN.strip().split("\n"):
        if line.startswith("="):
            source, output = cases[-1]
            cases[-1] = (source, output + line[2:] + "\n")
        else:
            cases.append((line, ""))
    return cases


@pytest.mark.parametrize(("source", "output"), shown())
def test_values_are_shown(stage: Any, source: str, output: str) -> None:
    stage.run(source)
    assert stage.output == output


def test_long_values_take_several_lines(stage: Any) -> None:
    stage.run("console.log({ a: 'x'.repeat(40), b: 'y'.repeat(40), c: [1] })")
    assert stage.output == "{\n  a: '" + "x" * 40 + "',\n  b: '" + "y" * 40 + "',\n  c: [ 1 ]\n}\n"


def test_warnings_and_errors_go_to_the_error_output(stage: Any) -> None:
    stage.run("console.warn('w'); console.error('e'); console.assert(1 === 2, 'sum'); console.assert(true, 'no')")
    assert (stage.output, stage.error_output) == ("", "w\ne\nAssertion failed: sum\n")


def test_errors_are_shown_with_the_authors_stack(stage: Any) -> None:
    stage.run("function f() { return new TypeError('bad') }\nconsole.log(f())")
    assert stage.output.startswith("TypeError: bad\n    at f (spell.js:1:")


@pytest.mark.parametrize(
    ("source", "output"),
    [
        (
            "try { kit.refuse('busy', 'too busy', { left: 3 }) } catch (e) { console.log(e) }",
            "BridgeError: too busy\n    at spell.js:1:11 { code: 'busy', details: { left: 3 } }\n",
        ),
        (
            "try { structuredClone(() => 1) } catch (e) { console.log(e) }",
            "DataCloneError: a function could not be cloned\n    at spell.js:1:7\n",
        ),
        (
            "console.log(new AggregateError(['one', 2], 'both'))",
            "AggregateError: both\n    at spell.js:1:17\n  [errors]: [ 'one', 2 ]\n",
        ),
    ],
)
def test_an_error_is_shown_with_all_that_it_tells(stage: Any, source: str, output: str) -> None:
    stage.run(source)
    assert stage.output == output


def test_output_is_said_while_the_script_runs(stage: Any) -> None:
    seen: list[Any] = []
    stage.on_emit = lambda message: seen.append(message.data)
    stage.bridges["kit"]["echo"] = lambda x: list(seen)
    assert stage.run("console.log('before'); return kit.echo(1)") == ["before\n"]


def test_too_much_output_ends_the_run_uncaught(stage: Any) -> None:
    def full(message: Emit) -> None:
        raise OutputExceeded("enough", limit="output", value=10)

    stage.on_emit = full
    failure = stage.failure("try { console.log('x') } catch {} for (;;) try { console.log('y') } catch {}")
    assert (failure.kind, failure.limit) == ("limit", "output")
