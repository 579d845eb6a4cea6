"""The embedded model as a provider: what it serves, when it loads, and how it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from llmspell_llm.providers import Endpoint, ProviderConfig
from llmspell_local import LocalModelError, WeightsError
from llmspell_local.provider import LOCAL, LocalProvider
from llmspell_local.weights import DEFAULT_MODEL


def provider(environ: dict[str, str] | None = None, **options: Any) -> LocalProvider:
    return LocalProvider(ProviderConfig("local", environ=environ or {}, options=options))


def test_it_serves_the_known_model_on_loopback(weights: Path) -> None:
    async def main() -> tuple[Endpoint, Endpoint, int | None]:
        local = provider(context=512, slots=1)
        try:
            first, second = await asyncio.gather(local.endpoint(), local.endpoint(DEFAULT_MODEL))
            return first, second, await local.count_tokens("hello world", DEFAULT_MODEL)
        finally:
            await local.close()

    first, second, tokens = asyncio.run(main())
    assert first == second, "one model is one server"
    assert str(first.base_url).startswith("http://127.0.0.1:")
    assert (first.dialect, first.direct) == ("llama.cpp", True)
    assert tokens == 2
    assert str(first.api_key) not in repr(first)


def test_a_file_of_the_users_own_is_the_default_model(weights: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    mine.symlink_to(weights)

    async def main() -> tuple[str | None, str | None, list[str]]:
        local = provider({"LLMSPELL_LOCAL_MODEL": str(mine)}, context=512, slots=1)
        try:
            return local.default_model, (await local.endpoint()).base_url, await local.models()
        finally:
            await local.close()

    default, address, names = asyncio.run(main())
    assert default == "mine"
    assert address is not None
    assert names[0] == "mine"


def test_a_named_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    local = provider({"LLMSPELL_LOCAL_MODEL": str(tmp_path / "absent.gguf")})
    with pytest.raises(WeightsError, match="which is not there"):
        asyncio.run(local.endpoint())


@pytest.mark.parametrize("name", ["nope", "../../etc/passwd", ""])
def test_a_model_that_is_not_there_is_said_so(name: str, tmp_path: Path) -> None:
    local = provider({"LLMSPELL_MODELS_DIR": str(tmp_path)})
    if not name:
        local.default_model = "nope"
    with pytest.raises(WeightsError, match=r"no model|no name for a model"):
        asyncio.run(local.endpoint(name))


def test_nothing_starts_after_close() -> None:
    local = provider()
    local.stop()
    with pytest.raises(LocalModelError, match="stopped together with its host"):
        asyncio.run(local.endpoint())


def test_threads_that_do_not_exist_are_refused() -> None:
    with pytest.raises(LocalModelError, match="threads must be between"):
        provider(threads=10_000)


@pytest.mark.parametrize("options", [{"slots": "many"}, {"context": []}, {"slots": 0}, {"context": -5}])
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(LocalModelError, match=r"whole numbers|at least 1"):
        provider(**options)


def test_options_come_from_the_environment_too() -> None:
    found = LOCAL.from_environment({"LLMSPELL_LOCAL_SLOTS": "2", "LLMSPELL_LOCAL_CONTEXT": "1024"})
    assert found.options == {"slots": "2", "context": "1024"}
    assert LocalProvider(found)._options.slots == 2


def test_it_needs_no_configuration_and_costs_nothing() -> None:
    assert LOCAL.missing(LOCAL.from_environment({})) == []
    assert provider().free
