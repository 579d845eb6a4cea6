"""Every function a script can reach, called with arguments nobody would think of."""

from __future__ import annotations

import random
from typing import Any

import pytest

from llmspell.engine import GuestLimits
from llmspell.engine.messages import Failure

CALLS = """
local seed, rounds = params.seed, params.rounds
math.randomseed(seed)
local random = math.random
local functions, names = {}, {}
for _ in pairs(_G) do end
local skip = {exit = true, print = true, write = true, randomseed = true, sleep = true}
local function collect(t, prefix)
  for k, v in next, t do
    if type(v) == "function" and not skip[k] then
      names[#names + 1] = prefix .. tostring(k)
      functions[prefix .. tostring(k)] = v
    end
  end
end
collect(_G, "")
for _, library in ipairs({"string", "table", "math", "utf8", "coroutine", "os", "async", "promise", "channel"}) do
  collect(_G[library], library .. ".")
end
table.sort(names)
local sort, pick = table.sort, nil
local t = {3, 1, 2, x = 1}
local odd = {
  function() return nil end,
  function() return 0 end, function() return -1 end, function() return 1 << 62 end,
  function() return math.mininteger end,
  function() return 0/0 end, function() return 1/0 end, function() return 2.5 end, function() return 1e300 end,
  function() return "" end, function() return "abc" end, function() return "%" end, function() return "(" end,
  function() return "%f" end, function() return "[a" end, function() return "%b" end,
  function() return ("x"):rep(300) end,
  function() return "10" end, function() return "\\0\\xff" end, function() return "%d %s %q" end,
  function() return "!i16z" end,
  function() return true end, function() return false end, function() return null end,
  function() return {} end, function() return t end, function() return array{1, 2} end, function() return _G end,
  function() return setmetatable({}, {__len = function() return 50 end, __index = function() return 1 end}) end,
  function() return setmetatable({}, {__index = error, __newindex = error, __call = error, __tostring = error}) end,
  function() return setmetatable({}, {__metatable = 1, __name = 5, __close = 7, __pairs = 8}) end,
  function() return print end, function() return function(...) return ... end end,
  function() return function() error({}) end end,
  function() return coroutine.create(function() coroutine.yield() end) end,
  function() return (coroutine.running()) end, function() return string.rep end,
}
local write = io.write
for _ = 1, rounds do
  local name = names[random(#names)]
  local args, count = {}, random(0, 4)
  for i = 1, count do args[i] = odd[random(#odd)]() end
  local ok, e = pcall(functions[name], table.unpack(args, 1, count))
  if not ok and type(e) == "string" and (e:find("^%?:") or e:find("prelude", 1, true)) then
    write("WRONG ", name, ": ", e, "\\n")
  end
end
"""


@pytest.mark.parametrize("seed", range(4))
def test_functions_answer_or_fail_with_an_error_of_the_scripts_own(talk: Any, seed: int) -> None:
    limits = GuestLimits(memory=48 * 1024 * 1024, tasks=50, channels=50)
    for part in range(25):
        found, _ = talk.within(3, CALLS, limits, params={"seed": 1000 * seed + part, "rounds": 80})
        assert "WRONG" not in talk.heard.text
        if isinstance(found, Failure):  # a limit, or an error in a task that nobody waits for
            assert found.kind in ("limit", "runtime"), found
            assert not found.message.startswith("?"), found
    assert talk("return 1 + 1") == 2


SCRAPS = [
    "local x = 1", "x = x + 1", "t = {1, 2, 3}", "for i = 1, 3 do", "end", "if x then", "else",
    "while true do break end",
    "function f(...) return ... end", "f(1, 2)", "return x", "local y <close> = setmetatable({}, {__close = f})",
    "goto out", "::out::", "error(t)", "pcall(f, error)", "coroutine.wrap(f)()", "t[#t + 1] = t", "print(x)",
    "string.format('%d', x)", "('abc'):gsub('.', f)", "table.sort(t, function(a, b) return a > b end)",
    "local s = ('x'):rep(100)", "return t", "async.spawn(f)", "async.sleep(0)", "x = null", "t.k = array{}",
    "repeat", "until true",
    "do", "local z <const> = 5", "setmetatable(t, {__index = f})", "t.a.b.c = 1", "load('return 1')()", "os.exit(1)",
    "select('#', f())", "x = x .. t", "x = -t", "x = #x", "return f", "return 2^53, 1//0, 1%0",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_random_programs_never_break_the_engine(talk: Any, seed: int) -> None:
    dice = random.Random(seed)
    kinds = set()
    for _ in range(300):
        text = "\n".join(dice.choice(SCRAPS) for _ in range(dice.randint(1, 9)))
        guest = talk.open(GuestLimits(memory=32 * 1024 * 1024, steps=2_000_000))
        said = guest.step(talk.start(text))
        failures = [each.failure for each in said if hasattr(each, "failure")]
        kinds.update(failure.kind for failure in failures)
        guest.close()
    assert "internal" not in kinds
    assert {"syntax", "runtime"} <= kinds
    assert talk("return 1 + 1") == 2
