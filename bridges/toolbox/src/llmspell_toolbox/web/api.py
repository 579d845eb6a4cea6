"""``api_client``: REST by OpenAPI, and GraphQL."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Annotated, Any, NotRequired
from urllib.parse import quote

from pydantic import Field
from typing_extensions import TypedDict

from llmspell.plugin import Bridge, BridgeError, Call
from llmspell_std.data import jsontext
from llmspell_toolbox.declare import tool
from llmspell_toolbox.web import graphql, openapi
from llmspell_toolbox.web.requests import Method, Seconds, answered, content_of, must_be_ok

_HOLE = re.compile(r"\{([^{}/]+)\}")


class ApiAnswer(TypedDict):
    """An interface's answer; ``data`` is its JSON read, or its text."""

    status: NotRequired[int]
    ok: NotRequired[bool]
    url: NotRequired[str]
    headers: NotRequired[dict[str, str]]
    data: Any
    errors: NotRequired[list[Any]]


class ApiTools(Bridge):
    """The tool for interfaces."""

    @tool(
        category="web",
        tags=("api", "rest", "graphql", "openapi"),
        permissions=("net",),
        resources={"network": "medium"},
        blocking=False,
        deterministic=False,
        constraints=("only hosts that the policy grants, also behind redirects",),
        examples=(
            {
                "description": "An item of a REST interface",
                "parameters": {
                    "base_url": "https://api.example.org/v1",
                    "endpoint": "/items/{id}",
                    "path_params": {"id": 7},
                },
            },
            {
                "description": "A GraphQL query",
                "parameters": {
                    "base_url": "https://api.example.org/graphql",
                    "graphql_query": "query($n: Int) { items(first: $n) { name } }",
                    "graphql_variables": {"n": 3},
                },
            },
        ),
    )
    async def api_client(
        self,
        call: Call,
        base_url: str,
        endpoint: str = "",
        *,
        method: Method = "GET",
        headers: dict[str, str] | None = None,
        query_params: dict[str, str | int | float | bool] | None = None,
        path_params: dict[str, str | int] | None = None,
        body: Any = None,
        auth: dict[str, str] | None = None,
        timeout: Seconds = 30.0,
        openapi_spec: str | None = None,
        discover_operations: bool = False,
        graphql_query: str | None = None,
        graphql_variables: dict[str, Any] | None = None,
        graphql_operation_name: str | None = None,
        discover_graphql: bool = False,
        max_graphql_depth: Annotated[int, Field(ge=1, le=50)] = 5,
    ) -> ApiAnswer:
        """Call a REST or GraphQL interface, or tell what it offers.

        Args:
            base_url: Where the interface is.
            endpoint: A path below it; {name} is filled from path_params.
            method: GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.
            headers: By name.
            query_params: By name.
            path_params: By name.
            body: A text as it is, anything else as JSON.
            auth: type bearer with token, type basic with username and password, or type api_key with name, value and
                in (header or query); instead of a value its name with _env names a granted variable, such as token_env.
            timeout: Seconds in all.
            openapi_spec: For discover_operations an OpenAPI document, or its address.
            discover_operations: Tell the operations of openapi_spec and call nothing.
            graphql_query: Send this query instead.
            graphql_variables: Its variables.
            graphql_operation_name: Which of its operations.
            discover_graphql: Tell the queries and mutations of the interface.
            max_graphql_depth: Refuse a query nested deeper.
        """
        if discover_operations:
            return {"data": await self._operations(call, openapi_spec, timeout)}
        sent, query = dict(headers or {}), {name: _text(value) for name, value in (query_params or {}).items()}
        if auth is not None:
            _authorize(call, auth, sent, query)
        if discover_graphql or graphql_query is not None:
            asked = graphql.INTROSPECTION if discover_graphql else graphql_query or ""
            most = 50 if discover_graphql else max_graphql_depth
            wanted = graphql.request(asked, graphql_variables, graphql_operation_name, most)
            answer = await self._send(call, "POST", base_url, sent, query, wanted, timeout)
            return {"data": graphql.offered(answer["data"])} if discover_graphql else _graphql_answer(answer)
        return await self._send(call, method, _url(base_url, endpoint, path_params or {}), sent, query, body, timeout)

    async def _send(
        self,
        call: Call,
        method: str,
        url: str,
        headers: dict[str, str],
        query: dict[str, str],
        body: Any,
        seconds: float,
    ) -> ApiAnswer:
        if not any(name.lower() == "accept" for name in headers):
            headers["Accept"] = "application/json"
        content = content_of(body, headers)
        reply = await call.net.request(
            method, url, headers=headers, params=query or None, content=content, timeout=seconds
        )
        told = answered(reply)
        data: Any = told["body"]
        if "json" in reply.headers.get("content-type", "") and data:
            data = jsontext.parse(data)
        return {
            "status": told["status"],
            "ok": told["ok"],
            "url": told["url"],
            "headers": told["headers"],
            "data": data,
        }

    async def _operations(self, call: Call, spec: str | None, timeout: float) -> list[openapi.Operation]:
        if spec is None:
            raise BridgeError("discover_operations needs openapi_spec", code="invalid_argument")
        text = spec
        if spec.startswith(("http://", "https://")):
            reply = await call.net.request("GET", spec, timeout=timeout)
            must_be_ok(reply)
            text = reply.text
        return await asyncio.to_thread(lambda: openapi.operations(openapi.document(text)))


def _graphql_answer(answer: ApiAnswer) -> ApiAnswer:
    data = answer["data"]
    if not isinstance(data, dict) or not {"data", "errors"} & data.keys():
        raise BridgeError("the interface did not answer as GraphQL does", code="bad_response", exit_code=7)
    return {**answer, "data": data.get("data"), "errors": data.get("errors") or []}


def _url(base: str, endpoint: str, values: dict[str, str | int]) -> str:
    """Put an endpoint below an address: what fills it can lead neither to another path nor to another host.

    Raises:
        BridgeError: ``invalid_argument``: a value is missing, or one is ``.`` or ``..``.
    """

    def filled(hole: re.Match[str]) -> str:
        if hole[1] not in values:
            raise BridgeError(f"path_params has no {hole[1]!r}, which the endpoint needs", code="invalid_argument")
        text = str(values[hole[1]])
        if text in (".", "..", ""):
            raise BridgeError(f"path_params: {hole[1]} cannot be {text!r}", code="invalid_argument")
        return quote(text, safe="")

    path = _HOLE.sub(filled, endpoint)
    return f"{base.rstrip('/')}/{path.lstrip('/')}" if path else base


def _authorize(call: Call, auth: dict[str, str], headers: dict[str, str], query: dict[str, str]) -> None:
    def value(name: str) -> str:
        if name in auth:
            return auth[name]
        variable = auth.get(f"{name}_env")
        secret = None if variable is None else call.secret(variable)
        if secret is None:
            reason = f"the variable {variable!r} is not granted or not set" if variable else f"it has no {name}"
            raise BridgeError(f"auth cannot be used: {reason}", code="invalid_argument")
        return secret

    match auth.get("type"):
        case "bearer":
            headers["Authorization"] = f"Bearer {value('token')}"
        case "basic":
            pair = f"{value('username')}:{value('password')}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode('ascii')}"
        case "api_key":
            place = query if auth.get("in") == "query" else headers
            place[auth.get("name", "X-API-Key")] = value("value")
        case other:
            raise BridgeError(f"auth has no type {other!r}; types: bearer, basic, api_key", code="invalid_argument")


def _text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
