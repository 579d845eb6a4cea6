"""The interruptible pattern matching, against the C library's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_lua.engine import LuaEngine
from llmspell_lua.vm import Vm

CLASSES = [
    "a",
    "b",
    ".",
    "%a",
    "%s",
    "%d",
    "[ab]",
    "[^a]",
    "%w",
    "%.",
    "%%",
    "[a-c%s]",
    "[]a]",
    "%S",
    "$",
    "^",
    "-",
    "[%w_]",
]
SUFFIXES = ["", "", "*", "+", "-", "?"]
SPECIAL = ["%b()", "%bab", "%f[%w]", "%f[^a]", "()", "%1"]

single = st.builds("".join, st.tuples(st.sampled_from(CLASSES), st.sampled_from(SUFFIXES)))
sequence = st.lists(single | st.sampled_from(SPECIAL), max_size=5).map("".join)
grouped = st.recursive(
    sequence,
    lambda inner: st.builds(lambda a, b, c: f"{a}({b}){c}", sequence, inner, sequence),
    max_leaves=3,
)
patterns = st.builds(
    lambda start, body, end: (start + body + end).encode(),
    st.sampled_from(["", "", "^"]),
    grouped,
    st.sampled_from(["", "", "$"]),
)
subjects = st.lists(
    st.sampled_from([b"a", b"b", b"c", b" ", b"(", b")", b".", b"1", b"\0", b"\xff", b"-"]), max_size=16
).map(b"".join)


class Both:
    """C's string library and ours, side by side, with every way of ours forced."""

    def __init__(self, engine: LuaEngine) -> None:
        state = engine._make_state()
        for part in ("strings", "substitute", "cost", "matcher", "errors"):
            state.load_part(part)
        self.state = state
        self.matcher = state.load_part("matcher")
        self.cost = state.load_part("cost")
        self.substitute = state.load_part("substitute")
        runtime: Any = Vm.load("lua55" if engine.version.startswith("5.5") else "lua54").runtime()
        self.runtime = runtime
        self.c = runtime.eval(b"string")
        self.count = runtime.eval(
            b"function(s, p, n) local out = {} for a, b, c in string.gmatch(s, p) do"
            b" out[#out + 1] = tostring(a) .. '|' .. tostring(b) .. '|' .. tostring(c) end"
            b" return table.concat(out, ';') end"
        )


@pytest.fixture(scope="module")
def both(engine: LuaEngine) -> Both:
    return Both(engine)


def attempt(function: Any, *args: Any) -> Any:
    try:
        return function(*args)
    except Exception as error:
        return "error", type(error).__name__


@settings(max_examples=400, deadline=None)
@given(patterns, subjects, st.integers(1, 17))
def test_the_matcher_finds_what_c_finds(both: Both, pattern: bytes, subject: bytes, at: int) -> None:
    find_the_same(both, pattern, subject, at)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None)
@given(patterns, subjects, st.integers(1, 17))
def test_the_matcher_finds_what_c_finds_in_many(both: Both, pattern: bytes, subject: bytes, at: int) -> None:
    find_the_same(both, pattern, subject, at)


def find_the_same(both: Both, pattern: bytes, subject: bytes, at: int) -> None:
    if at > len(subject) + 1:
        return
    expected = attempt(both.c[b"find"], subject, pattern, at)
    found = attempt(lambda: both.matcher(subject, pattern, pattern.startswith(b"^"))(at))
    if found != ("error", "LuaError"):
        assert found == expected
    else:  # C notices a malformed pattern only where it gets to
        assert expected in (None, ("error", "LuaError")) or malformed(both, pattern)


def malformed(both: Both, pattern: bytes) -> bool:
    """Tell whether C calls a pattern malformed on some subject."""
    tried = (b"", b"ab", b"(a)b", b"a1 b", b"aaaa bbbb (x) 1.1", b"1a", b" a", b"b" * 5)
    return any(attempt(both.c[b"find"], each, pattern) == ("error", "LuaError") for each in tried)


@settings(max_examples=400, deadline=None)
@given(patterns, subjects, st.sampled_from([b"x", b"<%0>", b"%1", b"%%", b"", b"%2", b"%"]), st.integers(-1, 4))
def test_substitution_in_lua_gives_what_c_gives(
    both: Both, pattern: bytes, subject: bytes, repl: bytes, most: int
) -> None:
    expected = attempt(both.c[b"gsub"], subject, pattern, repl, most)

    def ours() -> Any:
        finder = both.matcher(subject, pattern, pattern.startswith(b"^"))
        return both.substitute(subject, finder, pattern.startswith(b"^"), b"string", repl, most)

    found = attempt(ours)
    if expected == ("error", "LuaError") or found == ("error", "LuaError"):
        # ours reads the whole pattern and the whole replacement first, C as far as it gets
        assert found == ("error", "LuaError")
    else:
        assert found == expected


@settings(max_examples=400, deadline=None)
@given(patterns.filter(lambda p: not p.startswith(b"^")), subjects)
def test_the_stepped_iterator_gives_what_c_gives(both: Both, pattern: bytes, subject: bytes) -> None:
    expected = attempt(both.count, subject, pattern)

    def ours() -> Any:
        step = both.cost[b"gmatch"](subject, pattern)
        out = []
        while (found := step()) is not None:
            values = found if isinstance(found, tuple) else (found,)
            shown = [b"nil" if v is None else v if isinstance(v, bytes) else b"%d" % v for v in (*values, None, None)]
            out.append(b"|".join(shown[:3]))
        return b";".join(out)

    found = attempt(ours)
    if found != ("error", "LuaError"):
        assert found == expected


WAYS = ["find", "match", "gsub", "gmatch"]


@pytest.mark.parametrize("size", [50, 5_000, 300_000])
@pytest.mark.parametrize(
    ("pattern", "unit"),
    [
        ("^%s*(.-)%s*$", "  some text  "),
        ("(%w+)%s*=%s*(%w+)", "key = value\n"),
        ("<(%w+)[^>]*>", "<p class=x>text</p> "),
        ("%d%d%d%d%-%d%d%-%d%d", "on 2024-01-31 at noon "),
        ("[^\n]+", "a line\n"),
        ('"([^"]*)"', 'he said "hello" '),
        ("%b()", "f(g(x), h(y)) "),
        ("%f[%a]%a+", "some words "),
        ("(a+)(b+)%1", "aabbaa "),
    ],
)
def test_common_patterns_give_c_results_on_texts_of_any_size(
    talk: Any, both: Both, pattern: str, unit: str, size: int
) -> None:
    subject = (unit * (size // len(unit) + 1))[:size]
    expected = both.c[b"find"](subject.encode(), pattern.encode())
    first = talk.all("return params.s:find(params.p)", params={"s": subject, "p": pattern})
    assert first == [None] if expected is None else first[:2] == list(expected)[:2]
    _, count = both.c[b"gsub"](subject.encode(), pattern.encode(), b"")
    assert talk("return (select(2, params.s:gsub(params.p, '')))", params={"s": subject, "p": pattern}) == count
    counted = talk(
        "local n = 0 for _ in params.s:gmatch(params.p) do n = n + 1 end return n", params={"s": subject, "p": pattern}
    )
    if not pattern.startswith("^"):
        assert counted == count


def test_the_words_of_a_large_text_are_counted_by_c(talk: Any) -> None:
    text = "the quick brown fox jumps over the lazy dog\n" * 25_000
    source = "local n = 0 for _ in params.s:gmatch('%a+') do n = n + 1 end return n"
    found, seconds = talk.within(20, source, params={"s": text})
    assert found == [225_000]
    assert seconds < 1.5


def test_an_anchor_is_a_plain_character_for_gmatch(talk: Any) -> None:
    assert talk("local out = {} for a in ('^a^a'):gmatch('^a') do out[#out + 1] = a end return out") == ["^a", "^a"]
    source = "local n = 0 for a in (('^a'):rep(9000)):gmatch('^(a*)') do n = n + 1 end return n"
    assert talk(source) == 9000


def test_position_captures_and_the_init_argument_work_beyond_the_bound(talk: Any) -> None:
    source = """
    local s = ("x"):rep(20000) .. "key = 1"
    local a, b, k, p = s:find("(%w+)%s*()=", 15000)
    return {a, b, #k, p, (s:match("()(%w+)%s*=", -8)), s:find("y", -2, true) == nil, s:find("nope%w*=", 1) == nil}
    """
    assert talk(source) == [15000, 20005, 5004, 20005, 20000, True, True]


def test_numbers_are_searched_as_texts(talk: Any) -> None:
    assert talk.all("return string.find(1234, 23), string.match(12.5, '%.%d'), (string.gsub(11, 1, 2))") == [
        2,
        ".5",
        "22",
    ]


def test_wrong_arguments_fail_as_in_c_at_the_scripts_line(talk: Any) -> None:
    for call, word in [("find()", "#1"), ("find('a')", "#2"), ("gsub('a', 'a')", "#3"), ("rep('a', 1.5)", "#2")]:
        failure = talk.failure(f"local x\nx = string.{call}")
        assert f"bad argument {word}" in failure.message
        assert failure.line == 2


def test_malformed_patterns_fail_as_in_c(talk: Any) -> None:
    for pattern, word in [("%", "ends with"), ("[a", "missing ']'"), ("(a", "unfinished"), ("%1", "capture")]:
        for subject in ("'a'", "('a'):rep(100000)"):
            assert word in talk.failure(f"return 1, string.find({subject}, '{pattern}')").message


def test_replacement_by_table_and_function(talk: Any) -> None:
    assert talk("return (('a b c'):gsub('%w', {a = 1, b = false}))") == "1 b c"
    assert talk("return (('a b c'):gsub('%w', function(c) if c ~= 'b' then return c:upper() end end))") == "A b C"
    assert talk("return (('a b'):gsub('(%w) (%w)', function(x, y) return y .. x end))") == "ba"
    assert talk("return (('abc'):gsub('', '-'))") == "-a-b-c-"
    assert talk("return (('abc'):gsub('', function() return '-' end))") == "-a-b-c-"
    assert (
        talk("return (('abc'):gsub('%w', setmetatable({}, {__index = function(_, k) return k .. k end})))") == "aabbcc"
    )
    assert (
        "invalid replacement value (a table)"
        in talk.failure("return 1, ('a'):gsub('a', function() return {} end)").message
    )


def test_plain_searches_of_any_size_find_what_is_there(talk: Any) -> None:
    source = "local s, p = ('ab'):rep(200000) .. 'c', ('ab'):rep(30000) .. 'c' return {s:find(p, 1, true)}"
    assert talk(source) == [340001, 400001]
