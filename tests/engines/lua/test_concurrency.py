# ruff: noqa: E501 - a line is a program
"""Tasks, promises and channels in Lua, as docs/explanation/concurrency.md tells them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from llmspell import DeadlineExceeded, Host, Policy, ScriptRuntimeError, Session

GIVES: dict[str, tuple[str, Any]] = {
    "a task is awaited": ("return async.spawn(function(a) return a * 2 end, 21):await()", 42),
    "a spawned task does not start at once": (
        "local log = {} async.spawn(function() log[#log + 1] = 'task' end) log[#log + 1] = 'main' async.yield() return log",
        ["main", "task"],
    ),
    "tasks run first come first served": (
        "local log = {} for i = 1, 4 do async.spawn(function() log[#log + 1] = i async.yield() log[#log + 1] = i * 10 end) "
        "end async.sleep(0) async.sleep(0.01) return log",
        [1, 2, 3, 4, 10, 20, 30, 40],
    ),
    "a list with a hole is refused before any of it begins": (
        "local begun = 0 local function f() begun = begun + 1 end local ok, e = pcall(async.all, {f, nil, f}) "
        "async.sleep(0) return {ok, e, begun}",
        [False, "bad argument #1 to 'all' (item 2 is nil)", 0],
    ),
    "await passes plain values through": ("return async.await(5)", 5),
    "the error of a task is raised where it is awaited": (
        "local t = async.spawn(function() error({code = 'mine', message = 'x'}) end) "
        "local ok, e = pcall(t.await, t) return {ok, e.code}",
        [False, "mine"],
    ),
    "the run waits for its tasks": (
        "out = {} async.spawn(function() async.sleep(0.02) print('late') end) return 'main'",
        "main",
    ),
    "status tells how a task is": (
        "local t = async.spawn(function() async.sleep(0.01) end) local a = t.status t:await() return {a, t.status}",
        ["running", "done"],
    ),
    "current is the running task": (
        "local t t = async.spawn(function() return async.current() == t end) return t:await()",
        True,
    ),
    "all keeps the order": (
        "return async.all({function() async.sleep(0.02) return 1 end, function() return 2 end, 3})",
        [1, 2, 3],
    ),
    "all of nothing is an empty list": ("return async.all({})", []),
    "all raises the first error and cancels the rest": (
        "local log = {} local ok, e = pcall(async.all, {function() error('bad', 0) end, function() "
        "local guard <close> = setmetatable({}, {__close = function() log[1] = 'cancelled' end}) async.sleep(10) end}) "
        "async.yield() return {ok, e, log[1]}",
        [False, "bad", "cancelled"],
    ),
    "all_settled tells of each": (
        "local r = async.all_settled({function() return 1 end, function() error({code = 'c', message = 'm'}) end}) "
        "return {r[1].status, r[1].value, r[2].status, r[2].error.code}",
        ["fulfilled", 1, "rejected", "c"],
    ),
    "race gives the first": (
        "return async.race({function() async.sleep(5) return 1 end, function() async.sleep(0.01) return 2 end})",
        2,
    ),
    "race of nothing is an error": ("local ok, e = pcall(async.race, {}) return e.code", "empty"),
    "any skips failures": ("return async.any({function() error('a') end, function() return 7 end})", 7),
    "any of failures tells of all": (
        "local ok, e = pcall(async.any, {function() error('a', 0) end, function() error('b', 0) end}) "
        "return {e.code, #e.errors, e.errors[2].message}",
        ["all_failed", 2, "b"],
    ),
    "map bounds its concurrency": (
        "local now, most = 0, 0 local r = async.map({1, 2, 3, 4, 5, 6}, function(x) now = now + 1 "
        "most = math.max(most, now) async.sleep(0.002) now = now - 1 return x * x end, {concurrency = 2}) return {most, r}",
        [2, [1, 4, 9, 16, 25, 36]],
    ),
    "timeout cancels what takes too long": (
        "local ended = false local ok, e = pcall(async.timeout, 0.02, function() "
        "local guard <close> = setmetatable({}, {__close = function() ended = true end}) async.sleep(10) end) "
        "async.yield() return {ok, e.code, ended}",
        [False, "timeout", True],
    ),
    "timeout gives what comes in time": ("return async.timeout(5, function(x) return x end, 3)", 3),
    "await with a time leaves the task going": (
        "local t = async.spawn(function() async.sleep(0.05) return 1 end) local ok, e = pcall(async.await, t, 0.01) "
        "return {e.code, t:await()}",
        ["timeout", 1],
    ),
    "cancel reaches a pending host call": (
        "local t = async.spawn(function() async.sleep(100) end) async.yield() t:cancel('enough') "
        "local ok, e = pcall(t.await, t) return {e.code, e.message, t.status}",
        ["cancelled", "enough", "cancelled"],
    ),
    "a task cancelled before it starts never starts": (
        "local started = false local t = async.spawn(function() started = true end) t:cancel() async.yield() "
        "async.yield() return started",
        False,
    ),
    "a cancelled task cannot suspend again": (
        "local codes = {} local t = async.spawn(function() for i = 1, 3 do local ok, e = pcall(async.sleep, 10) "
        "codes[i] = e.code end end) async.yield() t:cancel() pcall(t.await, t) return codes",
        ["cancelled", "cancelled", "cancelled"],
    ),
    "cancel is possible while waiting for a channel": (
        "local c = channel.new() local t = async.spawn(function() c:receive() end) async.yield() t:cancel() async.yield() "
        "return {t.status, c:info().receivers}",
        ["cancelled", 0],
    ),
    "a scope waits for its tasks": (
        "local log = {} local r = async.scope(function(s) s:spawn(function() async.sleep(0.01) log[1] = 'child' end) "
        "return 'body' end) return {r, log[1]}",
        ["body", "child"],
    ),
    "a failing task ends its scope": (
        "local ok, e = pcall(async.scope, function(s) s:spawn(function() error('bad', 0) end) async.sleep(10) end) return e",
        "bad",
    ),
    "a failing body cancels the scope": (
        "local t local ok, e = pcall(async.scope, function(s) t = s:spawn(function() async.sleep(10) end) async.yield() "
        "error('body', 0) end) return {e, t.status}",
        ["body", "cancelled"],
    ),
    "a token cancels what runs with it": (
        "local k = async.token() local t = async.with_token(k, function() async.sleep(10) end) async.yield() k:cancel('stop') "
        "local ok, e = pcall(t.await, t) return {k.cancelled, k.reason, e.message}",
        [True, "stop", "stop"],
    ),
    "a token tells who listens": (
        "local k, got = async.token(), nil k:on_cancel(function(r) got = r end) k:cancel('now') async.yield() return got",
        "now",
    ),
    "a host call inside a generator suspends the task": (
        "local log = {} local gen = coroutine.wrap(function() for i = 1, 2 do async.sleep(0.005) coroutine.yield(i) end end) "
        "async.spawn(function() log[#log + 1] = 'other' end) local a = gen() local b = gen() return {log[1], a, b}",
        ["other", 1, 2],
    ),
    "waiting works inside pcall, metamethods and iterators": (
        "local t = setmetatable({}, {__index = function(_, k) async.sleep(0.001) return k .. '!' end}) "
        "local function iter(_, i) async.sleep(0.001) if i < 2 then return i + 1 end end "
        "local n = 0 for i in iter, nil, 0 do n = n + i end local ok, v = pcall(function() return t.x end) return {n, v}",
        [3, "x!"],
    ),
    "a comparator may wait": (
        "local t = {3, 1, 2} table.sort(t, function(a, b) async.sleep(0) return a < b end) return t",
        [1, 2, 3],
    ),
    "a replacement may wait": ("return (('a-b'):gsub('%a', function(c) async.sleep(0) return c:upper() end))", "A-B"),
    "a promise resolves": ("return promise.new(function(resolve) resolve(4) end):await()", 4),
    "handlers chain": (
        "return promise.resolve(1):and_then(function(x) return x + 1 end):next(function(x) return x * 10 end):await()",
        20,
    ),
    "a handler may return a promise": (
        "return promise.resolve(1):and_then(function(x) return promise.sleep(0.005):and_then(function() return x + 1 end) "
        "end):await()",
        2,
    ),
    "on_error catches": (
        "return promise.reject('boom'):on_error(function(e) return 'got ' .. e end):await()",
        "got boom",
    ),
    "on_finally runs and passes on": (
        "local ran = 0 local v = promise.resolve(3):on_finally(function() ran = ran + 1 end):await() return {v, ran}",
        [3, 1],
    ),
    "an error in the executor rejects": (
        "local ok, e = pcall(function() return promise.new(function() error('x', 0) end):await() end) return e",
        "x",
    ),
    "promise.async wraps a function": (
        "local f = promise.async(function(a, b) async.sleep(0.001) return a + b end) return f(1, 2):await()",
        3,
    ),
    "promise.all gives a promise": ("return promise.all({promise.resolve(1), 2}):await()", [1, 2]),
    "camelCase names work too": (
        "return promise.reject('x'):onError(function() return 1 end):andThen(function(v) return v + 1 end):await()",
        2,
    ),
    "a channel carries values in order": (
        "local c = channel.new() async.spawn(function() for i = 1, 3 do c:send(i) end c:close() end) local out = {} "
        "for v in c:each() do out[#out + 1] = v end return out",
        [1, 2, 3],
    ),
    "a buffered channel takes what fits": (
        "local c = channel.new(2) return {c:try_send(1), c:try_send(2), c:try_send(3), (c:try_receive())}",
        [True, True, False, 1],
    ),
    "a closed channel gives what is left": (
        "local c = channel.new(2) c:send(1) c:close() local a, b = c:receive() local d, e = c:receive() return {a, b, d == nil, e}",
        [1, True, True, False],
    ),
    "sending on a closed channel is an error": (
        "local c = channel.new(1) c:close() local ok, e = pcall(c.send, c, 1) return e.code",
        "closed",
    ),
    "closing wakes senders and receivers": (
        "local c, d = channel.new(), channel.new() local t = async.spawn(function() local ok, e = pcall(c.send, c, 1) "
        "return e.code end) local u = async.spawn(function() local v, ok = d:receive() return ok end) async.yield() "
        "c:close() d:close() return {t:await(), u:await()}",
        ["closed", False],
    ),
    "tables are shared by reference": (
        "local c, t = channel.new(1), {} c:send(t) return c:receive() == t",
        True,
    ),
    "receive gives up after its time": (
        "local c = channel.new() local ok, e = pcall(c.receive, c, 0.01) return {e.code, c:info().receivers}",
        ["timeout", 0],
    ),
    "select takes what is ready": (
        "local a, b = channel.new(1), channel.new(1) b:send(5) local r = channel.select{{receive = a}, {receive = b}} "
        "return {r.kind, r.index, r.value}",
        ["receive", 2, 5],
    ),
    "select sends": (
        "local a = channel.new(1) local r = channel.select{{send = a, value = 3}} return {r.kind, (a:receive())}",
        ["send", 3],
    ),
    "select has a default": ("return channel.select{{receive = channel.new()}, default = true}.kind", "default"),
    "select has a timeout": ("return channel.select{{receive = channel.new()}, timeout = 0.01}.kind", "timeout"),
    "select waits": (
        "local a, b = channel.new(), channel.new() async.spawn(function() async.sleep(0.01) b:send('x') end) "
        "local r = channel.select{{receive = a}, {receive = b}} return {r.index, r.value, a:info().receivers}",
        [2, "x", 0],
    ),
    "select is fair": (
        "local a, b = channel.new(10), channel.new(10) for i = 1, 10 do a:send(1) b:send(2) end local n = {0, 0} "
        "for i = 1, 10 do local r = channel.select{{receive = a}, {receive = b}} n[r.index] = n[r.index] + 1 end return n",
        [5, 5],
    ),
    "info and list tell of channels": (
        "local c = channel.new(2, 'work') c:send(1) local i = channel.list()[1] return {i.name, i.capacity, i.length, i.closed}",
        ["work", 2, 1, False],
    ),
    "a shared channel goes through the host": ("local c = channel.shared('x', 1) c:send(3) return (c:receive())", 3),
}

FAILS: dict[str, tuple[str, str]] = {
    "a task that nobody awaited fails the run": ("async.spawn(function() error('lost', 0) end) return 1", "lost"),
    "a rejection that nobody handled fails the run": ("promise.reject('boom') return 1", "boom"),
    "a deadlock names who waits for what": (
        "local a, b = channel.new(0, 'left'), channel.new(0, 'right')\n"
        "async.spawn(function()\n a:receive()\nend)\nb:receive()",
        r"task 1 waits for a value from left at .*:3; the main chunk waits for a value from right at .*:5",
    ),
    "a task cannot wait for itself": ("local t t = async.spawn(function() t:await() end) t:await()", "wait for itself"),
    "a task cannot cross to the host": ("return async.spawn(function() end)", "a task cannot cross"),
    "a channel cannot cross to the host": ("return {channel.new()}", "a channel cannot cross"),
}


@pytest.fixture(scope="module", params=["minimal", "standard"])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    policy = Policy.at_level(request.param).narrow(time=10)
    with Host(plugins=["lua"], config={}) as host, host.session(policy=policy) as session:
        yield session


@pytest.mark.parametrize("what", GIVES)
def test_the_model_holds(session: Session, what: str) -> None:
    source, expected = GIVES[what]
    assert session.eval("lua", source).value == expected


@pytest.mark.parametrize("what", FAILS)
def test_what_cannot_be_fails_the_run(session: Session, what: str) -> None:
    source, words = FAILS[what]
    with pytest.raises(Exception, match=words) as caught:
        session.eval("lua", source)
    assert caught.value.code in ("runtime", "conversion")


def test_the_error_of_a_lost_task_ends_with_where_it_was_spawned(session: Session) -> None:
    with pytest.raises(ScriptRuntimeError) as caught:
        session.eval("lua", "local function work()\n  error('lost')\nend\nasync.spawn(work)\nreturn 1")
    last = caught.value.frames[-1]
    assert (last.function, last.location.line) == ("spawned here", 4)


def test_the_deadline_ends_all_tasks(session: Session) -> None:
    source = "for i = 1, 3 do async.spawn(function() async.sleep(100) end) end while true do async.yield() end"
    with pytest.raises(DeadlineExceeded):
        session.run(_source(source), policy=Policy.at_level("minimal").narrow(time=0.2))
    assert session.eval("lua", "return 1").value == 1


def test_the_number_of_tasks_is_limited(session: Session) -> None:
    source = "local ok, e = pcall(function() for i = 1, 100 do async.spawn(function() async.sleep(10) end) end end) return e.code"
    with pytest.raises(DeadlineExceeded):
        # The run still waits for the tasks it has.
        session.run(_source(source), policy=Policy.at_level("minimal").narrow(time=0.3, tasks=10))


def test_a_state_is_clean_after_tasks_were_left_behind(session: Session) -> None:
    with pytest.raises(ScriptRuntimeError):
        session.eval("lua", "local c = channel.new() async.spawn(function() c:receive() end) error('main failed')")
    assert session.eval("lua", "return #channel.list()").value == 0


def _source(text: str) -> Any:
    from llmspell import Source

    return Source(text, language="lua")
