"""The modelinfo bridge: what is known of models, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell.errors import BridgeCallError


def test_models_are_listed_with_what_is_known(spells: Any) -> None:
    models = {model["model"]: model for model in spells.call("modelinfo.list", "openai")}
    gpt = models["gpt-4o"]
    assert (gpt["name"], gpt["context_window"], gpt["input_price"], gpt["output_price"]) == (
        "openai:gpt-4o",
        128_000,
        2.5,
        10,
    )
    assert {"tools", "vision", "structured_output", "streaming"} <= set(gpt["capabilities"])


def test_a_model_is_found_by_its_dated_name(spells: Any) -> None:
    found = spells.call("modelinfo.get", "anthropic:claude-haiku-4-5-20251001")
    assert (found["model"], found["context_window"], found["input_price"]) == ("claude-haiku-4-5-20251001", 200_000, 1)


def test_what_no_list_holds_is_unknown_not_zero(spells: Any) -> None:
    found = spells.call("modelinfo.get", "openai:gpt-999-experimental")
    assert (found["context_window"], found["input_price"], found["output_price"]) == (None, None, None)
    local = spells.call("modelinfo.get", "fake")
    assert local["input_price"] is None


def test_models_are_found_by_ability_context_and_price(spells: Any) -> None:
    found = spells.call(
        "modelinfo.find",
        "",
        {
            "providers": ["openai", "anthropic"],
            "capabilities": ["tools"],
            "min_context": 500_000,
            "max_input_price": 1,
            "limit": 5,
        },
    )
    assert 0 < len(found) <= 5
    assert all(model["context_window"] >= 500_000 and model["input_price"] <= 1 for model in found)
    prices = [model["input_price"] + model["output_price"] for model in found]
    assert prices == sorted(prices)


def test_models_are_found_by_name(spells: Any) -> None:
    assert {"anthropic:claude-haiku-4-5"} <= {model["name"] for model in spells.call("modelinfo.find", "haiku-4-5")}


def test_an_unknown_provider_is_said_so(spells: Any) -> None:
    with pytest.raises(BridgeCallError, match="did you mean 'openai'"):
        spells.call("modelinfo.find", "", {"providers": ["opnai"]})


def test_providers_are_listed(spells: Any) -> None:
    spells.environ["ANTHROPIC_API_KEY"] = "k"
    providers = {entry["provider"]: entry for entry in spells.call("modelinfo.providers")}
    assert providers["openai"]["models"] > 50
    assert (providers["anthropic"]["configured"], providers["google"]["configured"]) == (True, False)


def test_costs_are_estimated(spells: Any) -> None:
    text, tokens, unknown, local = spells.calls(
        ("modelinfo.estimate_cost", "openai:gpt-4o-mini", {"text": "x" * 4000, "output_tokens": 100}),
        ("modelinfo.estimate_cost", "openai:gpt-4o-mini", {"input_tokens": 1000, "output_tokens": 100}),
        ("modelinfo.estimate_cost", "openai:nope", {"text": "x"}),
        ("modelinfo.estimate_cost", "local:smollm2-135m", {"text": "x"}),
    )
    assert text["cost"] == tokens["cost"] == pytest.approx(0.00021)
    assert (text["estimated"], tokens["estimated"]) == (True, False)
    assert (unknown["cost"], unknown["known"]) == (None, False)
    assert (local["cost"], local["known"]) == (0, True)
