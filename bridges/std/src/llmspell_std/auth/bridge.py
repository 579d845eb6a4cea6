"""``AuthBridge``: what scripts see as ``auth``."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from typing import Annotated, Any

from llmspell.plugin import Bridge, BridgeError, Call, ScriptFunction, Secret, Value, export
from llmspell_std.auth import policies, sealing, tokens
from llmspell_std.auth.config import AuthConfig, Kind, detect, make
from llmspell_std.auth.policies import SecurityPolicy
from llmspell_std.auth.sessions import AuthSession
from llmspell_std.core.digests import random_text
from llmspell_std.ending import at_end
from llmspell_std.subscriptions import Subscriptions

_PROVIDERS: dict[str, tuple[str, Kind, dict[str, str]]] = {
    "openai": ("OPENAI_API_KEY", "bearer", {}),
    "anthropic": ("ANTHROPIC_API_KEY", "api_key", {"header": "x-api-key"}),
    "gemini": ("GEMINI_API_KEY", "api_key", {"header": "x-goog-api-key"}),
    "google": ("GOOGLE_API_KEY", "api_key", {"header": "x-goog-api-key"}),
    "openrouter": ("OPENROUTER_API_KEY", "bearer", {}),
    "mistral": ("MISTRAL_API_KEY", "bearer", {}),
    "github": ("GITHUB_TOKEN", "bearer", {}),
}
_PREFERENCE: tuple[str, ...] = ("oauth2", "bearer", "api_key", "basic", "custom")
_KEPT = 1_000
Password = Annotated[str, Secret()]
Credentials = Annotated[Any, Secret()]


class AuthBridge(Bridge):
    """Credentials for requests, tokens, passwords, sessions and rules.

    Credentials from the environment are the host's: scripts can use them with ``http.request`` and never see them.
    """

    name = "auth"
    permissions = ("net", "secrets")

    def __init__(self) -> None:
        self._schemes: dict[str, list[dict[str, Any]]] = {}
        self._cache: dict[str, tuple[float, AuthConfig]] = {}
        self._sessions: dict[str, AuthSession] = {}
        self._policies: dict[str, SecurityPolicy] = {}
        self._events: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._subscriptions = Subscriptions()

    # Credentials

    @export
    def create_config(self, kind: Kind, credentials: Credentials) -> AuthConfig:
        """Return credentials of a kind: ``api_key``, ``bearer``, ``basic``, ``oauth2`` or ``custom``."""
        return make(kind, credentials)

    @export
    def from_env(
        self, call: Call, provider: str, *, variable: str | None = None, kind: Kind | None = None
    ) -> AuthConfig:
        """Return the credentials of a provider from a granted secret; they are never shown to the script."""
        fallback: tuple[str, Kind, dict[str, str]] = (f"{provider.upper().replace('-', '_')}_API_KEY", "bearer", {})
        known, usual, extra = _PROVIDERS.get(provider, fallback)
        value = call.secret(variable or known)
        if not value:
            raise BridgeError(
                f"there are no credentials for {provider!r}; set {variable or known} and grant it",
                code="no_credentials",
            )
        chosen = kind or usual
        name = {"api_key": "key", "bearer": "token", "oauth2": "access_token"}.get(chosen)
        if name is None:
            raise BridgeError(f"{chosen} credentials are not one secret", code="invalid_argument")
        return AuthConfig(chosen, {name: value, **extra}, hidden=True)

    @export
    def from_state(self, values: dict[str, Any], provider: str) -> AuthConfig:
        """Return the credentials of a provider from a table: under its name, or as ``<provider>_api_key``."""
        found = values.get(provider, values.get(f"{provider}_api_key", values.get(f"{provider}_token")))
        if isinstance(found, str):
            return make("bearer", found)
        kind = detect(found) if isinstance(found, dict) else None
        if kind is None or not isinstance(found, dict):
            raise BridgeError(f"the table holds no credentials for {provider!r}", code="no_credentials")
        return make(kind, {name: value for name, value in found.items() if name != "type"})

    @export
    def detect_scheme(self, config: Credentials) -> str | None:
        """Tell the kind of credentials from what a table sets, or nothing."""
        return detect(config) if isinstance(config, dict) else None

    @export
    def apply_to_request(self, request: dict[str, Any], config: AuthConfig) -> dict[str, Any]:
        """Return a request ``{url, headers, params}`` with credentials in it."""
        return config.apply(request)

    @export
    def apply_to_headers(self, headers: dict[str, str], config: AuthConfig) -> dict[str, str]:
        """Return headers with credentials in them."""
        return config.apply_to_headers(headers)

    @export
    def validate_config(self, config: AuthConfig) -> dict[str, Any]:
        """Return ``{valid, errors}``."""
        return config.validate()

    @export
    def parse_header(self, header: Password) -> dict[str, Any]:
        """Take an Authorization header apart: ``{scheme, ...}``."""
        scheme, _, rest = header.strip().partition(" ")
        kind = scheme.lower()
        if kind == "basic":
            pair = sealing.decode_basic(rest)
            return {"scheme": "basic", "username": pair[0], "password": pair[1]}
        if kind == "bearer" and rest:
            return {"scheme": "bearer", "token": rest.strip()}
        return {"scheme": kind, "value": rest.strip()}

    @export
    def mask_credentials(self, text: str, config: AuthConfig) -> str:
        """Return a text in which the secrets of a config are masked."""
        return config.mask(text)

    @export(blocking=True)
    def serialize_credentials(self, config: AuthConfig, key: Password | None = None) -> str:
        """Return credentials as a text, encrypted under ``key`` if one is given."""
        return config.serialize(key)

    @export(blocking=True)
    def deserialize_credentials(self, text: Password, key: Password | None = None) -> AuthConfig:
        """Read what ``serialize_credentials`` wrote."""
        content = sealing.unseal(text, key)
        kind = detect({"type": content.get("type")})
        if kind is None or not isinstance(content.get("data"), dict):
            raise BridgeError("the text holds no credentials", code="invalid_credentials")
        return AuthConfig(kind, content["data"])

    @export
    def cache_credentials(self, name: str, config: AuthConfig, ttl: float = 3_600) -> None:
        """Keep credentials for this session under a name, for ``ttl`` seconds."""
        if len(self._cache) >= _KEPT and name not in self._cache:
            raise BridgeError(f"at most {_KEPT:,} credentials are kept", code="too_many")
        self._cache[name] = (time.monotonic() + ttl, config)

    @export
    def cached_credentials(self, name: str) -> AuthConfig | None:
        """Return the credentials kept under a name, or nothing."""
        until, config = self._cache.get(name, (0.0, None))
        return config if time.monotonic() < until else None

    # Schemes of endpoints

    @export
    def register_scheme(self, endpoint: str, scheme: dict[str, Any]) -> None:
        """Note that an endpoint takes a scheme: ``{type = "bearer", ...}``."""
        self._schemes.setdefault(endpoint, []).append(scheme)

    @export
    def get_schemes(self, endpoint: str) -> list[dict[str, Any]]:
        """Return the schemes an endpoint takes."""
        return self._schemes.get(endpoint, [])

    @export
    def select_best_scheme(self, endpoint: str, available: list[str]) -> dict[str, Any] | None:
        """Return the safest scheme an endpoint takes that is among those available, or nothing."""
        fit = [scheme for scheme in self.get_schemes(endpoint) if scheme.get("type") in available]
        ranked = sorted(fit, key=lambda s: _PREFERENCE.index(s["type"]) if s["type"] in _PREFERENCE else 99)
        return ranked[0] if ranked else None

    # OAuth and tokens

    @export
    def create_oauth2_config(
        self, client_id: str, client_secret: Password, token_url: str, scopes: list[str] | None = None
    ) -> AuthConfig:
        """Return an oauth2 config without a token; ``config:refresh()`` gets one."""
        data = {"client_id": client_id, "client_secret": client_secret, "token_url": token_url, "scopes": scopes or []}
        return AuthConfig("oauth2", data)

    @export
    async def refresh_oauth2_token(
        self, call: Call, config: AuthConfig, refresh_token: Password | None = None
    ) -> AuthConfig:
        """Get a new access token; return the config."""
        if refresh_token is not None:
            config.remember(refresh_token)
        return await config.refresh(call)

    @export
    async def auto_refresh_token(self, call: Call, config: AuthConfig, before: float = 300) -> AuthConfig:
        """Get a new access token if the one there is ends within ``before`` seconds; return the config."""
        return await config.ensure_fresh(call, before)

    @export
    async def discover_oauth2_endpoints(self, call: Call, issuer: str) -> dict[str, Any]:
        """Return the endpoints that an issuer publishes."""
        return await tokens.discover(call, issuer)

    @export
    def parse_jwt_claims(self, token: Password) -> dict[str, Any]:
        """Return the claims of a JSON Web Token; its signature is **not** checked."""
        return tokens.claims_of(token)

    @export
    def validate_oauth2_token(
        self,
        token: Password,
        *,
        secret: Password | None = None,
        public_key: str | None = None,
        jwks: dict[str, Any] | None = None,
        issuer: str | None = None,
        audience: str | None = None,
        leeway: float = 60,
    ) -> tokens.TokenReport:
        """Check the signature, times, issuer and audience of a JSON Web Token: ``{valid, expired, claims, errors}``."""
        return tokens.verify(
            token, secret=secret, public_key=public_key, jwks=jwks, issuer=issuer, audience=audience, leeway=leeway
        )

    # Sessions

    @export
    def create_session(
        self,
        config: AuthConfig,
        id: str | None = None,
        *,
        ttl: float = 3_600,
        metadata: dict[str, Any] | None = None,
    ) -> AuthSession:
        """Return a session over credentials that lasts ``ttl`` seconds."""
        if len(self._sessions) >= _KEPT:
            raise BridgeError(f"there are {_KEPT:,} sessions already", code="too_many")
        made = AuthSession(config, id, ttl, metadata or {})
        self._sessions[made.session_id] = made
        return made

    @export
    def get_session(self, id: str) -> AuthSession | None:
        """Return a session, or nothing."""
        return self._sessions.get(id)

    @export
    def validate_session(self, id: str) -> bool:
        """Tell whether a session is there and valid."""
        found = self._sessions.get(id)
        return found is not None and found.validate()["valid"] is True

    @export
    def list_sessions(self) -> list[dict[str, Any]]:
        """Return what is known of each session, but for its credentials."""
        return [session.describe() for session in self._sessions.values()]

    @export
    def destroy_session(self, id: str) -> bool:
        """End and forget a session; tell whether there was one."""
        found = self._sessions.pop(id, None)
        if found is not None:
            found.destroy()
        return found is not None

    # Rules

    @export
    def create_security_policy(
        self, call: Call, name: str, rules: list[dict[str, Any]], *, enabled: bool = True
    ) -> SecurityPolicy:
        """Return rules under a name, for this run: types ``permission``, ``role``, ``time_based``, ``ip_whitelist``
        and ``custom``."""
        made = self._policies[name] = SecurityPolicy(name, rules, enabled)

        def forget() -> None:
            if self._policies.get(name) is made:
                del self._policies[name]

        at_end(call, forget)
        return made

    @export
    async def evaluate_policy(self, name: str, context: dict[str, Any]) -> dict[str, Any]:
        """Return ``{allowed, reason}``."""
        found = self._policies.get(name)
        if found is None:
            raise BridgeError(f"there is no policy {name!r}", code="not_found")
        return await found.evaluate(context)

    @export
    async def evaluate_rule(self, rule: dict[str, Any], context: dict[str, Any]) -> bool:
        """Decide one rule."""
        return await policies.evaluate_rule(rule, context)

    @export
    def check_permission(self, permission: str, granted: list[str]) -> bool:
        """Tell whether a permission is covered by others, which may be patterns."""
        return policies.has_permission(permission, granted)

    @export
    def check_role(self, role: str, roles: list[str]) -> bool:
        """Tell whether a role is among those held."""
        return policies.has_role(role, roles)

    @export
    async def check_time_constraint(self, rule: dict[str, Any], timestamp: float | None = None) -> bool:
        """Tell whether it is, or was at ``timestamp``, a time that a rule allows; times of day are UTC."""
        return await policies.evaluate_rule({**rule, "type": "time_based"}, {"time": timestamp})

    @export
    def check_ip_whitelist(self, address: str, networks: list[str]) -> bool:
        """Tell whether an address is in one of the networks."""
        return policies.in_networks(address, networks)

    @export
    def list_policies(self) -> list[dict[str, Any]]:
        """Return the policies there are."""
        return [found.describe() for found in self._policies.values()]

    # Events

    @export
    async def log_event(self, call: Call, kind: str, metadata: dict[str, Any] | None = None) -> None:
        """Note an event for this session and tell the host's observers."""
        event = {"type": kind, "time": time.time(), "metadata": metadata or {}}
        self._events.append(event)
        call.event("auth", {"type": kind})
        await self._subscriptions.tell(kind, event)

    @export
    def get_event_history(self, kind: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        """Return the latest events, of one type if it is given, oldest first."""
        found = [event for event in self._events if kind is None or event["type"] == kind]
        return found[-limit:] if limit > 0 else []

    @export
    def subscribe_to_events(self, call: Call, kinds: list[str], fn: ScriptFunction) -> int:
        """Have ``fn(event)`` called for events of these types, all if none is given; for this run."""
        return self._subscriptions.add(call, kinds, fn)

    @export
    def unsubscribe(self, subscription: int) -> bool:
        """End a subscription; tell whether there was one."""
        return self._subscriptions.remove(subscription)

    # What the host allows

    @export
    def get_security_level(self, call: Call) -> str:
        """Return the level of the policy this run is under."""
        return call.policy.level

    @export
    def get_resource_limits(self, call: Call) -> dict[str, Any]:
        """Return the limits of this run."""
        return dataclasses.asdict(call.policy.limits)

    @export
    def get_allowed_libraries(self, call: Call) -> list[str] | None:
        """Return the libraries of the language this run may use; nothing means its engine's usual ones."""
        libraries = call.policy.libraries
        return None if libraries is None else sorted(libraries)

    @export
    def is_function_denied(self, call: Call, name: str) -> bool:
        """Tell whether the policy forbids a function, e.g. ``"fs.write"``."""
        bridge, _, method = name.partition(".")
        return not call.policy.grants.allows_call(bridge, method)

    # Passwords

    @export
    def generate_random_string(self, length: int = 32, charset: str | None = None) -> str:
        """Return an unguessable text."""
        return random_text(length, charset)

    @export(blocking=True)
    def hash_password(self, password: Password, salt: str | None = None) -> dict[str, str]:
        """Return ``{hash, salt, algorithm}`` of a password (scrypt); keep ``hash``."""
        return sealing.hash_password(password, salt)

    @export(blocking=True)
    def verify_password(self, password: Password, hashed: Value) -> bool:
        """Tell whether a password made a hash, which is the text or the table of ``hash_password``."""
        text = hashed.get("hash") if isinstance(hashed, dict) else hashed
        return sealing.verify_password(password, text if isinstance(text, str) else "")
