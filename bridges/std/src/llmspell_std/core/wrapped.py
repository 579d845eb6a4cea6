"""Functions of a script wrapped in another: memoized, debounced, throttled, safe."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import Any

from llmspell.plugin import ScriptFunction, instants_as_text
from llmspell_std.data import jsontext
from llmspell_std.function import GivenFunction

MAX_REMEMBERED = 1_000


def memoized(fn: ScriptFunction) -> GivenFunction:
    """Remember results by arguments, the last thousand of them; failures are not remembered."""
    known: OrderedDict[str, Any] = OrderedDict()

    async def call(*args: Any) -> Any:
        given = list(args)
        key = jsontext.write(given, sort_keys=True)
        if instants_as_text(given) is not given:
            key = f"{given!r}"  # a date and its text are two things
        if key in known:
            known.move_to_end(key)
            return known[key]
        result = known[key] = await fn(*args)
        if len(known) > MAX_REMEMBERED:
            known.popitem(last=False)
        return result

    return GivenFunction(f"memoized {fn.name}".strip(), call)


def debounced(fn: ScriptFunction, seconds: float) -> GivenFunction:
    """Run the function when no other call has come for a while; the calls before it return nothing."""
    latest = 0

    async def call(*args: Any) -> Any:
        nonlocal latest
        latest += 1
        mine = latest
        await asyncio.sleep(seconds)
        return await fn(*args) if mine == latest else None

    return GivenFunction(f"debounced {fn.name}".strip(), call)


def throttled(fn: ScriptFunction, seconds: float) -> GivenFunction:
    """Run the function at most once in a while; calls in between return its last result."""
    last_time, last_result = -float("inf"), None

    async def call(*args: Any) -> Any:
        nonlocal last_time, last_result
        now = time.monotonic()
        if now - last_time >= seconds:
            last_time = now
            last_result = await fn(*args)
        return last_result

    return GivenFunction(f"throttled {fn.name}".strip(), call)
