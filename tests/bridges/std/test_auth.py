"""``auth``: credentials, tokens, passwords, sessions, rules."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from joserfc import jwk, jwt

from llmspell.policy import Policy

KEY = "a shared secret of thirty-two bytes"


@asynccontextmanager
async def serving(answer: Callable[[str, str], tuple[int, Any]]) -> AsyncIterator[int]:
    """Answer ``(path, body)`` by a status and JSON; yield the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        size = next((int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0)
        status, value = answer(head.split()[1], (await reader.readexactly(size)).decode())
        body = json.dumps(value).encode() if not isinstance(value, str) else value.encode()
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body)) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("kind", "credentials", "request_"),
    [
        ("api_key", "k123", {"headers": {"X-API-Key": "k123"}}),
        ("api_key", {"key": "k", "header": "X-K", "prefix": "v1 "}, {"headers": {"X-K": "v1 k"}}),
        ("api_key", {"key": "k", "query": "key"}, {"headers": {}, "params": {"key": "k"}}),
        ("bearer", "t123", {"headers": {"Authorization": "Bearer t123"}}),
        ("basic", {"username": "ann", "password": "ü"}, {"headers": {"Authorization": "Basic YW5uOsO8"}}),
        ("oauth2", {"access_token": "at"}, {"headers": {"Authorization": "Bearer at"}}),
        ("custom", {"headers": {"X-A": "1"}}, {"headers": {"X-A": "1"}}),
    ],
)
def test_credentials_are_put_into_requests(spell: Any, kind: str, credentials: Any, request_: Any) -> None:
    config = spell.call("auth.create_config", kind, credentials)
    assert spell.call((config, "kind")) == kind
    assert spell.call((config, "apply"), {"url": "u"}) == {"url": "u", **request_}
    assert spell.call("auth.apply_to_request", {"headers": {"A": "b"}}, config)["headers"]["A"] == "b"
    assert spell.call("auth.apply_to_headers", {}, config) == request_["headers"]
    assert spell.call((config, "apply_to_headers")) == request_["headers"]
    assert spell.call((config, "validate")) == {"valid": True, "errors": []}
    assert spell.call("auth.validate_config", config)["valid"] is True


@pytest.mark.parametrize(
    ("kind", "credentials", "error"),
    [
        ("api_key", {}, "key is missing"),
        ("basic", {"username": "a"}, "password is missing"),
        ("bearer", {"token": 3}, "token should be a text"),
        ("custom", {"headers": {"a": 1}}, "headers should be a table of texts"),
        ("oauth2", {"client_id": "x"}, "access_token is missing"),
        ("oauth2", {"access_token": "x", "expires_at": 1}, "the access token has expired"),
    ],
)
def test_credentials_that_cannot_be_used_are_told(spell: Any, kind: str, credentials: Any, error: str) -> None:
    config = spell.call("auth.create_config", kind, credentials)
    assert error in spell.call((config, "validate"))["errors"]
    fault = spell.fails((config, "apply"), {})
    assert fault.code == "invalid_credentials"


def test_credentials_are_a_table_or_a_text(spell: Any) -> None:
    assert spell.fails("auth.create_config", "basic", "x").code == "invalid_credentials"
    assert spell.fails("auth.create_config", "magic", {}).code == "invalid_argument"


def test_secrets_of_the_host_are_used_and_never_shown(spells: Any, session: Any) -> None:
    session.environ.update(OPENAI_API_KEY="canary-openai", ACME_API_KEY="canary-acme", HIDDEN="canary-hidden")
    spell = spells(policy=Policy.standard().grant(bridges=["auth"], secrets=["OPENAI_API_KEY", "ACME_API_KEY"]))
    config = spell.call("auth.from_env", "openai")
    assert spell.call((config, "describe")) == {"type": "bearer", "hidden": True}
    assert spell.call((config, "validate"))["valid"] is True
    for name, args in (("apply", ({},)), ("apply_to_headers", ()), ("serialize", ())):
        fault = spell.fails((config, name), *args)
        assert fault.code == "secret"
        assert "canary" not in str(fault)
    for name, args in (
        ("apply_to_request", ({}, config)), ("apply_to_headers", ({}, config)), ("serialize_credentials", (config,)),
    ):  # fmt: skip
        assert spell.fails(f"auth.{name}", *args).code == "secret"
    assert spell.call((spell.call("auth.from_env", "acme", {"kind": "api_key"}), "kind")) == "api_key"
    assert spell.fails("auth.from_env", "github").code == "no_credentials"
    assert spell.fails("auth.from_env", "x", {"variable": "HIDDEN"}).code == "no_credentials"
    assert spell.fails("auth.from_env", "acme", {"kind": "basic"}).code == "invalid_argument"


def test_credentials_come_from_a_table(spell: Any) -> None:
    table = {"acme": {"username": "a", "password": "b"}, "beta_api_key": "k", "bad": {"x": 1}}
    assert spell.call((spell.call("auth.from_state", table, "acme"), "kind")) == "basic"
    assert spell.call((spell.call("auth.from_state", table, "beta"), "kind")) == "bearer"
    for name in ("bad", "absent"):
        assert spell.fails("auth.from_state", table, name).code == "no_credentials"


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"username": "a", "password": "b"}, "basic"), ({"token": "t"}, "bearer"), ({"api_key": "k"}, "api_key"),
        ({"client_id": "x", "token": "t"}, "oauth2"), ({"headers": {}}, "custom"), ({"x": 1}, None),
        ({"type": "basic"}, "basic"),
    ],
)  # fmt: skip
def test_kinds_are_told_apart(spell: Any, config: Any, kind: str | None) -> None:
    assert spell.call("auth.detect_scheme", config) == kind


def test_headers_are_taken_apart(spell: Any) -> None:
    assert spell.call("auth.parse_header", "Basic YW5uOsO8") == {"scheme": "basic", "username": "ann", "password": "ü"}
    assert spell.call("auth.parse_header", "bearer abc") == {"scheme": "bearer", "token": "abc"}
    assert spell.call("auth.parse_header", "Digest x=y") == {"scheme": "digest", "value": "x=y"}
    for header in ("Basic", "Basic !!", "Basic YQ=="):
        assert spell.fails("auth.parse_header", header).code == "invalid_credentials"


def test_secrets_are_masked_in_texts(spell: Any) -> None:
    config = spell.call("auth.create_config", "basic", {"username": "ann", "password": "hunter22"})
    text = "ann:hunter22 Authorization: Basic YW5uOmh1bnRlcjIy"
    assert spell.call("auth.mask_credentials", text, config) == "ann:**** Authorization: Basic ****"
    assert spell.call((config, "mask"), "hunter22!") == "****!"
    assert spell.call((config, "describe"))["password"] == "****"


def test_credentials_travel_as_texts(spell: Any) -> None:
    config = spell.call("auth.create_config", "basic", {"username": "ann", "password": "hunter22"})
    for key in (None, "key"):
        text = spell.call("auth.serialize_credentials", config, key)
        assert ("hunter22" in text) is False
        again = spell.call("auth.deserialize_credentials", text, key)
        assert spell.call((again, "apply_to_headers")) == spell.call((config, "apply_to_headers"))
    sealed = spell.call((config, "serialize"), "key")
    assert sealed != spell.call((config, "serialize"), "key")
    for text, key in (
        (sealed, "other"),
        (sealed, None),
        (sealed[:-2] + "AA", "key"),
        ("plain1.bm8", None),
        ("x", None),
    ):
        assert spell.fails("auth.deserialize_credentials", text, key).code == "invalid_credentials"


def test_credentials_are_kept_for_a_while(spell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config = spell.call("auth.create_config", "bearer", "t")
    spell.call("auth.cache_credentials", "c", config, 60)
    assert spell.call("auth.cached_credentials", "c") == config
    assert spell.call("auth.cached_credentials", "absent") is None
    later = time.monotonic() + 61
    monkeypatch.setattr("llmspell_std.auth.bridge.time.monotonic", lambda: later)
    assert spell.call("auth.cached_credentials", "c") is None


def test_the_safest_scheme_of_an_endpoint_is_chosen(spell: Any) -> None:
    for kind in ("basic", "bearer", "api_key"):
        spell.call("auth.register_scheme", "https://x", {"type": kind})
    assert len(spell.call("auth.get_schemes", "https://x")) == 3
    assert spell.call("auth.select_best_scheme", "https://x", ["basic", "api_key"]) == {"type": "api_key"}
    assert spell.call("auth.select_best_scheme", "https://x", ["oauth2"]) is None
    assert spell.call("auth.get_schemes", "https://y") == []


def local(spells: Any, port: int) -> Any:
    return spells(policy=Policy.standard().grant(bridges=["auth"], net=[f"127.0.0.1:{port}"]))


def test_access_tokens_are_refreshed(spells: Any, session: Any) -> None:
    bodies: list[str] = []

    def answer(path: str, body: str) -> tuple[int, Any]:
        bodies.append(body)
        return 200, {"access_token": f"at{len(bodies)}", "refresh_token": "rt2", "expires_in": 100}

    async def work() -> None:
        async with serving(answer) as port:
            spell = local(spells, port)
            url = f"http://127.0.0.1:{port}/token"
            config = await spell.acall("auth.create_oauth2_config", "id", "secret", url, ["a", "b"])
            await spell.acall("auth.refresh_oauth2_token", config)
            assert "grant_type=client_credentials&scope=a+b&client_id=id&client_secret=secret" in bodies[0]
            headers = await spell.acall((config, "apply_to_headers"))
            assert headers == {"Authorization": "Bearer at1"}
            await spell.acall("auth.refresh_oauth2_token", config, "rt1")
            assert "refresh_token=rt1" in bodies[1]
            await spell.acall((config, "refresh"))
            assert "refresh_token=rt2" in bodies[2]
            await spell.acall("auth.auto_refresh_token", config, 50)
            assert len(bodies) == 3
            await spell.acall((config, "ensure_fresh"), 300)
            assert len(bodies) == 4

    session.runner.run(work())


@pytest.mark.parametrize(("status", "value"), [(400, {"error": "invalid_grant"}), (200, {}), (200, "no json")])
def test_a_server_that_gives_no_token_is_told(spells: Any, session: Any, status: int, value: Any) -> None:
    async def work() -> Any:
        async with serving(lambda path, body: (status, value)) as port:
            spell = local(spells, port)
            config = await spell.acall("auth.create_oauth2_config", "id", "s", f"http://127.0.0.1:{port}/t")
            with pytest.raises(Exception, match="auth_failed"):
                await spell.acall((config, "refresh"))

    session.runner.run(work())


def test_only_oauth_can_be_refreshed_and_only_where_it_is_granted(spell: Any, spells: Any) -> None:
    config = spell.call("auth.create_config", "bearer", "t")
    assert spell.fails((config, "refresh")).code == "invalid_credentials"
    nowhere = spell.call("auth.create_config", "oauth2", {"client_id": "x"})
    assert spell.fails((nowhere, "refresh")).code == "invalid_credentials"
    strict = spells(policy=Policy.standard().grant(bridges=["auth"]))
    away = strict.call("auth.create_oauth2_config", "id", "s", "http://127.0.0.1:1/t")
    assert strict.fails((away, "refresh")).code == "denied"


def test_endpoints_are_discovered(spells: Any, session: Any) -> None:
    async def work() -> None:
        ports: list[int] = []

        def answer(path: str, body: str) -> tuple[int, Any]:
            issuer = f"http://127.0.0.1:{ports[0]}"
            if path == "/.well-known/oauth-authorization-server":
                return 200, {"issuer": issuer, "token_endpoint": "t", "junk": 1}
            if path == "/evil/.well-known/openid-configuration":
                return 200, {"issuer": "http://other", "token_endpoint": "t"}
            return 404, {}

        async with serving(answer) as port:
            ports.append(port)
            spell = local(spells, port)
            issuer = f"http://127.0.0.1:{port}"
            found = await spell.acall("auth.discover_oauth2_endpoints", issuer + "/")
            assert found == {"issuer": issuer, "token_endpoint": "t"}
            for path, code in (("/evil", "auth_failed"), ("/none", "not_found")):
                with pytest.raises(Exception, match=code):
                    await spell.acall("auth.discover_oauth2_endpoints", issuer + path)

    session.runner.run(work())


def token(claims: dict[str, Any], key: Any = None, algorithm: str = "HS256") -> str:
    return jwt.encode({"alg": algorithm}, claims, key or jwk.OctKey.import_key(KEY), algorithms=[algorithm])


def test_claims_are_read_without_a_key(spell: Any) -> None:
    assert spell.call("auth.parse_jwt_claims", token({"sub": "ann"})) == {"sub": "ann"}
    for text in ("", "a.b", "a.b.c", "a.W10.c", "x" * 20_000):
        assert spell.fails("auth.parse_jwt_claims", text).code == "invalid_token"


@pytest.mark.parametrize(
    ("claims", "options", "errors"),
    [
        ({}, {}, []),
        ({"exp": 4e9, "nbf": 1}, {}, []),
        ({"exp": 1}, {}, ["the token has expired"]),
        ({"exp": "soon"}, {}, ["exp is no time"]),
        ({"nbf": 4e9}, {}, ["the token is not valid yet"]),
        ({"iss": "me"}, {"issuer": "me"}, []),
        ({"iss": "you"}, {"issuer": "me"}, ["the issuer is another"]),
        ({"aud": ["a", "b"]}, {"audience": "b"}, []),
        ({}, {"audience": "b"}, ["the audience is another"]),
        ({}, {"secret": KEY + "!"}, ["the signature does not fit"]),
    ],
)
def test_tokens_are_checked(spell: Any, claims: Any, options: Any, errors: list[str]) -> None:
    report = spell.call("auth.validate_oauth2_token", token(claims), {"secret": KEY, **options})
    assert (report["valid"], report["errors"], report["claims"]) == (not errors, errors, claims)
    assert report["expired"] is ("the token has expired" in errors)


@pytest.mark.parametrize(
    ("kind", "algorithm", "size"),
    [(jwk.RSAKey, "RS256", 2048), (jwk.ECKey, "ES256", "P-256"), (jwk.OKPKey, "Ed25519", "Ed25519")],
)
def test_tokens_are_checked_by_public_keys(spell: Any, kind: Any, algorithm: str, size: Any) -> None:
    key = kind.generate_key(size)
    signed = token({"sub": "ann"}, key, algorithm)
    pem = key.as_pem(private=False).decode()
    for options in (
        {"public_key": pem},
        {"jwks": key.as_dict(private=False)},
        {"jwks": {"keys": [key.as_dict(private=False)]}},
    ):
        assert spell.call("auth.validate_oauth2_token", signed, options)["errors"] == []
    other = kind.generate_key(size).as_pem(private=False).decode()
    assert spell.call("auth.validate_oauth2_token", signed, {"public_key": other})["valid"] is False


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_the_old_name_of_an_algorithm_counts(spell: Any) -> None:
    key = jwk.OKPKey.generate_key("Ed25519")
    signed = token({"sub": "ann"}, key, "EdDSA")
    report = spell.call("auth.validate_oauth2_token", signed, {"public_key": key.as_pem(private=False).decode()})
    assert report["valid"] is True


def test_a_token_does_not_choose_how_it_is_checked(spell: Any) -> None:
    import base64
    import hashlib
    import hmac

    def encode(part: Any) -> str:
        raw = part if isinstance(part, bytes) else json.dumps(part).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    pem = jwk.RSAKey.generate_key(2048).as_pem(private=False).decode()
    unsigned = f"{encode({'alg': 'none'})}.{encode({'sub': 'ann'})}."
    body = f"{encode({'alg': 'HS256'})}.{encode({'sub': 'ann'})}"
    confused = f"{body}.{encode(hmac.digest(pem.encode(), body.encode(), hashlib.sha256))}"
    for forged in (unsigned, confused):
        for options in ({"public_key": pem}, {"secret": KEY}):
            assert spell.call("auth.validate_oauth2_token", forged, options)["valid"] is False


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"secret": KEY, "public_key": "b"},
        {"secret": "short"},
        {"public_key": "no key"},
        {"jwks": {"x": 1}},
        {"jwks": {"keys": 3}},
    ],
)
def test_keys_that_are_none_are_told(spell: Any, options: Any) -> None:
    assert spell.fails("auth.validate_oauth2_token", token({}), options).code == "invalid_argument"


def test_passwords(spell: Any) -> None:
    hashed = spell.call("auth.hash_password", "hunter22")
    assert hashed["algorithm"] == "scrypt"
    assert "hunter22" not in hashed["hash"]
    assert spell.call("auth.hash_password", "hunter22", hashed["salt"]) == hashed
    assert spell.call("auth.hash_password", "hunter22") != hashed
    assert spell.call("auth.verify_password", "hunter22", hashed["hash"]) is True
    assert spell.call("auth.verify_password", "hunter22", hashed) is True
    assert spell.call("auth.verify_password", "hunter23", hashed) is False
    for text in ("", "md5$x$y", 3):
        assert spell.fails("auth.verify_password", "x", text).code == "invalid_argument"
    assert spell.fails("auth.hash_password", "x", "not hex").code == "invalid_argument"
    assert len(spell.call("auth.generate_random_string", 40)) == 40


def test_secrets_never_reach_a_record(spells: Any) -> None:
    from llmspell.gate import MemoryRecorder

    spell = spells()
    spell.run.recorder = recorder = MemoryRecorder()
    spell.call("auth.hash_password", "canary-1")
    spell.call("auth.create_config", "bearer", {"token": "canary-2"})
    spell.call("auth.create_oauth2_config", "id", "canary-3", "http://x")
    spell.call("auth.parse_header", "Bearer canary-4")
    arguments = [record.args for record in recorder.records]
    assert len(arguments) == 4
    assert "canary" not in repr(arguments)


def test_sessions_are_checked_prolonged_and_ended(spell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config = spell.call("auth.create_config", "bearer", "t")
    made = spell.call("auth.create_session", config, "s1", {"ttl": 60, "metadata": {"user": "ann"}})
    assert spell.call((made, "id")) == "s1"
    assert spell.call((made, "config")) == config
    assert spell.call("auth.get_session", "s1") == made
    assert spell.call("auth.validate_session", "s1") is True
    assert spell.call("auth.list_sessions")[0]["metadata"] == {"user": "ann"}
    assert spell.call((made, "describe"))["id"] == "s1"
    later = time.time() + 61
    monkeypatch.setattr("llmspell_std.auth.sessions.time.time", lambda: later)
    assert spell.call((made, "validate")) == {"valid": False, "reason": "the session has expired"}
    spell.call((made, "refresh"), 60)
    assert spell.call((made, "validate"))["valid"] is True
    spell.call((made, "destroy"))
    assert spell.call((made, "validate"))["reason"] == "the session was ended"
    assert spell.fails((made, "refresh")).code == "session_ended"
    assert spell.call("auth.destroy_session", "s1") is True
    assert spell.call("auth.destroy_session", "s1") is False
    assert spell.call("auth.get_session", "s1") is None
    assert spell.call("auth.validate_session", "s1") is False
    assert spell.fails("auth.create_session", config, "x", {"ttl": 0}).code == "invalid_argument"


def test_rules_decide(spell: Any) -> None:
    rules = [
        {"type": "role", "role": "admin"},
        {"type": "role", "role": "editor"},
        {"type": "ip_whitelist", "addresses": ["10.0.0.0/8", "::1"]},
        {"type": "custom", "evaluator": spell.fn(lambda context: context.get("mood") != "bad")},
    ]
    policy = spell.call("auth.create_security_policy", "p", rules)
    good = {"roles": ["editor"], "client_ip": "10.1.2.3"}
    assert spell.call("auth.evaluate_policy", "p", good)["allowed"] is True
    for change, reason in (
        ({"roles": ["guest"]}, "role"), ({"client_ip": "11.0.0.1"}, "ip_whitelist"), ({"mood": "bad"}, "custom"),
    ):  # fmt: skip
        verdict = spell.call((policy, "evaluate"), {**good, **change})
        assert (verdict["allowed"], reason in verdict["reason"]) == (False, True)
    spell.call((policy, "disable"))
    assert spell.call((policy, "evaluate"), {})["allowed"] is True
    spell.call((policy, "enable"))
    spell.call((policy, "update"), [{"type": "permission", "permission": "files.read"}])
    assert spell.call((policy, "evaluate"), {"permissions": ["files.*"]})["allowed"] is True
    assert spell.call("auth.list_policies") == [{"name": "p", "enabled": True, "rules": 1}]
    assert spell.call((policy, "describe"))["name"] == "p"
    assert spell.fails("auth.evaluate_policy", "absent", {}).code == "not_found"
    assert spell.fails("auth.evaluate_rule", {"type": "magic"}, {}).code == "invalid_argument"
    assert spell.fails("auth.evaluate_rule", {"type": "custom"}, {}).code == "invalid_argument"


def test_single_checks(spell: Any) -> None:
    assert spell.call("auth.check_permission", "files.read", ["files.*"]) is True
    assert spell.call("auth.check_permission", "files.read", ["net"]) is False
    assert spell.call("auth.check_role", "admin", ["admin"]) is True
    assert spell.call("auth.check_ip_whitelist", "::1", ["::/64"]) is True
    assert spell.call("auth.check_ip_whitelist", "nonsense", ["0.0.0.0/0"]) is False
    assert spell.fails("auth.check_ip_whitelist", "::1", ["nonsense"]).code == "invalid_argument"
    day = {"start_time": "09:00", "end_time": "17:00"}
    night = {"start_time": "22:00", "end_time": "06:00"}
    noon, midnight = 12 * 3600, 0
    assert spell.call("auth.check_time_constraint", day, noon) is True
    assert spell.call("auth.check_time_constraint", day, midnight) is False
    assert spell.call("auth.check_time_constraint", night, midnight) is True
    assert spell.call("auth.check_time_constraint", night, noon) is False
    assert spell.call("auth.check_time_constraint", {"allowed_hours": [12]}, noon) is True
    assert spell.call("auth.check_time_constraint", {"start_time": "13:00"}, noon) is False
    assert spell.fails("auth.check_time_constraint", {"start_time": "noon"}, noon).code == "invalid_argument"


def test_events_are_kept_and_told(spell: Any, session: Any) -> None:
    heard: list[Any] = []
    number = spell.call("auth.subscribe_to_events", ["login"], spell.fn(lambda event: heard.append(event["metadata"])))
    spell.call("auth.log_event", "login", {"user": "ann"})
    spell.call("auth.log_event", "logout")
    assert heard == [{"user": "ann"}]
    assert [event["type"] for event in spell.call("auth.get_event_history")] == ["login", "logout"]
    assert len(spell.call("auth.get_event_history", "login", 5)) == 1
    assert spell.call("auth.get_event_history", None, 0) == []
    assert ("auth", {"type": "login"}) in session.events
    assert spell.call("auth.unsubscribe", number) is True
    assert spell.call("auth.unsubscribe", number) is False


def test_the_policy_is_told(spells: Any) -> None:
    spell = spells(policy=Policy.strict().grant(bridges=["auth"]))
    assert spell.call("auth.get_security_level") == "strict"
    assert spell.call("auth.get_resource_limits")["time"] == 10
    assert spell.call("auth.get_allowed_libraries") is None
    assert spell.call("auth.is_function_denied", "auth.check_role") is False
    assert spell.call("auth.is_function_denied", "http.get") is True
