"""The providers bridge: a session's own providers, what they may reach, and several as one."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell import Policy
from llmspell.errors import BridgeCallError


def test_kinds_tell_what_they_need(spells: Any) -> None:
    kinds = {kind["kind"]: kind for kind in spells.call("providers.kinds")}
    assert {"openai", "anthropic", "google", "ollama", "openrouter", "compatible", "fake"} <= set(kinds)
    assert kinds["openai"]["variables"]["api_key"] == ["OPENAI_API_KEY"]
    assert kinds["anthropic"]["required"] == ["api_key"]
    assert "tools" in kinds["openai"]["capabilities"]
    assert spells.call("providers.kind", "gemini")["kind"] == "google"


def test_a_scripted_provider_answers_by_its_name(spells: Any) -> None:
    made, first, second, listed = spells.calls(
        ("providers.fake", "mine", ["one", {"text": "two"}]),
        ("llm.complete", "a", {"model": "mine"}),
        ("llm.complete", "b", {"model": "mine:anything"}),
        ("providers.list",),
    )
    assert (made["kind"], made["own"]) == ("fake", True)
    assert (first, second) == ("one", "two")
    assert {"fake", "mine"} <= {provider["name"] for provider in listed}


def test_a_server_of_ones_own_is_asked_when_its_host_is_granted(spells: Any, server: Any) -> None:
    server.answer("from my server")
    spells.policy = Policy.minimal().grant(net={server.address.removeprefix("http://")})
    config = {"kind": "compatible", "base_url": server.base_url, "api_key": "k-1", "model": "m"}
    made, answer, told = spells.calls(
        ("providers.create", "mine", config), ("llm.complete", "Hi", {"model": "mine"}), ("providers.get", "mine")
    )
    assert answer == "from my server"
    assert server.requests[0].headers["authorization"] == "Bearer k-1"
    assert "k-1" not in str(made) + str(told)


def test_a_host_that_is_not_granted_is_refused(spells: Any, server: Any) -> None:
    spells.policy = Policy.standard().narrow(time=60)
    with pytest.raises(BridgeCallError, match="does not allow connecting"):
        spells.call("providers.create", "mine", {"kind": "compatible", "base_url": server.base_url, "model": "m"})
    assert server.requests == []


def test_the_hosts_key_never_goes_to_an_address_of_the_script(spells: Any, server: Any) -> None:
    spells.environ["OPENAI_API_KEY"] = "the-hosts-key"
    spells.policy = Policy.minimal().grant(net={server.address.removeprefix("http://")})
    server.answer("x")
    spells.calls(
        ("providers.create", "mine", {"kind": "openai", "base_url": server.base_url, "model": "m"}),
        ("llm.complete", "Hi", {"model": "mine"}),
    )
    assert "the-hosts-key" not in str(server.requests[0].headers)


def test_a_key_comes_from_a_variable_only_if_it_is_granted(spells: Any) -> None:
    spells.environ["LAB_KEY"] = "secret"
    config = {"kind": "openai", "api_key_variable": "LAB_KEY"}
    spells.policy = Policy.standard().narrow(time=60)
    with pytest.raises(BridgeCallError, match="not granted"):
        spells.call("providers.create", "lab", config)
    spells.policy = Policy.standard().narrow(time=60).grant(secrets={"LAB_KEY"})
    assert spells.call("providers.create", "lab", config)["kind"] == "openai"


def test_keys_are_not_in_the_record(spells: Any) -> None:
    spells.call("providers.create", "mine", {"kind": "openai", "api_key": "very-secret"})
    assert "very-secret" not in str(spells.recorder.records)


def test_a_provider_of_the_environment_can_be_made(spells: Any) -> None:
    spells.environ["ANTHROPIC_API_KEY"] = "k"
    same, named = spells.calls(
        ("providers.from_environment", "anthropic"), ("providers.from_environment", "anthropic", "claude")
    )
    assert (same["name"], named["name"], named["kind"]) == ("anthropic", "claude", "anthropic")
    with pytest.raises(BridgeCallError, match="set OPENAI_API_KEY"):
        spells.call("providers.from_environment", "openai")


@pytest.mark.parametrize("name", ["", "a:b", "a b", "openai", "fake"])
def test_a_name_that_cannot_be_is_refused(spells: Any, name: str) -> None:
    with pytest.raises(BridgeCallError, match=r"no name for a provider|of a provider of the host"):
        spells.call("providers.fake", name, ["x"])


def test_a_name_is_given_once(spells: Any) -> None:
    with pytest.raises(BridgeCallError, match="remove it first"):
        spells.calls(("providers.fake", "mine", []), ("providers.fake", "mine", []))


def test_a_removed_provider_is_gone(spells: Any) -> None:
    with pytest.raises(BridgeCallError, match="no provider 'mine'"):
        spells.calls(
            ("providers.fake", "mine", ["x"]), ("providers.remove", "mine"), ("llm.complete", "a", {"model": "mine:x"})
        )
    with pytest.raises(BridgeCallError, match="no provider named 'nope'"):
        spells.call("providers.remove", "nope")


def test_validate_says_everything_that_is_wrong(spells: Any) -> None:
    good, missing, wrong, unknown = spells.calls(
        ("providers.validate", "openai", {"api_key": "k"}),
        ("providers.validate", "anthropic", {}),
        ("providers.validate", "openai", {"api_key": "k", "colour": "red"}),
        ("providers.validate", "nope", {}),
    )
    assert good == {"valid": True, "errors": []}
    assert missing == {"valid": False, "errors": ["api_key is missing"]}
    assert wrong["errors"] == ["'colour' is not a setting"]
    assert unknown["valid"] is False


def test_test_finds_out_who_answers(spells: Any) -> None:
    spells.environ["LLMSPELL_BASE_URL"] = "http://127.0.0.1:9/v1"
    good, bad = spells.calls(("providers.test", "fake"), ("providers.test", "compatible"))
    assert (good["ok"], good["models"], good["error"]) == (True, ["fake"], None)
    assert (bad["ok"], bad["error"]["code"]) == (False, "connection")


def test_capabilities_can_be_asked_for(spells: Any) -> None:
    capabilities, names = spells.calls(("providers.capabilities", "fake"), ("providers.by_capability", "tools"))
    assert "streaming" in capabilities
    assert "fake" in names


def test_notes_are_kept(spells: Any) -> None:
    _, none, _, notes = spells.calls(
        ("providers.fake", "mine", []),
        ("providers.get_metadata", "mine"),
        ("providers.set_metadata", "mine", {"owner": "me"}),
        ("providers.get_metadata", "mine"),
    )
    assert (none, notes) == ({}, {"owner": "me"})


def test_an_export_holds_no_keys_and_can_be_imported(spells: Any) -> None:
    *_, exported = spells.calls(
        ("providers.create", "mine", {"kind": "openai", "api_key": "very-secret", "model": "m"}),
        ("providers.fake", "script", ["hello"]),
        ("providers.multi", "both", ["script", "fake"], "primary"),
        ("providers.set_metadata", "script", {"a": 1}),
        ("providers.export",),
    )
    assert "very-secret" not in str(exported)
    exported["providers"] = [entry for entry in exported["providers"] if entry["name"] != "mine"]
    names, answer, notes = spells.calls(
        ("providers.import", exported), ("llm.complete", "x", {"model": "both"}), ("providers.get_metadata", "script")
    )
    assert (names, answer, notes) == (["script", "both"], "hello", {"a": 1})


def test_what_is_no_export_is_not_imported(spells: Any) -> None:
    with pytest.raises(BridgeCallError, match="no export of providers"):
        spells.call("providers.import", {"providers": [1]})


def test_primary_asks_the_second_when_the_first_fails(spells: Any) -> None:
    *_, answer, told = spells.calls(
        ("providers.fake", "broken", [{"error": "down", "status": 500}]),
        ("providers.fake", "sound", ["I am here"]),
        ("providers.multi", "both", ["sound", {"provider": "broken", "primary": True}], "primary"),
        ("llm.complete", "x", {"model": "both", "details": True}),
        ("providers.get", "both"),
    )
    assert answer["content"] == "I am here"
    assert answer["provider"] == "sound"
    assert told["providers"] == ["broken", "sound"]


def test_fastest_takes_the_first_answer(spells: Any) -> None:
    *_, answer = spells.calls(
        ("providers.fake", "broken", [{"error": "down", "status": 500}]),
        ("providers.fake", "sound", ["I won"]),
        ("providers.multi", "both", ["broken", "sound"], "fastest"),
        ("llm.complete", "x", {"model": "both"}),
    )
    assert answer == "I won"


def test_consensus_takes_what_most_say(spells: Any) -> None:
    *_, answer = spells.calls(
        ("providers.fake", "a", ["Paris."]),
        ("providers.fake", "b", ["paris"]),
        ("providers.fake", "c", ["Rome"]),
        ("providers.multi", "all", ["a", "b", "c"], "consensus"),
        ("llm.complete", "Capital of France?", {"model": "all", "details": True}),
    )
    assert answer["content"] in ("Paris.", "paris")
    assert answer["usage"]["output_tokens"] == 3, "everybody's usage counts"


def test_without_consensus_there_is_an_error(spells: Any) -> None:
    with pytest.raises(BridgeCallError, match="do not agree"):
        spells.calls(
            ("providers.fake", "a", ["Paris"]),
            ("providers.fake", "b", ["Rome"]),
            ("providers.multi", "all", ["a", "b"], "consensus"),
            ("providers.configure_multi", "all", {"consensus_threshold": 0.9}),
            ("llm.complete", "Capital of France?", {"model": "all"}),
        )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["x", ["fake"], "nope"], "no strategy 'nope'"),
        (["x", [], "primary"], "has no members"),
        (["x", ["fake", "fake"], "primary"], "twice"),
        (["x", ["nope:m"], "primary"], "no provider 'nope'"),
        (["x", [{"provider": "fake", "weight": -1}], "primary"], "negative"),
        (["x", [{"weight": 1}], "primary"], "a member is"),
    ],
)
def test_several_that_make_no_sense_are_refused(spells: Any, args: list[Any], message: str) -> None:
    with pytest.raises(BridgeCallError, match=message):
        spells.call("providers.multi", *args)
