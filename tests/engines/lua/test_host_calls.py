"""Calling the host from everywhere, being called by it, and its errors."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell.engine.messages import Call, Done, Failed, Fault, Invoke, Reply
from llmspell.values import FunctionRef, HostRef, MethodRef

THING = HostRef(5, "Thing", (MethodRef("name"), MethodRef("add", True), MethodRef("close")))
STREAM = HostRef(6, "Words", (MethodRef("next", True), MethodRef("close", True)), "stream")
FUNCTION = HostRef(7, "shout", (MethodRef("call"),), "function")


@pytest.fixture
def double(make_talker: Any) -> Any:
    """A bridge that doubles, and one that fails."""
    return make_talker(
        {
            "double": lambda n: 2 * n,
            "echo": lambda *args: args[0] if args else None,
            "fail": lambda: Fault("not_found", "no such note", {"name": "x"}),
        }
    )


@pytest.mark.parametrize(
    ("what", "source"),
    [
        ("the main chunk", "return t.double(21)"),
        ("pcall", "local _, v = pcall(t.double, 21) return v"),
        ("nested pcalls", "local _, _, v = pcall(pcall, t.double, 21) return v"),
        ("xpcall", "local _, v = xpcall(function() return t.double(21) end, print) return v"),
        ("a coroutine", "return coroutine.wrap(function() return t.double(21) end)()"),
        (
            "a coroutine in a coroutine",
            "return coroutine.wrap(function() return coroutine.wrap(function() return t.double(21) end)() end)()",
        ),
        (
            "a generator, between its yields",
            "local g = coroutine.wrap(function() for i = 20, 21 do coroutine.yield(t.double(i)) end end)"
            " g() return g()",
        ),
        ("__index", "return setmetatable({}, {__index = function(_, k) return t.double(k) end})[21]"),
        (
            "__newindex",
            "local v setmetatable({}, {__newindex = function(_, k, x) v = t.double(x) end}).a = 21 return v",
        ),
        ("__call", "return setmetatable({}, {__call = function(_, n) return t.double(n) end})(21)"),
        ("__add", "return setmetatable({}, {__add = function(_, n) return t.double(n) end}) + 21"),
        ("__concat", "return setmetatable({}, {__concat = function(_, n) return t.double(n) end}) .. 21"),
        ("__eq", "local m = {__eq = function() return t.double(1) == 2 end} local a, b = {}, {} "
                 "setmetatable(a, m) setmetatable(b, m) return a == b and 42"),
        ("__lt", "local m = {__lt = function() return t.double(1) == 2 end} "
                 "return setmetatable({}, m) < setmetatable({}, m) and 42"),
        ("__len", "return #setmetatable({}, {__len = function() return t.double(21) end})"),
        (
            "__close",
            "local v do local x <close> = setmetatable({}, {__close = function() v = t.double(21) end}) end"
            " return v",
        ),
        ("__pairs", "for k in pairs(setmetatable({}, {__pairs = function() return next, {[t.double(21)] = 1} end})) do "
                    "return k end"),
        ("an iterator", "for v in function() return t.double(21) end do return v end"),
        (
            "a comparator of sort",
            "local v table.sort({2, 1}, function(a, b) v = t.double(21) return a < b end) return v",
        ),
        ("a replacement of gsub", "local v = ('a'):gsub('a', function() return t.double(21) end) return tonumber(v)"),
        (
            "a table that gsub asks",
            "local v = ('a'):gsub('a', setmetatable({}, {__index = function() return t.double(21) end}))"
            " return tonumber(v)",
        ),
        (
            "__tostring under print",
            "print(setmetatable({}, {__tostring = function() return '' .. t.double(21) end})) return 42",
        ),
        ("__tostring under tostring", "return tonumber(tostring(setmetatable({}, {__tostring = function() "
                                      "return '' .. t.double(21) end})))"),
        ("__concat of concat", "return tonumber(table.concat(setmetatable({}, {__len = function() return 1 end, "
                               "__index = function() return t.double(21) end})))"),
        ("a function that load made", "return load('return t.double(21)')()"),
        ("the reader of load", "local n = 0 return load(function() n = n + 1 "
                               "return n == 1 and 'return ' .. t.double(21) or nil end)()"),
    ],
)  # fmt: skip
def test_the_host_can_be_called_from(double: Any, what: str, source: str) -> None:
    assert double(source) == 42


@pytest.mark.parametrize(
    "source",
    [
        "return xpcall(error, function() return t.double(1) end)",
        "return pcall(string.format, '%s', setmetatable({}, {__tostring = function() return t.double(1) end}))",
        "return pcall(function() for _ in ipairs(setmetatable({}, {__index = t.double})) do end end)",
    ],
)
def test_where_c_waits_the_refusal_names_the_alternative(double: Any, source: str) -> None:
    ok, error = double.all(source)
    assert ok is False
    assert " cannot be called here" in error
    assert "call it before" in error
    ok, error = double.all("local _ = t.double " + source)
    assert ok is False
    assert "t.double cannot be called here" in error


def test_where_c_waits_a_coroutine_does_not_help(double: Any) -> None:
    source = """
    local inner, double = nil, t.double
    local _, e = pcall(string.format, '%s', setmetatable({}, {__tostring = function()
      local co = coroutine.create(function() return pcall(double, 1) end)
      inner = {coroutine.resume(co)}
      return "x"
    end}))
    return inner
    """
    ok, caught, error = double(source)
    assert (ok, caught) == (True, False)
    assert "t.double cannot be called here" in error


def test_the_line_that_asked_is_told(double: Any) -> None:
    double("local x\n\nx = t.double(1)\nt.double(\n  2\n)")
    assert [(call.method, call.line) for call in double.calls[1:]] == [("double", 3), ("double", 4)]


def test_a_fault_is_an_error_object(double: Any) -> None:
    source = """
    local ok, e = pcall(t.fail)
    return {ok, e.code, e.message, e.details, tostring(e), "it says: " .. e, e .. "!", type(e), getmetatable(e)}
    """
    message = "no such note"
    expected = [
        False,
        "not_found",
        message,
        {"name": "x"},
        message,
        f"it says: {message}",
        f"{message}!",
        "table",
        False,
    ]
    assert double(source) == expected


def test_an_unhandled_fault_names_its_call(double: Any) -> None:
    failure = double.failure("t.double(1)\nt.fail()")
    assert (failure.kind, failure.message, failure.code) == ("runtime", "no such note", "not_found")
    assert failure.fault == double.calls[-1].id
    assert failure.line == 2
    assert failure.value == {"code": "not_found", "message": "no such note", "details": {"name": "x"}}


def test_a_fault_raised_again_still_names_its_call(double: Any) -> None:
    failure = double.failure("local _, e = pcall(t.fail) t.double(1) error(e)")
    assert failure.fault == double.calls[-2].id


def test_print_passes_on_at_once_and_in_order(double: Any) -> None:
    guest = double.open()
    (said,) = guest.step(double.start("print('a') io.write('b', 1, '\\n') t.double(1) print('c')"))
    assert double.heard.output == ["a\n", "b1\n"]
    (said,) = guest.step(double.answer(said))
    guest.step(double.answer(said))
    assert double.heard.output == ["a\n", "b1\n", "c\n"]
    guest.close()


def test_print_shows_what_lua_shows(talk: Any) -> None:
    source = (
        "print() print(nil, true, 1, 1.0, 'x', null) print(setmetatable({}, {__tostring = function() return 'T' end}))"
    )
    talk(source)
    assert talk.heard.text == "\nnil\ttrue\t1\t1.0\tx\tnull\nT\n"


def test_print_works_where_nothing_can_be_suspended(talk: Any) -> None:
    talk("xpcall(error, function() print('handled') end) print('after')")
    assert talk.heard.text == "handled\nafter\n"


def test_output_that_is_no_text_is_shown_as_far_as_it_is(talk: Any) -> None:
    talk("print('a\\xffb')")
    assert talk.heard.text == "a\ufffdb\n"


# Functions of the script


def begin(talk: Any, source: str) -> tuple[Any, list[Any]]:
    """Start a source; answer for modules only. Returns the guest and what it said then."""
    guest = talk.open()
    said = guest.step(talk.start(source))
    while said and isinstance(said[-1], Call) and said[-1].target == "@host":
        said = guest.step(talk.answer(said[-1]))
    return guest, said


def test_a_function_is_invoked_while_the_script_waits(make_talker: Any, function_ref: Any) -> None:
    talk = make_talker({"each": None})
    guest, (call,) = begin(talk, "return t.each(function(a, b) return a + b, 'x' end)")
    function = function_ref(call.args[0])
    assert guest.step(Invoke(1, function, [20, 22])) == [Done(1, [42, "x"])]
    assert guest.step(Invoke(2, function, [1, 1])) == [Done(2, [2, "x"])]
    assert guest.step(Reply(call.id, "done")) == [Done(0, ["done"])]
    guest.close()


def test_arguments_of_an_invocation_arrive_as_they_are(make_talker: Any, function_ref: Any) -> None:
    talk = make_talker({"each": None})
    source = "return t.each(function(...) return select('#', ...), {...}, (...) == nil end)"
    guest, (call,) = begin(talk, source)
    function = function_ref(call.args[0])
    (done,) = guest.step(Invoke(1, function, [{"a": [None]}, "é", b"\xff", 2**62]))
    assert done.values == [4, [{"a": [None]}, "é", b"\xff", 2**62], False]
    (done,) = guest.step(Invoke(2, function, []))
    assert done.values == [0, {}, True]
    (done,) = guest.step(Invoke(3, function, [None, [1]]))
    assert isinstance(done, Failed)  # its result has a hole
    assert done.failure.kind == "conversion"
    (done,) = guest.step(Invoke(4, function, [2**70]))
    assert (done.id, done.failure.kind) == (4, "conversion")
    guest.close()


def test_an_error_in_an_invocation_does_not_end_the_run(make_talker: Any, function_ref: Any) -> None:
    talk = make_talker({"each": None})
    guest, (call,) = begin(talk, "local function f(n)\n  error('no ' .. n)\nend\nreturn t.each(f)")
    (failed,) = guest.step(Invoke(1, function_ref(call.args[0]), [7]))
    assert (failed.id, failed.failure.message, failed.failure.line) == (1, "no 7", 2)
    assert guest.step(Reply(call.id, 1)) == [Done(0, [1])]
    guest.close()


def test_many_calls_are_outstanding_and_answered_in_any_order(make_talker: Any, function_ref: Any) -> None:
    talk = make_talker({"each": None, "get": None})
    guest, (call,) = begin(talk, "return t.each(function(n) return n .. '=' .. t.get(n) end)")
    function = function_ref(call.args[0])
    asked = {}
    for number in range(1, 51):
        (inner,) = guest.step(Invoke(number, function, [number]))
        assert (inner.method, inner.args) == ("get", [number])
        asked[number] = inner.id
    for number in sorted(asked, key=lambda n: n * 37 % 51):
        assert guest.step(Reply(asked[number], number * number)) == [Done(number, [f"{number}={number * number}"])]
    assert guest.step(Reply(call.id, "all")) == [Done(0, ["all"])]
    guest.close()


def test_a_function_invoked_inside_an_invocation(make_talker: Any, function_ref: Any) -> None:
    talk = make_talker({"down": None})
    guest, (call,) = begin(
        talk, "local function f(n) if n == 0 then return 'floor' end return t.down(f, n - 1) end return f(3)"
    )
    calls = [call]
    for depth in range(1, 4):
        function, below = calls[-1].args
        (said,) = guest.step(Invoke(depth, function_ref(function), [below]))
        if isinstance(said, Done):
            assert said == Done(3, ["floor"])
            break
        calls.append(said)
    for depth in (2, 1):
        assert guest.step(Reply(calls.pop().id, "floor")) == [Done(depth, ["floor"])]
    assert guest.step(Reply(calls.pop().id, "floor")) == [Done(0, ["floor"])]
    guest.close()


def test_an_unknown_function_is_refused(make_talker: Any) -> None:
    talk = make_talker({"each": None})
    guest, (call,) = begin(talk, "return t.each()")
    (failed,) = guest.step(Invoke(1, 99, []))
    assert (failed.id, failed.failure.code) == (1, "unknown_function")
    assert guest.step(Reply(call.id, 1)) == [Done(0, [1])]
    guest.close()


def test_a_module_stays_able_to_be_invoked(make_talker: Any) -> None:
    talk = make_talker()
    guest = talk.open()
    (done,) = guest.step(talk.start("local n = 0 return {count = function() n = n + 1 return n end}", mode="module"))
    exports = done.values[0]
    assert isinstance(exports["count"], FunctionRef)
    assert guest.step(Invoke(1, exports["count"].id, [])) == [Done(1, [1])]
    assert guest.step(Invoke(2, exports["count"].id, [])) == [Done(2, [2])]
    guest.close()


def test_a_task_cannot_answer_for_the_host(make_talker: Any, function_ref: Any) -> None:
    """While one task waits inside a coroutine, another gets hold of that coroutine."""
    talk = make_talker({"each": None, "get": None})
    source = """
    local co = coroutine.create(function() return t.get() end)
    t.each(function()
      return {coroutine.status(co), {coroutine.resume(co, "forged", 1, "forged")}, {pcall(coroutine.close, co)}}
    end)
    return coroutine.resume(co)
    """
    guest, (each,) = begin(talk, source)
    function = function_ref(each.args[0])
    (get,) = guest.step(Reply(each.id))
    assert get.method == "get"
    (done,) = guest.step(Invoke(1, function, []))
    status, resumed, closed = done.values[0]
    assert status == "normal"
    assert resumed == [False, "cannot resume non-suspended coroutine"]
    assert closed[0] is False
    assert guest.step(Reply(get.id, "honest")) == [Done(0, [True, "honest"])]
    guest.close()


def test_a_script_cannot_forge_a_call_or_an_answer(double: Any) -> None:
    forgeries = [
        "coroutine.yield('HOST', {1, 1, 't', 'double', 0, false})",
        "coroutine.wrap(function() coroutine.yield(coroutine.running()) end)()",
        "return coroutine.wrap(function() return coroutine.yield({1, 99, '@host', 'module', 0, false, 'os'}) end)()",
    ]
    for forgery in forgeries:
        double.all(f"return pcall(function() {forgery} end)")
        assert all(call.target == "@host" and call.args == ["t"] for call in double.calls)
    assert double("return (pcall(coroutine.yield, 1))") is False


def test_the_coroutine_of_a_task_is_not_given_away(talk: Any) -> None:
    source = """
    local co, main = coroutine.running()
    local again = coroutine.running()
    return {main, co == again, coroutine.status(co), (coroutine.resume(co)), coroutine.isyieldable(), type(co),
            (pcall(coroutine.yield))}
    """
    assert talk(source) == [True, True, "running", False, False, "thread", False]


# Handles


@pytest.fixture
def objects(make_talker: Any) -> Any:
    words = iter(["one", "two", None, "three"])

    def next_word() -> list[Any]:
        for word in words:
            return [False, word]
        return [True, None]

    talk = make_talker(
        {
            "thing": lambda: THING,
            "things": lambda: {"a": THING, "b": [THING]},
            "stream": lambda: STREAM,
            "hold": lambda: STREAM,
            "function": lambda: FUNCTION,
            "same": lambda *things: [thing == THING for thing in things],
            "count": lambda *args: len(args),
            "name": lambda: "thing",
            "add": lambda a, b: a + b,
            "close": lambda: None,
            "next": next_word,
            "call": lambda text: text.upper(),
        }
    )
    return talk


def test_an_object_has_methods_and_crosses_back_as_itself(objects: Any) -> None:
    assert objects("local o = t.thing() return {o:name(), o:add(40, 2), tostring(o)}") == [
        "thing",
        42,
        "Thing (host object 5)",
    ]
    assert [call.target for call in objects.calls[2:]] == [5, 5]
    assert objects("local o = t.thing() return t.same(o, t.things().b[1])") == [True, True]
    assert objects("return t.thing()") == THING
    assert objects("local o = t.thing() return o == t.thing() and o == t.things().a") is True


def test_an_object_tells_what_it_has(objects: Any) -> None:
    failure = objects.failure("t.thing():nmae()")
    assert failure.message == "the object 'Thing' has no 'nmae'; did you mean 'name'?"
    assert "it has add, close, name" in objects.failure("t.thing():zzz()").message


def test_an_object_cannot_be_changed_and_needs_its_colon(objects: Any) -> None:
    assert "cannot be set" in objects.failure("t.thing().x = 1").message
    assert "colon" in objects.failure("t.thing().name()").message
    assert objects("local o = t.thing() return {getmetatable(o), (pcall(setmetatable, o, {}))}") == [False, False]


def test_an_object_is_closed_by_its_scope(objects: Any) -> None:
    objects("do local o <close> = t.thing() end")
    assert [call.method for call in objects.calls[1:]] == ["thing", "close"]


def test_a_function_of_the_host_is_a_function(objects: Any) -> None:
    assert objects("local f = t['function']() return {type(f), f('abc')}") == ["function", "ABC"]
    assert objects("return t['function']()") == FUNCTION


def test_a_stream_is_an_iterator_that_closes_itself(objects: Any) -> None:
    source = "local out = {} for word in t.stream() do out[#out + 1] = word == null and 'null' or word end return out"
    assert objects(source) == ["one", "two", "null", "three"]
    assert [call.method for call in objects.calls[-2:]] == ["next", "close"]


def test_a_stream_that_is_left_early_is_closed(objects: Any) -> None:
    assert objects("for word in t.stream() do return word end") == "one"
    assert objects.calls[-1].method == "close"
    objects("pcall(function() for word in t.stream() do error('x') end end)")
    assert objects.calls[-1].method == "close"


def test_a_stream_is_one_argument(objects: Any) -> None:
    assert objects("return t.count(t.stream())") == 1
    assert objects("return t.count(1, t.stream())") == 2
    assert objects("local s = t.hold() return {s(), s()}") == ["one", "two"]


def test_handles_end_with_their_run(objects: Any) -> None:
    objects("kept = t.thing()")
    assert objects("return kept == nil") is True
