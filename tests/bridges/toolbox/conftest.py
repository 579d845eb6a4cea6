"""Tools as scripts use them, in every language."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from llmspell import Host, Policy, Session

PLUGINS = ("llmspell-llm", "llmspell-std", "llmspell-toolbox")
ENGINES = {"lua": "llmspell-lua", "javascript": "llmspell-quickjs", "tengo": "llmspell-tengo"}
MODULES = {"lua": "llmspell_lua", "javascript": "llmspell_quickjs", "tengo": "llmspell_tengo"}

ENVIRON = {"TOOLBOX_SHOWN": "yes", "TOOLBOX_HIDDEN": "hush"}

EXECUTE = {
    "lua": "return tools.execute_tool_validated(params.tool, params.given)",
    "javascript": "return await tools.executeToolValidated(params.tool, params.given)",
    "tengo": """tools := import("tools"); export tools.execute_tool_validated(params.tool, params.given)""",
}


FIND = {
    "lua": """
local function names(list) local out = {} for i, t in ipairs(list) do out[i] = t.name end return out end
return {search = names(tools.search("calculate expression")), category = names(tools.list_by_category("feed")),
    tags = names(tools.list_by_tags({"json", "jsonpath"})), permission = names(tools.list_by_permission("subprocess")),
    categories = tools.get_categories(), schema = tools.get_tool_schema("calculator")}""",
    "javascript": """
const names = list => list.map(t => t.name);
return {search: names(await tools.search("calculate expression")), category: names(await tools.listByCategory("feed")),
    tags: names(await tools.listByTags(["json", "jsonpath"])),
    permission: names(await tools.listByPermission("subprocess")),
    categories: await tools.getCategories(), schema: await tools.getToolSchema("calculator")}""",
    "tengo": """
tools := import("tools")
names := func(list) { out := []; for t in list { out = append(out, t.name) }; return out }
export {search: names(tools.search("calculate expression")), category: names(tools.list_by_category("feed")),
    tags: names(tools.list_by_tags(["json", "jsonpath"])), permission: names(tools.list_by_permission("subprocess")),
    categories: tools.get_categories(), schema: tools.get_tool_schema("calculator")}""",
}


class Bench:
    """Runs tools in one language, under a policy that a test may widen."""

    def __init__(self, language: str, **config: Any) -> None:
        self.language = language
        self.host = Host(plugins=(*PLUGINS, ENGINES[language]), config=config, environ={**os.environ, **ENVIRON})
        self.policy = Policy.standard()
        self._sessions: dict[Policy, Session] = {}

    def eval(self, code: str, params: dict[str, Any] | None = None) -> Any:
        if self.policy not in self._sessions:
            self._sessions[self.policy] = self.host.session(policy=self.policy)
        return self._sessions[self.policy].eval(self.language, code, params).value

    def told(self, tool: str, **given: Any) -> dict[str, Any]:
        """Return ``{success, result, error}``."""
        told: dict[str, Any] = self.eval(EXECUTE[self.language], {"tool": tool, "given": given})
        return told

    def found(self) -> dict[str, Any]:
        """Return what several ways to find tools find."""
        found: dict[str, Any] = self.eval(FIND[self.language])
        return found

    def run(self, tool: str, **given: Any) -> Any:
        told = self.told(tool, **given)
        assert told["success"], told["error"]
        return told["result"]

    def refused(self, tool: str, **given: Any) -> tuple[str, str]:
        """Return the code and message of a failure."""
        told = self.told(tool, **given)
        assert not told["success"], told["result"]
        return told["error"]["code"], told["error"]["message"]

    def forget(self) -> None:
        """Begin the next test with the default policy and no session of another."""
        self.policy = Policy.standard()
        for policy in [policy for policy in self._sessions if policy != self.policy]:
            self._sessions.pop(policy).close()


@pytest.fixture(scope="session")
def benches() -> Iterator[dict[str, Bench]]:
    made: dict[str, Bench] = {}
    yield made
    for bench in made.values():
        bench.host.close()


def bench_of(language: str, benches: dict[str, Bench]) -> Bench:
    pytest.importorskip(f"{MODULES[language]}.plugin", reason=f"{ENGINES[language]} is not installed")
    if language not in benches:
        benches[language] = Bench(language)
    benches[language].forget()
    return benches[language]


@pytest.fixture(params=sorted(ENGINES))
def every(request: pytest.FixtureRequest, benches: dict[str, Bench]) -> Bench:
    """A test that takes this runs in every language."""
    return bench_of(request.param, benches)


@pytest.fixture
def bench(benches: dict[str, Bench]) -> Bench:
    """A test that takes this runs in Lua: it is about the tool, not about the language."""
    return bench_of("lua", benches)


@dataclass
class Site:
    """A web site on loopback: what stands at each path, and who asked for it."""

    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    host: str = ""

    @property
    def address(self) -> str:
        return f"http://{self.host}"

    def put(
        self, path: str, body: str | bytes, kind: str = "text/html; charset=utf-8", status: int = 200, **more: str
    ) -> None:
        content = body.encode() if isinstance(body, str) else body
        headers = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in more.items()}}
        self.pages[path] = (status, headers, content)


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.partition("?")[0]
            made.asked.append((self.command, self.path, dict(self.headers.items()), body))
            status, headers, content = made.pages.get(path, (404, {"Content-Type": "text/plain"}, b"nothing here"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def searching() -> Iterator[Callable[[str, str], Bench]]:
    """Benches whose operator chose a search engine."""
    made: list[Bench] = []

    def make(language: str, url: str) -> Bench:
        made.append(Bench(language, bridges={"toolbox": {"search": {"url": url}}}))
        return made[-1]

    yield make
    for bench in made:
        bench.host.close()
