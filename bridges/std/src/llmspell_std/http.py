"""The ``http`` bridge: requests to hosts that the policy grants, through the guard alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from llmspell.plugin import Bridge, BridgeError, Call, export
from llmspell_std.auth.config import AuthConfig
from llmspell_std.data import jsontext


class HttpBridge(Bridge):
    """Send requests and read answers.

    An answer is ``{status, ok, url, headers, body}``; ``body`` is a text where the server says it is one, bytes
    else. Times are seconds. A status that means failure is an answer, not an error. ``auth`` takes what
    ``auth.create_config`` or ``auth.from_env`` returned: its secrets go to the server and never to the script.
    """

    name = "http"
    permissions = ("net",)

    @export(permissions=("net",))
    async def request(
        self,
        call: Call,
        url: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        params: dict[str, str | int | float | bool] | None = None,
        body: str | bytes | None = None,
        json: Any = None,
        form: dict[str, str | int | float | bool] | None = None,
        auth: AuthConfig | None = None,
        timeout: float | None = None,
        max_bytes: int | None = None,
        follow: bool = True,
    ) -> dict[str, Any]:
        """Send a request. At most one of ``body``, ``json`` (a value) and ``form`` (a table) is its content."""
        sent = dict(headers or {})
        content, kind = _content(body, json, form)
        if kind and not any(name.lower() == "content-type" for name in sent):
            sent["Content-Type"] = kind
        query = {name: _text(part) for name, part in (params or {}).items()}
        if auth is not None:
            auth.attach(sent, query)
        reply = await call.net.request(
            method,
            url,
            headers=sent,
            params=query or None,
            content=content,
            timeout=timeout,
            max_bytes=max_bytes,
            follow=follow,
        )
        told = reply.headers.get("content-type", "")
        textual = told.startswith("text/") or any(word in told for word in ("json", "xml", "javascript", "urlencoded"))
        return {
            "status": reply.status,
            "ok": 200 <= reply.status < 300,
            "url": reply.url,
            "headers": reply.headers,
            "body": reply.text if textual or not reply.body else reply.body,
        }

    @export(permissions=("net",))
    async def get(self, call: Call, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Get a URL."""
        return await self.request(call, url, headers=headers)

    @export(permissions=("net",))
    async def head(self, call: Call, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Ask for a URL's headers."""
        return await self.request(call, url, method="HEAD", headers=headers)

    @export(permissions=("net",))
    async def delete(self, call: Call, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Delete what is at a URL."""
        return await self.request(call, url, method="DELETE", headers=headers)

    @export(permissions=("net",))
    async def post(
        self, call: Call, url: str, content: Any = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Post a text or bytes as they are, or anything else as JSON."""
        return await self._send(call, "POST", url, content, headers)

    @export(permissions=("net",))
    async def put(
        self, call: Call, url: str, content: Any = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Put a text or bytes as they are, or anything else as JSON."""
        return await self._send(call, "PUT", url, content, headers)

    @export(permissions=("net",))
    async def patch(
        self, call: Call, url: str, content: Any = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Patch with a text or bytes as they are, or anything else as JSON."""
        return await self._send(call, "PATCH", url, content, headers)

    @export(permissions=("net",))
    async def get_json(self, call: Call, url: str, headers: dict[str, str] | None = None) -> Any:
        """Get a URL and read its JSON.

        A status other than 2xx is an error here, ``http_status``.
        """
        answer = await self.request(call, url, headers={"Accept": "application/json", **(headers or {})})
        if not answer["ok"]:
            raise BridgeError(
                f"the server answered with status {answer['status']}",
                code="http_status",
                details={"status": answer["status"]},
                exit_code=7,
            )
        body = answer["body"]
        return jsontext.parse(body if isinstance(body, str) else body.decode("utf-8", "replace"))

    @export
    def allows(self, call: Call, host: str, port: int = 443) -> bool:
        """Tell whether a host is granted, without asking for its address."""
        return call.net.allows(host, port)

    async def _send(
        self, call: Call, method: str, url: str, content: Any, headers: dict[str, str] | None
    ) -> dict[str, Any]:
        if isinstance(content, str | bytes) or content is None:
            return await self.request(call, url, method=method, headers=headers, body=content)
        return await self.request(call, url, method=method, headers=headers, json=content)


def _content(body: str | bytes | None, value: Any, form: dict[str, Any] | None) -> tuple[bytes | None, str]:
    if sum(part is not None for part in (body, value, form)) > 1:
        raise BridgeError("give only one of body, json and form", code="invalid_argument")
    if body is not None:
        text = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        return text, "text/plain; charset=utf-8" if isinstance(body, str) else ""
    if value is not None:
        return jsontext.write(value).encode("utf-8", "surrogatepass"), "application/json"
    if form is not None:
        pairs = {name: _text(part) for name, part in form.items()}
        return urlencode(pairs).encode("ascii"), "application/x-www-form-urlencoded"
    return None, ""


def _text(item: str | int | float | bool) -> str:
    if isinstance(item, bool):
        return "true" if item else "false"
    return str(item)
