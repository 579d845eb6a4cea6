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
= [
=   'a',
=   [
=     1,
=     [ 2, [ 3, [ 4, [Array] ] ] ]
=   ]
= ]
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
= <ref *1> { n: 1, self: [Circular *1] }
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
console.table(new Map([['k', { a: 1 }]])); console.table(new Set(['x']))
= | (iteration index) | Key | a |
= |-------------------|-----|---|
= | 0                 | 'k' | 1 |
= | (iteration index) | Values |
= |-------------------|--------|
= | 0                 | 'x'    |
console.log("it's", ["it's", '"'])
= it's [ "it's", '"' ]
console.log(['`', `'"`, `'"\``], ['\x00\x1b\x7f\n\ud800'])
= [ '`', `'"`, '\'"`' ] [ '\x00\x1B\x7F\n\uD800' ]
console.log('', 'a'); console.log('%s', '', 'b'); console.log('%%'); console.log('%s', 'c', '%s')
=  a
=  b
= %%
= c %s
console.log('%d %d %i %i %f', Symbol('s'), '0x10', '42.9px', 5n, Symbol('s'))
= NaN 16 42 5n NaN
console.log('%s %s', { toString() { return 'mine' } }, { a: { b: 1 } })
= mine { a: [Object] }
const o = {}; o.o = o; console.log('%j', o)
= [Circular]
console.log(async () => 1, function* g() {}, class A extends Map {}, class {})
= [AsyncFunction (anonymous)] [GeneratorFunction: g] [class A extends Map] [class (anonymous)]
console.log([Object(1n), Object(Symbol('q')), Object.assign(new String('ab'), { x: 1 })])
= [ [BigInt: 1n], [Symbol: Symbol(q)], [String: 'ab'] { x: 1 } ]
console.log(new (class A extends Map {})([[1, 2]]), new (class Foo { get [Symbol.toStringTag]() { return 'bar' } })())
= A(1) [Map] { 1 => 2 } Foo [bar] {}
console.log(new ArrayBuffer(2), new DataView(new ArrayBuffer(1)))
= ArrayBuffer { [Uint8Contents]: <00 00>, byteLength: 2 } DataView {
=   byteLength: 1,
=   byteOffset: 0,
=   buffer: ArrayBuffer { [Uint8Contents]: <00>, byteLength: 1 }
= }
console.log([].values(), (function* () {})(), new WeakMap(), function () { return arguments }(1))
= Object [Array Iterator] {} Object [Generator] {} WeakMap { <items unknown> } [Arguments] { '0': 1 }
console.log(Array.from({ length: 8 }, (_, i) => i * 11), ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
= [
=    0, 11, 22, 33,
=   44, 55, 66, 77
= ] [
=   'a', 'b', 'c',
=   'd', 'e', 'f',
=   'g'
= ]
console.log({ a: { b: { c: { d: 1 } } } }); console.dir({ a: { b: 1 } }, { depth: 0 }); console.dirxml(1, [2])
= {
=   a: { b: { c: { d: 1 } } }
= }
= { a: [Object] }
= 1 [ 2 ]
console.log({ s: 'line one\n' + 'x'.repeat(70) })
= {
=   s: 'line one\n' +
=     'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'
= }
console.log(new URLSearchParams('a=1&a=2'), new URLSearchParams())
= URLSearchParams { 'a' => '1', 'a' => '2' } URLSearchParams {}
console.log({ [Symbol.for('nodejs.util.inspect.custom')]() { return 'my own' } })
= my own
console.log([{ [Symbol.for('nodejs.util.inspect.custom')](d, o, show) { return d + show({ a: [1] }, { depth: 0 }) } }])
= [ 3{ a: [Array] } ]
const e = new Error('m'); e.stack = 'Error: m\n    at x'; e.code = 5; console.log({ e }, Object.keys(e))
= {
=   e: Error: m
=       at x {
=     code: 5
=   }
= } [ 'code' ]
console.log(Object.assign(new Error('m'), { stack: '' }))
= [Error: m]
console.log(Object.prototype.toString.call(console))
= [object console]
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
            "BridgeError: too busy\n    at spell.js:1:11 {\n  code: 'busy',\n  details: { left: 3 }\n}\n",
        ),
        (
            "try { structuredClone(() => 1) } catch (e) { console.log(e) }",
            "DataCloneError: a function could not be cloned\n    at spell.js:1:7\n",
        ),
        (
            "console.log(new AggregateError(['one', 2], 'both'))",
            "AggregateError: both\n    at spell.js:1:17 {\n  [errors]: [ 'one', 2 ]\n}\n",
        ),
    ],
)
def test_an_error_is_shown_with_all_that_it_tells(stage: Any, source: str, output: str) -> None:
    stage.run(source)
    assert stage.output == output


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("new Proxy({}, { ownKeys() { throw new Error('no') } })", "<cannot be shown: no>\n"),
        (
            "(() => { const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy })()",
            "<cannot be shown: revoked proxy>\n",
        ),
        ("[{ get [Symbol.toStringTag]() { throw 1 } }, 2]", "[ <cannot be shown: number>, 2 ]\n"),
        ("Array(1e6).fill(7).length = 1e6, Array(1e6)", "1000000 [ <1000000 empty items> ]\n"),
    ],
)
def test_what_cannot_be_shown_fails_no_run(stage: Any, source: str, output: str) -> None:
    stage.run(f"console.log({source})")
    assert stage.output == output


def test_a_long_list_is_shown_in_part_and_within_the_memory(stage: Any) -> None:
    stage.run("console.log(new Array(1e6).fill(0))")
    assert stage.output.endswith("0, 0, 0, 0,\n  ... 999900 more items\n]\n")


def test_a_deep_value_is_shown_to_where_the_stack_ends(stage: Any) -> None:
    stage.run("let a = []; for (let i = 0; i < 1e4; i++) a = [a]; console.dir(a, { depth: null })")
    assert "<cannot be shown: Maximum call stack size exceeded>" in stage.output


def test_a_count_or_timer_there_is_not_is_told(stage: Any) -> None:
    stage.run("console.countReset('a'); console.timeEnd('b')")
    assert stage.error_output == "there is no count 'a'\nthere is no timer 'b' for console.timeEnd\n"


def test_output_is_said_while_the_script_runs(stage: Any) -> None:
    seen: list[Any] = []
    stage.on_emit = lambda message: seen.append(message.data)
    stage.bridges["kit"]["echo"] = lambda x: list(seen)
    assert stage.run("console.log('before'); return kit.echo(1)") == ["before\n"]


def test_what_a_script_makes_of_the_builtins_is_said_as_text(stage: Any) -> None:
    stage.run("Array.prototype.join = () => ({ toJSON: () => 5 }); console.write('x'); console.log('a', 'b')")
    assert stage.output == "[object Object][object Object]\n"


def test_too_much_output_ends_the_run_uncaught(stage: Any) -> None:
    def full(message: Emit) -> None:
        raise OutputExceeded("enough", limit="output", value=10)

    stage.on_emit = full
    failure = stage.failure("try { console.log('x') } catch {} for (;;) try { console.log('y') } catch {}")
    assert (failure.kind, failure.limit) == ("limit", "output")
