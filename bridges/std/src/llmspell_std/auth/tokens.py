"""OAuth 2 and JSON Web Tokens."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from llmspell.plugin import BridgeError, Call
from llmspell_std.data import jsontext

MAX_TOKEN = 16_384
_SHORTEST_SECRET = 14
_SHARED = ("HS256", "HS384", "HS512")
_PUBLIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_ENDPOINTS = (
    "issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "revocation_endpoint",
    "introspection_endpoint", "device_authorization_endpoint", "scopes_supported", "grant_types_supported",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TokenReport:
    """What checking a token came to."""

    valid: bool
    expired: bool
    claims: dict[str, Any]
    errors: list[str]


async def refresh(call: Call, data: Mapping[str, Any]) -> dict[str, Any]:
    """Get an access token: by refresh token where there is one, else by client credentials.

    Raises:
        BridgeError: ``auth_failed``; ``invalid_credentials``; what :meth:`llmspell.guards.NetGuard.request` raises.
    """
    url = data.get("token_url")
    if not isinstance(url, str):
        raise BridgeError("the config has no token_url", code="invalid_credentials")
    form = {"grant_type": "client_credentials"}
    if data.get("refresh_token"):
        form = {"grant_type": "refresh_token", "refresh_token": str(data["refresh_token"])}
    if data.get("scopes"):
        form["scope"] = " ".join(map(str, data["scopes"]))
    for name in ("client_id", "client_secret"):
        if data.get(name):
            form[name] = str(data[name])
    reply = await call.net.request(
        "POST",
        url,
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        content=urlencode(form).encode("ascii"),
        follow=False,
        max_bytes=1024 * 1024,
    )
    try:
        answer = jsontext.parse(reply.text)
    except BridgeError:
        answer = None
    if reply.status != 200 or not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
        reason = answer.get("error", "no access token") if isinstance(answer, dict) else "the answer is no JSON"
        raise BridgeError(
            f"the server gave no token: {str(reason)[:200]} (status {reply.status})", code="auth_failed", exit_code=7
        )
    found = {"access_token": answer["access_token"]}
    if isinstance(answer.get("refresh_token"), str):
        found["refresh_token"] = answer["refresh_token"]
    lasts = answer.get("expires_in")
    if isinstance(lasts, int | float) and not isinstance(lasts, bool):
        found["expires_at"] = time.time() + lasts
    return found


async def discover(call: Call, issuer: str) -> dict[str, Any]:
    """Return the endpoints an issuer publishes (OpenID Connect discovery, or RFC 8414).

    Raises:
        BridgeError: ``not_found``: it publishes none; ``auth_failed``: they are another issuer's.
    """
    base = issuer.rstrip("/")
    for name in ("openid-configuration", "oauth-authorization-server"):
        reply = await call.net.request("GET", f"{base}/.well-known/{name}", max_bytes=1024 * 1024)
        if reply.status != 200:
            continue
        found = jsontext.parse(reply.text)
        if not isinstance(found, dict):
            continue
        if str(found.get("issuer", "")).rstrip("/") != base:
            raise BridgeError("the endpoints published there are those of another issuer", code="auth_failed")
        return {key: found[key] for key in _ENDPOINTS if key in found}
    raise BridgeError(f"{issuer} publishes no endpoints", code="not_found")


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token without checking its signature.

    Raises:
        BridgeError: ``invalid_token``.
    """
    parts = token.split(".")
    try:
        if len(token) > MAX_TOKEN or len(parts) != 3:
            raise ValueError
        claims = jsontext.parse(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)).decode())
    except (ValueError, BridgeError):
        claims = None
    if not isinstance(claims, dict):
        raise BridgeError("the text is no JSON Web Token", code="invalid_token")
    return claims


def verify(
    token: str,
    *,
    secret: str | None = None,
    public_key: str | None = None,
    jwks: dict[str, Any] | None = None,
    issuer: str | None = None,
    audience: str | None = None,
    leeway: float = 60,
    now: float | None = None,
) -> TokenReport:
    """Check a token's signature and claims. The kind of key decides which algorithms count, never the token.

    Raises:
        BridgeError: ``invalid_token``: it is none; ``invalid_argument``: no key, or one that cannot be read.
    """
    claims = claims_of(token)
    key, algorithms = _key(secret, public_key, jwks)
    errors = []
    from joserfc import jwt
    from joserfc.errors import JoseError

    try:
        jwt.decode(token, key, registry=_registry(algorithms))
    except (JoseError, ValueError):
        errors.append("the signature does not fit")
    when = time.time() if now is None else now
    expires, begins = claims.get("exp"), claims.get("nbf")
    expired = isinstance(expires, int | float) and when > expires + leeway
    if expired:
        errors.append("the token has expired")
    if expires is not None and not isinstance(expires, int | float):
        errors.append("exp is no time")
    if isinstance(begins, int | float) and when < begins - leeway:
        errors.append("the token is not valid yet")
    if issuer is not None and claims.get("iss") != issuer:
        errors.append("the issuer is another")
    named = claims.get("aud")
    if audience is not None and audience not in (named if isinstance(named, list) else [named]):
        errors.append("the audience is another")
    return TokenReport(not errors, expired, claims, errors)


def _key(secret: str | None, public_key: str | None, jwks: dict[str, Any] | None) -> tuple[Any, list[str]]:
    if sum(part is not None for part in (secret, public_key, jwks)) != 1:
        raise BridgeError("give one of secret, public_key (PEM) and jwks", code="invalid_argument")
    from joserfc import jwk
    from joserfc.errors import JoseError

    if secret is not None and len(secret.encode("utf-8", "surrogatepass")) < _SHORTEST_SECRET:
        raise BridgeError(f"a shared secret has at least {_SHORTEST_SECRET} bytes", code="invalid_argument")
    try:
        if secret is not None:
            return jwk.OctKey.import_key(secret), list(_SHARED)
        if public_key is not None:
            return _public(public_key), list(_PUBLIC)
        assert jwks is not None
        keys: Any = jwks if "keys" in jwks else {"keys": [jwks]}
        return jwk.KeySet.import_key_set(keys), list(_PUBLIC)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise BridgeError("the key cannot be read", code="invalid_argument") from None


def _public(pem: str) -> Any:
    """Read a public key in PEM; the class is ours to choose, so that it can never become a shared secret."""
    from joserfc import jwk
    from joserfc.errors import JoseError

    if "-----BEGIN PUBLIC KEY-----" not in pem:
        raise ValueError("no public key")
    for kind in (jwk.RSAKey, jwk.ECKey, jwk.OKPKey):
        try:
            return kind.import_key(pem)
        except (JoseError, ValueError, TypeError):
            continue
    raise ValueError("no public key")


def _registry(algorithms: list[str]) -> Any:
    """Return the algorithms that count. ``EdDSA`` is deprecated as a name (RFC 9864) and used by many all the same."""
    from joserfc.jws import JWSRegistry

    class Registry(JWSRegistry):
        def get_alg(self, name: str) -> Any:
            return self.algorithms[name] if name == "EdDSA" and name in algorithms else super().get_alg(name)

    return Registry(algorithms=algorithms)
