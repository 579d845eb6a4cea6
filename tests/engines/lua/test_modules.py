"""``require``: bridges, local files, circles, several tasks."""

from __future__ import annotations

from typing import Any

from llmspell.engine import Source
from llmspell.engine.messages import Call, Done, Fault, Invoke, Reply, Start


def test_a_bridge_is_a_module_and_an_undeclared_global(make_talker: Any) -> None:
    talk = make_talker({"f": lambda: 42})
    assert talk("local t = require('t') return t.f()") == 42
    assert talk("return t.f()") == 42
    assert talk("return require('t') == t and t == require('t')") is True
    assert [call.method for call in talk.calls] == ["module"]


def test_a_bridge_is_asked_for_only_when_used(make_talker: Any) -> None:
    talk = make_talker({"f": lambda: 42})
    talk("return 1")
    assert talk.calls == []


def test_a_declared_global_hides_the_bridge(make_talker: Any) -> None:
    talk = make_talker({"f": lambda: 42})
    assert talk("t = 7 return t") == 7
    assert talk("local t = 8 return t") == 8
    assert talk.calls == []


def test_the_exports_of_a_bridge_can_be_listed(make_talker: Any) -> None:
    talk = make_talker({"f": lambda: 42, "g": lambda: 1})
    assert talk(
        "local names = {} for k, f in pairs(t) do names[#names + 1] = k .. type(f) end table.sort(names) return names"
    ) == [
        "ffunction",
        "gfunction",
    ]


def test_an_unknown_export_is_named_with_the_nearest(make_talker: Any) -> None:
    talk = make_talker({"complete": None, "stream": None})
    failure = talk.failure("t.complte()")
    assert (failure.code, failure.message) == (
        "unknown_method",
        "the bridge 't' has no 'complte'; did you mean 'complete'?",
    )
    assert "it has complete, stream" in talk.failure("t.zzzzzz()").message
    assert "has no '5'" in talk.failure("return #t[5]").message


def test_a_denied_bridge_is_an_error_when_it_is_used(make_talker: Any) -> None:
    talk = make_talker(None, fs=Fault("denied", "the bridge 'fs' is not granted by the policy"))
    guest = talk.open()
    (call,) = guest.step(
        Start(Source("local ok, e = pcall(function() return fs.read end) return e.code"), bridges=("fs",))
    )
    assert guest.step(talk.answer(call)) == [Done(0, ["denied"])]
    guest.close()


def test_a_local_module_runs_once_and_is_remembered(make_talker: Any) -> None:
    talk = make_talker(None, lib="print('loading', ...) return {name = ..., twice = function(n) return 2 * n end}")
    assert talk("local lib = require('lib') return {lib.name, lib.twice(21), require('lib') == lib}") == [
        "lib",
        42,
        True,
    ]
    assert talk.heard.text == "loading\tlib\n"
    assert len(talk.calls) == 1
    assert talk("return require('lib').name") == "lib"  # the next run loads its own
    assert len(talk.calls) == 1


def test_a_module_sees_the_globals_of_the_run(make_talker: Any) -> None:
    talk = make_talker(None, lib="shared = (shared or 0) + 1 return nil")
    assert talk("shared = 41 local v = require('lib') return {shared, v}") == [42, True]


def test_a_module_under_two_names_is_one(make_talker: Any) -> None:
    talk = make_talker(None)
    answers = {"./lib": "lib.lua", "lib": "lib.lua"}
    guest = talk.open()
    said = guest.step(Start(Source("return require('./lib') == require('lib')")))
    while isinstance(said[0], Call):
        name = answers[said[0].args[0]]
        said = guest.step(Reply(said[0].id, {"kind": "source", "name": name, "text": "return {}", "language": "lua"}))
    assert said == [Done(0, [True])]
    guest.close()


def test_who_asks_is_told(make_talker: Any) -> None:
    talk = make_talker(None, **{"a.b": "return require('c')", "c": "local d = require('d') return d", "d": "return 1"})
    assert talk("local m = require('a.b') return m", name="/x/main.lua") == 1
    assert [call.args for call in talk.calls] == [["a.b", "/x/main.lua"], ["c", "a.b"], ["d", "c"]]


def test_a_missing_module_is_an_error_the_script_can_catch(make_talker: Any) -> None:
    talk = make_talker(None)
    ok, error = talk.all("return pcall(require, 'nope')")
    assert (ok, error["code"]) == (False, "module_not_found")
    assert talk.failure("local x = require('nope')").line == 1
    assert "string expected" in talk.failure("require(5)").message
    assert talk("return (pcall(require))") is False


def test_a_module_that_does_not_parse_says_where(make_talker: Any) -> None:
    talk = make_talker(None, lib="\nreturn +")
    ok, error = talk.all("return pcall(require, 'lib')")
    assert ok is False
    assert error["code"] == "syntax"
    assert "lib:2" in error["message"]


def test_a_module_that_fails_may_be_tried_again(make_talker: Any) -> None:
    talk = make_talker(None, lib="tries = (tries or 0) + 1 if tries < 2 then error('not yet') end return tries")
    assert talk("return {pcall(require, 'lib')}")[1].endswith("not yet")
    assert talk("pcall(require, 'lib') return require('lib')") == 2
    failure = talk.failure("local lib = require('lib')", name="/x/main.lua")
    assert (failure.file, failure.line, failure.message) == ("lib", 1, "not yet")


def test_a_circle_is_named(make_talker: Any) -> None:
    talk = make_talker(
        None, a="return require('b')", b="local c = require('c') return c", c="local a = require('a') return a"
    )
    failure = talk.failure("return require('a')")
    assert failure.kind == "module"
    assert failure.message.endswith("a -> b -> c -> a")
    ok, error = talk.all("return pcall(require, 'a')")
    assert (ok, error["code"]) == (False, "circular_module")
    assert talk("pcall(require, 'a') return 1") == 1


def test_a_module_that_requires_itself(make_talker: Any) -> None:
    talk = make_talker(None, me="return require('me')")
    assert "me -> me" in talk.failure("return require('me')").message


def test_requiring_inside_a_coroutine(make_talker: Any) -> None:
    talk = make_talker({"f": lambda: 42}, lib="return t.f()")
    assert talk("return coroutine.wrap(function() return require('lib') end)()") == 42


def test_two_tasks_that_require_one_module_share_it(make_talker: Any, function_ref: Any) -> None:
    talk = make_talker({"each": None, "slow": None}, lib="count = (count or 0) + 1 t.slow() return {count = count}")
    guest = talk.open()
    said = guest.step(talk.start("return t.each(function() return require('lib').count end)"))
    while said[0].target == "@host":
        said = guest.step(talk.answer(said[0]))
    (each,) = said
    function = function_ref(each.args[0])
    (ask,) = guest.step(Invoke(1, function, []))
    (slow,) = guest.step(talk.answer(ask))
    (again,) = guest.step(Invoke(2, function, []))
    assert again.method == "module"
    assert guest.step(talk.answer(again)) == []  # waits for the first to finish loading
    said = guest.step(Reply(slow.id))
    assert sorted(said, key=lambda done: done.id) == [Done(1, [1]), Done(2, [1])]
    assert guest.step(Reply(each.id)) == [Done(0, [None])]
    guest.close()


def test_a_module_of_another_language_is_a_table_of_its_exports(make_talker: Any) -> None:
    from llmspell.values import HostRef, MethodRef

    talk = make_talker(None)
    guest = talk.open()
    (call,) = guest.step(Start(Source("local m = require('m') return {m.n, m.f(20)}")))
    exports = {"n": 1, "f": HostRef(3, "f", (MethodRef("call"),), "function")}
    (call,) = guest.step(Reply(call.id, {"kind": "foreign", "name": "m", "language": "javascript", "exports": exports}))
    assert (call.target, call.method, call.args) == (3, "call", [20])
    assert guest.step(Reply(call.id, 40)) == [Done(0, [[1, 40]])]
    guest.close()
