"""What the bridges add to a model library called directly (issue 6), measured in one run against one server.

    python tests/bench/models.py [--quick] [--cpu]

A server on loopback answers at once in OpenAI's wire format. The same questions go to it by pydantic-ai alone and by
spells, through ``Host`` and ``Session``, gate and all, in turns, so that both meet the same machine; the figures are
the best of rounds, to which a busy machine only adds. What is shown is the difference: what a spell pays for being a
spell. With ``--cpu`` seconds of this process's processors are counted, which a busy machine disturbs less.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from llmspell import Host, Policy, Session

QUICK = "--quick" in sys.argv
clock = time.process_time if "--cpu" in sys.argv else time.perf_counter
ROUNDS = 5 if QUICK else 40
QUESTIONS = 20
CHUNKS = 500
ANSWER = "word " * 40

COMPLETE = {
    "lua": f"for _ = 1, {QUESTIONS} do llm.complete('Hello?') end",
    "javascript": f"for (let i = 0; i < {QUESTIONS}; i++) await llm.complete('Hello?')",
    "tengo": f"llm := import('llm'); for i := 0; i < {QUESTIONS}; i++ {{ llm.complete('Hello?') }}".replace("'", '"'),
}
CALLBACK = {
    "lua": "local n = 0 llm.stream('Count', function() n = n + 1 end) return n",
    "javascript": "let n = 0; await llm.stream('Count', () => { n++ }); return n",
    "tengo": 'llm := import("llm"); n := 0; llm.stream("Count", func(piece) { n++ }); export n',
}
ITERATOR = {
    "lua": "local n = 0 for piece in llm.chunks('Count') do n = n + 1 end return n",
    "javascript": "let n = 0; for await (const piece of llm.chunks('Count')) n++; return n",
    "tengo": 'llm := import("llm"); stream := import("stream"); n := 0; '
    'stream.each(llm.chunks("Count"), func(piece) { n++ }); export n',
}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer requests on one connection until it is closed."""
    usage = {"prompt_tokens": 3, "completion_tokens": 40, "total_tokens": 43}
    head = {"id": "c", "created": 1, "model": "m"}
    choice = {"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}
    whole = json.dumps({**head, "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
    chunk = {**head, "object": "chat.completion.chunk"}
    piece = {**chunk, "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]}
    last = {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage}
    events = b"".join(b"data: %s\n\n" % json.dumps(each).encode() for each in (*[piece] * CHUNKS, last))
    events += b"data: [DONE]\n\n"
    try:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in request.split(b"\r\n") if line[:15].lower() == b"content-length:"
            )
            streaming = b'"stream":true' in await reader.readexactly(length)
            body = events if streaming else whole
            kind = b"text/event-stream" if streaming else b"application/json"
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(body)) + body
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        writer.close()


def direct_model(base_url: str) -> Any:
    import httpx2
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    client = AsyncOpenAI(base_url=base_url, api_key="k", http_client=httpx2.AsyncClient(trust_env=False), max_retries=0)
    return OpenAIChatModel("m", provider=OpenAIProvider(openai_client=client))


async def ask_directly(model: Any) -> None:
    from pydantic_ai.direct import model_request
    from pydantic_ai.messages import ModelRequest

    for _ in range(QUESTIONS):
        await model_request(model, [ModelRequest.user_text_prompt("Hello?")])


async def stream_directly(model: Any) -> None:
    from pydantic_ai.direct import model_request_stream
    from pydantic_ai.messages import ModelRequest

    async with model_request_stream(model, [ModelRequest.user_text_prompt("Count")]) as stream:
        async for _ in stream:
            pass


async def in_turns(*works: Callable[[], Awaitable[Any]]) -> list[float]:
    """Return the least seconds of each of several works done in turns."""
    for work in works:
        await work()
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, taken in zip(works, times, strict=True):
            began = clock()
            await work()
            taken.append(clock() - began)
    return [min(taken) for taken in times]


def row(what: str, figure: str, budget: str, ok: bool) -> None:
    print(f"{what:<52} {figure:>34} {budget:>20} {'ok' if ok else 'NOT MET'}")


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    environ = {"LLMSPELL_BASE_URL": base_url, "LLMSPELL_API_KEY": "k", "LLMSPELL_MODEL": "compatible:m"}
    model = direct_model(base_url)
    async with Host(config={}, environ=environ) as host, host.session(policy=Policy.minimal()) as session:
        for language in [name for name in ("lua", "javascript", "tengo") if name in host.plugins.engines]:
            await measure(model, session, language)
    server.close()


async def measure(model: Any, session: Session, language: str) -> None:
    def spell(sources: dict[str, str]) -> Callable[[], Awaitable[Any]]:
        return lambda: session.aeval(language, sources[language])

    direct, complete = await in_turns(lambda: ask_directly(model), spell(COMPLETE))
    more = (complete - direct) / QUESTIONS
    share = complete / direct - 1
    figure = f"{direct / QUESTIONS * 1e3:.2f} + {more * 1e3:.2f} ms ({share:+.0%})"
    row(f"{language}: llm.complete over pydantic-ai", figure, "<= 5 % or 1 ms", share <= 0.05 or more <= 0.001)
    direct, callback, iterator = await in_turns(
        lambda: stream_directly(model), spell(CALLBACK), spell(ITERATOR)
    )  # fmt: skip
    for name, took in (("stream with a function", callback), ("chunks in a loop", iterator)):
        more = (took - direct) / CHUNKS
        figure = f"{direct / CHUNKS * 1e6:.0f} + {more * 1e6:.0f} us"
        row(f"{language}: llm.{name}, a chunk", figure, "<= 50 us", more <= 50e-6)


if __name__ == "__main__":
    asyncio.run(main())
