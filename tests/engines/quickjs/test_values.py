"""Values both ways: what a script returns, what it is given, and that nothing is lost on the way."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from llmspell.engine import GuestLimits
from llmspell.values import FunctionRef, HostRef, MethodRef, ValueLimits
from llmspell_quickjs.codec import decode, encode

AT = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("null", None),
        ("undefined", None),
        ("true", True),
        ("1", 1),
        ("1.5", 1.5),
        ("'text'", "text"),
        ("9007199254740991", 2**53 - 1),
        ("-9007199254740991", -(2**53) + 1),
        ("9007199254740993n", 2**53 + 1),
        ("-(2n ** 200n)", -(2**200)),
        ("7n", 7),
        ("2 ** 60", 2.0**60),
        ("1e300", 1e300),
        ("5e-324", 5e-324),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ("'\\ud800'", "\ud800"),
        ("'a\\0b'", "a\0b"),
        ("'😀é'", "😀é"),
        ("'x'.repeat(20000) + 'y'", "x" * 20000 + "y"),
        ("[1, , 3]", [1, None, 3]),
        ("[[], {}]", [[], {}]),
        ("({ a: undefined, b: null })", {"a": None, "b": None}),
        ("({ ['__proto__']: 1 })", {"__proto__": 1}),
        ("({ '\\u0001': ['n', 'x'] })", {"\x01": ["n", "x"]}),
        ("new Uint8Array([1, 2, 255])", b"\x01\x02\xff"),
        ("({ a: [{ toJSON(key) { return key } }] })", {"a": ["0"]}),
        ("new DOMException('m', 'AbortError')", {"name": "AbortError", "message": "m"}),
        (
            "new Error('a', { cause: new TypeError('b', { cause: 'c' }) })",
            {"name": "Error", "message": "a", "cause": {"name": "TypeError", "message": "b", "cause": "c"}},
        ),
        ("new Error('a', { cause: () => 1 })", {"name": "Error", "message": "a"}),
        ("new Uint8Array([1, 2, 3]).buffer", b"\x01\x02\x03"),
        ("new DataView(new Uint8Array([1, 2, 3]).buffer, 1)", b"\x02\x03"),
        ("new Float64Array([0.5, 2])", [0.5, 2]),
        ("new BigInt64Array([1n])", [1]),
        ("new Date(0)", datetime(1970, 1, 1, tzinfo=UTC)),
        ("new Map([['a', 1], [2, [3]]])", {"a": 1, "2": [3]}),
        ("new Set([1, 'x'])", [1, "x"]),
        ("new Number(3)", 3),
        ("new String('s')", "s"),
        ("new Boolean(false)", False),
        ("Object(4n)", 4),
        ("Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } })", {"own": 2}),
        ("new (class { constructor() { this.x = 1 } get y() { return 2 } })", {"x": 1}),
        ("({ get x() { return 5 } })", {"x": 5}),
        ("({ x: { toJSON() { return [1] } } })", {"x": [1]}),
        ("new Proxy({ a: 1 }, {})", {"a": 1}),
        ("new Proxy([1, 2], {})", [1, 2]),
        ("new TypeError('m')", {"name": "TypeError", "message": "m"}),
        ("new URL('http://a/b')", "http://a/b"),
    ],
)
def test_a_result_arrives_as_it_is(stage: Any, source: str, value: Any) -> None:
    result = stage.run(f"return ({source})")
    assert result == value
    assert type(result) is type(value)


def test_minus_zero_keeps_its_sign(stage: Any) -> None:
    assert math.copysign(1, stage.run("-0")) == -1


def test_not_a_number_is_one(stage: Any) -> None:
    assert math.isnan(stage.run("NaN"))


@pytest.mark.parametrize(
    ("value", "test"),
    [
        (None, "v === null"),
        (True, "v === true"),
        (2**53 - 1, "v === 9007199254740991"),
        (2**53, "v === 9007199254740992n"),
        (2**63, "v === 2n ** 63n"),
        (-(2**100), "v === -(2n ** 100n)"),
        (1.5, "v === 1.5"),
        (-0.0, "Object.is(v, -0)"),
        (math.nan, "Number.isNaN(v)"),
        (math.inf, "v === Infinity"),
        (-math.inf, "v === -Infinity"),
        ("\ud800", "v.length === 1 && v.charCodeAt(0) === 0xd800"),
        ("a\0b", "v.length === 3 && v.charCodeAt(1) === 0"),
        ("é😀", "v === 'é😀'"),
        (b"\x00\xff", "v instanceof Uint8Array && v.length === 2 && v[1] === 255"),
        ([], "Array.isArray(v) && v.length === 0"),
        ({}, "Object.keys(v).length === 0 && !Array.isArray(v)"),
        ({"__proto__": 1}, "Object.keys(v)[0] === '__proto__' && Object.getPrototypeOf(v) === Object.prototype"),
        ({"\x01": 2}, "v['\\u0001'] === 2"),
        ([1, [2, {"a": [2**60]}]], "v[1][1].a[0] === 2n ** 60n"),
    ],
)
def test_a_parameter_arrives_as_it_is(stage: Any, value: Any, test: str) -> None:
    assert stage.run(f"const v = params.v; return {test}", params={"v": value}) is True


@pytest.mark.parametrize(
    ("source", "path", "word"),
    [
        ("const a = { b: [] }; a.b.push(a); a", "$.b[0]", "contains itself"),
        ("const a = []; a.push(a); a", "$[0]", "contains itself"),
        ("({ x: [1, Symbol('s')] })", "$.x[1]", "symbol"),
        ("[Promise.resolve(1)]", "$[0]", "await it"),
        ("[/x/]", "$[0]", "RegExp"),
        ("[new WeakMap()]", "$[0]", "WeakMap"),
        ("[[1].values()]", "$[0]", "iterator"),
        ("[new Date(NaN)]", "$[0]", "invalid Date"),
        ("({ a: { toJSON() { return { b: Symbol('s') } } } })", "$.a.toJSON().b", "symbol"),
        ("new Map([[{}, 1]])", "$", "key of a Map"),
        ("new Map([[1, 1], ['1', 2]])", "$", "two keys"),
        ("let d = []; for (let i = 0; i < 100; i++) d = [d]; d", "$" + "[0]" * 64, "deeper than 64"),
    ],
)
def test_what_cannot_cross_says_where(stage: Any, source: str, path: str, word: str) -> None:
    failure = stage.failure(source)
    assert failure.kind == "conversion"
    assert failure.path == path
    assert word in failure.message


def test_limits_are_counted_before_anything_is_copied(make_stage: Any) -> None:
    limits = GuestLimits(memory=64 << 20, value=ValueLimits(depth=8, nodes=100, bytes=1000))
    for source, word in [
        ("const a = []; a.length = 4e9; a", "100 parts"),
        ("new Array(200).fill(0)", "100 parts"),
        ("Object.fromEntries(Array.from({ length: 200 }, (_, i) => ['k' + i, i]))", "100 parts"),
        ("'x'.repeat(2000)", "1000 bytes"),
        ("['x'.repeat(600), 'y'.repeat(600)]", "1000 bytes"),
        ("2n ** 100000n", "1000 bytes"),
        ("new Uint8Array(5000)", "1000 bytes"),
        ("new Float64Array(500)", "100 parts"),
        ("new Set(Array.from({ length: 200 }, (_, i) => i))", "100 parts"),
        ("[[[[[[[[[1]]]]]]]]]", "deeper than 8"),
        ("new Proxy([], { get: (t, k) => k === 'length' ? 1e9 : 1 })", "100 parts"),
    ]:
        failure = make_stage(limits=limits).failure(source)
        assert (failure.kind, word in failure.message) == ("conversion", True), source


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("(async function* () {})()", "an async iterator cannot cross; collect what it gives with for await (at $.a)"),
        ("[].values()", "an iterator cannot cross; make it an array with [...it] (at $.a)"),
        ("gone", "bytes whose buffer was given away or made smaller cannot cross (at $.a)"),
        ("new DataView(short, 6)", "bytes whose buffer was given away or made smaller cannot cross (at $.a)"),
        ("new Uint8Array(short, 6, 2)", "bytes whose buffer was given away or made smaller cannot cross (at $.a)"),
    ],
)
def test_what_cannot_cross_is_refused_with_the_remedy(stage: Any, source: str, message: str) -> None:
    code = f"""
    const gone = new ArrayBuffer(4); gone.transfer();
    const short = new ArrayBuffer(8, {{ maxByteLength: 8 }});
    const it = {{ a: {source} }}; short.resize(2);
    return it
    """
    failure = stage.failure(code)
    assert (failure.kind, failure.message) == ("conversion", message)


def test_an_argument_that_cannot_cross_is_an_error_the_script_can_catch(stage: Any) -> None:
    code = "try { kit.echo([1, Symbol()]) } catch (e) { return [e.name, e.code, e.message] }"
    assert stage.run(code) == ["ConversionError", "conversion", "a symbol cannot cross (at $[0][1])"]


def test_script_functions_become_references_and_come_back_as_themselves(stage: Any) -> None:
    assert stage.run("const f = x => x + 1; return kit.echo(f) === f && kit.typeName(f)") == "FunctionRef"
    assert stage.run("return [Math.max]") == [FunctionRef(1, "max")]


def test_host_objects_are_handles_with_methods(make_stage: Any) -> None:
    agent = HostRef(7, "Agent", (MethodRef("run_once", False), MethodRef("run_later", True)))
    stage = make_stage(
        bridges={
            "kit": {"agent": lambda: agent, "same": lambda item: item == agent},
            "7": {"run_once": lambda x: x * 2, "run_later": lambda x: x * 3},
        }
    )
    code = """
    const a = kit.agent();
    return [a.runOnce(4), await a.runLater(5), kit.agent() === a, kit.same(a), String(a), typeof a.nope]
    """
    assert stage.run(code) == [8, 15, True, True, "[object Agent]", "undefined"]
    assert [(c.target, c.method) for c in stage.calls if c.target == 7] == [(7, "run_once"), (7, "run_later")]


def test_streams_are_asynchronous_iterables(make_stage: Any) -> None:
    items = iter([[False, 1], [False, 2], [True, None]])
    stream = HostRef(3, "stream", (MethodRef("next", True), MethodRef("close", True)), "stream")
    stage = make_stage(
        bridges={"kit": {"stream": lambda: stream}, "3": {"next": lambda: next(items), "close": lambda: None}}
    )
    assert stage.run("const got = []; for await (const x of kit.stream()) got.push(x); return got") == [1, 2]


def test_leaving_a_stream_early_closes_it(make_stage: Any) -> None:
    stream = HostRef(3, "stream", (MethodRef("next", True), MethodRef("close", True)), "stream")
    stage = make_stage(
        bridges={"kit": {"stream": lambda: stream}, "3": {"next": lambda: [False, 1], "close": lambda: None}}
    )
    stage.run("for await (const x of kit.stream()) break")
    assert [c.method for c in stage.calls if c.target == 3] == ["next", "close"]


def test_functions_of_the_host_are_called_and_awaited(make_stage: Any) -> None:
    function = HostRef(5, "double", (MethodRef("call", True),), "function")
    stage = make_stage(foreign={"./tools.lua": {"double": function}}, bridges={"5": {"call": lambda x: x * 2}})
    assert stage.run("const { double } = require('./tools.lua'); return [double.name, await double(21)]") == [
        "double",
        42,
    ]


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1, 2**53, 2**64, -(2**70), 1.5, -0.0, "", "\ud83d", "é", [], {}, {"a": [1, {"\x01": 2}]}],
)
def test_frames_read_back_as_they_were_written(value: Any) -> None:
    assert decode(encode(value), lambda _: None) == value


def test_every_byte_string_crosses_unchanged(stage: Any) -> None:
    every = bytes(range(256)) * 4
    assert stage.run("return params.v", params={"v": every}) == every


def test_what_the_host_gives_is_not_shared(stage: Any) -> None:
    assert stage.run("const a = kit.echo(params); a.x = 2; return [params.x, a.x]", params={"x": 1}) == [1, 2]


def test_changed_prototypes_do_not_reach_what_crosses(stage: Any) -> None:
    code = """
    const forge = (target, key, how) => { try { Object.defineProperty(target, key, how) } catch { } };
    Object.prototype.toJSON = () => 'forged';
    Array.prototype.toJSON = () => 'forged';
    forge(Object.prototype, 'value', { get() { throw new Error('seen') }, configurable: true });
    forge(Object.prototype, 0, { set() { throw new Error('seen') }, configurable: true });
    forge(Array.prototype, 0, { set() { throw new Error('seen') }, configurable: true });
    JSON.stringify = JSON.parse = () => 'forged';
    Map.prototype.forEach = Date.prototype.getTime = () => 'forged';
    const out = kit.echo(Object.assign(Object.create(null), { a: new Date(0), b: new Map([['k', 1]]) }));
    delete Array.prototype.toJSON;
    return out
    """
    assert stage.run(code) == {"a": datetime(1970, 1, 1, tzinfo=UTC), "b": {"k": 1}}


def test_small_limits_hold_for_arguments_too(stage: Any) -> None:
    stage.limits = replace(stage.limits, value=ValueLimits(bytes=100))
    assert stage.run("try { kit.echo('x'.repeat(200)) } catch (e) { return e.code }") == "conversion"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{ a: 2n ** 70n, get b() { kit.echo(1); return 2 } }", {"a": 2**70, "b": 2}),
        ("{ a: new Date(0), get b() { return kit.echo(new Date(1)) } }", {"a": AT, "b": AT.replace(microsecond=1000)}),
        ("{ a: new Uint8Array([1]), b: { toJSON() { return kit.echo([2n ** 70n]) } } }", {"a": b"\x01", "b": [2**70]}),
        ("[2n ** 70n, new Proxy({}, { ownKeys() { kit.echo({ x: [1] }); return [] } })]", [2**70, {}]),
        (
            "{ a: 2n ** 70n, get b() { try { kit.echo([Symbol()]) } catch { return 2n ** 71n } } }",
            {"a": 2**70, "b": 2**71},
        ),
    ],
)
def test_a_getter_that_calls_the_host_disturbs_nothing(stage: Any, source: str, value: Any) -> None:
    assert stage.run(f"return {source}") == value
    assert stage.run(f"return kit.echo({source})") == value


def test_nor_the_path_of_what_cannot_cross_and_the_limits(stage: Any) -> None:
    failure = stage.failure("return { a: { get b() { kit.echo([{ c: [1] }]); return Symbol() } } }")
    assert (failure.kind, failure.path) == ("conversion", "$.a.b")
    failure = stage.failure("const a = {}; a.get = { get b() { kit.echo({ c: [[1]] }); return a } }; return a")
    assert "contains itself" in failure.message
    stage.limits = replace(stage.limits, value=ValueLimits(nodes=20))
    failure = stage.failure("const ten = Array(10); return [ten, { get b() { kit.echo(1); return ten } }]")
    assert "more than 20 parts" in failure.message


@pytest.mark.parametrize("wrap", ["new Map([['a', v]])", "new Set([v])", "Object.assign(new Error('x'), { a: v })"])
def test_what_is_no_plain_object_may_be_nested_as_deep_as_others(stage: Any, wrap: str) -> None:
    value = stage.run(f"let v = 1; for (let i = 0; i < 64; i++) v = {wrap}; return v")
    depth = 0
    while value != 1:
        value = value["a"] if isinstance(value, dict) else value[0]
        depth += 1
    assert depth == 64


@pytest.mark.parametrize("source", ["new Map([['a', 1]])", "new Set([1])", "new Date(5)", "new Uint8Array([1])"])
def test_where_the_stack_ends_nothing_is_taken_for_something_else(stage: Any, source: str) -> None:
    code = f"""
    const dig = (n, f) => (n === 0 ? f() : [dig(n - 1, f)][0]);
    const show = () => JSON.stringify(kit.echo({source}));
    const expected = show();
    for (let n = 0; ; n++) {{
      try {{
        const shown = dig(n, show);
        if (shown !== expected) return {{ n, shown }};
      }} catch (e) {{ return e instanceof RangeError }}
    }}
    """
    assert stage.run(code) is True
