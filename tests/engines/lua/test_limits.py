"""Every attack of the notes ends in time, and the state that suffered it works on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from llmspell.engine import GuestLimits, Source
from llmspell.engine.messages import Cancel, Done, Failed, Failure, Fault, Reply, Start
from llmspell_lua.engine import LuaEngine

DEADLINE = 0.05
SLACK = 10
"""Seconds that tell an end from none, however busy the machine is; the bench measures how soon it comes."""
MEMORY = GuestLimits(memory=32 * 1024 * 1024)

ENDLESS = {
    "loop": "while true do end",
    "goto": "::a:: goto a",
    "loop in pcall": "while true do pcall(function() while true do end end) end",
    "loop in xpcall": "while true do xpcall(function() while true do end end, function() end) end",
    "loop in a handler": "xpcall(function() while true do end end, function() while true do end end)",
    "loop in a handler of an error": "xpcall(error, function() while true do end end)",
    "loop in a coroutine": "coroutine.wrap(function() while true do end end)()",
    "loop of coroutines": "while true do coroutine.wrap(function() while true do end end)() end",
    "loop of short coroutines": "while true do coroutine.resume(coroutine.create(function() end)) end",
    "loop of yields": (
        "local f = coroutine.wrap(function() while true do coroutine.yield() end end) while true do f() end"
    ),
    "loop in __close": "local x <close> = setmetatable({}, {__close = function() while true do end end})",
    "loop in __close while ending": (
        "local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end"
    ),
    "respawn in __close": (
        "local function f() local x <close> = setmetatable({}, {__close = function() f() end}) while true do end end"
        " f()"
    ),
    "loop in __close of a coroutine that a handler closes": (
        "local close = {__close = function() while true do end end}"
        " local co = coroutine.create(function() local x <close> = setmetatable({}, close) while true do end end)"
        " local y <close> = setmetatable({}, {__close = function() coroutine.close(co) end}) coroutine.resume(co)"
    ),
    "loop in coroutine.close": (
        "local co = coroutine.create(function()"
        " local x <close> = setmetatable({}, {__close = function() while true do end end}) coroutine.yield() end)"
        " coroutine.resume(co) coroutine.close(co)"
    ),
    "loop of failing handlers": (
        "while true do pcall(function()"
        " local x <close> = setmetatable({}, {__close = function() error('x') end}) end) end"
    ),
    "reader of load": "load(function() while true do end end)",
    "__tostring of an error": "error(setmetatable({}, {__tostring = function() while true do end end}))",
    "__tostring of what is printed": "print(setmetatable({}, {__tostring = function() while true do end end}))",
    "__index": "local t = setmetatable({}, {__index = function(t, k) while true do end end}) return t.x",
    "__lt under sort": (
        "local mt = {__lt = function() while true do end end} table.sort({setmetatable({}, mt), setmetatable({}, mt)})"
    ),
    "comparator of sort": "table.sort({3, 2, 1}, function() while true do end end)",
    "replacement of gsub": "return ('x'):gsub('x', function() while true do end end)",
    "iterator": "for _ in function() return 1 end do end",
    "ipairs without end": "for i in ipairs(setmetatable({}, {__index = function(_, i) return i end})) do end",
    "print": "while true do print('x') end",
    "pattern: doubling options": "return (('a'):rep(50):find(('a?'):rep(50) .. ('a'):rep(50)))",
    "pattern: many stars": "return (('a'):rep(40):find(('a*'):rep(12) .. 'b'))",
    "pattern: lazy on a long line": "return (('a'):rep(1e6):match('.-b'))",
    "pattern: balance": "return (('('):rep(1e6):match('%b()'))",
    "pattern: three lazies": "return (('x'):rep(1e5):match('(.-)(.-)(.-)y'))",
    "pattern: gsub": "return (('x'):rep(1e5):gsub('(.-)(.-)(.-)y', ''))",
    "pattern: gmatch": "for _ in ('x'):rep(1e5):gmatch('(.-)(.-)(.-)y') do end",
    "pattern: back reference": "return (('x'):rep(1e5):find('(x*)(x*)%1%2y'))",
    "plain find, large in large": "return (('a'):rep(6e6):find(('a'):rep(3e6) .. 'b', 1, true))",
    "move": "table.move({}, 1, 1e15, 2)",
    "insert into a lying length": "table.insert(setmetatable({}, {__len = function() return 1 << 60 end}), 1, 1)",
    "remove from a lying length": "table.remove(setmetatable({}, {__len = function() return 1 << 60 end}), 1)",
    "next over an emptied table": (
        "local t = {} for i = 1, 1e5 do t[i] = 1 end for i = 1, 1e5 do t[i] = nil end while true do next(t) end"
    ),
    "comparison of long texts": "local a, b = ('x'):rep(1e6), ('x'):rep(1e6) while true do local _ = a < b end",
    "host calls": "while true do t.nothing() end",
}

BOUNDED = {
    "reader of load that never ends": ("load(function() return ' ' end)", "memory deadline"),
    "concat of a lying length": (
        (
            "return #table.concat(setmetatable({}, {__len = function() return 1 << 60 end,"
            " __index = function() return '' end}))"
        ),
        "memory deadline",
    ),
    "sort of a lying length": (
        ("table.sort(setmetatable({}, {__len = function() return 1 << 30 end, __index = function() return 1 end}))"),
        "memory deadline",
    ),
    "stack overflow in pcall": ("local function f() while true do pcall(f) end end f()", "recursion"),
    "stack overflow": ("local function f() return 1 + f() end f()", "memory recursion"),
    "stack overflow of coroutines": (
        "local function g(n) return coroutine.wrap(function() return g(n + 1) end)() end g(1)",
        "recursion",
    ),
    "stack overflow of gsub": ("local function f() return (('x'):gsub('x', f)) end f()", "memory recursion"),
    "stack overflow of __index": (
        "local mt = {} mt.__index = function(t, k) return t[k] end return setmetatable({}, mt).x",
        "recursion",
    ),
    "memory": ("local t = {} while true do t[#t + 1] = {} end", "memory"),
    "memory in pcall": (
        "while true do pcall(function() local t = {} while true do t[#t + 1] = {} end end) end",
        "memory",
    ),
    "memory of a text": ("local s = 'x' while true do s = s .. s end", "memory"),
    "memory in a coroutine": (
        "coroutine.wrap(function() local t = {} while true do t[#t + 1] = ('x'):rep(100) .. #t end end)()",
        "memory",
    ),
    "memory of what is printed": ("local s = ('x'):rep(20e6) print(s, s, s)", "memory"),
    "memory of an encoded result": ("local s = ('x'):rep(9e6) return {s, s, s, s}", "memory"),
}


@pytest.fixture(
    scope="module",
    params=["lua54-switch", "lua54-count", pytest.param("lua55-switch", marks=pytest.mark.slow), "lua55-count"],
)
def hunted(request: pytest.FixtureRequest) -> Iterator[LuaEngine]:
    """An engine with one state, which all attacks share."""
    vm, interrupt = request.param.split("-")
    engine = LuaEngine(vm=vm, interrupt=interrupt, pool={"max_runs": 10_000})
    yield engine
    engine.close()


@pytest.mark.parametrize("attack", ENDLESS)
def test_an_endless_script_ends_in_time_and_its_state_works_on(hunted: LuaEngine, talk_to: Any, attack: str) -> None:
    talk = talk_to(hunted, {"nothing": lambda: None})
    failure, seconds = talk.within(DEADLINE, ENDLESS[attack], MEMORY)
    assert isinstance(failure, Failure), failure
    assert (failure.kind, failure.limit) == ("limit", "deadline")
    assert seconds < DEADLINE + SLACK
    assert talk("return 1 + 1") == 2


@pytest.mark.parametrize("attack", BOUNDED)
def test_a_script_that_takes_too_much_ends_and_the_next_one_works(hunted: LuaEngine, talk_to: Any, attack: str) -> None:
    talk = talk_to(hunted)
    source, limits = BOUNDED[attack]
    failure, seconds = talk.within(SLACK, source, MEMORY)
    assert isinstance(failure, Failure), failure
    assert failure.kind == "limit"
    assert failure.limit in limits.split()
    assert failure.state_spent == (failure.limit != "deadline")
    assert seconds < 2 * SLACK
    assert talk("return 1 + 1") == 2


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("return ('').rep('', 1e15)", ""),
        ("return (pcall(string.rep, 'x', 1e15))", False),
        ("return (pcall(string.format, '%99999d', 1))", False),
        ("return (pcall(table.unpack, {}, 1, 1e7))", False),
        ("return load(('('):rep(1e5)) == nil", True),
        ("local t = {} for i = 1, 1e5 do t[i] = '::a' .. i .. '::' end return load(table.concat(t, ' ')) == nil", True),
        ("local t, k = {}, 1 while k > 0 do t[k] = 1 k = k << 1 end table.insert(t, 1, 1) return t[2] ~= nil", True),
        ("local t = {} for i = 1, 1e4 do t[i] = i end table.sort(t, function() return true end) return #t", 10000),
    ],
)
def test_a_c_function_with_an_absurd_argument_answers_at_once(talk: Any, source: str, value: object) -> None:
    results, seconds = talk.within(5, source)
    assert results == [value]
    assert seconds < 5


def test_a_finalizer_is_refused_however_it_is_set(talk: Any) -> None:
    assert "__gc" in talk.failure("setmetatable({}, {__gc = function() end})").message
    assert "__gc" in talk.failure("setmetatable({}, {__gc = true})").message
    source = """
    local ran = false
    local mt = {}
    setmetatable({}, mt)
    mt.__gc = function() ran = true end
    for i = 1, 1e5 do local _ = {} end
    return ran, (pcall(setmetatable, {}, mt))
    """
    assert talk.all(source) == [False, False]


def test_where_the_script_stood_is_told(talk: Any) -> None:
    failure, _ = talk.within(DEADLINE, "local n = 0\n\nwhile true do\n  n = n + 1\nend", name="/home/x/spell.lua")
    assert (failure.file, failure.line in (3, 4)) == ("/home/x/spell.lua", True)
    assert failure.frames[0].locals["n"].isdigit()


def test_a_limit_cannot_be_caught(talk: Any) -> None:
    source = """
    local ok = pcall(function() while true do end end)
    print("caught")
    local co = coroutine.create(function() while true do end end)
    print(coroutine.resume(co))
    """
    failure, _ = talk.within(DEADLINE, source)
    assert failure.limit == "deadline"
    assert talk.heard.text == ""


def test_an_interruption_before_the_start_ends_the_run_at_once(talk: Any) -> None:
    guest = talk.open()
    guest.interrupt("cancelled")
    guest.interrupt("deadline")
    (said,) = guest.step(Start(Source("print('ran')")))
    assert isinstance(said, Failed)
    assert said.failure.kind == "cancelled"
    assert talk.heard.text == ""
    guest.close()


def test_the_first_reason_wins(talk: Any) -> None:
    guest = talk.open()
    timer = threading.Timer(DEADLINE, lambda: [guest.interrupt("memory"), guest.interrupt("deadline")])
    timer.start()
    (said,) = guest.step(Start(Source("while true do end")))
    timer.join()
    assert said.failure.limit == "memory"
    guest.close()


def test_an_interruption_after_the_end_does_not_reach_the_next_run(engine: LuaEngine, talk: Any) -> None:
    first = talk.open()
    state = first._state
    first.step(Start(Source("return 1")))
    first.close()
    second = talk.open()
    assert second._state is state
    first.interrupt("deadline")
    assert second.step(Start(Source("local n = 0 for i = 1, 1e5 do n = n + 1 end return n"))) == [Done(values=[100000])]
    second.close()


@pytest.mark.parametrize(
    "source",
    [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do coroutine.wrap(function() for i = 1, 5000 do end end)() end",
        "while true do coroutine.wrap(function() end)() end",
    ],
)
def test_a_limit_of_steps_ends_the_run(talk: Any, source: str) -> None:
    failure, seconds = talk.within(10, source, GuestLimits(steps=1_000_000, watched=False))
    assert (failure.kind, failure.limit, failure.limit_value) == ("limit", "steps", 1_000_000)
    assert seconds < 5


def test_steps_within_the_limit_are_counted(talk: Any) -> None:
    guest = talk.open(GuestLimits(steps=1_000_000))
    assert isinstance(guest.step(talk.start("for i = 1, 100000 do end"))[-1], Done)
    assert 50_000 < guest.usage().steps < 200_000
    guest.close()
    guest = talk.open()
    guest.step(talk.start("for i = 1, 100000 do end"))
    assert guest.usage().steps is None
    guest.close()


def test_memory_is_reported_and_given_back(talk: Any) -> None:
    guest = talk.open()
    said = guest.step(talk.start("local t = {} for i = 1, 1e5 do t[i] = {i} end t = nil return 1"))
    assert isinstance(said[-1], Done)
    usage = guest.usage()
    assert usage.peak_memory >= usage.memory > 0
    guest.close()


def test_a_host_value_that_the_memory_limit_cannot_hold_ends_the_run(make_talker: Any) -> None:
    talk = make_talker(
        {
            "big": lambda: "x" * 9_000_000,
            "many": lambda: [{"k": n} for n in range(150_000)],
            "flat": lambda: [1] * 2_000_000,
        }
    )
    small = GuestLimits(memory=8 * 1024 * 1024)
    assert talk.failure("local s = t.big() return #s .. ''", small).limit == "memory"
    assert talk.failure("local s = t.many() return #s", small).limit == "memory"
    assert talk.failure("local s = t.flat() return #s .. ''", small).limit == "memory"
    assert talk("return #t.big()") == 9_000_000


def test_the_limit_of_output_ends_the_run(talk: Any) -> None:
    guest = talk.open(listener=type(talk.heard)(most=1000))
    said = guest.step(Start(Source("while true do pcall(print, ('x'):rep(99)) end")))
    assert [type(each) for each in said] == [Failed]
    assert (said[0].failure.kind, said[0].failure.limit) == ("limit", "output")
    assert len(talk.heard.text) == 1100
    guest.close()
    assert talk("return 1 + 1") == 2


def test_an_exit_cannot_be_caught_and_tells_its_status(talk: Any) -> None:
    failure = talk.failure("pcall(function() os.exit(3) end) print('still here')")
    assert (failure.kind, failure.status) == ("exit", 3)
    assert talk.heard.text == ""
    assert talk.failure("os.exit()").status == 0
    assert talk.failure("os.exit(false)").status == 1


CLEAN_UP = """
local done = setmetatable({}, {__close = function() print("cleaned") end})
local x <close> = done
local ok = pcall(function() local y <close> = done t.wait() end)
print("went on")
"""


def waiting(talk: Any, source: str) -> Any:
    """Start a source that waits for ``t.wait``; return its guest."""
    guest = talk.open()
    said = guest.step(talk.start(source))
    while said and said[-1].target == "@host":
        said = guest.step(talk.answer(said[-1]))
    assert said[-1].method == "wait"
    return guest


def test_a_cancellation_runs_the_clean_up_handlers_and_nothing_else(make_talker: Any) -> None:
    talk = make_talker({"wait": None})
    guest = waiting(talk, CLEAN_UP)
    (said,) = guest.step(Cancel("cancelled"))
    assert said.failure.kind == "cancelled"
    assert talk.heard.text == ""  # handlers may not talk to the host any more
    guest.close()
    assert talk("return 1 + 1") == 2


def test_clean_up_handlers_run_when_a_run_is_ended(make_talker: Any) -> None:
    """They run in order, inside out; what they did is seen in a table that a module keeps."""
    talk = make_talker({"wait": None})
    source = """
    log = {}
    local function closing(name)
      return setmetatable({}, {__close = function() log[#log + 1] = name end})
    end
    local x <close> = closing("outer")
    pcall(function()
      local y <close> = closing("inner")
      t.wait()
    end)
    log[#log + 1] = "went on"
    """
    guest = waiting(talk, source)
    log = guest._state._shared[b"queue"][b"env"][b"log"]
    guest.step(Cancel("deadline"))
    assert list(log.values()) == [b"inner", b"outer"]
    guest.close()


@pytest.mark.parametrize("reason", ["cancelled", "deadline", "budget"])
def test_a_waiting_run_that_is_cancelled_tells_why(make_talker: Any, reason: str) -> None:
    talk = make_talker({"wait": None})
    guest = waiting(talk, "t.wait()")
    guest.interrupt(reason)
    (said,) = guest.step(Cancel(reason))
    assert (said.failure.kind, said.failure.limit) == (
        ("cancelled", "") if reason == "cancelled" else ("limit", reason)
    )
    guest.close()


def test_a_clean_up_handler_that_does_not_end_is_cut_off(make_talker: Any) -> None:
    talk = make_talker({"wait": None})
    handler = "local x <close> = setmetatable({}, {__close = function() while true do pcall(error) end end}) t.wait()"
    guest = waiting(talk, handler)
    began = time.monotonic()
    (said,) = guest.step(Cancel("cancelled"))
    assert said.failure.kind == "cancelled"
    assert time.monotonic() - began < 1
    guest.close()
    assert talk("return 1 + 1") == 2


def test_a_second_interruption_cuts_clean_up_handlers_short(make_talker: Any) -> None:
    talk = make_talker({"wait": None})
    talk.limits = GuestLimits(grace=30)
    handler = "local x <close> = setmetatable({}, {__close = function() while true do end end}) t.wait()"
    guest = waiting(talk, handler)
    timer = threading.Timer(DEADLINE, guest.interrupt, ("cancelled",))
    timer.start()
    began = time.monotonic()
    (said,) = guest.step(Cancel("cancelled"))
    timer.join()
    assert said.failure.kind == "cancelled"
    assert time.monotonic() - began < DEADLINE + SLACK
    guest.close()


def test_a_fatal_fault_cannot_be_caught(make_talker: Any) -> None:
    talk = make_talker({"spend": lambda: Fault("budget", "the run has spent its 2 dollars", fatal=True)})
    failure = talk.failure("pcall(t.spend) print('caught')")
    assert (failure.kind, failure.limit, failure.message) == ("limit", "budget", "the run has spent its 2 dollars")
    assert talk.heard.text == ""


def test_a_reply_after_the_end_is_ignored(make_talker: Any) -> None:
    talk = make_talker({"wait": None})
    guest = waiting(talk, "t.wait()")
    guest.step(Cancel("cancelled"))
    assert guest.step(Reply(2, 1)) == []
    guest.close()
    guest.close()
    assert guest.step(Reply(2, 1)) == []
