"""``http_request``, and what every tool of the web does with an answer."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from llmspell.plugin import Bridge, BridgeError, Call
from llmspell_std.data import jsontext
from llmspell_toolbox.declare import tool

if TYPE_CHECKING:
    from llmspell.guards.http import Reply

Seconds = Annotated[float, Field(gt=0, le=120)]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Answer(TypedDict):
    """A server's answer; ``body`` is text, or base64 where ``body_encoding`` says so."""

    status: int
    ok: bool
    url: str
    headers: dict[str, str]
    body: str
    body_encoding: Literal["text", "base64"]


def is_text(reply: Reply) -> bool:
    """Tell whether a server says that its answer is text."""
    told = reply.headers.get("content-type", "")
    return told.startswith("text/") or any(word in told for word in ("json", "xml", "javascript", "urlencoded"))


def answered(reply: Reply) -> Answer:
    """Return an answer as tools give it."""
    text = is_text(reply) or not reply.body
    return {
        "status": reply.status,
        "ok": 200 <= reply.status < 300,
        "url": reply.url,
        "headers": reply.headers,
        "body": reply.text if text else base64.b64encode(reply.body).decode("ascii"),
        "body_encoding": "text" if text else "base64",
    }


def content_of(body: Any, headers: dict[str, str]) -> bytes | None:
    """Return what to send: a text as it is, anything else as JSON; the header that says so is added."""
    if body is None:
        return None
    kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = kind
    text = body if isinstance(body, str) else jsontext.write(body)
    return text.encode("utf-8", "surrogatepass")


def must_be_ok(reply: Reply) -> None:
    """Refuse an answer that means failure.

    Raises:
        BridgeError: ``http_status``, which ``details`` tell.
    """
    if not 200 <= reply.status < 300:
        raise BridgeError(
            f"the server answered with status {reply.status}",
            code="http_status",
            details={"status": reply.status, "url": reply.url},
            exit_code=7,
        )


class RequestTools(Bridge):
    """The tool for plain requests."""

    @tool(
        category="web",
        tags=("http", "request"),
        permissions=("net",),
        resources={"network": "medium"},
        blocking=False,
        deterministic=False,
        constraints=("only hosts that the policy grants, also behind redirects", "at most 16 MB of answer"),
        examples=(
            {"description": "Get a page", "parameters": {"url": "https://example.org/"}},
            {
                "description": "Post JSON",
                "parameters": {"url": "https://example.org/items", "method": "POST", "body": {"name": "bee"}},
            },
        ),
    )
    async def http_request(
        self,
        call: Call,
        url: str,
        *,
        method: Method = "GET",
        headers: dict[str, str] | None = None,
        body: Any = None,
        timeout: Seconds = 30.0,
    ) -> Answer:
        """Send a request and return the answer, whatever its status.

        Args:
            url: http or https.
            method: GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.
            headers: By name.
            body: A text as it is, anything else as JSON.
            timeout: Seconds in all.
        """
        sent = dict(headers or {})
        content = content_of(body, sent)
        return answered(await call.net.request(method, url, headers=sent, content=content, timeout=timeout))
