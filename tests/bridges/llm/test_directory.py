"""Which provider and model a name means."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell.errors import ConfigError
from llmspell_llm.errors import ModelUnknownError
from llmspell_llm.providers import BUILT_IN, Directory, ProviderKind

KINDS = {name: kind for kind in BUILT_IN for name in (*kind.aliases, kind.name)}
LOCAL = ProviderKind("local", "here", "llama.cpp", default_model="tiny", rank=900)


def directory(environ: dict[str, str] | None = None, **more: Any) -> Directory:
    return Directory(environ or {}, kinds={**KINDS, "local": LOCAL}, **more)


def named(found: Directory, name: str | None = None) -> tuple[str, str | None]:
    resolved = found.resolve(name)
    return resolved.provider.name, resolved.model


def test_with_no_key_the_embedded_model_is_meant() -> None:
    assert named(directory()) == ("local", None)
    assert directory().resolve().provider.default_model == "tiny"


@pytest.mark.parametrize(
    ("environ", "provider"),
    [
        ({"OPENAI_API_KEY": "k"}, "openai"),
        ({"ANTHROPIC_API_KEY": "k"}, "anthropic"),
        ({"GEMINI_API_KEY": "k"}, "google"),
        ({"GOOGLE_API_KEY": "k"}, "google"),
        ({"OPENROUTER_API_KEY": "k"}, "openrouter"),
        ({"OLLAMA_BASE_URL": "http://127.0.0.1:11434"}, "ollama"),
        ({"OLLAMA_HOST": "127.0.0.1:11434"}, "ollama"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1"}, "openai"),
        ({"LLMSPELL_BASE_URL": "http://127.0.0.1:8000/v1", "OPENAI_API_KEY": "k"}, "compatible"),
        ({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}, "openai"),
        ({"OPENAI_API_KEY": "  "}, "local"),
    ],
)
def test_the_environment_decides_who_is_asked(environ: dict[str, str], provider: str) -> None:
    assert named(directory(environ))[0] == provider


def test_a_name_says_provider_and_model() -> None:
    found = directory({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"})
    assert named(found, "anthropic:claude-x") == ("anthropic", "claude-x")
    assert named(found, "anthropic") == ("anthropic", None)
    assert named(found, "ollama:llama3:8b" if "OLLAMA_BASE_URL" in found.environ else "openai:a:b") == ("openai", "a:b")


def test_an_alias_of_a_kind_is_the_kind() -> None:
    found = directory({"GEMINI_API_KEY": "k"})
    assert found.provider("gemini") is found.provider("google")


def test_a_bare_model_name_finds_its_configured_provider() -> None:
    assert named(directory({"OPENAI_API_KEY": "k"}), "gpt-4o") == ("openai", "gpt-4o")
    with pytest.raises(ModelUnknownError, match="no configured provider is known to serve a model 'gpt-4o'"):
        directory().resolve("gpt-4o")


def test_a_provider_without_its_key_says_which_variable_to_set() -> None:
    with pytest.raises(ModelUnknownError, match="provider 'openai' is not configured") as caught:
        directory().resolve("openai:gpt-4o")
    assert caught.value.hint == "set OPENAI_API_KEY"


def test_an_unknown_provider_gets_the_nearest_name() -> None:
    with pytest.raises(ModelUnknownError, match="no provider 'opnai'") as caught:
        directory().resolve("opnai:x")
    assert "did you mean 'openai'?" in str(caught.value.hint)


def test_the_default_comes_from_settings_then_the_environment() -> None:
    environ = {"OPENAI_API_KEY": "k", "LLMSPELL_MODEL": "openai:from-environment"}
    assert named(directory(environ)) == ("openai", "from-environment")
    assert named(directory(environ, default="openai:from-settings")) == ("openai", "from-settings")


def test_aliases_stand_for_models() -> None:
    found = directory({"OPENAI_API_KEY": "k"}, aliases={"small": "openai:gpt-4o-mini"})
    assert named(found, "small") == ("openai", "gpt-4o-mini")


def test_configured_providers_go_by_their_own_names() -> None:
    found = directory(
        {"LAB_KEY": "secret"},
        settings={
            "lab": {"kind": "compatible", "base_url": "http://lab/v1", "api_key_variable": "LAB_KEY", "model": "m"}
        },
    )
    assert named(found, "lab") == ("lab", None)
    assert found.provider("lab").default_model == "m"
    assert "lab" in found.configured()


def test_a_setting_that_is_not_a_text_is_refused() -> None:
    with pytest.raises(ConfigError, match="provider 'openai': base_url should be a text"):
        directory({"OPENAI_API_KEY": "k"}, settings={"openai": {"base_url": 3}}).provider("openai")
    with pytest.raises(ConfigError, match="environment variable NOPE is not set"):
        directory(settings={"openai": {"api_key_variable": "NOPE"}}).provider("openai")


async def _endpoint(found: Directory, name: str) -> Any:
    return await found.provider(name).endpoint()


def test_a_server_behind_openais_variable_is_not_taken_for_openai() -> None:
    import asyncio

    mine = directory({"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1"})
    endpoint = asyncio.run(_endpoint(mine, "openai"))
    assert (endpoint.dialect, endpoint.direct) == ("compatible", True)
    assert mine.provider("openai").default_model is None
    assert mine.provider("openai").prices is None
    theirs = directory({"OPENAI_BASE_URL": "https://eu.api.openai.com/v1", "OPENAI_API_KEY": "k"})
    assert asyncio.run(_endpoint(theirs, "openai")).dialect == "openai"


def test_ollamas_address_is_completed() -> None:
    import asyncio

    for given in ("127.0.0.1:11434", "http://127.0.0.1:11434", "http://127.0.0.1:11434/v1/"):
        endpoint = asyncio.run(_endpoint(directory({"OLLAMA_HOST": given}), "ollama"))
        assert endpoint.base_url.rstrip("/") == "http://127.0.0.1:11434/v1"


def test_a_key_is_not_shown() -> None:
    import asyncio

    found = directory({"OPENAI_API_KEY": "very-secret"})
    assert "very-secret" not in repr(asyncio.run(_endpoint(found, "openai")))


def test_a_sessions_directory_stands_on_the_hosts() -> None:
    host = directory({"OPENAI_API_KEY": "k"})
    session = Directory(parent=host)
    assert session.provider("openai") is host.provider("openai")
    session.make("mine", session.kind("compatible"), {"base_url": "http://mine/v1"})
    assert named(session, "mine:x") == ("mine", "x")
    with pytest.raises(ModelUnknownError):
        host.resolve("mine:x")


def test_nothing_to_ask_is_said_with_what_to_do() -> None:
    with pytest.raises(ModelUnknownError, match="there is no model to ask") as caught:
        Directory({}, kinds=KINDS).resolve()
    assert "pip install llmspell-local" in str(caught.value.hint)


def test_the_installed_kinds_are_found() -> None:
    kinds = Directory({}).kinds
    assert {"openai", "anthropic", "google", "ollama", "openrouter", "compatible", "fake"} <= set(kinds)
