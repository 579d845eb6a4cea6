"""Limits: what the engine itself holds a guest to, and what it refuses to promise."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from llmspell.engine import GuestLimits
from llmspell.engine.messages import Call, Done, Failed
from llmspell.errors import PolicyUnsupportedError

MB = 1024 * 1024


def interrupted(stage: Any, source: str, reason: str = "deadline", after: float = 0.15) -> tuple[Any, float]:
    """Start a script, interrupt it from another thread, and return its failure and how long it took."""
    guest = stage.open()
    timer = threading.Timer(after, guest.interrupt, (reason,))
    timer.start()
    began = time.monotonic()
    from llmspell.engine import Source
    from llmspell.engine.messages import Start

    said = guest.step(Start(Source(source, "spell.js"), bridges=("kit",)))
    taken = time.monotonic() - began
    timer.join()
    guest.close()
    [failed] = [word for word in said if isinstance(word, Failed)]
    return failed.failure, taken


@pytest.mark.parametrize(
    "source",
    ["for (;;);", "try { for (;;); } catch {}", "for (;;) try { for (;;); } finally {}", "for (;;) kit.echo(1)"],
)
def test_an_interrupt_ends_a_running_script_soon(stage: Any, source: str) -> None:
    failure, taken = interrupted(stage, source)
    assert (failure.kind, failure.limit, failure.state_spent) == ("limit", "deadline", True)
    assert taken < 1.5


def test_an_interrupted_script_says_where_it_stood(stage: Any) -> None:
    failure, _ = interrupted(stage, "function spin() {\n  for (;;) Math.abs(1);\n}\n\nspin()")
    assert [(f.function, f.line) for f in failure.frames] == [("spin", 2), ("", 5)]


def test_an_interrupt_may_be_a_cancellation(stage: Any) -> None:
    assert interrupted(stage, "for (;;);", "cancelled")[0].kind == "cancelled"


def test_the_first_reason_wins(stage: Any) -> None:
    guest = stage.open()
    guest.interrupt("calls")
    guest.interrupt("deadline")
    assert stage.guest.step is not None
    failure, _ = interrupted(stage, "for (;;);", "tokens")
    assert failure.limit == "tokens"


def test_a_guest_interrupted_before_it_starts_fails_at_once(stage: Any) -> None:
    from llmspell.engine import Source
    from llmspell.engine.messages import Start

    guest = stage.open()
    guest.interrupt("deadline")
    [failed] = guest.step(Start(Source("kit.echo(1)", "spell.js"), bridges=("kit",)))
    assert failed.failure.limit == "deadline"
    assert stage.calls == []


@pytest.mark.parametrize(
    "source",
    [
        "const a = []; for (;;) a.push(a.length)",
        "const a = []; for (;;) a.push({ a: 1 })",
        "let s = 'x'; for (;;) s = s.repeat(2)",
        "const m = new Map(); for (let i = 0; ; i++) m.set(i, 'v' + i)",
        "new Array(1e7).fill('x').map((x, i) => x + i)",
        "const f = (n) => { const kept = new Array(1000).fill(n); return [kept, f(n + 1)] }; f(0)",
    ],
)
def test_too_much_memory_is_a_limit_that_names_itself(stage: Any, source: str) -> None:
    stage.limits = GuestLimits(memory=16 * MB)
    failure = stage.failure(source)
    assert (failure.kind, failure.limit, failure.state_spent) in (
        ("limit", "memory", True),
        ("runtime", "", False),  # the last one may reach the end of the stack first
    )
    if failure.kind == "runtime":
        assert "call stack" in failure.message


def test_the_limit_of_memory_is_not_caught_where_it_is_crept_up_to(stage: Any) -> None:
    stage.limits = GuestLimits(memory=16 * MB)
    source = "for (;;) { try { const a = []; for (;;) a.push([a.length]) } catch { kit.echo('caught') } }"
    assert stage.failure(source).limit == "memory"


def test_a_part_of_the_glue_that_comes_too_late_is_no_code_of_the_script(stage: Any) -> None:
    """The host's answer to a script that is at its end already is the text X."""
    stage.limits = GuestLimits(memory=16 * MB)
    failure = stage.failure(
        "globalThis.X = (glue) => { for (;;); };\nconst print = console.log, s = 'x'.repeat(16.9e6);\nnew TextEncoder()"
    )
    assert failure.limit == "memory"
    assert 1 not in {frame.line for frame in failure.frames}


def test_memory_that_is_given_back_counts_no_more(stage: Any) -> None:
    stage.limits = GuestLimits(memory=16 * MB)
    assert stage.run("for (let i = 0; i < 200; i++) 'x'.repeat(1e6).length; return 1") == 1


def test_usage_tells_of_the_heap(stage: Any) -> None:
    stage.start("const a = new Uint8Array(5e6); await kit.fetch(1); return a.length")
    usage = stage.guest.usage()
    assert usage.memory > 5e6
    assert usage.peak_memory >= usage.memory
    stage.guest.close()


def test_limits_that_cannot_be_held_are_refused_by_name(stage: Any) -> None:
    for name in ("steps", "recursion"):
        stage.limits = replace(GuestLimits(), **{name: 1000})
        with pytest.raises(PolicyUnsupportedError, match=name) as caught:
            stage.open()
        assert caught.value.missing == (name,)


def test_a_closed_guest_says_nothing_and_closes_again(stage: Any) -> None:
    said = stage.start("await kit.fetch(1)")
    stage.guest.close()
    stage.guest.close()
    stage.guest.interrupt("deadline")
    assert stage.guest.step(stage.answer(said[0])) == []


def test_an_ended_guest_says_nothing_more(stage: Any) -> None:
    said = stage.start("const p = kit.fetch(1); throw 1")
    assert isinstance(said[-1], Failed)
    calls = [word for word in said if isinstance(word, Call)]
    assert all(stage.guest.step(stage.answer(call)) == [] for call in calls)


def test_many_interrupts_of_a_guest_that_ends_are_harmless(stage: Any) -> None:
    for _ in range(20):
        guest = stage.open()
        stop = threading.Event()

        def poke(guest: Any = guest, stop: threading.Event = stop) -> None:
            while not stop.is_set():
                guest.interrupt("deadline")
                guest.usage()

        threads = [threading.Thread(target=poke) for _ in range(3)]
        for thread in threads:
            thread.start()
        from llmspell.engine import Source
        from llmspell.engine.messages import Start

        guest.step(Start(Source("for (let i = 0; i < 1e5; i++);", "spell.js")))
        guest.close()
        stop.set()
        for thread in threads:
            thread.join()


def test_guests_of_one_engine_run_side_by_side(make_stage: Any) -> None:
    results: list[Any] = []

    def work(number: int) -> None:
        stage = make_stage(bridges={"kit": {"echo": lambda x: x}})
        results.append(stage.run(f"let s = 0; for (let i = 0; i < 20000; i++) s += kit.echo({number}); return s"[:200]))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 20000, 40000, 60000]


def test_what_a_port_raises_goes_on_after_the_step(stage: Any) -> None:
    class Gone(BaseException):
        pass

    def gone(*args: Any) -> None:
        raise Gone

    stage.bridges["kit"]["echo"] = gone
    with pytest.raises(Gone):
        stage.start("try { kit.echo(1) } catch {} for (;;);")


def test_done_is_the_last_word(stage: Any) -> None:
    said = stage.start("kit.fetch(1); 5")
    assert [type(word) for word in said] == [Call]
    assert stage.guest.step(stage.answer(said[0])) == [Done(0, [5])]


def test_calls_may_be_nested_as_deep_as_authors_do(stage: Any) -> None:
    code = """
    const sum = (list, at = 0) => (at === list.length ? 0 : list[at] + sum(list, at + 1));
    const deep = (n) => (n === 0 ? [] : [n].map(() => deep(n - 1)));
    deep(500);
    const later = async (n) => (n === 0 ? 0 : 1 + (await later(n - 1)));
    return [sum(Array(1500).fill(1)), await later(500)]
    """
    assert stage.run(code) == [1500, 500]
