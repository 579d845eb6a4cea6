"""Where an author reads that something happened: in the frames of a failure, in ``e.stack``, in the line of a call.

``«`` stands in each source where the author looks; it is taken out before the source runs.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

BOOM = "const boom = (...a) => { throw new Error('x') };\n"
MADE = {
    "in a plain file": "const a = 1;\nfunction f() {\n  throw new «Error('x');\n}\nf();",
    "at its beginning": "throw new «Error('x')",
    "after an import of several lines": "import {\n  echo,\n} from 'kit'; throw new «Error('x')",
    "beside an import": "import { echo } from 'kit'; const q = 'ä😀'; throw new «Error('x')",
    "in an exported value": "export default (() => { throw new «Error('x') })()",
    "after a line of other letters": "/* ü */ const ä = '😀'; throw new «Error('x')",
    "after #!": "#!/usr/bin/env llmspell\nthrow new «Error('x')",
    "with other line ends": "const a = 1;\r\n\r\nthrow new «Error('x')",
    "over several lines": "const a = 'a';\nthrow new «TypeError(\n  'x' +\n  a)",
    "after an await": "async function f() {\n  const ä = await 1; throw new «Error('x')\n}\nawait f()",
    "in a handler": "await kit.fetch(1)\n  .then((x) => x)\n  .then((x) => { throw new «Error('x') })",
    "in a generator": "function* g() {\n  yield 1;\n  throw new «Error('x')\n}\n[...g()]",
    "in a template": f"{BOOM}const s = `a\nb ${{1}} ${{(() => {{ throw new «Error('x') }})()}}`",
    "that is no function": "const a = { b: 1 };\na.«b(\n  1,\n  a.b,\n)",
    "by a name that is none": "const q = [\n  1,\n  «nope,\n]",
}
"""Errors, by where they are made."""

CALLED = {
    "by its place": f"{BOOM}\n  «boom()",
    "over several lines": f"{BOOM}const o = {{ k: 1 }};\n«boom(\n  1,\n  o.k,\n)",
    "with nothing": f"{BOOM}«boom(\n)",
    "with a number": f"{BOOM}«boom(\n  1,\n  2)",
    "with a function": f"{BOOM}«boom(\n  () => 1,\n  2)",
    "in the arguments of another": f"{BOOM}const g = (...a) => a;\ng(\n  1,\n  «boom(),\n  2,\n)",
    "around another": f"{BOOM}const g = (...a) => a;\n«boom(\n  g(1),\n  g(\n    g),\n)",
    "in a chain": "const o = { a() { return o }, b(x) { throw new Error('x') } };\no\n  .a()\n  .«b(\n    o)\n  .a()",
    "in an optional chain": "const o = { b() { throw new Error('x') } };\no?.«b?.(\n  o,\n  o.x)",
    "by a function of the language": f"{BOOM}[1]\n  .map((x) => x)\n  .«forEach(\n    boom)",
    "with what is spread": f"{BOOM}const l = [1];\n«boom(\n  ...l,\n  l.x)",
    "by another name": f"{BOOM}const l = [1], other = boom;\n«other(\n  l,\n  l.x)",
    "by a text": "const o = { b() { throw new Error('x') } };\no[«'b'](\n  o,\n  o.x)",
    "without a name": "const l = [1];\n«(() => { throw new Error('x') })(\n  l,\n  l.x)",
    "of a class": "class A { constructor() { throw new Error('x') } }\nconst q = 1;\nnew «A(\n  q,\n  q.z)",
    "of a class above": (
        "class A { constructor() { throw new Error('x') } }\n"
        "class B extends A {\n  constructor(q) {\n    «super(\n      q,\n      q.z)\n  }\n}\nnew B(1)"
    ),
    "of a private method": (
        "class A {\n  #f() { throw new Error('x') }\n  g(q) {\n    this.«#f(\n      q)\n  }\n}\nnew A().g(1)"
    ),
    "in a field": f"{BOOM}class A {{\n  x = «boom()\n}}\nnew A()",
    "in a parameter": f"{BOOM}function f(\n  a = «boom(),\n) {{}}\nf()",
    "in a template": f"{BOOM}const s = `a\nb ${{1}} ${{«boom()}} c`",
    "in a loop": f"{BOOM}for (const x of [1]) {{ «boom() }}",
    "in a condition": f"{BOOM}if (true) {{\n  «boom()\n}}",
    "as the last of all": f"{BOOM}\n«boom()",
    "between awaits": f"{BOOM}const s = [await 1, await 2, «boom()]",
    "after what is awaited": "const f = async () => { throw new Error('x') };\nconst z = 1;\nawait «f(\n  z,\n  z.q)",
    "beyond letters of others": f"{BOOM}const ä = '😀';\n«boom('ä😀',\n  ä)",
}
"""Calls, by how they stand; what is called throws."""

CALLED_TYPED = {
    "in types": "interface A {\n  x: number\n}\nfunction f(a: A): void { throw new Error('x') }\n«f({ x: 1 } as A)",
    "over several lines": (
        "function f(a: {\n  x: number,\n}, b?: string): void { throw new Error('x') }\nconst o = { x: 1 };\n"
        "«f(\n  o as {\n    x: number },\n  'a' as string)"
    ),
}

READ = {
    "of a name": "const a = null;\nconst b = 1, c = a.«foo",
    "in a chain": "const o = { a: 1 };\nconst x = o\n  .a\n  .b\n  .«c",
    "after a call": "const o = { a() { return {} } };\nconst x = o\n  .a()\n  .b\n  .«c",
    "after an index": "const o = { a: [] };\nconst x = o\n  .a[0]\n  .«b",
    "after a parenthesis": "const o = { a: 1 };\nconst x = (o)\n  .b\n  .«c",
    "by a pattern": "const a = kit.echo(1);\n\nconst «{ x } = a.b",
    "by a pattern in a pattern": "const a = kit.echo(1);\n\nconst { x = a, y: «{ z } } = { x: undefined }",
    "by a pattern that is assigned": "const a = kit.echo(1);\nlet x;\n\n(«{ x } = null)",
    "by a parameter": "const a = kit.echo(1);\n\nfunction f(a, «{ x }) {}\nf(1)",
    "by a pattern after a function with one": "kit.echo(1); function f({ x }) {}\n\nconst «{ x } = null",
}
"""What is read of nothing."""


def looked_for(source: str) -> tuple[str, tuple[int, int]]:
    """Return the source, and line and column where the author looks."""
    before, _, after = source.partition("«")
    return before + after, (before.count("\n") + 1, len(before) - before.rfind("\n"))


def seen(stage: Any, source: str, name: str = "it.js") -> list[tuple[int, int]]:
    """Return the places that a script finds in the stack of what a file throws."""
    stage.files[f"./{name}"] = source
    stack = stage.run(f"try {{ await import('./{name}') }} catch (error) {{ return error.stack }}")
    assert "<input>" not in stack
    return [(int(line), int(column)) for line, column in re.findall(rf"{name}:(\d+):(\d+)", stack)]


def told(failure: Any) -> list[tuple[int, int]]:
    return [(frame.line, frame.column) for frame in failure.frames]


@pytest.mark.parametrize("where", MADE)
def test_an_error_stands_where_it_is_made(stage: Any, where: str) -> None:
    source, place = looked_for(MADE[where])
    failure = stage.failure(source)
    assert (told(failure)[0], (failure.line, failure.column)) == (place, place)
    assert seen(stage, source)[0][0] == place[0]


@pytest.mark.parametrize("how", CALLED)
def test_a_call_stands_where_its_name_does(stage: Any, how: str) -> None:
    source, place = looked_for(CALLED[how])
    assert place in told(stage.failure(source))
    assert place[0] in [line for line, _ in seen(stage, source)]


@pytest.mark.parametrize("how", CALLED_TYPED)
def test_so_it_does_among_types(stage: Any, how: str) -> None:
    source, place = looked_for(CALLED_TYPED[how])
    assert place in told(stage.failure(source, "spell.ts"))
    assert place[0] in [line for line, _ in seen(stage, source, "it.ts")]


@pytest.mark.parametrize("how", READ)
def test_what_cannot_be_read_stands_where_it_would_be(stage: Any, how: str) -> None:
    source, place = looked_for(READ[how])
    assert told(stage.failure(source))[0] == place


@pytest.mark.parametrize("unsaid", ["get x() { throw new Error('x') }", "valueOf() { throw new Error('x') }"])
def test_what_runs_unsaid_among_arguments_is_not_taken_for_their_call(stage: Any, unsaid: str) -> None:
    failure = stage.failure(f"const o = {{ {unsaid} }}; const g = () => 1;\ng(\n  1,\n  «o.x + +o)".replace("«", ""))
    assert told(failure)[1][0] == 4


@pytest.mark.parametrize(
    "source",
    [
        "«kit.echo(\n  1,\n  2)",
        "const a = { b: 1 };\n«kit.echo(\n  a,\n  a.b)",
        "const a = { b: 1 };\nawait «kit.fetch(\n  a,\n  a.b)",
        "import {\n  echo,\n} from 'kit';\nconst a = { b: 1 };\n«echo(\n  a,\n  a.b)",
        "const a = 1;\n«kit.echo(\n  [a].map((x) =>\n    x))",
        "const a = 1;\n[a].forEach(\n  (x) =>\n    «kit.echo(x))",
        "kit\n  .«echo(1)",
        "const a = { b: 1 };\nkit.fetch(\n  «kit.echo(\n    a,\n    a.b))",
        "\n«eval('kit.echo(1)')",
    ],
)
def test_a_call_of_the_host_has_the_line_where_it_stands(stage: Any, source: str) -> None:
    source, (line, _) = looked_for(source)
    stage.run(source)
    assert line in [call.line for call in stage.calls if call.target == "kit"]


def test_a_module_is_asked_for_in_the_line_of_its_import(stage: Any) -> None:
    stage.files["./lib.js"] = ""
    stage.run("\nimport { echo } from 'kit';\nconst lib = require(\n  './lib.js')")
    assert [call.line for call in stage.calls] == [2, 3]


def test_looking_at_a_stack_runs_nothing_of_a_scripts(stage: Any) -> None:
    """The engine itself does, of an error that ends a run, where nothing may run."""
    code = """
        const ä = "😀", o = { k: 1 };
        const trap = { get() { kit.echo("caught"); }, configurable: true };
        for (let i = 0; i < 99; i++) Object.defineProperty(String.prototype, i, trap);
        Object.defineProperty(Array.prototype, Symbol.iterator, trap);
        function f() { let x = ä; for (;;) kit.echo(
          x,
          o.k); }
        try { null.x } catch (e) { e.stack }
        try { kit.refuse(
          o.k) } catch (e) { return e.stack.split("\\n").length }
        """
    assert stage.run(code) > 1
    assert "caught" not in [call.args[0] for call in stage.calls if call.args]
