"""The embedding API: scripts without a host."""

from __future__ import annotations

import threading

import pytest

import llmspell_tengo
from llmspell.errors import (
    ConversionError,
    DeadlineExceeded,
    MemoryExceeded,
    ScriptRuntimeError,
    ScriptSyntaxError,
    StepsExceeded,
    UsageError,
)
from llmspell_tengo import Script, standard
from llmspell_tengo.values import Char, ErrorValue, Immutable, NamedFunction


def test_variables_go_in_and_come_out() -> None:
    compiled = Script("out := a + b; c := [out, {x: 1.5}]").add("a", 1).add("b", 2).run()
    assert (compiled.get("out"), compiled.get("c"), compiled.get("missing")) == (3, [3, {"x": 1.5}], None)
    assert compiled.get_all() == {"a": 1, "b": 2, "out": 3, "c": [3, {"x": 1.5}]}


def test_every_type_comes_out_as_itself() -> None:
    text = """
        a := 'é'; b := bytes("\\xff"); c := error("e"); d := immutable([1])
        e := func() {}; f := len; g := undefined"""
    compiled = Script(text).run()
    assert [compiled.get(name) for name in "abcdefg"] == [
        Char(0xE9),
        b"\xff",
        ErrorValue("e"),
        Immutable([1]),
        NamedFunction("compiled-function"),
        NamedFunction("builtin-function:len"),
        None,
    ]
    assert not compiled.is_defined("g")
    assert compiled.is_defined("e")


def test_a_removed_variable_is_unknown() -> None:
    script = Script("out := a").add("a", 1)
    assert script.remove("a")
    assert not script.remove("a")
    with pytest.raises(ScriptSyntaxError, match="unresolved reference 'a'"):
        script.compile()


def test_a_compiled_script_runs_again_with_other_values() -> None:
    compiled = Script("out := a * 2").add("a", 1).compile()
    assert compiled.run().get("out") == 2
    compiled.set("a", 5)
    assert compiled.run().get("out") == 10


def test_a_predefined_variable_keeps_what_the_script_gave_it() -> None:
    compiled = Script("a += 1").add("a", 1).compile()
    assert compiled.run().run().get("a") == 3


def test_only_predefined_variables_can_be_set() -> None:
    compiled = Script("out := 1").compile()
    with pytest.raises(UsageError, match="'out' is not defined before"):
        compiled.set("out", 2)


def test_a_clone_has_variables_of_its_own() -> None:
    compiled = Script("a += 1").add("a", 1).run()
    clone = compiled.clone()
    assert clone.get("a") == 2
    clone.run()
    assert (compiled.get("a"), clone.get("a")) == (2, 3)


def test_clones_run_in_threads_at_once() -> None:
    compiled = Script("sum := 0; for i := 0; i < 20000; i++ { sum += i * n }").add("n", 1).compile()
    sums: dict[int, int] = {}

    def work(n: int) -> None:
        clone = compiled.clone()
        clone.set("n", n)
        sums[n] = clone.run().get("sum")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums == {n: n * sum(range(20000)) for n in range(8)}


def test_python_functions_are_called_with_values() -> None:
    seen: list[object] = []

    def add(a: int, b: int) -> int:
        seen.append((a, b))
        return a + b

    compiled = Script("out := add(1, add(2, 3)); kind := type_name(add)").add("add", add).run()
    assert (compiled.get("out"), compiled.get("kind"), seen) == (6, "user-function:add", [(2, 3), (1, 5)])


def test_a_python_function_may_return_an_error_value() -> None:
    compiled = Script("e := f(); out := is_error(e) ? e.value : 0").add("f", lambda: ErrorValue("no")).run()
    assert compiled.get("out") == "no"


def test_nothing_can_be_imported_unless_it_is_given() -> None:
    with pytest.raises(ScriptSyntaxError, match="module 'text' not found"):
        Script('import("text")').compile()


def test_imports_are_standard_modules_sources_and_tables() -> None:
    script = Script("""
        text := import("text"); lib := import("lib"); host := import("host")
        out := text.to_upper(lib.name + host.twice(host.n))""")
    script.set_imports(
        standard("text")
        | {"lib": 'host := import("host"); export {name: "x" + host.n}', "host": {"n": 4, "twice": lambda n: n * 2}}
    )
    assert script.run().get("out") == "X48"


def test_there_is_no_os_module() -> None:
    with pytest.raises(UsageError, match="no standard module 'os'"):
        standard("os")


def test_tasks_work_without_a_host() -> None:
    script = Script("""
        async := import("async")
        nap := func(n) { return func() { async.sleep(n / 1000.0); return n } }
        out := async.all([nap(3), nap(1), nap(2)])""")
    assert script.set_imports(standard("async")).run().get("out") == [3, 1, 2]


def test_printed_text_is_kept() -> None:
    script = Script('fmt := import("fmt"); fmt.println("a", 1); fmt.printf("%03d", 7)')
    assert script.set_imports(standard("fmt")).run().output == "a1\n007"


def test_errors_carry_location_and_frames() -> None:
    with pytest.raises(ScriptRuntimeError, match="invalid operation: int") as caught:
        Script('f := func() {\n  return 1 + "a"\n}\nx := f()').run()
    assert str(caught.value.location) == "(main):2:10"
    assert [(frame.function, frame.location.line) for frame in caught.value.frames] == [("f", 2), ("", 4)]


def test_a_source_that_could_go_on_is_incomplete() -> None:
    for text, incomplete in (("f := func() {", True), ("a := := 1", False)):
        with pytest.raises(ScriptSyntaxError) as caught:
            Script(text).compile()
        assert caught.value.incomplete is incomplete


def test_allocations_can_be_limited() -> None:
    script = Script("a := [1]; b := [2]; c := [3]")
    assert script.set_max_allocs(3).run().get("c") == [3]
    with pytest.raises(ScriptRuntimeError, match="object allocation limit exceeded"):
        script.set_max_allocs(2).run()


def test_constants_can_be_limited() -> None:
    script = Script("a := 1; b := 2; c := 3")
    script.set_max_const_objects(3).compile()
    with pytest.raises(ScriptSyntaxError, match="exceeding constant objects limit: 3"):
        script.set_max_const_objects(2).compile()


def test_steps_memory_and_time_can_be_limited() -> None:
    endless = "for true {}"
    with pytest.raises(StepsExceeded):
        Script(endless).set_max_steps(1000).run()
    with pytest.raises(MemoryExceeded):
        Script('s := "x"; for true { s += s }').set_max_memory(1 << 20).run()
    with pytest.raises(DeadlineExceeded):
        Script(endless).run(timeout=0.05)


def test_a_sleep_ends_at_the_time_limit() -> None:
    script = Script('times := import("times"); times.sleep(times.hour)').set_imports(standard("times"))
    with pytest.raises(DeadlineExceeded):
        script.run(timeout=0.05)


def test_a_time_limit_that_is_over_at_once_is_not_lost() -> None:
    with pytest.raises(DeadlineExceeded):
        Script("for true {}").run(timeout=0)


def test_endless_recursion_is_a_runtime_error() -> None:
    with pytest.raises(ScriptRuntimeError, match="stack overflow"):
        Script("f := func(n) { return 1 + f(n + 1) }; f(0)").run()


@pytest.mark.parametrize("value", [2**64, object(), {1: 2}])
def test_what_tengo_has_no_form_for_is_refused(value: object) -> None:
    with pytest.raises(ConversionError):
        Script("out := a").add("a", value).run()


def test_eval_gives_the_value_of_an_expression() -> None:
    assert llmspell_tengo.eval('a > 1 ? [a, "b"] : 0', {"a": 2}) == [2, "b"]
    with pytest.raises(UsageError):
        llmspell_tengo.eval("  ")
    with pytest.raises(ScriptSyntaxError):
        llmspell_tengo.eval("1 +")


def test_what_a_function_of_the_embedder_raises_ends_the_script_at_its_call() -> None:
    def fetch(key: str) -> None:
        raise KeyError(key)

    with pytest.raises(ScriptRuntimeError, match="'k'") as caught:
        Script('get := func() {\n  return fetch("k")\n}\nget()').add("fetch", fetch).run()
    assert caught.value.location is not None
    assert (caught.value.location.line, len(caught.value.frames)) == (2, 2)
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_function_of_the_script_shows_itself_to_the_embedder_but_cannot_be_called() -> None:
    seen: list[object] = []
    Script("keep(func() { return 1 })").add("keep", seen.append).run()
    assert seen == [NamedFunction("compiled-function")]


@pytest.mark.parametrize("value", [2**63, 2**64 - 1, 2**70, -(2**63) - 1])
def test_an_int_beyond_64_bits_is_refused(value: int) -> None:
    with pytest.raises(ConversionError):
        Script("out := x").add("x", value).run()
    with pytest.raises((ConversionError, ScriptRuntimeError)):
        Script("out := f()").add("f", lambda: value).run()


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63)])
def test_all_64_bits_of_an_int_cross(value: int) -> None:
    assert Script("out := [x, f()]").add("x", value).add("f", lambda: value).run().get("out") == [value, value]


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(ConversionError, match="surrogates"):
        Script("out := x").add("x", "\ud800").run()
