"""Everything that once crashed or hung the binding, each in a process of its own.

The binding turns results and errors into text with no interrupt armed and no way to call back into Python; the glue
does that itself, while both are in order. So every script here ends in an ordinary answer, and in time.

What was found when bindings were compared, and where it stands:

=========================================================  =============================================================
found                                                      held by
=========================================================  =============================================================
abort: a callback while a result or error is converted     ``CALLS_BACK``
hang: a loop there, with a time limit set                  ``LOOPS``
hang: bent prototypes of errors when time is up            ``BENT``, at the deadline and without memory
crash: a large integer as result in a full heap            ``VALUES`` (big integer in a small heap), ``SWEPT``
crash: ``10**400`` of the host                             ``VALUES`` (integers of the host)
crash: ``quickjs.Object().json()``                         ``test_nothing_of_the_binding_converts_a_value``
crash: a callback that enters the context again            ``test_a_guest_is_not_entered_in_the_middle_of_a_step``,
                                                           ``VALUES`` (deep recursion through the host)
crash: one context in three threads at once                ``test_a_guest_is_not_entered_by_another_thread_meanwhile``
crash: more stack allowed than the thread has              ``test_a_script_stays_within_the_stack_of_its_thread``
SystemError: a callback that raised, caught in JavaScript  ``VALUES`` (callback error caught), ``test_limits``: what a
                                                           port raises goes on after the step
SystemError, crash: lone surrogates of the host            ``VALUES`` (lone surrogate, in names, keys and modules)
crash: a deep array returned, or written as JSON           ``VALUES`` (deep array, deep stringify)
hang: a regular expression that cannot be interrupted      ``LOOPS`` (regular expression)
crash: the sweep over limits of memory                     ``SWEPT``
crash: deep recursion in a small thread                    ``test_a_script_stays_within_the_stack_of_its_thread``
crash: a long chain of iterator helpers                    ``VALUES`` (long iterator chain)
suspected: resizing while sorting, species, deep proxies,  ``VALUES``, ``JOBS``,
closing in another thread, callbacks after the end         ``test_a_guest_may_be_closed_by_another_thread``
hang: native work between two looks at the clock           ``test_host``: a worker ends whatever it runs
hang: slow callbacks                                       ``LOOPS`` (host calls, caught host calls)
=========================================================  =============================================================
"""

from __future__ import annotations

import ast
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from llmspell.engine.messages import Invoke
from llmspell.errors import EngineCrashed
from llmspell_quickjs import vm

# A script that calls the host while its result, or what it throws, is being converted: once an abort.
CALLS_BACK = {
    "toString": "throw { toString() { kit.echo(1); return 'x' } }",
    "stack": "throw { get stack() { kit.echo(1) } }",
    "message": "throw Object.defineProperty(new Error('x'), 'message', { get() { return kit.echo('m') } })",
    "name": "throw Object.defineProperty(new Error('x'), 'name', { get() { return kit.echo('n') } })",
    "own stack": "throw Object.defineProperty(new Error('x'), 'stack', { get() { return kit.echo('s') } })",
    "toPrimitive": "throw { [Symbol.toPrimitive]() { kit.echo(1); return 'x' } }",
    "toJSON": "return { toJSON() { kit.echo(1); return 1 } }",
    "getter": "return { get a() { return kit.echo(1) } }",
    "proxy keys": "return new Proxy({}, { ownKeys() { kit.echo(1); return [] } })",
    "proxy get": "return new Proxy([], { get(t, k) { kit.echo(1); return k === 'length' ? 1 : 5 } })",
    "proxy prototype": "return new Proxy({}, { getPrototypeOf() { kit.echo(1); return null } })",
    "thenable": "return { get then() { return kit.echo(undefined) } }",
    "rejection": "Promise.reject({ toString() { kit.echo(1); return 'x' }, get stack() { kit.echo(2) } }); return 1",
    "code": "throw Object.defineProperty(new Error('x'), 'code', { get() { return kit.echo('c') } })",
}


@pytest.mark.parametrize("text", CALLS_BACK.values(), ids=CALLS_BACK.keys())
def test_calling_the_host_during_conversion_is_an_ordinary_call(forge: Any, hostile: Any, text: str) -> None:
    ended = forge.run(hostile(text))
    assert (ended["status"], ended["kind"]) in ((0, "done"), (0, "runtime"))


# A script that loops while its result, or what it throws, is converted: once an endless hang with the GIL held.
LOOPS = {
    "toString": "throw { toString() { for (;;); } }",
    "stack": "throw { get stack() { for (;;); } }",
    "message": "const e = new Error(); Object.defineProperty(e, 'message', { get() { for (;;); } }); throw e",
    "toJSON": "return { toJSON() { for (;;); } }",
    "getter": "return { get a() { for (;;); } }",
    "proxy": "return new Proxy({}, { ownKeys() { for (;;); } })",
    "array length": "return new Proxy([], { get() { for (;;); } })",
    "then": "return { then() { for (;;); } }",
    "then getter": "return { get then() { for (;;); } }",
    "argument": "kit.echo({ get a() { for (;;); } })",
    "rejection": "Promise.reject({ toString() { for (;;); } }); await new Promise(() => {})",
    "job": "await null; for (;;);",
    "microtasks": "(function again() { Promise.resolve().then(again) })(); await new Promise(() => {})",
    "queueMicrotask": "(function again() { queueMicrotask(again) })(); await new Promise(() => {})",
    "async loop": "for (;;) await null",
    "generator": "for (const x of (function* () { for (;;) yield 1 })());",
    "catch": "for (;;) { try { for (;;); } catch {} }",
    "finally": "function f() { try { for (;;); } finally { return f() } } f()",
    "host calls": "for (;;) kit.echo(1)",
    "caught host calls": "for (;;) { try { kit.fail() } catch {} }",
    "regular expression": "/^(a+)+$/.test('a'.repeat(40) + '!')",
    "sort": "const a = Array.from({ length: 1e4 }, (_, i) => i); for (;;) a.sort(() => 0.5)",
    "replace": "for (;;) 'a'.repeat(100).replace(/a/g, () => 'b')",
    "array methods": "for (;;) Array.from({ length: 100 }, () => 1).map(String)",
    "import": "for (;;) { try { require('kit') } catch {} }",
    "console": "for (;;) console.log('x')",
}


@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS.keys())
def test_a_loop_during_conversion_or_anywhere_ends_at_the_deadline(forge: Any, hostile: Any, text: str) -> None:
    ended = forge.run(hostile(text, deadline=0.1))
    assert (ended["status"], ended["kind"]) == (0, "limit:deadline")
    assert ended["seconds"] < 3


# The engine's own errors (interrupted, out of memory) are turned into text outside of the glue: nothing a script does
# to prototypes may be seen there. Once a hang, or an abort.
BENT = {
    "Error.prototype.toString": "Error.prototype.toString = () => { for (;;); };",
    "InternalError.prototype.name": "InternalError.prototype.name = { toString() { for (;;); } };",
    "defined name": "Object.defineProperty(InternalError.prototype, 'name', { get() { for (;;); } });",
    "defined message": "Object.defineProperty(InternalError.prototype, 'message', { get() { kit.echo(1) } });",
    "defined toString": "Object.defineProperty(Error.prototype, 'toString', { value() { kit.echo(1); return 'x' } });",
    "defined stack": "Object.defineProperty(Error.prototype, 'stack', { get() { kit.echo(1) } });",
    "toPrimitive": "Object.prototype[Symbol.toPrimitive] = () => { kit.echo(1); return 'x' };",
    "Error toPrimitive": "Error.prototype[Symbol.toPrimitive] = () => { for (;;); };",
    "prototype of the prototype": "Object.setPrototypeOf(InternalError.prototype, { get toString() { kit.echo(1) } });",
    "prototype of Error.prototype": "Object.setPrototypeOf(Error.prototype, { get toString() { kit.echo(1) } });",
    "prepareStackTrace": "Error.prepareStackTrace = (e, sites) => { for (;;); };",
    "defined prepareStackTrace": "Object.defineProperty(Error, 'prepareStackTrace', { value() { kit.echo(1) } });",
    "stackTraceLimit": "Error.stackTraceLimit = { valueOf() { kit.echo(1); for (;;); } };",
}


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT.keys())
def test_bent_error_prototypes_are_not_seen_at_the_deadline(forge: Any, hostile: Any, bend: str) -> None:
    ended = forge.run(hostile(f"try {{ {bend} }} catch {{}} for (;;);", deadline=0.1))
    assert (ended["status"], ended["kind"]) == (0, "limit:deadline")
    assert ended["seconds"] < 3


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT.keys())
def test_bent_error_prototypes_are_not_seen_without_memory(forge: Any, hostile: Any, bend: str) -> None:
    bomb = "const kept = []; for (;;) kept.push(new Array(1000).fill(7));"
    ended = forge.run(hostile(f"try {{ {bend} }} catch {{}} {bomb}", deadline=5, memory=8 << 20))
    assert (ended["status"], ended["kind"]) == (0, "limit:memory")


# Promise machinery runs a script's functions in jobs, outside of every frame of the glue.
JOBS = {
    "species": """
        const p = Promise.resolve(1);
        p.constructor = { [Symbol.species]: function (run) {
          run(() => { throw { toString() { kit.echo(1) } } }, () => {}) } };
        p.then(() => 1);
        await kit.fetch(1); return 'done'""",
    "species of a subclass": """
        class P extends Promise { static get [Symbol.species]() {
          return function (run) { run(() => { throw { toString() { kit.echo(1) } } }, () => {}) } } }
        P.resolve(1).then(() => 1);
        await kit.fetch(1); return 'done'""",
    "subclass": """
        class P extends Promise { constructor(run) {
          super((a, b) => run((v) => { a(v); throw { toString() { kit.echo(1) } } }, b)) } }
        const q = P.resolve(1).then((x) => x + 1);
        await kit.fetch(1); return 'done'""",
    "finally": """
        const p = Promise.resolve(1);
        p.constructor = { [Symbol.species]: function (run) {
          run(() => { throw { get stack() { kit.echo(1) } } }, () => {}) } };
        p.finally(() => 1);
        await kit.fetch(1); return 'done'""",
    "all of another constructor": """
        function C(run) { run(() => { throw { toString() { kit.echo(1) } } }, () => {}) }
        C.resolve = (x) => Promise.resolve(x);
        Promise.all.call(C, [Promise.resolve(1)]);
        await kit.fetch(1); return 'done'""",
    "race of another constructor": """
        function C(run) { run(() => { throw { toString() { kit.echo(1) } } }, () => {}) }
        C.resolve = (x) => Promise.resolve(x);
        try { Promise.race.call(C, [Promise.resolve(1)]) } catch {}
        await kit.fetch(1); return 'done'""",
    "thenable that throws": """
        Promise.resolve({ then() { throw { toString() { kit.echo(1) } } } }).catch(() => 1);
        await kit.fetch(1); return 'done'""",
    "microtask that throws": """
        queueMicrotask(() => { throw 5 });
        try { await kit.fetch(1) } finally { return 'done' }""",
    "dynamic import in evaluated text": """
        eval("import({ toString() { kit.echo(1); throw { toString() { kit.echo(1) } } } })").catch(() => 1);
        await kit.fetch(1); return 'done'""",
    "import of a file in evaluated text": "try { await eval(\"import('./x.js')\") } catch {} return 'done'",
    "finalization": """
        if (typeof FinalizationRegistry !== 'undefined') {
          new FinalizationRegistry(() => { throw { toString() { kit.echo(1) } } }).register({}, 1);
        }
        await kit.fetch(1); return 'done'""",
}


@pytest.mark.parametrize("text", JOBS.values(), ids=JOBS.keys())
def test_what_a_promise_job_throws_reaches_nobody_outside(forge: Any, hostile: Any, text: str) -> None:
    ended = forge.run(hostile(text))
    assert ended["status"] == 0
    assert ended["kind"] in ("done", "runtime")


ROOM = 64 << 20

# Values the binding cannot convert, at one boundary or the other.
VALUES = {
    "big integer in a small heap": ("return 2n ** 20000n", 1 << 20),
    "rope": ("return 'x'.repeat(50000) + 'y'", ROOM),
    "long rope": ("let s = ''; for (let i = 0; i < 1e5; i++) s += 'ab'; return kit.echo(s).length", ROOM),
    "lone surrogate": ("return ['\\ud800', kit.echo('\\udfff')]", ROOM),
    "surrogate in a function's name": ("({ ['\\ud800']() { throw new Error('\\udc00') } })['\\ud800']()", ROOM),
    "surrogate in a key": ("return { '\\ud800': kit.echo({ '\\udbff': 1 }) }", ROOM),
    "surrogate in a module's name": ("try { require('\\ud800') } catch (e) { throw new Error(e.message) }", ROOM),
    "NUL": ("return kit.echo('a\\0b') + '\\0'", ROOM),
    "integers of the host": ("return kit.big()", ROOM),
    "throw null": ("throw null", ROOM),
    "throw undefined": ("throw undefined", ROOM),
    "throw a symbol": ("throw Symbol('s')", ROOM),
    "throw a revoked proxy": ("const p = Proxy.revocable({}, {}); p.revoke(); throw p.proxy", ROOM),
    "return a revoked proxy": ("const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy", ROOM),
    "throw a cycle": ("const a = {}; a.a = a; throw a", ROOM),
    "deep array": ("let a = []; for (let i = 0; i < 2e5; i++) a = [a]; return a", ROOM),
    "deep stringify": ("let a = []; for (let i = 0; i < 2e5; i++) a = [a]; return JSON.stringify(a)", ROOM),
    "deep recursion": ("function f() { f() } f()", ROOM),
    "deep recursion through the host": ("function f() { kit.echo({ get a() { f() } }) } f()", ROOM),
    "recursion in toString": ("const o = { toString() { return '' + o } }; throw o", ROOM),
    "deep source": ("return eval('('.repeat(1e5) + ')'.repeat(1e5))", ROOM),
    "deep regular expression": ("return new RegExp('('.repeat(1e5) + ')'.repeat(1e5))", ROOM),
    "huge text": ("return 'x'.repeat(2 ** 29)", ROOM),
    "huge array": ("return new Array(2 ** 32 - 1)", ROOM),
    "huge typed array": ("return new Uint8Array(2 ** 31)", ROOM),
    "resize while sorting": ("const b = new ArrayBuffer(64, { maxByteLength: 256 }); const a = new Uint8Array(b);"
                             "a.sort(() => { b.resize(0); return 0 }); return 1", ROOM),
    "deep proxies": ("let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x", ROOM),
    "deep proxies as result": ("let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p", ROOM),
    "long iterator chain": ("let i = [].values(); for (let n = 0; n < 3e4; n++) i = i.map(String); i.next()", ROOM),
    "long iterator chain spread": ("let i = [].values(); for (let n = 0; n < 3e4; n++) i = i.take(1); [...i]", ROOM),
    "detached buffer": ("const b = new ArrayBuffer(8); const a = new Uint8Array(b); b.transfer(); return a", ROOM),
    "shared memory": ("return typeof SharedArrayBuffer + typeof Atomics", ROOM),
    "callback error caught": ("try { kit.fail() } catch (e) {} return 1", ROOM),
}  # fmt: skip


@pytest.mark.parametrize(("text", "memory"), VALUES.values(), ids=VALUES.keys())
def test_values_no_binding_converts_end_in_an_answer(forge: Any, hostile: Any, text: str, memory: int) -> None:
    ended = forge.run(hostile(text, deadline=5, memory=memory))
    assert ended["status"] == 0, ended
    assert ended["kind"] in ("done", "runtime", "conversion", "limit:memory"), ended
    assert ended["seconds"] < 4, ended


SWEPT = [
    "return 2n ** 20000n",
    "const a = []; for (;;) a.push('x' + a.length)",
    "const m = new Map(); for (let i = 0; ; i++) m.set(i, { i })",
    "return kit.echo({ a: [1, 2, 3].map(String) })",
    "try { const a = []; for (;;) a.push([]) } catch (e) { kit.echo(1) } return 1",
    "await Promise.all(Array.from({ length: 500 }, (_, i) => kit.fetch(i)))",
    "let s = 'x'; for (;;) s += s",
    "const f = (n) => [n, f(n + 1)]; return f(0)",
]


@pytest.mark.parametrize("text", SWEPT)
def test_no_amount_of_memory_is_one_to_crash_at(forge: Any, hostile: Any, text: str) -> None:
    for size in range(380_000, 1_000_000, 103_000):
        ended = forge.run(hostile(text, deadline=2, memory=size))
        assert ended["status"] == 0, (size, ended)
        assert ended["kind"] in ("done", "runtime", "conversion", "limit:memory", "limit:deadline"), (size, ended)


@pytest.mark.slow
@pytest.mark.parametrize("text", SWEPT)
def test_no_amount_of_memory_of_very_many_is_one_to_crash_at(forge: Any, hostile: Any, text: str) -> None:
    for size in range(300_000, 1_000_000, 7_000):
        ended = forge.run(hostile(text, deadline=2, memory=size))
        assert ended["status"] == 0, (size, ended)


SMALL = """
import threading
from llmspell.engine import GuestLimits, Source
from llmspell.engine.messages import Start
from llmspell.errors import EngineCrashed
from llmspell_quickjs.engine import JavaScriptEngine

DEEP = "function f(a) { return 1 + f([a]) } try { f() } catch (e) { return e.name }"
NESTED = "let a; for (let i = 0; i < 2e5; i++) a = [a]; try { return JSON.stringify(a) } catch (e) { return e.name }"
engine = JavaScriptEngine()

def work():
    for text in (DEEP, NESTED):
        guest = engine.open(GuestLimits(memory=2**26), None)
        try:
            print(guest.step(Start(Source(text, "a.js")))[-1].values)
        except EngineCrashed as error:
            print(error.message)
        guest.close()

for size in (2**17, 2**18, 2**19, 2**23):  # upwards: the stacks of threads that have ended are used again
    threading.stack_size(size)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
"""


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="a thread's stack is measured on Linux and macOS")
def test_a_script_stays_within_the_stack_of_its_thread(in_child: Any) -> None:
    refused = "the thread has a stack of 131,072 bytes, too few to run JavaScript in"
    ended = "['RangeError']"
    assert in_child(SMALL).strip().split("\n") == [refused] * 2 + [ended] * 6


def test_a_guest_is_not_entered_in_the_middle_of_a_step(stage: Any) -> None:
    def enter(value: Any) -> Any:
        return stage.guest.step(Invoke(1, 1, [value]))

    stage.bridges["kit"]["echo"] = enter
    with pytest.raises(EngineCrashed, match="in the middle of a step"):
        stage.start("kit.echo(1)")


def test_a_guest_is_not_entered_by_another_thread_meanwhile(stage: Any) -> None:
    refused: list[str] = []

    def enter() -> None:
        with pytest.raises(EngineCrashed) as caught:
            stage.guest.step(Invoke(1, 1, []))
        refused.append(caught.value.message)

    def echo(value: Any) -> Any:
        threads = [threading.Thread(target=enter) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return value

    stage.bridges["kit"]["echo"] = echo
    assert stage.run("return kit.echo(7)") == 7
    assert refused == ["a guest was spoken to in the middle of a step"] * 3


def test_a_guest_may_be_closed_by_another_thread(stage: Any) -> None:
    def echo(value: Any) -> Any:
        thread = threading.Thread(target=stage.guest.close)
        thread.start()
        thread.join()
        return value

    stage.bridges["kit"]["echo"] = echo
    stage.start("globalThis.kept = () => 1; kit.echo(kept); await kit.fetch(1)")
    assert stage.guest.step(Invoke(1, 1, [])) == []


def test_nothing_of_the_binding_converts_a_value() -> None:
    for path in Path(vm.__file__).parent.glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in ("json", "parse_json"), f"{path.name}:{node.lineno}"
