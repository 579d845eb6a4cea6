"""Budgets as a tree: reserved before, settled after, here and in every parent."""

from __future__ import annotations

import random
import threading

import pytest

from llmspell.errors import BudgetExceeded
from llmspell.gate.budget import Budget
from llmspell.policy import Limits


def test_what_is_reserved_cannot_be_reserved_again() -> None:
    budget = Budget(Limits(tokens=100))
    held = budget.reserve(70)
    with pytest.raises(BudgetExceeded, match="0 spent, 70 reserved, 40 asked"):
        budget.reserve(40)
    budget.settle(held, input_tokens=10, output_tokens=20, requests=1, cost=0.5)
    budget.reserve(70)
    assert (budget.usage.tokens, budget.usage.requests, budget.usage.cost) == (30, 1, 0.5)


def test_a_child_draws_on_its_parent_and_has_its_own_limit() -> None:
    run = Budget(Limits(tokens=100))
    child = Budget(Limits(tokens=50), run, owner="agent 'a'")
    other = Budget(Limits(), run)
    held = child.reserve(40)
    with pytest.raises(BudgetExceeded, match="agent 'a''s budget of 50 tokens") as own:
        child.reserve(20)
    with pytest.raises(BudgetExceeded, match="the run's budget of 100 tokens") as above:
        other.reserve(70)
    child.settle(held, input_tokens=30)
    assert (own.value.budget, above.value.budget) == (child, run)
    assert (child.usage.tokens, run.usage.tokens, other.usage.tokens) == (30, 30, 0)


def test_what_could_not_be_reserved_leaves_no_trace() -> None:
    run = Budget(Limits(tokens=10))
    child = Budget(Limits(), run)
    with pytest.raises(BudgetExceeded):
        child.reserve(11)
    run.reserve(10)


def test_an_overdraft_is_booked_and_told_with_what_was_spent() -> None:
    budget = Budget(Limits(tokens=10, cost=1))
    held = budget.reserve(5)
    with pytest.raises(BudgetExceeded, match="10 tokens is overdrawn") as caught:
        budget.settle(held, input_tokens=4, output_tokens=9, requests=1, cost=None)
    assert caught.value.spent == {
        "input_tokens": 4, "output_tokens": 9, "requests": 1, "cost": None, "unpriced_requests": 1, "calls": 0,
    }  # fmt: skip
    assert (caught.value.limit, caught.value.value) == ("tokens", 10)


def test_what_others_have_reserved_does_not_fail_what_was_paid_for() -> None:
    """Settling looks at what is spent: a request under way may still turn out cheap."""
    budget = Budget(Limits(tokens=100))
    first = budget.reserve(20)
    budget.reserve(80)
    budget.settle(first, input_tokens=25)
    assert budget.usage.tokens == 25


def test_cost_is_reserved_like_tokens_and_does_not_drift() -> None:
    budget = Budget(Limits(cost=1.0))
    for _ in range(1000):
        budget.settle(budget.reserve(cost=0.1), cost=0.0001)
    assert budget.usage.cost == pytest.approx(0.1)
    budget.reserve(cost=0.9 - 1e-9)
    with pytest.raises(BudgetExceeded, match=r"\$1 is used up"):
        budget.reserve(cost=0.1)


@pytest.mark.parametrize("seed", range(20))
def test_threads_cannot_race_past_a_limit(seed: int) -> None:
    rng = random.Random(seed)
    run = Budget(Limits(tokens=500))
    nodes = [run]
    for _ in range(6):
        nodes.append(Budget(Limits(tokens=rng.choice([None, 50, 200])), rng.choice(nodes)))

    def work(node: Budget, sizes: list[int]) -> None:
        for size in sizes:
            try:
                held = node.reserve(size)
            except BudgetExceeded:
                continue
            node.settle(held, output_tokens=size)

    threads = [
        threading.Thread(target=work, args=(rng.choice(nodes), [rng.randint(1, 20) for _ in range(50)]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for node in nodes:
        assert node.limits.tokens is None or node.usage.tokens <= node.limits.tokens
    assert 0 < run.usage.tokens <= 500
    assert run.reserve(500 - run.usage.tokens).tokens >= 0
