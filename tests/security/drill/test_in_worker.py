"""The drill again, inside the very workers that runs at level strict get."""

import functools
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell.engine import GuestLimits, Source
from llmspell.engine import messages as m
from llmspell.errors import EngineCrashed
from llmspell.policy import Policy
from llmspell.runtime.hardening import Applied, Piece
from llmspell.runtime.hardening.probe import probe
from llmspell.runtime.watchdog import Watchdog
from llmspell.runtime.worker.pool import Workers

HERE = Path(__file__).parent


class Port:
    def emit(self, message: m.Emit) -> None:
        raise AssertionError("the drill prints nothing")


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    if sys.platform != "linux":
        pytest.skip("the strict level needs Linux")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        patch.setenv("LLMSPELL_DRILL_SECRET", "canary")
        watchdog = Watchdog()
        workers = Workers(watchdog, max_runs=1)
        yield workers
        workers.close()
        watchdog.close()


def attempt(workers: Workers, name: str) -> dict[str, Any]:
    import drill_engine

    policy = Policy.strict()
    limits = GuestLimits(memory=policy.limits.memory)
    seat = workers.seat(drill_engine.SPEC, {}, policy, limits, Port())
    try:
        (done,) = seat.step(m.Start(Source(name, language="drill"), {"host": os.getpid()}))
        outcome: dict[str, Any] = json.loads(done.values[0])
        return outcome
    except EngineCrashed as error:
        return {"refused": "forbidden system call" in error.message, "why": "killed", "text": error.message}
    finally:
        seat.close()


@functools.cache
def probe_once() -> Applied:
    return probe().applied


def names() -> list[str]:
    import importlib.util

    spec = importlib.util.spec_from_file_location("attempts_by_name", HERE / "attempts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return list(module.ATTEMPTS)


@pytest.mark.parametrize("name", names() if sys.platform == "linux" else [])
def test_a_strict_worker_refuses(workers: Workers, name: str) -> None:
    import attempts

    state = probe_once().state(Piece(attempts.WANTED_ONLY[name])) if name in attempts.WANTED_ONLY else None
    if state is not None and not state.applied:
        pytest.skip(f"this machine lacks {state.piece}: {state.detail}")
    outcome = attempt(workers, name)
    assert outcome["refused"], outcome


def test_the_drill_itself_can_succeed(workers: Workers) -> None:
    """What the drill calls a success is one: the same attempt at level standard, where nothing forbids it."""
    import drill_engine

    seat = workers.seat(drill_engine.SPEC, {}, Policy.standard(), GuestLimits(), Port())
    (done,) = seat.step(m.Start(Source("socket_unix", language="drill"), {"host": os.getpid()}))
    seat.close()
    assert json.loads(done.values[0])["why"] == "succeeded"
