"""The glue's own manners, read from its source: what it uses was saved before any script ran."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import pytest
from tree_sitter import Language, Node, Parser

from llmspell_quickjs import glue
from llmspell_quickjs.native import Native, probe
from llmspell_quickjs.vm import VmFactory

tree_sitter_javascript = pytest.importorskip("tree_sitter_javascript")

TRUSTED = (
    "rare",
    "promises",
    "timers",
    "crypto",
    "modules",
    "places",
    "failures",
    "tasks",
    "async",
    "channel",
    "calls",
    "for-await",
    "refusals",
    "visits",
)
"""Parts that hold what scripts must not get at; the others are ordinary JavaScript over what every script has."""

_DECLARES = ("variable_declarator", "function_declaration", "class_declaration")
_FUNCTIONS = ("function_declaration", "function_expression", "arrow_function", "method_definition")
LANGUAGE_OWN = {"undefined", "arguments", "FIRST_LINE"}


def parse(text: str) -> Node:
    return Parser(Language(tree_sitter_javascript.language())).parse(text.encode()).root_node


def walk(node: Node) -> Any:
    yield node
    for child in node.children:
        yield from walk(child)


def declared(root: Node) -> set[str]:
    """Collect every name a text declares, in whatever scope: the glue does not shadow globals."""
    names: set[str] = set()
    for node in walk(root):
        if node.type in _DECLARES:
            names |= names_of(node.child_by_field_name("name"))
        if node.type in _FUNCTIONS:
            names |= names_of(node.child_by_field_name("parameters")) | names_of(node.child_by_field_name("parameter"))
            names |= names_of(node.child_by_field_name("name"))
        if node.type == "catch_clause":
            names |= names_of(node.child_by_field_name("parameter"))
    return names


def names_of(pattern: Node | None) -> set[str]:
    if pattern is None:
        return set()
    found = ("identifier", "shorthand_property_identifier_pattern")
    return {(node.text or b"").decode() for node in walk(pattern) if node.type in found}


def late_globals(text: str) -> set[str]:
    """Find global names used inside functions: looked up when they run, which may be after a script changed them."""
    root = parse(text)
    known = declared(root) | LANGUAGE_OWN
    late = set()
    for node in walk(root):
        if node.type != "identifier" or (node.text or b"").decode() in known:
            continue
        up = node.parent
        while up is not None and up.type not in _FUNCTIONS:
            up = up.parent
        if up is not None:
            late.add((node.text or b"").decode())
    return late


def test_the_core_looks_up_no_global_after_it_has_begun() -> None:
    body = glue.core()
    body = body[body.index("{") + 1 : body.rindex("}")]
    setup = {"Array", "AggregateError", "Error", "EvalError", "InternalError", "RangeError", "ReferenceError", "Symbol",
             "SyntaxError", "TypeError", "URIError"}  # fmt: skip
    assert late_globals(body) <= setup
    for name in setup & late_globals(body):
        users = {function_of(node) for node in walk(parse(body)) if (node.text or b"") == name.encode()} - {""}
        assert users <= {"lockErrors", "lockContainers", "prepareGlobals"}, name


def function_of(node: Node) -> str:
    up = node.parent
    name = ""
    while up is not None:
        if up.type == "function_declaration":
            name = (up.child_by_field_name("name").text or b"").decode()  # type: ignore[union-attr]
        up = up.parent
    return name


@pytest.mark.parametrize("name", TRUSTED)
def test_trusted_parts_use_only_what_was_saved(name: str) -> None:
    text = glue.parts()[name]
    inner = text[text.index("{") + 1 : text.rindex("}")]
    allowed = {"core", "Number", "String", "DOMException", "Object"} if name == "crypto" else {"core"}
    assert late_globals("(function (core) {" + inner + "})") <= allowed


def test_no_method_is_called_by_name_on_what_a_script_could_reach() -> None:
    calls = re.compile(r"\.(push|pop|slice|map|forEach|filter|join|then|catch|call|apply|bind|get|set|has|indexOf)\(")
    folder = files("llmspell_quickjs") / "js"
    for entry in folder.iterdir():
        if entry.name.startswith(("2", "3", "4", "5", "6")) or entry.name in (
            "rare.js",
            "modules.js",
            "places.js",
            "failures.js",
            "tasks.js",
        ):
            found = [line for line in entry.read_text("utf-8").split("\n") if calls.search(line)]
            assert [line for line in found if "core.then(" not in line and 'part("promises").then(' not in line] == []


def test_glue_stands_before_the_lines_of_any_file() -> None:
    assert glue.core().count("\n") < glue.FIRST_LINE
    assert all(text.count("\n") < glue.FIRST_LINE for text in glue.parts().values())


def test_every_part_is_there() -> None:
    expected = (
        "async calls channel clone console crypto failures for-await hosts inspect meta modules names percent places "
        "promises rare refusals search tasks text timers url urlparse visits"
    )
    assert sorted(glue.parts()) == expected.split()


def test_nothing_of_the_glue_is_left_in_the_global_scope(stage: Any) -> None:
    code = "return Reflect.ownKeys(globalThis).map(String).filter((k) => /llmspell|host|core|glue/i.test(k))"
    assert stage.run(code) == []


def test_a_scripts_globals_are_those_of_the_language_and_of_the_web(stage: Any) -> None:
    extra = stage.run("return Reflect.ownKeys(globalThis).map(String)")
    expected = {"BridgeError", "async", "channel", "URL", "URLSearchParams", "TextEncoder", "TextDecoder", "console",
                "clearInterval", "clearTimeout", "crypto", "params", "setInterval", "setTimeout",
                "structuredClone"}  # fmt: skip
    assert expected <= set(extra)
    assert {"std", "os", "process", "FinalizationRegistry", "SharedArrayBuffer", "Atomics"}.isdisjoint(extra)


def test_scripts_cannot_read_the_glue(stage: Any) -> None:
    texts = stage.run("return [String(require), String(kit.echo), String(console.log), String(setTimeout)]")
    assert all("host" not in text for text in texts)


def test_scripts_find_no_way_up_the_stack(stage: Any) -> None:
    code = """
    const seen = [];
    const probe = { get a() {
      try { seen.push(arguments.callee.caller) } catch (e) { seen.push(e.name) }
      try { seen.push((function () { return this }).caller) } catch (e) { seen.push(e.name) }
      return 1
    } };
    kit.echo(probe);
    return seen
    """
    assert all(item is None or item == "TypeError" for item in stage.run(code))


def test_the_glue_works_as_text_where_bytecode_cannot_be_had() -> None:
    pieces = probe()
    plain = VmFactory(Native(pieces.interrupt, pieces.heap, None, {"symbols": "left out"}))
    vm = plain.make()
    asked: list[tuple[str, ...]] = []

    def serve(op: str, *texts: str) -> str:
        asked.append((op, *texts))
        return plain.part(vm, texts[0]) if op == "part" else ""

    vm.open(serve, None)
    described = (
        '{"mode":"run","limits":[64,1000,10000],"name":"a.js","main":{"key":"a.js","name":"a.js","first":2000,"count":2,'
        '"edits":[],"calls":[],"isWide":false,"globals":[["console",""]],"isAsync":false,"isModule":false,"requests":[],"stars":[]}}'
    )
    code = "\n" * 1999 + "(function(h,require,module,exports){console.log([1n]); return new Map([['a', 1]])\n})"
    assert vm.enter("begin", described, "P{}", code) == ""
    assert vm.enter("flush") == 'DP[0,{"a":1}]'
    assert asked == [("part", "console"), ("part", "inspect"), ("emit", "output", '"[ 1n ]\\n"'), ("part", "rare")]
    vm.close()
