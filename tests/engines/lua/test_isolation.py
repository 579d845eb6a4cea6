"""What a script can reach, and that nothing of one run is left for the next in the same state."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import pytest

from llmspell.engine.messages import Fault
from llmspell_lua.engine import LuaEngine

REACHABLE = """
local seen, kinds, names = {}, {}, {}
local function walk(v, path, depth)
  local kind = type(v)
  if kind == "userdata" and v ~= null then names[#names + 1] = path end
  if kind ~= "table" and kind ~= "function" or seen[v] or depth > 12 then return end
  seen[v] = true
  if kind == "table" then
    for k, w in next, v do walk(k, path .. ".<key>", depth + 1) walk(w, path .. "." .. tostring(k), depth + 1) end
    local mt = getmetatable(v)
    if type(mt) == "table" then walk(mt, path .. ".<metatable>", depth + 1) end
  end
end
for _ in pairs(_G) do end
walk(_G, "_G", 0)
for _, v in next, {"", 1, true, print, coroutine.create(print)} do
  local mt = getmetatable(v)
  if type(mt) == "table" then walk(mt, "<metatable of " .. type(v) .. ">", 0) end
end
return array(names)
"""


def test_no_userdata_but_the_null_token_can_be_reached(talk: Any) -> None:
    assert talk(REACHABLE) == []


def test_the_globals_are_those_that_are_meant(talk: Any) -> None:
    names = talk("local names = {} for k in pairs(_G) do names[#names + 1] = k end table.sort(names) return names")
    assert names == sorted(
        [
            "_G", "_VERSION", "array", "assert", "coroutine", "error", "getmetatable", "io", "ipairs", "load", "math",
            "next", "null", "os", "pairs", "params", "pcall", "print", "rawequal", "rawget", "rawlen", "rawset",
            "require", "select", "setmetatable", "string", "table", "tonumber", "tostring", "type", "utf8", "xpcall",
        ]
    )  # fmt: skip
    libraries = """
    local names = {}
    for k in pairs(params.l == 'os' and os or io) do names[#names + 1] = k end
    table.sort(names)
    return names
    """
    assert talk(libraries, params={"l": "os"}) == ["clock", "date", "difftime", "exit", "time"]
    assert talk(libraries, params={"l": "io"}) == ["write"]
    assert (
        talk("return {string.dump == nil, debug == nil, collectgarbage == nil, python == nil, dofile == nil}")
        == [True] * 5
    )


POISONS = {
    "a global": ("x = 1", "return x == nil"),
    "a changed global": ("print = nil pairs = nil", "return print ~= nil and pairs ~= nil"),
    "a changed library": (
        "string.upper = nil table.sort = nil math.pi = 3",
        "return string.upper ~= nil and math.pi > 3.1",
    ),
    "a new method of strings": (
        "function string.shout(s) return s end",
        "return (pcall(function() return ('x'):shout() end)) == false",
    ),
    "a changed method of strings": ("function string.len() return 99 end", "return ('abc'):len() == 3"),
    "the string metatable": ("pcall(function() getmetatable('').__index = {} end)", "return getmetatable('') == false"),
    "the metatable of _G": ("pcall(function() setmetatable(_G, {}) end)", "return getmetatable(_G) == false"),
    "_G itself": (
        "_G.y = 1 for k in pairs(_G) do if k ~= '_G' then _G[k] = nil end end",
        "return y == nil and type(next) == 'function'",
    ),
    "a module": (
        "t.echo(1) t.poison = true require('t').mark = 1",
        "return (pcall(function() return t.mark end)) == false",
    ),
    "a local module": ("require('m').x = 2", "return require('m').x"),
    "an error's metatable": (
        "local _, e = pcall(t.fail) e.extra = 1 local x <close> = setmetatable({}, {__close = function(_, why)"
        " if why then pcall(function() why.kept = 1 end) end end})",
        "local _, e = pcall(t.fail) return e.extra == nil",
    ),
    "a function the host kept": ("t.echo(function() end)", "return select('#', t.echo(1)) == 1"),
    "a coroutine": ("co = coroutine.wrap(function() while true do coroutine.yield() end end) co()", "return co == nil"),
    "the main coroutine": (
        "coroutine.resume((coroutine.running()))",
        "return coroutine.status((coroutine.running())) == 'running'",
    ),
    "a module of the language": ("async.spawn = nil channel.x = 1", "return async.spawn ~= nil and channel.x == nil"),
    "a task": ("async.spawn(function() async.sleep(0) end) error('x')", "return async.current() == nil"),
    "a name of load": ("load('z = 1')()", "return z == nil"),
    "an array's metatable": (
        "pcall(function() getmetatable(array{}).x = 1 end)",
        "return getmetatable(array{}) == false",
    ),
    "the seed of random numbers": ("math.randomseed(42)", None),
    "a close while running": (
        "local x <close> = setmetatable({}, {__close = function() leaked = 1 end}) error('x')",
        "return leaked == nil",
    ),
}


@pytest.mark.parametrize("poison", [name for name, (_, probe) in POISONS.items() if probe])
def test_a_run_leaves_nothing(make_talker: Any, stopped: type[Exception], poison: str) -> None:
    talk = make_talker({"echo": lambda *a: None, "fail": lambda: Fault("failed", "no")}, m="return {x = true}")
    before, probe = POISONS[poison]
    first = talk.open()
    state = first._state
    with contextlib.suppress(stopped):
        talk.finish(first, first.step(talk.start(before)))
    first.close()
    second = talk.open()
    assert second._state is state, "the test means nothing in another state"
    assert talk.finish(second, second.step(talk.start(probe))) == [True]
    second.close()


def test_two_runs_do_not_draw_the_same_random_numbers(engine: LuaEngine, talk: Any) -> None:
    draw = "return {math.random(1 << 60), math.random(1 << 60)}"
    drawn = {tuple(talk("math.randomseed(42) return 1") and talk(draw)) for _ in range(20)}
    assert len(drawn) == 20
    assert engine.pool_metrics.reused > 0


def test_what_ends_a_run_carries_nothing_to_the_next(make_talker: Any) -> None:
    """The value that unwinds a run reaches close handlers; they must not be able to leave a note on it."""
    talk = make_talker({"wait": None})
    source = """
    local x <close> = setmetatable({}, {__close = function(_, why) kind = type(why) end})
    while true do end
    """
    guest = talk.open()
    timer = threading.Timer(0.05, guest.interrupt, ("deadline",))
    timer.start()
    guest.step(talk.start(source))
    timer.join()
    assert guest._state._shared[b"queue"][b"env"][b"kind"] == b"function"  # which has no fields
    guest.close()


def test_states_are_reused_and_still_empty_after_many_runs(engine: LuaEngine, talk: Any) -> None:
    state = engine._make_state()
    first = state.collect()
    for n in range(200):
        state.start(engine.compile(talk.start(f"x{n} = ('x'):rep(10000) return #x{n}").source), None, ())
        while state.slice():
            while (record := state.take()) is not None:
                if record[0] == 5:
                    state.load_part(record[1].decode())
        state.reset()
    assert state.collect() < first + 40_000


def test_a_script_sees_no_source_or_name_of_the_prelude(talk: Any) -> None:
    message = talk("local _, e = pcall(string.rep) return e")
    assert "prelude" not in message
    failure = talk.failure("table.sort({{}, {}})")
    assert [frame.file for frame in failure.frames] == ["<eval>"]


def test_the_host_path_of_a_source_is_not_told_to_the_script(talk: Any) -> None:
    source = "local _, e = pcall(error, 'x', 2) return select(2, pcall(function() error('y') end))"
    assert talk(source, name="/secret/place/spell.lua") == "spell.lua:1: y"
