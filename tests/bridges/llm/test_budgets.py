"""Budgets as a tree over real requests: nothing is spent that was not there, whoever asks and however many at once."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from llmspell import Policy
from llmspell.errors import BudgetExceeded
from llmspell.gate.budget import Budget
from llmspell.policy import Limits
from llmspell.testing import FakeModel, FakeReply
from llmspell.testing.fake_model import FakeRequest
from llmspell_llm.adapter import Connections
from llmspell_llm.conversation import Message, Settings, estimate
from llmspell_llm.llm import Asking
from llmspell_llm.llm.paying import RunAccount, purse
from llmspell_llm.providers import Directory


def words(request: FakeRequest) -> FakeReply:
    """Answer as long as the prompt says, a token a piece, and count exactly as many tokens as were written."""
    length = int(request.prompt.split()[-1])
    longest = request.options.get("max_tokens", length)
    said = min(length, longest)
    return FakeReply(
        chunks=("abc ",) * said,
        input_tokens=estimate(request.prompt),
        output_tokens=said,
        finish_reason="length" if said < length else "stop",
    )


@dataclass
class Node:
    """A run, a child spell or an agent: a budget, the requests made on it, and what is below it."""

    budget: Budget
    requests: list[tuple[int, int | None, bool]]
    below: list[Node] = field(default_factory=list)

    def all(self) -> Iterator[Node]:
        yield self
        for node in self.below:
            yield from node.all()


class Caller:
    """What an account needs of a call."""

    def __init__(self, budget: Budget) -> None:
        self.run = self
        self.budget = budget

    def event(self, kind: str, data: dict[str, Any]) -> None:
        pass


def tree(rng: random.Random, parent: Budget | None = None, depth: int = 0) -> Node:
    limit = rng.choice([None, 8, 20, 50, 120]) if depth else rng.choice([30, 90, 250])
    node = Node(Budget(Limits(tokens=limit), parent), [])
    for _ in range(rng.randint(0, 3)):
        node.requests.append((rng.randint(0, 30), rng.choice([None, None, 5, 15]), rng.random() < 0.5))
    if depth < 3:
        node.below = [tree(rng, node.budget, depth + 1) for _ in range(rng.randint(0, 2))]
    return node


async def ask(asking: Asking, caller: Caller, length: int, longest: int | None, streamed: bool) -> None:
    account = RunAccount(caller, {})  # type: ignore[arg-type]
    settings = Settings(max_tokens=longest, retries=0)
    messages = [Message("user", f"say {length}")]
    if streamed:
        stream = await asking.stream(messages, settings, account=account)
        async for _ in stream.pieces():
            await asyncio.sleep(0)
    else:
        await asking.complete(messages, settings, account=account)


async def grow(asking: Asking, rng: random.Random, root: Node) -> int:
    """Make all the requests of a tree at once, some of them cancelled; return how many were refused or broken off."""
    tasks = []
    for node in root.all():
        for length, longest, streamed in node.requests:
            caller = Caller(node.budget)
            with ExitStack() as stack:
                if rng.random() < 0.3:  # an agent with a budget of its own makes it
                    stack.enter_context(purse(caller, "an agent", rng.choice([6, 18, 60]), None))  # type: ignore[arg-type]
                tasks.append(asyncio.ensure_future(ask(asking, caller, length, longest, streamed)))
    for task in tasks:
        if rng.random() < 0.1:
            for _ in range(rng.randint(0, 20)):
                await asyncio.sleep(0)
            task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    unexpected = [end for end in ended if not isinstance(end, BudgetExceeded | asyncio.CancelledError | None)]
    assert unexpected == []
    return sum(isinstance(end, BudgetExceeded) for end in ended)


@pytest.mark.parametrize("trees", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_random_trees_at_once_spend_nothing_that_was_not_reserved(trees: int) -> None:
    """The provider takes exactly what it writes, so that whatever is spent beyond a limit was not reserved."""
    rng = random.Random(7)
    roots = [tree(rng) for _ in range(trees)]

    async def main() -> int:
        connections = Connections()
        model = FakeModel(default=words)
        directory = Directory({}, default="fake", settings={"fake": {"model": model}})
        asking = Asking(directory, connections)
        try:
            return sum(await asyncio.gather(*(grow(asking, rng, root) for root in roots)))
        finally:
            await connections.close()
            await directory.close()

    refused = asyncio.run(main())
    nodes = [node for root in roots for node in root.all()]
    assert refused > trees / 2  # the limits did bite
    assert sum(root.budget.usage.tokens for root in roots) > 15 * trees  # and did not keep everybody from working
    for node in nodes:
        limit = node.budget.limits.tokens
        assert node.budget.usage.tokens <= (math.inf if limit is None else limit)
        assert node.budget.usage.tokens >= sum(child.budget.usage.tokens for child in node.below)
        left = 10**9 if limit is None else limit - node.budget.usage.tokens
        if node.budget.parent is None:
            node.budget.settle(node.budget.reserve(left))  # nothing is still held


SPELLS = {
    "complete": {
        "lua": """return llm.complete("say 500")""",
        "javascript": """return await llm.complete("say 500")""",
    },
    "stream": {
        "lua": """local n = 0 llm.stream("say 500", function() n = n + 1 end) return n""",
        "javascript": """let n = 0; await llm.stream("say 500", () => { n++ }); return n""",
    },
    "agent": {
        "lua": """return agent.create("a"):run("say 500")""",
        "javascript": """return await (await agent.create("a")).run("say 500")""",
    },
    "caught": {
        "lua": """pcall(llm.complete, "say 500") return "went on" """,
        "javascript": """try { await llm.complete("say 500") } catch {} return "went on" """,
    },
}


@pytest.mark.parametrize("kind", SPELLS)
def test_a_breach_stops_in_the_middle_of_the_answer_and_says_what_was_spent(spells: Any, kind: str) -> None:
    spells.fake.on("say 500", words)
    with pytest.raises(BudgetExceeded) as caught:
        spells.run(policy=Policy.minimal().narrow(tokens=100), **SPELLS[kind])
    assert 80 <= caught.value.spent["input_tokens"] + caught.value.spent["output_tokens"] <= 100
    assert caught.value.spent["requests"] == 1
    assert spells.fake.requests[0].streamed


def test_ten_questions_at_once_share_what_is_there(spells: Any) -> None:
    """What is set aside for each is little, so that all find room whose answers are short."""
    spells.fake.on("say", words)
    result = spells.run(
        policy=Policy.minimal().narrow(tokens=1000),
        lua="""local all = {}
            for i = 1, 10 do all[i] = promise.async(function() return llm.complete("say 20") end)() end
            return #promise.await(promise.all(all))""",
        javascript="""return (await Promise.all(Array.from({length: 10}, () => llm.complete("say 20")))).length""",
    )
    assert (result.value, result.usage.tokens) == (10, 220)


def test_without_a_budget_an_answer_is_asked_for_whole(spells: Any) -> None:
    spells.run(policy=Policy.minimal(), **SPELLS["complete"])
    assert not spells.fake.requests[0].streamed


def test_a_child_spell_draws_on_its_parent(spells: Any, tmp_path: Any) -> None:
    spells.fake.on("say 500", words)
    ending = {"lua": "lua", "javascript": "js"}[spells.language]
    (tmp_path / f"child.{ending}").write_text(SPELLS["complete"][spells.language])
    parent = tmp_path / f"parent.{ending}"
    parent.write_text(
        {
            "lua": 'pcall(function() require("spell").run("child.lua") end) return "went on"',
            "javascript": 'try { await require("spell").run("child.js") } catch {} return "went on"',
        }[spells.language]
    )
    with (
        spells.host() as host,
        host.session(policy=Policy.minimal().narrow(tokens=100)) as session,
        pytest.raises(BudgetExceeded) as caught,
    ):
        session.run(parent)
    assert 80 <= caught.value.spent["input_tokens"] + caught.value.spent["output_tokens"] <= 100


def test_a_budget_in_dollars_is_reserved_too() -> None:
    """The price of what may come is set aside before it comes: the second of two at once is refused."""
    from llmspell_llm.llm.metering import Meter

    class Provider:
        free = False
        prices = "openai"
        name = "openai"

    class Connected:
        provider = Provider()
        model = "gpt-4o-mini"
        asks_one = True

    budget = Budget(Limits(cost=0.001))  # about 1,600 tokens of an answer
    account = RunAccount(Caller(budget), {})  # type: ignore[arg-type]
    Meter(account, Connected(), 0, Settings(max_tokens=1000))  # type: ignore[arg-type]
    with pytest.raises(BudgetExceeded, match="reserved"):
        Meter(account, Connected(), 0, Settings(max_tokens=1000))  # type: ignore[arg-type]
