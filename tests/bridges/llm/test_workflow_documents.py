"""Workflows that are changed, described, checked, kept as templates, written down and read back."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from llmspell.errors import BridgeCallError
from llmspell_llm.workflow.drawing import mermaid
from llmspell_llm.workflow.reading import workflow_from

PROMPT = {"id": "a", "prompt": "Say {{ input }}"}


def test_steps_are_added_moved_changed_and_removed(spells: Any) -> None:
    value = spells.value(
        lua="""local function add(t) return function(x) return x .. t end end
            local function out(...) return workflow.execute("w", "") end
            local seen = {}
            workflow.create("w")
            seen[1] = workflow.add_step("w", {id = "b", ["function"] = add("b")})
            workflow.add_step("w", {id = "a", ["function"] = add("a")}, 1)
            seen[2] = out()
            workflow.move_step("w", "b", 1) seen[3] = out()
            seen[4] = workflow.duplicate_step("w", "b") seen[5] = out()
            workflow.update_step("w", "b_2", {["function"] = add("B"), save = "v"}) seen[6] = out()
            workflow.reorder_steps("w", {"b_2", "a", "b"}) seen[7] = out()
            workflow.remove_step("w", "a") seen[8] = out()
            seen[9] = workflow.get_step("w", "b_2").save
            seen[10] = {}
            for i, s in ipairs(workflow.list_steps("w")) do seen[10][i] = s.id .. ":" .. s.kind end
            return seen""",
        javascript="""const add = t => x => x + t;
            const out = () => workflow.execute("w", "");
            const seen = [];
            await workflow.create("w");
            seen.push(await workflow.addStep("w", {id: "b", function: add("b")}));
            await workflow.addStep("w", {id: "a", function: add("a")}, 1);
            seen.push(await out());
            await workflow.moveStep("w", "b", 1); seen.push(await out());
            seen.push(await workflow.duplicateStep("w", "b")); seen.push(await out());
            await workflow.updateStep("w", "b_2", {function: add("B"), save: "v"}); seen.push(await out());
            await workflow.reorderSteps("w", ["b_2", "a", "b"]); seen.push(await out());
            await workflow.removeStep("w", "a"); seen.push(await out());
            seen.push((await workflow.getStep("w", "b_2")).save);
            seen.push((await workflow.listSteps("w")).map(s => s.id + ":" + s.kind));
            return seen""",
    )
    assert value == ["b", "ab", "ba", "b_2", "bba", "bBa", "Bab", "Bb", "v", ["b_2:function", "b:function"]]


def test_workflows_are_listed_described_and_removed(spells: Any) -> None:
    made = spells.calls(
        ("workflow.create", "a", {"name": "First", "description": "does", "steps": [{"prompt": "Hi"}]}),
        ("workflow.create_workflow", "b", {"type": "parallel"}),
        ("workflow.create_sequential_workflow", "c", {"steps": [{"id": "x", "prompt": "Hi {{ input }}"}]}),
        ("workflow.list",),
        ("workflow.get", "a"),
        ("workflow.execute", "c", "you"),
        ("workflow.status", "c"),
        ("workflow.get_workflow_status", "a"),
        ("workflow.metrics", "c"),
        ("workflow.reset_metrics", "c"),
        ("workflow.metrics", "c"),
        ("workflow.clear_history", "c"),
        ("workflow.history", "c"),
        ("workflow.remove", "a"),
        ("workflow.remove", "a"),
        ("workflow.delete_workflow", "b"),
    )
    assert made[0:2] == ["a", "b"]
    assert (made[2]["type"], made[2]["steps"][0]["target"]) == ("sequential", "Hi {{ input }}")
    assert [each["id"] for each in made[3]] == ["a", "b", "c"]
    assert (made[4]["name"], made[4]["description"], made[4]["status"]) == ("First", "does", "created")
    assert made[5:8] == ["Fine.", "completed", "created"]
    assert (made[8]["execution_count"], made[8]["success_count"], made[8]["average_duration"] > 0) == (1, 1, True)
    assert made[10]["execution_count"] == 0
    assert made[11:] == [1, [], True, False, True]


def test_templates_are_kept_and_filled_in(spells: Any) -> None:
    spells.fake.on("Translate to French: ciel", "sky")
    config = {
        "steps": [{"id": "t", "prompt": "Translate to {{ param.language }}: {{ input }}", "save": "word"}],
        "variables": {"word": ""},
    }
    made = spells.calls(
        ("workflow.create", "translate", config),
        ("workflow.save_as_template", "translate", "translator", "Translates."),
        ("workflow.create_template", "translate", "second"),
        ("workflow.list_templates",),
        ("workflow.get_template", "translator"),
        ("workflow.create_from_template", "translator", "french", {"language": "French"}),
        ("workflow.execute", "french", "ciel"),
        ("workflow.list_variables", "french"),
        ("workflow.remove_template", "second"),
        ("workflow.remove_template", "second"),
    )
    assert made[1:3] == ["translator", "second"]
    assert made[3][0] == {"name": "translator", "description": "Translates.", "type": "sequential", "steps": 1}
    assert made[4]["workflow"]["steps"][0]["id"] == "t"
    assert made[5:] == ["french", "sky", {"word": "sky"}, True, False]


def test_workflows_are_written_down_and_read_back(spells: Any) -> None:
    steps = [{"id": "a", "prompt": "Say {{ input }}"}, {"id": "b", "tool": "none", "retry": 2, "timeout": 5}]
    config = {"type": "sequential", "steps": steps, "on_error": "continue"}
    told = spells.calls(
        ("workflow.create", "w", config),
        ("workflow.export", "w"),
        ("workflow.export", "w", "yaml"),
        ("workflow.export", "w", "mermaid"),
        ("workflow.export_workflow", "w"),
        ("workflow.remove", "w"),
    )
    data = json.loads(told[1])
    assert data == yaml.safe_load(told[2]) == json.loads(told[4])
    assert "s1 --> s2" in told[3]
    again = spells.calls(
        ("workflow.import", told[2], "yaml"),
        ("workflow.export", "w"),
        ("workflow.remove", "w"),
        ("workflow.import_workflow", data),
        ("workflow.get_step", "w", "b"),
    )
    assert again[0] == again[3] == "w"
    assert json.loads(again[1]) == data
    assert (again[4]["retry"]["attempts"], again[4]["timeout"]) == (2, 5)


def test_functions_are_not_written_down(spells: Any) -> None:
    error = spells.failure(
        lua="""workflow.create("w", {steps = {function() return 1 end}})
            local text = workflow.export("w") workflow.remove("w") workflow.import(text)""",
        javascript="""await workflow.create("w", {steps: [() => 1]});
            const text = await workflow.export("w"); await workflow.remove("w"); await workflow.import(text)""",
    )
    assert "a function at $.steps[0].target, which only a script can give" in str(error)


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("sequential", ["start --> s1", "s1 --> s2", "s2 --> finish"]),
        ("parallel", ["start --> s1", "s2 --> finish"]),
        ("conditional", ["start -->|else| s1", "start -->|else| other"]),
        ("loop", ["s2 -->|again| s1"]),
        ("map", ["s2 -->|next item| s1"]),
    ],
)
def test_every_type_is_drawn(kind: str, lines: list[str]) -> None:
    other = {"id": "other", "tool": "t"}
    drawn = mermaid(workflow_from("w", {"type": kind, "steps": [PROMPT, {"agent": "x"}], "otherwise": other}))
    assert [line for line in lines if f"  {line}" not in drawn.split("\n")] == []


def test_a_text_cannot_add_to_a_diagram() -> None:
    hostile = {"id": 'a" ]\n click s1 "javascript:alert(1)"', "prompt": "<script>alert(1)</script>`|{}()#quot;"}
    drawn = mermaid(workflow_from("w", {"name": '"]); x-->y', "steps": [hostile]}))
    labels = re.findall(r'"([^"]*)"', drawn)
    assert len(drawn.split("\n")) == 6
    assert all(re.fullmatch(r"(?:[^<>&#;`{}()|\[\]]|#\d+;)*", label) for label in labels)


def test_a_parameter_of_a_template_is_data(spells: Any) -> None:
    """Whoever fills in a template cannot put a template of their own into it."""
    spells.fake.on("Translate", "done")
    spells.calls(
        ("workflow.create", "t", {"steps": [{"prompt": "Translate to {{ param.to }}: {{ input }}"}]}),
        ("workflow.save_as_template", "t", "t"),
        ("workflow.create_from_template", "t", "w", {"to": "{{ vars.secret }}{% for x in [1] %}"}),
        ("workflow.set_variable", "w", "secret", "hunter2"),
        ("workflow.execute", "w", "{{ vars.secret }}"),
    )
    [request] = spells.fake.requests
    assert request.messages[-1]["content"] == "Translate to {{ vars.secret }}{% for x in [1] %}: {{ vars.secret }}"


def test_a_parameter_names_what_a_step_means(spells: Any) -> None:
    spells.fake.on("x", "said")
    made = spells.calls(
        ("agent.create", "poet", {}),
        ("workflow.create", "t", {"steps": [{"agent": "{{ param.who }}"}]}),
        ("workflow.save_as_template", "t", "t"),
        ("workflow.create_from_template", "t", "w", {"who": "poet"}),
        ("workflow.execute", "w", "x"),
    )
    assert made[-1] == "said"
    with pytest.raises(BridgeCallError, match="needs the parameter 'who'"):
        spells.calls(
            ("workflow.create", "t", {"steps": [{"agent": "{{ param.who }}"}]}),
            ("workflow.save_as_template", "t", "t"),
            ("workflow.create_from_template", "t", "w"),
        )


@pytest.mark.parametrize(
    ("text", "format", "problem"),
    [
        ("{", "json", "this is no json"),
        ("[" * 100_000, "json", "nested too deeply"),
        ("a: &x [1]\nb: *x", "yaml", "aliases"),
        ("!!python/object/apply:os.system [id]", "yaml", "this is no yaml"),
        ("{}", "json", "it has no id"),
        ('{"id": "w", "steps": [{"prompt": 5}]}', "json", "its prompt is a text"),
        ("graph TD", "mermaid", "is read from json or yaml"),
        ("{}", "toml", "there is no format 'toml'"),
    ],
)
def test_a_text_that_is_no_workflow_is_refused(spells: Any, text: str, format: str, problem: str) -> None:
    with pytest.raises(BridgeCallError, match=problem):
        spells.call("workflow.import", text, format)


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"type": "spiral"}, "there is no type of workflow 'spiral'"),
        ({"colour": 1}, "a workflow has no 'colour'"),
        ({"steps": [{"prompt": "a", "tool": "b"}]}, "needs one of"),
        ({"steps": [{"id": "s"}]}, "step 's' needs one of"),
        ({"steps": [{"id": "s", "prompt": "a"}, {"id": "s", "prompt": "b"}]}, "two steps are named 's'"),
        ({"steps": [{"prompt": "a", "retry": 0}]}, "attempts should be a whole number from 1 to 100"),
        ({"steps": [{"prompt": "a", "timeout": -1}]}, "timeout of step 'step1' should be a number"),
        ({"steps": [{"prompt": "a", "on_error": "pray"}]}, "on_error is one of"),
        ({"steps": [{"agent": "nobody"}]}, "nobody"),
        ({"steps": [{"tool": "nothing"}]}, "nothing"),
        ({"steps": [{"workflow": "gone"}]}, "there is no workflow 'gone'"),
        ({"type": "loop", "steps": [{"prompt": "a"}]}, "a loop needs a condition or times"),
        ({"times": -1}, "from 0 to 1,000,000"),
        ({"steps": [{"id": "a/b", "prompt": "a"}]}, "holds no / and no >"),
        ({"steps": [{"prompt": "a", "retry": {"wait": 1}}]}, "retry has no 'wait'"),
        ({}, "without steps"),
    ],
)
def test_what_makes_no_sense_is_told(spells: Any, config: dict[str, Any], problem: str) -> None:
    told = spells.call("workflow.validate", config)
    assert told["valid"] is False
    assert any(problem in error for error in told["errors"]), told["errors"]


def test_what_makes_sense_is_valid(spells: Any) -> None:
    assert spells.call("workflow.validate", {"steps": [{"prompt": "Hi"}]}) == {"valid": True, "errors": []}


def test_a_circle_of_workflows_is_noticed(spells: Any) -> None:
    told = spells.calls(
        ("workflow.create", "a", {"steps": [{"workflow": "b"}]}),
        ("workflow.create", "b", {"steps": [{"workflow": "c"}]}),
        ("workflow.create", "c", {}),
        ("workflow.validate", {"id": "c", "steps": [{"workflow": "a"}]}),
    )
    assert told[3]["errors"] == ["step 'step1': workflow 'a' runs this one again"]


def test_names_are_taken_once_and_unknown_ones_told(spells: Any) -> None:
    with pytest.raises(BridgeCallError, match="there is a workflow 'a' already"):
        spells.calls(("workflow.create", "a"), ("workflow.create", "a"))
    with pytest.raises(BridgeCallError, match="there is no workflow 'b'; workflows: none"):
        spells.call("workflow.execute", "b")
