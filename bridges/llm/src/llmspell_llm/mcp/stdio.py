"""The protocol over a program's standard input and output, within bounds: a hostile server may write anything."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmspell.guards.process import Program

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of one message."""

MAX_NOISE = 50
"""Lines that are no messages: some servers greet on the wrong stream, none needs more."""

PATIENCE = 2.0
"""Seconds a server has to end by itself once its input is closed."""

_CHUNK = 64 * 1024


class Lines:
    """What a program says, and why nothing more comes from it.

    Attributes:
        failure: ``""``, ``"closed"``, ``"too_large"`` or ``"noise"``.
        heard: The last of what it wrote to its standard error, and what was no message.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.failure = ""
        self.heard: deque[str] = deque(maxlen=5)
        self._noise = 0

    async def messages(self) -> AsyncIterator[Any]:
        """Yield what can be read as a message, until there is no more."""
        from mcp.shared.message import SessionMessage
        from mcp_types import jsonrpc_message_adapter

        async for line in self._lines():
            if not line.strip():
                continue
            try:
                yield SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
            except ValueError:
                self.heard.append(line[:200].decode("utf-8", "replace"))
                self._noise += 1
                if self._noise > MAX_NOISE:
                    self.failure = "noise"
                    return

    async def _lines(self) -> AsyncIterator[bytes]:
        buffer = bytearray()
        while chunk := await self.program.stdout.read(_CHUNK):
            *whole, rest = chunk.split(b"\n")
            for part in whole:
                yield bytes(buffer + part)
                buffer.clear()
            buffer += rest
            if len(buffer) > MAX_MESSAGE:
                self.failure = "too_large"
                return
        self.failure = "closed"

    async def overhear(self) -> None:
        """Read what it writes to its standard error, so that it is never stuck there."""
        while chunk := await self.program.stderr.read(_CHUNK):
            for line in chunk.decode("utf-8", "replace").splitlines():
                if line.strip():
                    self.heard.append(line.strip()[:200])


@asynccontextmanager
async def talk(lines: Lines) -> AsyncIterator[tuple[Any, Any]]:
    """Talk to a program as the library wants it. Who started the program ends it, with all it started.

    It is asked to end where the talk is over, and not asked where that was cut short: nobody waits for it then.
    """
    import anyio

    incoming, received = anyio.create_memory_object_stream[Any](0)
    sending, outgoing = anyio.create_memory_object_stream[Any](0)
    program = lines.program

    async def read() -> None:
        async with incoming:
            async for message in lines.messages():
                await incoming.send(message)

    async def write() -> None:
        try:
            async with outgoing:
                async for message in outgoing:
                    text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                    program.stdin.write(text.encode("utf-8") + b"\n")
                    await program.stdin.drain()
        except OSError:  # it reads no more; that its output ends tells who waits
            program.kill()

    async def quietly(work: Any) -> None:
        try:
            await work
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):  # the library hung up first
            pass

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(quietly(work)) for work in (read(), write(), lines.overhear())]
        try:
            yield received, sending
        except BaseException:
            program.kill()
            raise
        finally:
            received.close()
            sending.close()
            await asyncio.shield(_let_go(program))
            for task in tasks:
                task.cancel()


async def _let_go(program: Program) -> None:
    """Close its input, which asks it to end, and end it if it does not."""
    program.stdin.close()
    try:
        async with asyncio.timeout(PATIENCE):
            await program.wait()
    except TimeoutError:
        program.kill()
