"""In which order the members of a pool are tried."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence

from llmspell_llm.pool.member import Member

Order = Callable[[Sequence[Member]], list[Member]]


def failover() -> Order:
    """As given: the first while it works, then the second."""
    return list


def round_robin() -> Order:
    """Each in turn."""
    turns: Iterator[int] = itertools.count()

    def order(members: Sequence[Member]) -> list[Member]:
        start = next(turns) % len(members)
        return [*members[start:], *members[:start]]

    return order


def fastest() -> Order:
    """The one that answered fastest of late; those never asked before first, so that they get measured."""
    return lambda members: sorted(members, key=lambda member: member.latency if member.latency is not None else -1.0)


def weighted(chance: random.Random | None = None) -> Order:
    """By lot, each as often as its weight says."""
    lot = chance or random.Random()  # noqa: S311 - shares load, guards nothing

    def order(members: Sequence[Member]) -> list[Member]:
        left, drawn = list(members), []
        while left:
            weights = [member.weight for member in left]
            chosen = lot.choices(left, weights)[0] if any(weights) else left[0]
            left.remove(chosen)
            drawn.append(chosen)
        return drawn

    return order


def least_used() -> Order:
    """The one with the fewest requests in flight, then the fewest altogether."""
    return lambda members: sorted(members, key=lambda member: (member.active, member.requests))


STRATEGIES: dict[str, Callable[[], Order]] = {
    "failover": failover,
    "primary": failover,
    "round_robin": round_robin,
    "fastest": fastest,
    "weighted": weighted,
    "least_used": least_used,
}
"""Strategies that ask one member at a time; ``race`` and ``consensus`` ask several at once."""
