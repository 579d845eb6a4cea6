"""``Connection``: one server, connected to until somebody closes it."""

from __future__ import annotations

import asyncio
import importlib
from contextlib import AsyncExitStack
from typing import Any, NoReturn

from llmspell.errors import LlmspellError
from llmspell.plugin import Call
from llmspell_llm.mcp.errors import McpError
from llmspell_llm.mcp.offers import Offer, offer_from, value_of
from llmspell_llm.mcp.stdio import MAX_MESSAGE, Lines, talk
from llmspell_llm.mcp.target import HttpTarget, ProgramTarget, Target

MAX_TOOLS = 512
MAX_PAGES = 50
_REQUEST_TIMEOUT = -32001


class Connection:
    """A server and what it offers.

    The library wants to be entered and left in one task, so the connection lives in a task of its own, from
    :meth:`open` to :meth:`close`.

    Args:
        target: Where the server is.
        name: What to call it in messages.
        timeout: Seconds it may take to connect, and for one request.
    """

    def __init__(self, target: Target, name: str, timeout: float) -> None:
        self.target = target
        self.name = name
        self.timeout = timeout
        self.offers: dict[str, Offer] = {}
        self.refused: dict[str, str] = {}
        self.stale = False
        self._client: Any = None
        self._lines: Lines | None = None
        self._closing = asyncio.Event()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    async def open(self, call: Call) -> None:
        """Connect, and read what the server offers.

        Raises:
            PolicyDeniedError: The program or host is not granted.
            McpError: It cannot be connected to, or does not answer as it should.
        """
        await _load_library(self.name)
        if isinstance(self.target, HttpTarget):
            from llmspell.guards.net import read_url

            host, port = read_url(self.target.url)
            await call.net.check(host.text, port)
        self._task = asyncio.create_task(self._live(call), name=f"llmspell-mcp-{self.name}")
        try:
            async with asyncio.timeout(self.timeout):
                await asyncio.shield(self._ready)
                await self.refresh()
        except TimeoutError:
            await self.close()
            raise McpError(
                f"the MCP server {self.name!r} did not answer within {self.timeout:g} s{self._heard()}",
                server=self.name,
                code="timeout",
            ) from None
        except BaseException:
            await self.close()
            raise

    async def close(self, *, at_once: bool = False) -> None:
        """Hang up, and end the server if it was started here.

        Args:
            at_once: Do not ask it to end first, which may take two seconds.
        """
        self._closing.set()
        if at_once and self._lines is not None:
            self._lines.program.kill()
        if self._task is not None:
            if not self._ready.done():
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._ready.done() and not self._ready.cancelled():
            self._ready.exception()  # seen, whoever may have waited

    @property
    def info(self) -> dict[str, Any]:
        """What the server says of itself."""
        told = None if self._client is None else self._client.server_info
        return {
            "name": self.name,
            "server": None if told is None else told.name,
            "version": None if told is None else told.version,
            "protocol": None if self._client is None else self._client.protocol_version,
            "instructions": None if self._client is None else self._client.instructions,
            "connected": self._client is not None,
            "refused": dict(self.refused),
        }

    async def refresh(self) -> None:
        """Read anew what the server offers; a tool whose schema cannot be used is left out, with the reason."""
        from mcp_types import PaginatedRequestParams

        self.stale = False
        offers: dict[str, Offer] = {}
        refused: dict[str, str] = {}
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            params = PaginatedRequestParams(cursor=cursor) if cursor is not None else None
            page = await self._asked(self._session().list_tools(params=params))
            for tool in page.tools:
                if len(offers) + len(refused) >= MAX_TOOLS:
                    raise McpError(
                        f"the MCP server {self.name!r} offers more than {MAX_TOOLS} tools",
                        server=self.name,
                        code="too_large",
                    )
                try:
                    offer = offer_from(self.name, tool)
                    offers[offer.name] = offer
                except McpError as error:
                    refused[str(tool.name)[:200]] = error.message
            cursor = page.next_cursor
            if not cursor:
                break
        else:
            raise McpError(
                f"the MCP server {self.name!r} lists its tools without end", server=self.name, code="bad_response"
            )
        self.offers, self.refused = offers, refused

    async def use(self, tool: str, arguments: dict[str, Any]) -> Any:
        """Use a tool.

        Its result is not checked here: the library would, with expressions of the server's that may run for ever.

        Raises:
            McpError: Whatever went wrong, by its code.
        """
        from mcp_types import CallToolRequest, CallToolRequestParams, CallToolResult

        request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=arguments))
        asked = self._session().send_request(request, CallToolResult, request_read_timeout_seconds=self.timeout)
        return value_of(self.name, tool, await self._asked(asked))

    async def _live(self, call: Call) -> None:
        from mcp.client.client import Client

        try:
            async with AsyncExitStack() as stack:
                transport = await self._transport(call, stack)
                client = Client(transport, read_timeout_seconds=self.timeout, cache=None, message_handler=self._notice)
                self._client = await stack.enter_async_context(client)
                self._ready.set_result(None)
                await self._closing.wait()
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(self._explained(_first(error)))
            elif not self._closing.is_set() and not isinstance(error, Exception):
                raise
        finally:
            self._client = None

    async def _transport(self, call: Call, stack: AsyncExitStack) -> Any:
        target = self.target
        if isinstance(target, ProgramTarget):
            program = await call.programs.start(
                target.command, target.args, directory=target.directory, secrets=target.env
            )
            # From here on: the library may be stopped before it begins to talk.
            stack.push_async_callback(program.end)
            self._lines = Lines(program)
            return talk(self._lines)
        from mcp.client.streamable_http import streamable_http_client

        headers = dict(target.headers)
        if target.token_env is not None:
            token = call.secret(target.token_env)
            if token is None:
                raise McpError(
                    f"the variable {target.token_env!r} is not granted or not set", server=self.name, code="mcp_error"
                )
            headers["Authorization"] = f"Bearer {token}"
        client = await stack.enter_async_context(call.net.client(headers=headers, timeout=self.timeout))
        return streamable_http_client(target.url, http_client=client, max_sse_event_size=MAX_MESSAGE)

    async def _notice(self, message: Any) -> None:
        from mcp_types import ToolListChangedNotification

        if isinstance(getattr(message, "root", message), ToolListChangedNotification):
            self.stale = True

    def _session(self) -> Any:
        if self._client is None:
            raise self._gone()
        return self._client.session

    async def _asked(self, asking: Any) -> Any:
        """Wait for an answer, and turn the library's failures into ours."""
        try:
            return await asking
        except LlmspellError:
            raise
        except Exception as error:
            raise self._explained(error) from error

    def _explained(self, error: BaseException) -> LlmspellError:
        if isinstance(error, LlmspellError):
            return error
        from mcp.shared.exceptions import MCPError
        from mcp_types import CONNECTION_CLOSED

        if self._lines is not None and self._lines.failure:
            return self._gone()
        if isinstance(error, MCPError):
            if error.code == CONNECTION_CLOSED:
                return self._gone()
            if error.code == _REQUEST_TIMEOUT:
                return McpError(
                    f"the MCP server {self.name!r} did not answer within {self.timeout:g} s",
                    server=self.name,
                    code="timeout",
                )
            return McpError(f"the MCP server {self.name!r} refused: {error.message[:500]}", server=self.name)
        if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in ("httpx2", "httpcore2", "anyio"):
            return self._gone()
        return McpError(
            f"the MCP server {self.name!r} did not answer as the protocol says", server=self.name, code="bad_response"
        )

    def _gone(self) -> McpError:
        failure = "" if self._lines is None else self._lines.failure
        code, why = {
            "too_large": ("too_large", "sent a message that is too large"),
            "noise": ("bad_response", "writes what is no message of the protocol"),
        }.get(failure, ("mcp_closed", "is gone" if self._lines else "is gone, or its answer was larger than 16 MB"))
        return McpError(
            f"the MCP server {self.name!r} {why}{self._heard()}",
            server=self.name,
            code=code,
            hint=None if code == "too_large" else "connect to it anew",
        )

    def _heard(self) -> str:
        heard = [] if self._lines is None else list(self._lines.heard)
        return f"; the last it said: {' | '.join(heard)[:500]!r}" if heard else ""


def _first(error: BaseException) -> BaseException:
    """Return what a group of errors is about."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _load_library(server: str) -> None:
    """Import the library in a thread, since that takes a second."""
    try:
        await asyncio.to_thread(importlib.import_module, "mcp.client.client")
    except ImportError as error:
        _unavailable(server, error)


def _unavailable(server: str, error: ImportError) -> NoReturn:
    raise McpError(
        "MCP servers need the package mcp, which is not installed",
        server=server,
        code="unavailable",
        hint='pip install "llmspell-llm[mcp]"',
    ) from error
