"""Rewriting: what is changed, what is not, and the way back to the author's columns."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell_quickjs.source import prepare
from llmspell_quickjs.source.edits import Edits


def lines(text: str) -> int:
    return text.count("\n")


@pytest.mark.parametrize(
    "source",
    [
        "1",
        "import a from 'b'\nimport {\n  c,\n  d as e\n} from 'f'\n\nc()",
        "export default\n  5",
        "export {\n a,\n b\n}\nconst a = 1, b = 2",
        "const x = await\n  f(\n 1)\nx",
        "export * from 'a'; export * as n from 'b'; export { q } from 'c'",
        "`${await f(`\n${await g()}`)}`",
    ],
)
def test_every_line_stays_where_it_is(source: str) -> None:
    prepared = prepare("a.js", source, "main")
    body = prepared.text[len(prepared.head) :]
    assert lines(body.removesuffix("})").rstrip(";").removesuffix("return __llmspell_result")) >= lines(source)
    for number, line in enumerate(source.split("\n")):
        for word in ("c()", "const a = 1, b = 2", "1)"):
            if word == line.strip():
                assert word in body.split("\n")[number]


def test_requests_and_their_names_are_found() -> None:
    prepared = prepare(
        "a.js",
        "import d, { a as b, c } from './x.js';\nimport * as n from 'y';\nimport 'z'; export { q as r } from './x.js'",
        "module",
    )
    assert [(r.specifier, r.names, r.line) for r in prepared.requests] == [
        ("./x.js", ["default", "a", "c", "q"], 1),
        ("y", [], 2),
        ("z", [], 3),
    ]
    assert prepared.is_module


@pytest.mark.parametrize(
    ("source", "is_async"),
    [
        ("await f()", True),
        ("for await (const x of y) {}", True),
        ("async function f() { await g() }", False),
        ("const f = async () => { for await (const x of y) {} }", False),
        ("class A { async m() { await x } }", False),
        ("if (1) { await f() }", True),
        ("const s = 'await f()'", False),
        ("const f = async () => await x; await f()", True),
    ],
)
def test_only_an_await_of_the_files_own_makes_it_asynchronous(source: str, is_async: bool) -> None:
    assert prepare("a.js", source, "module").is_async is is_async


def test_every_await_is_noted_with_its_place() -> None:
    prepared = prepare("a.js", "const a = await f(await g(\n 1))\nasync () => { await   h }", "main")
    assert prepared.waits == (
        (1, 11, "await f(await g( 1))"),
        (1, 19, "await g( 1)"),
        (3, 15, "await h"),
    )


def test_a_module_has_no_completion_value() -> None:
    assert "return (" not in prepare("a.js", "1 + 1", "module").text


def test_names_that_occur_decide_which_globals_are_made() -> None:
    prepared = prepare("a.js", "llm.complete(`${data}`)", "main")
    assert prepared.words & {"llm", "data", "fs"} == {"llm", "data"}
    assert not prepared.may_mention_any
    assert prepare("a.js", "eval('fs')", "main").may_mention_any


def test_columns_lead_back_through_changes() -> None:
    edits = Edits("é = f(x) + g(y)\nnext".encode())
    edits.insert(0, "HEAD ")
    edits.insert(7, "<<")
    edits.replace(12, 13, "long_name")
    changed = edits.apply().decode()
    assert changed == "HEAD é = f(<<x) + long_name(y)\nnext"
    for word in ("f(", "x)", "y)"):
        column = len(changed[: changed.index(word)].encode()) + 1
        assert edits.original_column(1, column) == "é = f(x) + g(y)".index(word) + 1
    assert edits.original_column(2, 3) == 3


def test_a_change_inside_a_blanked_stretch_is_dropped() -> None:
    edits = Edits(b"keep (drop await x) keep")
    edits.insert(16, "wait(")
    edits.blank(5, 19)
    edits.blank(6, 10, ";")
    assert edits.apply() == b"keep                keep"


def test_blanks_keep_line_breaks() -> None:
    edits = Edits(b"a{\r\n b\n}c")
    edits.blank(1, 8, ";")
    assert edits.apply() == b"a;\r\n  \n c"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_by_any_of_their_ends(stage: Any, end: str) -> None:
    failure = stage.failure(end.join(["#!/usr/bin/env llmspell", "const t = `a", "b`;", "nowhere"]))
    assert (failure.line, failure.column) == (4, 1)
