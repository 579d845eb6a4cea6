"""Tools as scripts use them, in every language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from llmspell import Host, Policy, Session

PLUGINS = ("llmspell-llm", "llmspell-std", "llmspell-toolbox")
ENGINES = {"lua": "llmspell-lua", "javascript": "llmspell-quickjs", "tengo": "llmspell-tengo"}
MODULES = {"lua": "llmspell_lua", "javascript": "llmspell_quickjs", "tengo": "llmspell_tengo"}

EXECUTE = {
    "lua": "return tools.execute_tool_validated(params.tool, params.given)",
    "javascript": "return await tools.executeToolValidated(params.tool, params.given)",
    "tengo": """tools := import("tools"); export tools.execute_tool_validated(params.tool, params.given)""",
}


class Bench:
    """Runs tools in one language, under a policy that a test may narrow or widen."""

    def __init__(self, language: str, host: Host) -> None:
        self.language = language
        self.host = host
        self.policy = Policy.standard()
        self._sessions: dict[Policy, Session] = {}

    def told(self, tool: str, **given: Any) -> dict[str, Any]:
        """Return ``{success, result, error}``."""
        if self.policy not in self._sessions:
            self._sessions[self.policy] = self.host.session(policy=self.policy)
        ran = self._sessions[self.policy].eval(self.language, EXECUTE[self.language], {"tool": tool, "given": given})
        told: dict[str, Any] = ran.value
        return told

    def run(self, tool: str, **given: Any) -> Any:
        told = self.told(tool, **given)
        assert told["success"], told["error"]
        return told["result"]

    def refused(self, tool: str, **given: Any) -> tuple[str, str]:
        """Return the code and message of a failure."""
        told = self.told(tool, **given)
        assert not told["success"], told["result"]
        return told["error"]["code"], told["error"]["message"]


@pytest.fixture(scope="session")
def benches() -> Iterator[dict[str, Bench]]:
    made: dict[str, Bench] = {}
    yield made
    for bench in made.values():
        bench.host.close()


def bench_of(language: str, benches: dict[str, Bench]) -> Bench:
    pytest.importorskip(f"{MODULES[language]}.plugin", reason=f"{ENGINES[language]} is not installed")
    if language not in benches:
        benches[language] = Bench(language, Host(plugins=(*PLUGINS, ENGINES[language])))
    benches[language].policy = Policy.standard()
    return benches[language]


@pytest.fixture(params=sorted(ENGINES))
def every(request: pytest.FixtureRequest, benches: dict[str, Bench]) -> Bench:
    """A test that takes this runs in every language."""
    return bench_of(request.param, benches)


@pytest.fixture
def bench(benches: dict[str, Bench]) -> Bench:
    """A test that takes this runs in Lua: it is about the tool, not about the language."""
    return bench_of("lua", benches)
