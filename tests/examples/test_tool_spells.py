"""The example spells with tools, on a model that asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmspell import Host
from llmspell.spell import load_spell
from llmspell.testing import FakeModel, FakeReply, FakeToolCall

SPELLS = Path(__file__).resolve().parents[2] / "examples" / "spells"


def asks(*calls: tuple[str, dict[str, Any]]) -> FakeReply:
    return FakeReply(tool_calls=tuple(FakeToolCall(name, arguments) for name, arguments in calls))


@pytest.mark.parametrize("ending", ["js", "lua", "tengo"])
def test_agent_with_tools(ending: str) -> None:
    model = FakeModel(
        [
            asks(("honey_of_hive", {"hive": "north"}), ("honey_of_hive", {"hive": "moon"})),
            asks(("honey_of_hive", {"hive": "south"})),
            asks(("calculator", {"expression": "12.5 + 9.75"})),
            "Together they give 22.25 kg of honey.",
        ]
    )
    config = {"models": {"default": "fake", "providers": {"fake": {"model": model}}}}
    with Host(config=config) as host, host.session(policy=host.policy("sandbox")) as session:
        result = session.run(load_spell(SPELLS / f"agent-with-tools.{ending}"))
    assert result.value == {
        "answer": "Together they give 22.25 kg of honey.",
        "used": ["honey_of_hive", "honey_of_hive", "honey_of_hive", "calculator"],
        "steps": 4,
    }
    first, north, moon, south, sum_, last = result.output.splitlines()
    assert first == "2 of 2 tests of honey_of_hive pass"
    assert (north, south, sum_) == ("  honey_of_hive -> done", "  honey_of_hive -> done", "  calculator -> done")
    assert "there is no hive moon" in moon
    assert last == "Together they give 22.25 kg of honey."
    told = [message["content"] for message in model.requests[-1].messages if message["role"] == "tool"]
    assert "22.25" in str(told[-1])
