"""Who uses a bridge that is not there is told why, in every language and wherever the script runs."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell import Host, Policy
from llmspell.errors import ScriptError
from llmspell.plugin import Bridge, BridgeSpec, export, hookimpl


class Notes(Bridge):
    """Notes."""

    name = "notes"

    @export
    def count(self) -> int:
        """Return how many there are."""
        return 0


class Plugin:
    @hookimpl
    def llmspell_bridges(self) -> Any:
        yield BridgeSpec("notes", Notes)


SOURCES = {
    "lua": "return notes.count()",
    "javascript": "return notes.count()",
    "tengo": "export notes.count()",
}


def hint_of(language: str, policy: Policy) -> str | None:
    with Host(config={}) as host:
        host.register(Plugin())
        with host.session(policy) as session, pytest.raises(ScriptError) as caught:
            session.eval(language, SOURCES[language])
    return caught.value.hint


@pytest.mark.parametrize("level", ["minimal", "standard"])
@pytest.mark.parametrize("language", SOURCES)
def test_a_global_that_is_a_bridge_which_is_not_granted(language: str, level: str) -> None:
    assert hint_of(language, Policy(level=level).narrow(time=60)) == (
        "the bridge 'notes' is not granted by the policy; grant it: --allow-bridge notes"
    )


def test_a_bridge_that_tengo_must_import_first() -> None:
    policy = Policy.standard().grant(bridges={"notes"})
    assert hint_of("tengo", policy) == "notes is a bridge: import it first"
