"""Which states are kept for the next run of Tengo; the pool's own ways are tested with the Lua engine."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell_tengo.machine.vm import LuaVM
from llmspell_tengo.pool import PoolSettings, StatePool


def returned(pool: StatePool, grow: int = 0) -> LuaVM:
    """Give back a state that keeps so many bytes."""
    state = pool.take()
    if grow:
        state.table[b"kept"] = b"x" * grow
    pool.give(state)
    return state


def test_a_state_is_used_again() -> None:
    pool = StatePool()
    state = returned(pool)
    assert pool.take() is state
    assert (pool.metrics.created, pool.metrics.reused) == (1, 1)


@pytest.mark.parametrize(("times", "discarded"), [(8, {}), (20, {"memory": 1})])
def test_a_state_that_keeps_much_memory_is_discarded(times: int, discarded: dict[str, int]) -> None:
    pool = StatePool()
    returned(pool, times * LuaVM().birth_memory)
    assert pool.metrics.discarded == discarded


def test_a_state_is_discarded_after_its_runs_and_after_a_limit() -> None:
    pool = StatePool(PoolSettings(max_runs=1))
    worn = pool.take()
    worn.runs = 1
    pool.give(worn)
    spent = pool.take()
    spent.spent = "memory"
    pool.give(spent)
    assert pool.metrics.discarded == {"runs": 1, "spent": 1}


def test_as_many_idle_as_were_in_use_lately() -> None:
    times = iter([0.0, 0.0, 0.0, 20.0, 40.0])  # of each return
    pool = StatePool(PoolSettings(idle_timeout=10), lambda: next(times))
    states: list[Any] = [pool.take() for _ in range(3)]
    for state in states:
        pool.give(state)
    assert pool.metrics.idle == 3
    for _ in range(2):
        pool.give(pool.take())
    assert pool.metrics.idle == 1
