"""Whatever happens to a worker, the host gets a typed error and the next run works."""

from typing import Any

import pytest

from llmspell.errors import EngineCrashed, LlmspellError, MemoryExceeded
from llmspell.policy import Policy

FORKED_ONLY = {"test_processor_time_beyond_the_limit_kills_even_process_1"}

CRASHES = {
    "segfault": ("import ctypes\nctypes.string_at(8)", "SIGSEGV"),
    "abort": ("import os\nos.abort()", "SIG"),
    "kills itself": ("import ctypes\nctypes.CDLL(None)._exit(3)", "status 3"),
    "exits quietly": ("import os\nos._exit(0)", "status 0"),
    "closes its socket": ("import os\nos.closerange(3, 100)\nwhile True: pass", ""),
    "ends the interpreter": ("raise SystemExit(4)", "status"),
}


@pytest.mark.parametrize(("text", "told"), CRASHES.values(), ids=CRASHES)
@pytest.mark.parametrize("level", ["standard", "strict"])
def test_a_crash_is_an_engine_crashed_and_the_next_run_works(
    shared_bench: Any, level: str, text: str, told: str
) -> None:
    policy = Policy.at_level(level)
    outcome = shared_bench.run(text, policy=policy)
    assert isinstance(outcome.error, EngineCrashed)
    assert told in outcome.error.message
    assert shared_bench.run("result = 'next'", policy=policy).value == "next"


def test_a_crash_in_the_middle_of_a_host_call_is_told_at_the_reply(bench: Any) -> None:
    text = "import threading, os\nthreading.Timer(0.05, lambda: os._exit(5)).start()\ncall('a', 'b')\nwhile True: pass"

    def answer(*_: Any) -> None:
        import time

        time.sleep(0.2)  # the host call itself takes its time; nothing is waited for

    outcome = bench.run(text, answer=answer)
    assert isinstance(outcome.error, EngineCrashed)
    assert "status 5" in outcome.error.message


def test_a_forbidden_system_call_at_strict_is_named(bench: Any) -> None:
    bench.policy = Policy.strict()
    outcome = bench.run("import ctypes\nctypes.CDLL(None).ptrace(0, 0, 0, 0)")
    assert isinstance(outcome.error, EngineCrashed)
    assert "forbidden system call" in outcome.error.message


def test_a_crash_on_a_loop_is_the_same(bench: Any, in_loop: Any) -> None:
    outcome = in_loop(bench.arun("import os\nos._exit(6)"))
    assert isinstance(outcome.error, EngineCrashed)
    assert "status 6" in outcome.error.message
    assert in_loop(bench.arun("result = 7")).value == 7


def test_memory_beyond_the_limit_is_refused_by_the_kernel(each_level: Any) -> None:
    outcome = each_level.run("kept = []\nwhile True: kept.append(bytearray(8 << 20))")
    assert outcome.failure.limit == "memory"
    assert each_level.run("result = 'next'").value == "next"


def test_memory_that_ends_outside_of_the_guest_is_typed_too(bench: Any) -> None:
    """The engine filled the address space; now the worker cannot even read a message."""
    text = """
import resource
soft, hard = resource.getrlimit(resource.RLIMIT_AS)
kept = []
try:
    while True: kept.append(bytearray(1 << 20))
except MemoryError:
    pass
try:
    while True: kept.append(bytearray(1 << 12))
except MemoryError:
    pass
engine.kept = kept
later = [('a', 'b')]
"""
    outcome = bench.run(text, answer=lambda *_: "x" * 4_000_000)
    if outcome.error is not None:
        assert isinstance(outcome.error, MemoryExceeded)
    else:
        assert outcome.failure.limit == "memory"
    assert bench.run("result = 'next'").value == "next"


def test_processor_time_beyond_the_limit_kills_even_process_1(bench: Any) -> None:
    """The plan's own limit is generous; here the worker tightens it, as a process always may."""
    text = "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass"
    outcome = bench.run(text)
    assert isinstance(outcome.error, EngineCrashed)
    assert "SIGKILL" in outcome.error.message


def test_a_guest_that_raises_is_an_internal_failure_and_its_worker_is_not_used_again(bench: Any) -> None:
    text = "guest.usage = lambda: 1 / 0\nresult = id(engine)"
    failure = bench.run(text).failure
    assert failure.kind == "internal"
    assert "ZeroDivisionError" in failure.message
    assert bench.run("result = engine.opened").value == 1


def test_an_engine_that_cannot_be_loaded_is_a_plugin_error_with_its_traceback(bench: Any) -> None:
    outcome = bench.run("result = 1", spec=bench.engine.spec("python_spells:broken"))
    assert isinstance(outcome.error, LlmspellError)
    assert outcome.error.code == "plugin_load"
    assert "this engine is broken" in outcome.error.message
    assert bench.run("result = 'other engines work'").value == "other engines work"


def test_an_engine_that_leaves_threads_behind_is_refused(bench: Any) -> None:
    outcome = bench.run("result = 1", spec=bench.engine.spec("python_spells:threaded"))
    assert outcome.error is not None
    assert outcome.error.code == "plugin_load"
    assert "1 threads running" in outcome.error.message


def test_an_engine_that_does_not_exist_is_a_plugin_error(bench: Any) -> None:
    outcome = bench.run("result = 1", spec=bench.engine.spec("no_such_module:Engine"))
    assert outcome.error is not None
    assert outcome.error.code == "plugin_load"
    assert "no_such_module" in outcome.error.message
