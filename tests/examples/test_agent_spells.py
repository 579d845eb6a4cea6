"""The example spells with agents, workflows and extraction, in every language, on a model that is told what to say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmspell import Host, RunResult
from llmspell.errors import BridgeCallError
from llmspell.spell import load_spell, named_paths
from llmspell.testing import FakeModel, FakeReply, FakeToolCall

pytest.importorskip("llmspell_llm", reason="llmspell-llm is not installed")

ROOT = Path(__file__).resolve().parents[2]
SPELLS = ROOT / "examples" / "spells"
REVIEWS = ROOT / "examples" / "data" / "reviews.txt"
LANGUAGES = {"lua": "lua", "js": "javascript", "tengo": "tengo"}


def run(fake: FakeModel, name: str, ending: str, params: dict[str, Any], write: Path | None = None) -> RunResult:
    with Host(config={"models": {"default": "fake", "providers": {"fake": {"model": fake}}}}) as host:
        if LANGUAGES[ending] not in host.plugins.engines:
            pytest.skip(f"engine {LANGUAGES[ending]} is not installed")
        spell = load_spell(SPELLS / f"{name}.{ending}")
        kept = [] if write is None else [str(write)]
        policy = host.policy("sandbox").grant(read=[*named_paths(spell.manifest, params), *kept], write=kept)
        with host.session(policy) as session:
            return session.run(spell, params)


@pytest.mark.parametrize("ending", LANGUAGES)
def test_workflow_pipeline(ending: str, tmp_path: Path) -> None:
    """Interrupted at its third review, it judges only what is left when it is started again."""
    fake = FakeModel(default="positive").on("waited three weeks|soup came cold", "negative")
    broken = FakeModel(default="positive").on("waited three weeks", "negative")
    broken.on("harbour tour", FakeReply(failure=RuntimeError("power cut")))
    params = {"file": str(REVIEWS), "count": 4, "checkpoint": str(tmp_path)}
    try:
        value = run(broken, "workflow-pipeline", ending, params, tmp_path).value
    except BridgeCallError as error:
        value = str(error)
    assert "step 'ask' of workflow 'judge' failed" in str(value)  # Tengo's errors are values
    assert len(list(tmp_path.iterdir())) >= 1
    result = run(fake, "workflow-pipeline", ending, params, tmp_path)
    assert result.value == {"counted": {"positive": 2, "negative": 2}, "verdict": "carry on"}
    assert "s2 --> s3" in result.output
    assert len(fake.requests) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", LANGUAGES)
def test_structured_extraction(ending: str) -> None:
    """Each of the four answers is one that happens: good, wrong in form and mended when told, and made up."""
    good = {"sentiment": "positive", "subject": "a quick kettle"}
    fake = FakeModel()
    fake.on("The kettle boils", json.dumps(good))
    fake.on("waited three weeks", "Sorry, negative.")
    fake.on("does not fit", '{"sentiment": "negative", "subject": "dead headphones"}')
    fake.on("harbour tour", '{"sentiment": "positive", "subject": "a dirty cinema"}')
    fake.on("soup came cold", '{"sentiment": "negative", "subject": "Cold soup"}')
    result = run(fake, "structured-extraction", ending, {"file": str(REVIEWS), "count": 4})
    assert [record["subject"] for record in result.value["records"]] == [
        "a quick kettle", "dead headphones", "Cold soup",
    ]  # fmt: skip
    [refused] = result.value["refused"]
    assert refused["why"] == "the text does not speak of that"
    assert "3 records, 1 for a person to look at" in result.output


@pytest.mark.parametrize("ending", LANGUAGES)
def test_agents_hand_off(ending: str) -> None:
    fake = FakeModel(["Good day! A colleague will help.", "billing", "I will change it to 90 euros."])
    value = run(fake, "agents-hand-off", ending, {}).value
    assert value == {
        "desk": "billing",
        "greeting": "Good day! A colleague will help.",
        "reply": "I will change it to 90 euros.",
        "trail": ["front -> billing"],
        "said": 4,
    }
    assert [message["role"] for message in fake.requests[2].messages] == ["system", "user", "assistant", "user"]
    assert "correct invoices" in fake.requests[2].messages[0]["content"]


@pytest.mark.parametrize("ending", LANGUAGES)
def test_research_and_summarize(ending: str) -> None:
    asks = [FakeReply(tool_calls=(FakeToolCall("search", {"query": query}),)) for query in ("refund money", "rude")]
    notes = "Headphones were dead on arrival [2]. The waiter was rude [4]."
    fake = FakeModel([*asks, notes, "Broken goods [2] and a rude waiter [4] annoyed customers; see also [99]."])
    result = run(fake, "research-and-summarize", ending, {"file": str(REVIEWS)})
    assert (result.value["cited"], result.value["missing"], result.value["searches"]) == ([2, 4], [99], 2)
    found = json.loads(fake.requests[1].messages[-1]["content"])
    assert found[0]["number"] == 2
    assert "[4] The soup came cold" in result.output
