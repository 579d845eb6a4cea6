"""What the embedder learns of a script's failure."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell.engine import Source
from llmspell.engine.messages import Done, Failed, Start
from llmspell.errors import ScriptSyntaxError

FRAMES = """\
local limit = 3

local function inner(item, ...)
  local count, text, flag, nothing = #item, "te\\"xt", true, nil
  local list, call = {}, print
  return item.price.amount
end

local function outer(items)
  for index, item in ipairs(items) do
    inner(item, index)
  end
end

outer({{"a"}})
"""


def test_an_error_tells_place_frames_and_locals(talk: Any) -> None:
    failure = talk.failure(FRAMES, name="/home/me/shop.lua")
    assert (failure.kind, failure.language, failure.file, failure.line) == ("runtime", "lua", "/home/me/shop.lua", 6)
    assert failure.message == "attempt to index a nil value (field 'price')"
    assert [(frame.function, frame.line) for frame in failure.frames] == [("inner", 6), ("outer", 11), ("", 15)]
    assert {frame.file for frame in failure.frames} == {"/home/me/shop.lua"}
    shown = failure.frames[0].locals
    assert shown == {
        "item": '{"a"}', "count": "1", "text": '"te\\"xt"', "flag": "true", "nothing": "nil", "list": "{}",
        "call": "function",
    }  # fmt: skip
    assert failure.frames[1].locals["index"] == "1"
    assert failure.frames[2].locals["limit"] == "3"


def test_long_texts_in_locals_are_cut_and_odd_bytes_shown(talk: Any) -> None:
    failure = talk.failure("local s, b = ('x'):rep(1000), '\\xff\\0' error('e')")
    assert len(failure.frames[0].locals["s"]) < 100
    assert "\ufffd" in failure.frames[0].locals["b"]


def test_locals_never_run_code_of_the_script(talk: Any) -> None:
    source = "local t = setmetatable({}, {__tostring = function() print('ran') end, __name = 'x'}) error('e')"
    assert talk.failure(source).frames[0].locals["t"] == "table"
    assert talk.heard.text == ""


def test_tables_in_locals_are_shown_in_part(talk: Any) -> None:
    source = """
    local list, named, mixed = {1, 2, 3, 4, 5, 6}, {who = "bees"}, {{}, {1}, [2.5] = true}
    local none, handle, object = {}, null, setmetatable({1}, {})
    local long = {[("k"):rep(100)] = ("v"):rep(500)}
    error("e")
    """
    shown = talk.failure(source).frames[0].locals
    assert list(shown) == sorted(shown)
    assert (shown["list"], shown["named"]) == ("{1, 2, 3, 4, 5, ...}", '{who = "bees"}')
    assert (shown["mixed"], shown["none"], shown["object"]) == ("{{}, {...}, [2.5] = true}", "{}", "table")
    assert len(shown["long"]) < 160


def test_many_frames_are_cut(talk: Any) -> None:
    failure = talk.failure("local function f(n) if n == 0 then error('deep') end f(n - 1) return n end f(500)")
    assert failure.message == "deep"
    assert 10 <= len(failure.frames) <= 24


@pytest.mark.parametrize(
    ("source", "message", "value"),
    [
        ("error('text')", "text", None),
        ("error('text', 0)", "text", None),
        ("error({code = 'c', message = 'm', more = {1}})", "m", {"code": "c", "message": "m", "more": [1]}),
        ("error({1, 2})", "the error is a table without a message", [1, 2]),
        ("error(42)", "42", 42),
        ("error(true)", "true", True),
        ("error(null)", "null", None),
        ("error(print)", "the error is a function", "function"),
        ("error(coroutine.create(print))", "the error is a thread", None),
        ("error(setmetatable({}, {__tostring = function() return 'shown' end}))", "shown", {}),
        ("error(setmetatable({}, {__tostring = error}))", "the error's __tostring failed: table", {}),
        ("local t = {} t.t = t error(t)", "the error is a table without a message", None),
        ("assert(false)", "assertion failed!", None),
        ("assert(nil, 'said')", "said", None),
    ],
)
def test_any_value_can_be_an_error(talk: Any, source: str, message: str, value: object) -> None:
    failure = talk.failure(source)
    assert (failure.kind, failure.message, failure.value) == ("runtime", message, value)
    assert failure.line == 1


def test_an_error_without_a_value_is_told_as_lua_tells_it(talk: Any) -> None:
    failure = talk.failure("error()")
    assert failure.message in ("nil", "<no error object>")
    assert failure.value is None


def test_the_level_of_error_decides_the_place(talk: Any) -> None:
    failure = talk.failure("local function check(v)\n  error('bad ' .. v, 2)\nend\n\ncheck(1)")
    assert (failure.message, failure.line) == ("bad 1", 5)


def test_a_message_that_only_looks_like_a_place_stays_whole(talk: Any) -> None:
    failure = talk.failure("error('other.lua:7: x', 0)")
    assert (failure.message, failure.line) == ("other.lua:7: x", 1)


def test_an_error_through_a_coroutine_keeps_its_place(talk: Any) -> None:
    failure = talk.failure("local f = coroutine.wrap(function()\n  error('inside')\nend)\n\nf()")
    assert failure.message.endswith("inside")
    assert (failure.file, failure.line) == ("<eval>", 5)
    assert "2:" in failure.message


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("prnt('x')", "did you mean print?"),
        ("string.uper('x')", "did you mean upper?"),
        ("('x'):uper()", "did you mean upper?"),
        ("parms.x = 1", "did you mean params?"),
        ("notes.x = 1", ""),  # not the codes of utf8
        ("local x = nil; x.y = 1", ""),
        ("qqqqqqqqq()", ""),
    ],
)
def test_unknown_names_get_a_hint(talk: Any, source: str, hint: str) -> None:
    assert talk.failure(source).hint == hint


def test_the_name_of_a_bridge_is_hinted_at(talk: Any) -> None:
    guest = talk.open()
    (said,) = guest.step(Start(Source("storge.get('x')"), bridges=("storage", "llm")))
    assert said.failure.hint == "did you mean storage?"
    guest.close()


@pytest.mark.parametrize(
    ("source", "line", "incomplete"),
    [
        ("x = = 1", 1, False),
        ("\n\nlocal 1", 3, False),
        ("if x then", 1, True),
        ("print(", 1, True),
        ("local s = [[\n text", 2, True),
        ("local s = 'text", 1, True),
        ("local s = 'text\nmore'", 1, False),
        ("return }", 1, False),
        ("goto nowhere", 1, False),
        ("for i = 1, 2 do", 1, True),
        ("x = {1, 2", 1, True),
    ],
)
def test_a_syntax_error_tells_its_line_and_whether_more_could_help(
    talk: Any, source: str, line: int, incomplete: bool
) -> None:
    failure = talk.failure(source, name="/x/spell.lua")
    assert (failure.kind, failure.file, failure.line) == ("syntax", "/x/spell.lua", line)
    assert failure.incomplete is incomplete
    assert "spell.lua" not in failure.message
    with pytest.raises(ScriptSyntaxError) as caught:
        talk.engine.compile(talk.start(source, name="/x/spell.lua").source)
    assert (caught.value.incomplete, caught.value.location.line) == (incomplete, line)


def test_checking_compiles_and_does_not_run(talk: Any) -> None:
    guest = talk.open()
    assert guest.step(talk.start("print('ran')", mode="check")) == [Done()]
    assert talk.heard.text == ""
    guest.close()
    guest = talk.open()
    (said,) = guest.step(talk.start("print(", mode="check"))
    assert isinstance(said, Failed)
    assert said.failure.incomplete
    guest.close()


def test_a_first_line_for_the_shell_and_a_byte_order_mark_are_skipped(talk: Any) -> None:
    assert talk("#!/usr/bin/env llmspell\nreturn 1") == 1
    assert talk("\ufeffreturn 2") == 2
    assert talk.failure("#!shell\nerror('x')").line == 2
    assert talk.all("#!shell") == []


def test_sources_may_hold_any_text(talk: Any) -> None:
    assert talk("return 'ä\0\ud800'") == "ä\0\ud800"


def test_an_error_in_loaded_text_is_placed_in_it(talk: Any) -> None:
    failure = talk.failure("local f = load('local a\\nerror(\"x\")', '=mine')\nlocal r = f()")
    assert failure.frames[0].file == "mine"
    assert (failure.message, failure.line) == ("mine:2: x", 2)
    failure = talk.failure("local r = load('error(1)')()")
    assert failure.frames[0].file.startswith('[string "error(1)')


def test_handlers_of_xpcall_get_the_error_and_may_fail(talk: Any) -> None:
    assert talk("return select(2, xpcall(error, function(e) return 'got ' .. e end, 'x'))") == "got x"
    ok, message = talk.all("return xpcall(error, function(e) return e.x.y end, {})")
    assert ok is False
    assert "attempt to index a nil value (field 'x')" in message


def test_clean_up_runs_when_an_error_leaves_its_scope(talk: Any) -> None:
    source = """
    local order = {}
    local function closing(name)
      return setmetatable({}, {__close = function(_, e) order[#order + 1] = name .. ":" .. tostring(e) end})
    end
    pcall(function()
      local a <close> = closing("a")
      local b <close> = closing("b")
      error("e", 0)
    end)
    local c <close> = closing("c")
    return order
    """
    assert talk(source) == ["b:e", "a:e", "c:nil"]
    print_it = "local x <close> = setmetatable({}, {__close = function() print('closed') end}) error('e')"
    assert talk.failure(print_it).message == "e"
    assert talk.heard.text == "closed\n"
