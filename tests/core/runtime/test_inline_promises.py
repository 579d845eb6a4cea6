"""Inside the host's process a run is told what really holds it, and is refused where that is less than asked for."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from llmspell import Host, Policy, Source
from llmspell.errors import PolicyUnsupportedError
from llmspell.plugin import Capabilities, hookimpl
from llmspell.testing.scripted import ScriptedEngine


def nothing() -> Generator[Any, Any, None]:
    yield from ()


def plugin(*enforced: Any) -> Any:
    engine = ScriptedEngine()
    engine.scripts["one"] = nothing

    class Plugin:
        @hookimpl
        def llmspell_engines(self) -> Any:
            yield replace(engine.spec, capabilities=Capabilities(inline=frozenset(enforced)))

    return Plugin()


def run(*enforced: Any, **limits: Any) -> Any:
    minimal = Policy.minimal()
    policy = replace(minimal, limits=replace(minimal.limits, **limits))
    with Host(plugins=()) as host:
        host.register(plugin(*enforced))
        with host.session(policy=policy) as session:
            return session.run(Source("one", "one.scripted")).isolation


def test_the_report_names_what_the_engine_enforces() -> None:
    assert run("deadline", "cancel").enforced == {"cancel": "cooperative", "deadline": "cooperative", "output": "host"}
    assert run("deadline", "memory").enforced == {"deadline": "cooperative", "memory": "engine", "output": "host"}


def test_a_deadline_that_the_engine_does_not_keep_is_refused() -> None:
    with pytest.raises(PolicyUnsupportedError, match="cannot enforce deadline inside this process") as caught:
        run("memory")
    assert caught.value.missing == ("deadline",)
    assert run("memory", time=None).enforced == {"memory": "engine", "output": "host"}
