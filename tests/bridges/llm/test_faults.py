"""Providers that fail, on the wire, met by pools and multi-providers: who is asked, and what is counted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.bridges.llm.conftest import ScriptedServer, answering, serving

from llmspell import BridgeCallError
from llmspell_llm.conversation import Message, Settings
from llmspell_llm.errors import ProviderDownError
from llmspell_llm.llm import Asking

GARBAGE = b"<html>out of order</html>"


@pytest.fixture
def servers() -> Iterator[list[ScriptedServer]]:
    """Three providers, each a server of its own."""
    with serving() as one, serving() as two, serving() as three:
        yield [one, two, three]


@pytest.fixture
def pooled(spells: Any, servers: list[ScriptedServer]) -> Any:
    """Spells whose configuration knows them as ``p0``, ``p1`` and ``p2``."""
    settings = {
        f"p{at}": {"kind": "compatible", "base_url": server.base_url, "model": "m"} for at, server in enumerate(servers)
    }
    spells.config = {"models": {"default": "p0", "providers": settings}}
    return spells


def pool(strategy: str, **settings: Any) -> tuple[Any, ...]:
    return ("pool.create", "all", ["p0", "p1", "p2"], strategy, {"settings": {"retry_delay": 1, **settings}})


HELLO = ("llm.complete", "Hello?", {"model": "all"})


def asked(servers: list[ScriptedServer]) -> list[int]:
    return [len(server.requests) for server in servers]


@pytest.mark.parametrize("fault", ["429", "500", "503", "401", "garbage", "cut", "empty"])
def test_whatever_fails_the_next_one_is_asked(pooled: Any, servers: list[ScriptedServer], fault: str) -> None:
    first, second, _ = servers
    match fault:
        case "garbage":
            first.then(lambda exchange: exchange.send(200, GARBAGE))
        case "cut":
            first.then(lambda exchange: exchange.cut())
        case "empty":
            first.then(lambda exchange: exchange.json({}))
        case status:
            first.fail(int(status), "no", {"Retry-After": "3600"})
    second.answer("from the second")
    _, answer, metrics = pooled.calls(pool("failover"), HELLO, ("pool.metrics", "all"))
    assert answer == "from the second"
    assert asked(servers) == [1, 1, 0]
    told = metrics["provider_metrics"]
    assert [(told[name]["requests"], told[name]["failures"]) for name in ("p0", "p1", "p2")] == [(1, 1), (1, 0), (0, 0)]
    assert (metrics["total_requests"], metrics["failed_calls"], metrics["retry_count"]) == (2, 1, 0)
    assert told["p0"]["status"] == "degraded"
    assert told["p0"]["last_error"]


def test_a_member_that_drips_is_given_up_by_the_pool(pooled: Any, servers: list[ScriptedServer]) -> None:
    leaving = threading.Event()

    def drip(exchange: Any) -> None:
        exchange.begin_stream()
        try:
            while not leaving.wait(0.02):
                exchange.handler.wfile.write(b" ")
        finally:
            leaving.set()

    servers[0].then(drip)
    servers[1].answer("from the second")
    _, answer, health = pooled.calls(pool("failover", timeout=300), HELLO, ("pool.health", "all"))
    assert answer == "from the second"
    assert "did not answer" in health[0]["last_error"]
    assert leaving.wait(15), "its request was closed"


def test_round_robin_spreads_and_goes_on_past_one_that_fails(pooled: Any, servers: list[ScriptedServer]) -> None:
    servers[0].answer("a").answer("a")
    servers[1].fail(500)
    servers[2].answer("c").answer("c")
    _, *answers = pooled.calls(pool("round_robin"), HELLO, HELLO, HELLO, HELLO)
    assert answers == ["a", "c", "c", "a"]
    assert asked(servers) == [2, 1, 2]


def test_the_circuit_of_one_that_keeps_failing_opens_and_a_check_closes_it(
    pooled: Any, servers: list[ScriptedServer]
) -> None:
    servers[0].fail(500).fail(500)
    for _ in range(4):
        servers[1].answer("b")
    servers[0].then(lambda exchange: exchange.json({"data": [{"id": "m"}]}))
    servers[1].then(lambda exchange: exchange.json({"data": [{"id": "m"}]}))
    servers[2].then(lambda exchange: exchange.send(500, b"{}"))
    _, *answers, health, checked = pooled.calls(
        pool("failover", circuit_threshold=2, circuit_rest=60_000), HELLO, HELLO, HELLO, HELLO,
        ("pool.health", "all"), ("pool.check", "all"),
    )  # fmt: skip
    assert answers == ["b"] * 4
    assert [request.path for request in servers[0].requests] == ["/v1/chat/completions"] * 2 + ["/v1/models"]
    assert [member["status"] for member in health] == ["open", "healthy", "unknown"]
    assert {name: told["ok"] for name, told in checked["members"].items()} == {"p0": True, "p1": True, "p2": False}


def test_one_that_rests_is_woken_by_the_regular_check_once_it_is_there_again(
    pooled: Any, servers: list[ScriptedServer]
) -> None:
    servers[0].fail(500)
    servers[1].answer("b").answer("b")
    servers[0].fail(503)  # the first check: it is not there yet
    servers[0].then(lambda exchange: exchange.json({"data": [{"id": "m"}]}))
    servers[0].answer("a")
    value = pooled.run(
        lua="""pool.create("all", {"p0", "p1"}, "failover", {settings = {
              circuit_threshold = 1, circuit_rest = 3600000, health_check_interval = 100}})
            local said = {llm.complete("?", {model = "all"}), llm.complete("?", {model = "all"})}
            while pool.health("all")[1].status == "open" do async.sleep(0.01) end
            said[3] = llm.complete("?", {model = "all"})
            return said""",
        javascript="""await pool.create("all", ["p0", "p1"], "failover", {settings: {
              circuitThreshold: 1, circuitRest: 3600000, healthCheckInterval: 100}});
            const ask = () => llm.complete("?", {model: "all"});
            const said = [await ask(), await ask()];
            while (pool.health("all")[0].status === "open") await async.sleep(0.01);
            return [...said, await ask()]""",
    ).value
    assert value == ["b", "b", "a"]
    assert [request.path.removeprefix("/v1/") for request in servers[0].requests] == [
        "chat/completions", "models", "models", "chat/completions",
    ]  # fmt: skip
    assert [request.path.removeprefix("/v1/") for request in servers[1].requests] == ["chat/completions"] * 2


def test_a_check_that_would_never_rest_is_refused(pooled: Any, servers: list[ScriptedServer]) -> None:
    with pytest.raises(BridgeCallError, match=r"health_check_interval.*at least 100"):
        pooled.calls(pool("failover", health_check_interval=0.001))


def test_a_stream_that_cannot_begin_is_begun_by_the_next(pooled: Any, servers: list[ScriptedServer]) -> None:
    servers[0].fail(503)
    servers[1].stream("One ", "two.")
    value = pooled.run(
        lua="""pool.create("all", {"p0", "p1"}, "failover")
            local got = {} for piece in llm.chunks("Hi", {model = "all"}) do got[#got + 1] = piece end return got""",
        javascript="""await pool.create("all", ["p0", "p1"], "failover");
            const got = []; for await (const piece of llm.chunks("Hi", {model: "all"})) got.push(piece); return got""",
    ).value
    assert value == ["One ", "two."]


def test_when_all_fail_the_last_failure_is_raised_and_all_are_counted(
    pooled: Any, servers: list[ScriptedServer]
) -> None:
    for server in servers:
        server.fail(500).fail(503)
    with pytest.raises(BridgeCallError, match="is failing"):
        pooled.calls(pool("failover", max_retries=1), HELLO)
    assert asked(servers) == [2, 2, 2]


def test_many_at_once_are_each_answered_once_and_counted_once(pooled: Any, servers: list[ScriptedServer]) -> None:
    for server in servers:
        for n in range(40):
            if n % 4 == 0:
                server.fail(500)
            else:
                server.answer("fine")
    value = pooled.run(
        lua="""pool.create("all", {"p0", "p1", "p2"}, "least_used",
              {settings = {retry_delay = 1, circuit_breaker = false}})
            local asks = {}
            for n = 1, 40 do asks[n] = function() return llm.complete("number " .. n, {model = "all"}) end end
            return {async.all(asks), pool.metrics("all")}""",
        javascript="""await pool.create("all", ["p0", "p1", "p2"], "least_used",
              {settings: {retryDelay: 1, circuitBreaker: false}});
            const asks = Array.from({length: 40}, (_, n) => llm.complete(`number ${n}`, {model: "all"}));
            return [await Promise.all(asks), pool.metrics("all")]""",
    ).value
    answers, metrics = value
    assert answers == ["fine"] * 40
    assert metrics["total_requests"] == sum(asked(servers))
    assert metrics["successful_calls"] == 40
    assert metrics["total_requests"] == metrics["successful_calls"] + metrics["failed_calls"]
    assert [told["active"] for told in metrics["provider_metrics"].values()] == [0, 0, 0]


def multi(strategy: str) -> tuple[Any, ...]:
    return ("providers.multi", "all", ["p0", "p1", "p2"], strategy)


def test_the_fastest_answer_counts_and_the_others_are_closed(pooled: Any, servers: list[ScriptedServer]) -> None:
    left = threading.Semaphore(0)

    def never(exchange: Any) -> None:
        exchange.handler.connection.settimeout(30)
        if exchange.handler.connection.recv(1) == b"":
            left.release()

    arrived = threading.Event()

    def after_others(exchange: Any) -> None:
        arrived.wait(30)
        answering("quick")(exchange)

    def late(exchange: Any) -> None:
        arrived.set()
        never(exchange)

    servers[0].then(late)
    servers[1].then(after_others)
    servers[2].fail(500)
    assert pooled.calls(multi("fastest"), HELLO)[1] == "quick"
    assert left.acquire(timeout=30), "the slow one's request was closed"


def test_primary_is_asked_first_and_the_others_stand_in(pooled: Any, servers: list[ScriptedServer]) -> None:
    servers[0].answer("from the first").fail(500)
    servers[1].answer("from the second")
    assert pooled.calls(multi("primary"), HELLO, HELLO)[1:] == ["from the first", "from the second"]
    assert asked(servers) == [2, 1, 0]


def test_consensus_is_what_most_say_and_all_are_paid_for(pooled: Any, servers: list[ScriptedServer]) -> None:
    for server, text in zip(servers, ("Paris", "paris.", "Rome"), strict=True):
        server.answer(text)
    _, answer = pooled.calls(multi("consensus"), ("llm.complete", "Capital?", {"model": "all", "details": True}))
    assert answer["content"].strip(".").lower() == "paris"
    assert answer["usage"]["input_tokens"] == 21


def test_without_consensus_the_error_says_so(pooled: Any, servers: list[ScriptedServer]) -> None:
    for server, text in zip(servers, ("Paris", "Rome", "Oslo"), strict=True):
        server.answer(text)
    with pytest.raises(BridgeCallError, match="do not agree"):
        pooled.calls(multi("consensus"), HELLO)


def test_metrics_of_single_providers_count_what_was_sent(pooled: Any, servers: list[ScriptedServer]) -> None:
    servers[0].fail(429, "slower", {"Retry-After": "0"}).answer("now")
    answer, metrics = pooled.calls(("llm.complete", "Hello?", {"retries": 1}), ("llm.get_provider_metrics", "p0"))
    assert answer == "now"
    assert (metrics["total_requests"], metrics["successful_calls"], metrics["failed_calls"]) == (2, 1, 1)
    assert metrics["usage"]["requests"] == 2
    assert "slower" in metrics["last_error"]


DIALECTS = {
    "compatible": ("LLMSPELL_API_KEY", "LLMSPELL_BASE_URL", "/v1"),
    "openai": ("OPENAI_API_KEY", "OPENAI_BASE_URL", "/v1"),
    "openai-responses": ("OPENAI_API_KEY", "OPENAI_BASE_URL", "/v1"),
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", ""),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", ""),
    "vertex": ("VERTEX_API_KEY", "GOOGLE_VERTEX_BASE_URL", ""),
    "openrouter": ("OPENROUTER_API_KEY", "OPENROUTER_BASE_URL", "/v1"),
    "ollama": ("OLLAMA_API_KEY", "OLLAMA_BASE_URL", "/v1"),
}
LIBRARIES = {"anthropic": "anthropic", "gemini": "google.genai", "vertex": "google.genai"}


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_library_sends_again_what_we_send_again(
    server: ScriptedServer, models: Any, dialect: str, streaming: bool
) -> None:
    if dialect in LIBRARIES:
        pytest.importorskip(LIBRARIES[dialect])
    key, url, path = DIALECTS[dialect]
    at_once = {"Retry-After": "0"}
    for _ in range(20):
        server.then(lambda exchange: exchange.send(503, b'{"error": {"message": "busy"}}', at_once))

    async def work(asking: Asking) -> None:
        settings = Settings(retries=1)
        question = [Message("user", "Hello?")]
        with pytest.raises(ProviderDownError):
            if streaming:
                async for _ in (await asking.stream(question, settings)).pieces():
                    pass
            else:
                await asking.complete(question, settings)

    models({key: "k", url: f"{server.address}{path}", "LLMSPELL_MODEL": f"{dialect}:m/1"}).run(work)
    assert len(server.requests) == 2
