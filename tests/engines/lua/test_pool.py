"""Which states are kept, and which are not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from llmspell.engine import GuestLimits, Source
from llmspell.engine.messages import Cancel, Start
from llmspell_lua.engine import LuaEngine
from llmspell_lua.pool import PoolSettings, StatePool, health
from llmspell_lua.prelude_parts import LAZY


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def make_pool(engine: LuaEngine) -> Callable[..., tuple[StatePool, Clock]]:
    def make(**settings: Any) -> tuple[StatePool, Clock]:
        clock = Clock()
        return StatePool(engine._make_state, PoolSettings(**settings), clock), clock

    return make


def use(engine: LuaEngine, state: Any, text: str) -> None:
    """Run a source that says nothing."""
    state.configure(GuestLimits())
    state.start(engine.compile(Source(text)), None, ())
    state.slice()
    while state.take() is not None:
        pass


def test_the_state_used_last_is_used_next(make_pool: Any) -> None:
    pool, _ = make_pool()
    first, second = pool.take(), pool.take()
    pool.give(first)
    pool.give(second)
    assert pool.take() is second
    assert pool.take() is first
    assert pool.take() not in (first, second)
    metrics = pool.metrics
    assert (metrics.created, metrics.reused, metrics.returned, metrics.in_use, metrics.peak_in_use) == (3, 2, 2, 3, 3)


def test_a_state_that_comes_back_is_empty(engine: LuaEngine, make_pool: Any) -> None:
    pool, _ = make_pool()
    state = pool.take()
    use(engine, state, "x = 1")
    state.interruptions.append("deadline")
    pool.give(state)
    assert pool.take() is state
    assert state.interruptions == []
    assert state._shared[b"queue"][b"env"] is None


def test_no_more_are_kept_than_may_idle(make_pool: Any) -> None:
    pool, _ = make_pool(max_idle=2)
    for state in [pool.take() for _ in range(5)]:
        pool.give(state)
    assert pool.metrics.idle == 2
    assert pool.metrics.discarded == {"surplus": 3}


def test_a_state_is_replaced_after_its_runs(engine: LuaEngine, make_pool: Any) -> None:
    pool, _ = make_pool(max_runs=3)
    state = pool.take()
    for _ in range(2):
        use(engine, state, "return 1")
        pool.give(state)
        assert pool.take() is state
    use(engine, state, "return 1")
    pool.give(state)
    assert pool.take() is not state
    assert pool.metrics.discarded == {"runs": 1}


@pytest.mark.parametrize("reason", ["memory", "recursion", "internal"])
def test_a_spent_state_is_discarded(make_pool: Any, reason: str) -> None:
    pool, _ = make_pool()
    state = pool.take()
    state.spent = reason
    pool.give(state)
    assert pool.metrics.discarded == {"spent": 1}
    assert pool.take() is not state


def test_a_state_that_grew_for_good_is_discarded_and_one_with_garbage_is_cleaned(
    engine: LuaEngine, make_pool: Any
) -> None:
    pool, _ = make_pool()
    state = pool.take()
    use(engine, state, "big = ('x'):rep(2000000) return 1")
    assert state.memory > 2_000_000
    pool.give(state)
    assert pool.take() is state
    assert state.memory < 2 * state.birth_memory
    state._shared[b"held"] = b"x" * 2_000_000
    pool.give(state)
    assert pool.metrics.discarded == {"memory": 1}


def test_health_falls_with_runs_and_memory(engine: LuaEngine, make_pool: Any) -> None:
    state = engine._make_state()
    settings = PoolSettings(max_runs=100)
    assert health(state, settings) == 1
    state.runs = 50
    assert health(state, settings) == 0.75
    state.runs = 0
    state._shared[b"held"] = b"x" * (3 * state.birth_memory)
    assert health(state, settings) < 0.1


def test_a_state_with_every_part_of_the_prelude_is_as_good_as_new(engine: LuaEngine) -> None:
    state = engine._make_state()
    for part in LAZY:
        state.load_part(part)
    state.collect()
    assert state.memory > 3 * state.birth_memory
    assert health(state, PoolSettings()) > 0.9


def test_programs_that_a_state_keeps_do_not_count_against_it(engine: LuaEngine) -> None:
    state = engine._make_state()
    for n in range(8):
        use(engine, state, f"local n = {n} " + "local t = {} t.a = 1 t.b = t.a + 1 " * 150)
        state.reset()
    state.collect()
    assert state.kept_bytes > 50_000
    assert health(state, PoolSettings()) > 0.9


def test_states_idle_too_long_go_beyond_the_demand(make_pool: Any) -> None:
    pool, clock = make_pool(min_idle=1, max_idle=10, idle_timeout=60)
    for state in [pool.take() for _ in range(6)]:
        pool.give(state)
    assert pool.metrics.idle == 6
    clock.now = 61  # a period with a demand of one begins
    pool.give(pool.take())
    clock.now = 125
    pool.give(pool.take())
    assert pool.metrics.idle == 1
    assert pool.metrics.discarded == {"idle": 5}


def test_as_many_stay_as_are_in_use_at_once(make_pool: Any) -> None:
    pool, clock = make_pool(min_idle=1, max_idle=10, idle_timeout=60)
    for period in range(5):
        clock.now = period * 70
        states = [pool.take() for _ in range(4)]
        clock.now += 1
        for state in states:
            pool.give(state)
    assert pool.metrics.idle == 4
    assert pool.metrics.created == 4


def test_closing_drops_idle_states_and_then_those_that_come_back(make_pool: Any) -> None:
    pool, _ = make_pool()
    held, idle = pool.take(), pool.take()
    pool.give(idle)
    pool.close()
    assert pool.metrics.idle == 0
    pool.give(held)
    assert pool.metrics.idle == 0
    assert pool.metrics.discarded == {"closed": 2}


def test_a_state_still_running_is_left_to_its_thread(talk: Any) -> None:
    engine = LuaEngine(vm=talk.engine._vm.name)
    guest = engine.open(GuestLimits(), talk.heard)
    state = guest._state
    said: list[Any] = []
    thread = threading.Thread(target=lambda: said.extend(guest.step(Start(Source("while true do end")))))
    thread.start()
    while not state.is_running:
        pass
    guest.close()
    engine.close()
    assert engine.pool_metrics.discarded["busy"] == 1
    assert said == []
    state.interrupt("cancelled")
    thread.join()
    assert said[-1].failure.kind == "cancelled"
    assert engine.pool_metrics.idle == 0


def test_a_maker_that_fails_leaves_no_trace() -> None:
    def fail() -> Any:
        raise MemoryError("no room")

    pool = StatePool(fail)
    with pytest.raises(MemoryError):
        pool.take()
    assert pool.metrics.in_use == 0


def test_threads_share_a_pool(engine: LuaEngine, talk: Any) -> None:
    own = LuaEngine(vm=engine._vm.name, pool={"max_idle": 3})
    wrong: list[Any] = []

    def work(number: int) -> None:
        for n in range(40):
            guest = own.open(GuestLimits(memory=1 << 26), talk.heard)
            said = guest.step(Start(Source(f"x = (x or 0) + {number} return x")))
            if said[-1].values != [number]:
                wrong.append((number, n, said))
            guest.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    metrics = own.pool_metrics
    assert metrics.in_use == 0
    assert metrics.idle <= 3
    assert metrics.returned == 240
    own.close()


def test_a_cancelled_run_gives_its_state_back_without_its_coroutines(make_talker: Any) -> None:
    talk = make_talker({"wait": None})
    guest = talk.open()
    state = guest._state
    said = guest.step(talk.start("t.wait()"))
    while said[0].target == "@host":
        said = guest.step(talk.answer(said[0]))
    guest.step(Cancel("cancelled"))
    assert len(state._threads) >= 1
    guest.close()
    assert state._threads == []
    assert talk("return 1") == 1
