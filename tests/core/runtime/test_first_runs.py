"""The first runs of a host may come from many threads at once: what is made when first needed is made once."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from llmspell.runtime.placement import Placements
from llmspell.runtime.watchdog import Watchdog


@pytest.mark.parametrize(
    ("what", "where"),
    [("_pool", "llmspell.runtime.worker.pool.Workers"), ("_step_threads", "llmspell.runtime.steps.StepThreads")],
)
def test_what_is_made_when_first_needed_is_made_once(what: str, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    all_there = threading.Barrier(4)

    class Slow:
        def __init__(self, *_: Any) -> None:
            made.append(self)

        def close(self) -> None: ...

    monkeypatch.setattr(where, Slow)
    watchdog = Watchdog()
    placements = Placements(lambda spec: None, lambda spec: {}, watchdog)  # type: ignore[arg-type, return-value]
    lock = placements._making

    class Watched:
        """Lets nobody make anything before all want to."""

        def __enter__(self) -> None:
            all_there.wait(10)
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()

    placements._making = Watched()  # type: ignore[assignment]
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(getattr(placements, what)())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watchdog.close()
    assert len(made) == 1
    assert found == made * 4
