"""Every built-in tool is found, described, and does what its examples say, in every language."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell_llm.structured import Schema
from llmspell_llm.tools.derived import input_of
from llmspell_toolbox.bridge import ToolboxBridge
from llmspell_toolbox.declare import tools_of

TOOLS = {name: (category, details) for name, category, details in tools_of(ToolboxBridge)}
PLAIN = {name for name, (_, details) in TOOLS.items() if not details["permissions"]}


def examples(names: set[str]) -> list[Any]:
    return [
        pytest.param(name, example, id=f"{name}-{example['description'].replace(' ', '-')}")
        for name in sorted(names)
        for example in TOOLS[name][1]["examples"]
    ]


@pytest.mark.parametrize(("name", "example"), examples(PLAIN))
def test_an_example_gives_what_it_says(every: Any, name: str, example: dict[str, Any]) -> None:
    result = every.run(name, **example["parameters"])
    if "result" in example:
        assert result == example["result"]


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_a_tool_tells_all_about_itself(name: str) -> None:
    from llmspell.bridge import exports_of

    category, details = TOOLS[name]
    export = exports_of(ToolboxBridge)[name]
    schema = input_of(export)
    undescribed = [key for key, part in schema["properties"].items() if not part.get("description")]
    assert undescribed == []
    assert details["examples"]
    assert category in details["tags"]
    for example in details["examples"]:
        assert Schema(schema).problems(example["parameters"]) == []
