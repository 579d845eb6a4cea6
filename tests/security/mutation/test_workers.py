"""The walls around a worker, one taken away at a time: what the drill or a hostile spell then gets."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell.engine import GuestLimits, Source
from llmspell.engine import messages as m
from llmspell.errors import LlmspellError
from llmspell.policy import Policy
from llmspell.runtime.hardening import Piece
from llmspell.runtime.watchdog import Watchdog
from llmspell.runtime.worker import levels, pool
from llmspell.runtime.worker.hearing import Hearing
from llmspell.runtime.worker.pool import Workers
from llmspell.runtime.worker.process import WorkerProcess

TESTS = Path(__file__).parents[2]
FILES = (Piece.LANDLOCK_FILES, Piece.OWN_ROOT)
ALONE = (Piece.PID_NAMESPACE, Piece.LANDLOCK_SCOPES)
PIECES: dict[str, tuple[str, tuple[Piece, ...]]] = {
    "seccomp": ("socket_tcp", (Piece.SECCOMP,)),
    "seccomp, of processes": ("fork", (Piece.SECCOMP,)),
    "seccomp, of new code": ("fresh_code", (Piece.SECCOMP,)),
    "resource limits": ("more_memory_than_the_limit", (Piece.LIMITS,)),
    "files, behind seccomp": ("read_the_user_database", (Piece.SECCOMP, *FILES)),
    "writing, behind seccomp": ("open_the_null_device_for_writing", (Piece.SECCOMP, *FILES)),
    "capabilities, behind seccomp": ("chroot", (Piece.SECCOMP, Piece.CAPABILITIES)),
    "signals, behind seccomp": ("signal_the_host", (Piece.SECCOMP, *ALONE, Piece.USER_NAMESPACE)),
}


class Port:
    """Does something when the script says a word."""

    def __init__(self) -> None:
        self.then: Callable[[], None] = lambda: None

    def emit(self, message: m.Emit) -> None:
        self.then()


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    if sys.platform != "linux":
        pytest.skip("the strict level needs Linux")
    monkeypatch.syspath_prepend(str(TESTS / "security" / "drill"))
    monkeypatch.syspath_prepend(str(TESTS / "core" / "worker"))
    watchdog = Watchdog()
    workers = Workers(watchdog)
    yield workers
    workers.close()
    watchdog.close()


def drilled(workers: Workers, attempt: str) -> bool:
    """Tell whether an attempt of the drill succeeded in a strict worker."""
    import drill_engine

    seat = workers.seat(drill_engine.SPEC, {}, Policy.strict(), GuestLimits(memory=64 << 20), Port())
    try:
        (done,) = seat.step(m.Start(Source(attempt, language="drill"), {"host": os.getpid()}))
    except LlmspellError:
        return False
    finally:
        seat.close()
    return not json.loads(done.values[0])["refused"]


@pytest.mark.parametrize(("attempt", "pieces"), PIECES.values(), ids=PIECES)
def test_an_attempt_of_the_drill_needs_a_missing_wall(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, attempt: str, pieces: tuple[Piece, ...]
) -> None:
    assert not drilled(workers, attempt)
    monkeypatch.setattr(pool, "plan_for", lambda policy: levels.plan_for(policy).without(*pieces))
    assert drilled(workers, attempt)


def spell(workers: Workers, text: str, *, principal: str = "", stop: bool = False) -> Any:
    """Run Python in a standard worker; return its value or the error.

    Args:
        workers: Where.
        text: The script.
        principal: Whose.
        stop: Let its deadline pass when it says a word.
    """
    import python_spells

    port = Port()
    seat = workers.seat(python_spells.spec(), {}, Policy.standard(), GuestLimits(), port, principal)
    if stop:
        port.then = lambda: seat.interrupt("deadline")
    try:
        (done,) = seat.step(m.Start(Source(text, "a.py", "python"), {}))
    except LlmspellError as error:
        return error
    finally:
        seat.close()
    return done.values[0] if isinstance(done, m.Done) and done.values else done


def outlives_its_deadline(workers: Workers) -> bool:
    text = "import time\nguest.interrupt = lambda reason: None\nwrite('busy')\nend = time.time() + 1.5\n"
    text += "while time.time() < end: pass\nresult = 'alive'"
    return bool(spell(workers, text, stop=True) == "alive")


def shares_a_worker(workers: Workers) -> bool:
    spell(workers, "engine.seen.append('mine')", principal="alice")
    return bool(spell(workers, "result = list(engine.seen)", principal="mallory") == ["mine"])


def is_reused_after_a_limit(workers: Workers) -> bool:
    spell(workers, "engine.seen.append('spoiled')\nraise MemoryError")
    return bool(spell(workers, "result = list(engine.seen)") == ["spoiled"])


def sees_the_environment(workers: Workers) -> bool:
    found = spell(workers, "import os\nresult = dict(os.environ)")
    return "LLMSPELL_CANARY" in found


BEHAVIOURS: dict[str, tuple[Callable[[Workers], bool], str]] = {
    "the kill at the end of the ladder": (outlives_its_deadline, "kill"),
    "a worker for each principal": (shares_a_worker, "principal"),
    "no second run after a limit": (is_reused_after_a_limit, "clean"),
}


@pytest.mark.parametrize(("breaks_in", "rule"), BEHAVIOURS.values(), ids=BEHAVIOURS)
def test_a_hostile_spell_needs_a_missing_rule(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, breaks_in: Callable[[Workers], bool], rule: str
) -> None:
    assert not breaks_in(workers)
    if rule == "kill":
        monkeypatch.setattr(WorkerProcess, "kill", lambda self: None)
    elif rule == "principal":
        take = Workers.take_warm
        monkeypatch.setattr(Workers, "take_warm", lambda self, kind, principal: take(self, kind, ""))
        give = Workers.give_back
        monkeypatch.setattr(
            Workers,
            "give_back",
            lambda self, worker, kind, principal, *, clean: give(self, worker, kind, "", clean=clean),
        )
    else:
        monkeypatch.setattr(Hearing, "clean", property(lambda self: self.main is not None))
    try:
        assert breaks_in(workers)
    finally:
        monkeypatch.undo()


def test_the_environment_is_scrubbed_twice(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the process that forks workers nor a worker has it; only without both walls a spell would."""
    import subprocess

    monkeypatch.setenv("LLMSPELL_CANARY", "x")
    assert not sees_the_environment(workers)
    begin = subprocess.Popen.__init__

    def with_environment(self: Any, *args: Any, **more: Any) -> None:
        begin(self, *args, **{**more, "env": dict(os.environ)})

    plan = {"unscrubbed": lambda policy: levels.plan_for(policy).without(Piece.ENVIRONMENT)}
    for inherited, scrubbed in ((True, True), (False, False), (True, False)):
        with monkeypatch.context() as patch:
            if inherited:
                patch.setattr(subprocess.Popen, "__init__", with_environment)
            if not scrubbed:
                patch.setattr(pool, "plan_for", plan["unscrubbed"])
            other = Workers(workers._watchdog)
            try:
                assert sees_the_environment(other) == (inherited and not scrubbed)
            finally:
                other.close()
