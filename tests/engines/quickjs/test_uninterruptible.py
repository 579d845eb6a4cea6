"""Where the self-check fails, running scripts can be ended only with their worker, and are."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from llmspell import Host, Policy
from llmspell.errors import BudgetExceeded, DeadlineExceeded, MemoryExceeded, OutputExceeded, PolicyUnsupportedError
from llmspell.plugin import Bridge, BridgeSpec, export, hookimpl
from llmspell_quickjs.spec import SPEC


class Signs(Bridge):
    """Lets a script tell how far it is."""

    name = "signs"
    seen: ClassVar[threading.Event]

    @export
    async def begun(self) -> None:
        """Tell that it has begun."""
        self.seen.set()


class Plugin:
    @hookimpl
    def llmspell_bridges(self) -> Any:
        yield BridgeSpec("signs", factory=Signs)

    @hookimpl
    def llmspell_engines(self) -> Any:
        yield dataclasses.replace(
            SPEC, name="unstoppable", factory="uninterruptible:make", extensions=(".unstoppable",), aliases=()
        )


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with pytest.MonkeyPatch.context() as patch, Host() as host:
        patch.syspath_prepend(str(Path(__file__).parent))
        host.register(Plugin())
        yield host


@pytest.mark.parametrize(
    ("code", "limits", "error"),
    [
        ("for (;;);", {"time": 0.5}, DeadlineExceeded),
        ("for (;;) console.log('x'.repeat(1000))", {"output": "100KB"}, OutputExceeded),
        ("for (;;) core.uuid()", {"calls": 100}, BudgetExceeded),
        ("const a = []; for (;;) a.push('x'.repeat(1000) + a.length)", {"memory": "32MB"}, MemoryExceeded),
        ("throw {toString() { for (;;); }}", {"time": 0.5}, DeadlineExceeded),
    ],
)
def test_a_worker_is_killed_for_a_limit_and_the_next_run_works(host: Host, code: str, limits: Any, error: type) -> None:
    with host.session(policy=Policy.standard()) as session:
        with pytest.raises(error):
            session.eval("unstoppable", code, policy=session.policy.narrow(**limits))
        assert session.eval("unstoppable", "return 1 + 1").value == 2


def test_a_cancelled_run_ends(host: Host) -> None:
    granting = dataclasses.replace(Policy.standard(), grants=Policy.minimal().grants)

    async def cancel() -> Any:
        async with host.session(policy=granting) as session:
            run = asyncio.ensure_future(session.aeval("unstoppable", "await signs.begun(); for (;;);"))
            await asyncio.to_thread(begun.wait)
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            return await session.aeval("unstoppable", "return 1 + 1")

    begun = Signs.seen = threading.Event()
    assert asyncio.run(cancel()).value == 2


def test_inside_the_host_a_deadline_is_refused_by_name(host: Host) -> None:
    minimal = Policy.minimal()
    refused = "cannot enforce deadline inside this process: the layout"
    with host.session(policy=minimal) as session, pytest.raises(PolicyUnsupportedError, match=refused) as caught:
        session.eval("unstoppable", "return 1")
    assert caught.value.missing == ("deadline",)
    endless = dataclasses.replace(minimal, limits=dataclasses.replace(minimal.limits, time=None))
    with host.session(policy=endless) as session:
        assert session.eval("unstoppable", "return 1 + 1").value == 2
