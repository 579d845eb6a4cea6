"""Programs too large or nested too deep: refused in our own words and at their place, never in Lua's or Python's."""

from __future__ import annotations

import inspect
import sys

import pytest

from llmspell.errors import ConversionError, ScriptSyntaxError
from llmspell_tengo import Script, standard

BEFORE = "x := 1; f := func(...a) { return a }\n"

EXPRESSIONS = [
    ("(", ")"), ("[", "]"), ("{a: ", "}"), ("func() { return ", " }"), ("func() { return ", " }()"), ("!", ""),
    ("-(", ")"), ("^", ""), ("true ? 1 : ", ""), ("x ? (", ") : true"), ("x ? x ? 1 : ", " : 2"), ("[0][", "]"),
    ("immutable(", ")"), ("error(", ")"), ("string(", ")"), ("f(f, ", ")"), ("[f(", ")]"), ("f([f([", "])])"),
    ("1 + (", ")"), ('"a" + (', ")"), ("x && (", ")"), ("[x && ", "]"), ("[x || x ? 1 : ", "]"), ("x / (", ")"),
    ("x < (", ")"), ("x[0:", "]"), ("append([], ", ")"), ("f(f(", ")...)"), ("{a: func() { return [", "] }}"),
    ("x.y[", "]"),
]  # fmt: skip
STATEMENTS = [
    ("if x { ", " }"), ("if x { } else { ", " }"), ("for { ", " }"), ("for v in [1] { ", " }"),
    ("for i := 0; i < 3; i++ { ", " }"), ("for i := 0; i < x; i++ { f(func() { i }); continue; ", " }"),
    ("f(func() { ", " })"), ("if (x && x) == 3 { ", " }"),
]  # fmt: skip


def _nested(form: tuple[str, str], levels: int) -> str:
    opening, closing = form
    inner = "1" if form in EXPRESSIONS else "x = 1"
    begin = "r := " if form in EXPRESSIONS else ""
    return BEFORE + begin + opening * levels + inner + closing * levels


@pytest.mark.parametrize("form", [*EXPRESSIONS, *STATEMENTS], ids="...".join)
def test_nesting_ends_at_our_own_limit_whatever_is_nested(form: tuple[str, str]) -> None:
    """Also at the last level that is allowed neither Lua's compiler nor Python's stack gives out."""
    levels = next(at for at in range(2, 100) if _refusal(_nested(form, at)))
    assert levels >= 15
    refusal = _refusal(_nested(form, levels))
    assert refusal is not None
    assert refusal.message == "nesting too deep: more than 64 levels"
    assert refusal.location is not None
    assert refusal.location.line == 2


def _refusal(text: str) -> ScriptSyntaxError | None:
    try:
        Script(text).compile()
    except ScriptSyntaxError as error:
        return error
    return None


def test_a_hundred_thousand_levels_are_refused_at_once() -> None:
    with pytest.raises(ScriptSyntaxError, match="nesting too deep"):
        Script(f"r := {'[' * 100_000}1").compile()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("r := len(" + '"a" + ' * 20_000 + '"a")', 20_001),
        ("r := len(" + '"a" + (x ? "b" : 2) + ' * 500 + '"")', 1000),
        ("r := 0 " + "+ x / 1" * 5000, 5000),
        ("y := 3; r := y " + "/ x" * 5000, 3),
        ("r := " + "x && " * 5000 + "7", 7),
        ("r := " + "x * x + " * 5000 + "0", 5000),
        ("r := [" + "1," * 50_000 + "2][50000]", 2),
        ("r := len(f(" + "1," * 50_000 + "2))", 50_001),
        ("; ".join(f"v{at} := {at}" for at in range(2000)) + "; r := v1999", 1999),
        ("r := 0; if x == 0 { } " + "else if x == 0 { } " * 2000 + "else { r = 1 }", 1),
    ],
    ids=["concat", "concat-branches", "sum", "quotients", "logic", "products", "array", "call", "variables", "else-if"],
)
def test_length_is_no_nesting(text: str, value: int) -> None:
    assert Script(BEFORE + text).run().get("r") == value


def test_what_is_beyond_luas_registers_is_refused_at_its_place() -> None:
    call = "f(" + "1, " * 20
    with pytest.raises(
        ScriptSyntaxError, match="too large or nested too deep; keep parts of it in variables"
    ) as caught:
        Script(f"{BEFORE}\n\nr := {call * 30}1{')' * 30}").compile()
    assert caught.value.location is not None
    assert caught.value.location.line == 4


def test_a_deep_stack_of_the_callers_is_no_crash() -> None:
    text = _nested(("[x && ", "]"), 60)

    def within(frames: int) -> None:
        if frames:
            within(frames - 1)
        else:
            Script(text).compile()

    with pytest.raises(ScriptSyntaxError, match="nesting too deep"):
        within(sys.getrecursionlimit() - len(inspect.stack()) - 300)


def test_a_value_nested_too_deep_does_not_cross() -> None:
    text = """
    json := import("json"); text := import("text")
    r := json.decode(text.repeat("[", 900) + text.repeat("]", 900))
    """
    with pytest.raises(ConversionError, match="nested deeper than 500 levels"):
        Script(text).set_imports(standard("json", "text")).run()


def test_a_variable_nested_too_deep_does_not_cross() -> None:
    value: list[object] = []
    for _ in range(5000):
        value = [value]
    with pytest.raises(ConversionError, match=r"nested (too deep|deeper than 500 levels)"):
        Script("r := 1").add("v", value).run()
