"""Changing workflows: their steps and their variables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import Call, export
from llmspell_llm.bridges.workflow.base import WorkflowBase
from llmspell_llm.names import snake_keys
from llmspell_llm.workflow import STEP_KINDS, Step
from llmspell_llm.workflow.reading import step_from


class ChangingExports(WorkflowBase):
    """The exports about steps and variables. A run under way goes on with the steps it began with."""

    @export
    def add_step(self, call: Call, id: str, step: Any, position: int | None = None) -> str:
        """Add a step, at the end or before the step at a position (from 1); return its id."""
        steps = list(self.find(call, id).workflow.steps)
        made = step_from(step, _free_name("step", steps, len(steps) + 1))
        steps.insert(len(steps) if position is None else _index(steps, position), made)
        self.change(call, id, steps)
        return made.id

    @export
    def remove_step(self, call: Call, id: str, step: str) -> None:
        """Take a step away."""
        workflow = self.find(call, id).workflow
        workflow.step(step)
        self.change(call, id, [each for each in workflow.steps if each.id != step])

    @export
    def update_step(self, call: Call, id: str, step: str, updates: dict[str, Any]) -> dict[str, Any]:
        """Change a step; what is not named stays. Return all of it."""
        workflow = self.find(call, id).workflow
        old = workflow.step(step)
        changes = snake_keys(updates)
        what = {} if {*STEP_KINDS, "kind"} & set(changes) else {"kind": old.kind, "target": old.target}
        kept = {
            "input": old.input,
            "options": dict(old.options),
            "condition": old.condition,
            "save": old.save,
            "on_error": old.on_error,
            "compensation": old.compensation,
            "timeout": old.timeout,
            "retry": None if old.retry is None else old.retry.as_value(),
        }
        given = {key: value for key, value in {**kept, **what, **changes}.items() if value is not None}
        made = step_from({"id": old.id, **given}, old.id)
        self.change(call, id, [made if each.id == step else each for each in workflow.steps])
        return made.as_value()

    @export
    def get_step(self, call: Call, id: str, step: str) -> dict[str, Any]:
        """Return a step."""
        return self.find(call, id).workflow.step(step).as_value()

    @export
    def list_steps(self, call: Call, id: str) -> list[dict[str, Any]]:
        """Return the steps, in order."""
        return [step.as_value() for step in self.find(call, id).workflow.steps]

    @export
    def move_step(self, call: Call, id: str, step: str, position: int) -> None:
        """Put a step at a position, from 1."""
        workflow = self.find(call, id).workflow
        moved = workflow.step(step)
        rest = [each for each in workflow.steps if each.id != step]
        rest.insert(_index(rest, position), moved)
        self.change(call, id, rest)

    @export
    def duplicate_step(self, call: Call, id: str, step: str, new_id: str | None = None) -> str:
        """Put a copy of a step after it; return the copy's id."""
        steps = list(self.find(call, id).workflow.steps)
        original = self.find(call, id).workflow.step(step)
        copy = replace(original, id=new_id or _free_name(f"{step}_", steps, 2))
        steps.insert(steps.index(original) + 1, copy)
        self.change(call, id, steps)
        return copy.id

    @export
    def reorder_steps(self, call: Call, id: str, order: list[str]) -> None:
        """Put the steps in an order, given by all their ids."""
        workflow = self.find(call, id).workflow
        if sorted(order) != sorted(step.id for step in workflow.steps):
            raise ArgumentError("order should name every step once", parameter="order", position=2)
        self.change(call, id, [workflow.step(each) for each in order])

    @export
    def set_variable(self, call: Call, id: str, name: str, value: Any) -> None:
        """Set a variable that the steps of every run from now on find as ``vars``."""
        self.find(call, id).variables[name] = value

    @export
    def get_variable(self, call: Call, id: str, name: str) -> Any:
        """Return a variable, or nothing."""
        return self.find(call, id).variables.get(name)

    @export
    def list_variables(self, call: Call, id: str) -> dict[str, Any]:
        """Return the variables."""
        return dict(self.find(call, id).variables)

    @export
    def remove_variable(self, call: Call, id: str, name: str) -> bool:
        """Forget a variable; tell whether there was one."""
        variables = self.find(call, id).variables
        there = name in variables
        variables.pop(name, None)
        return there


def _free_name(start: str, steps: list[Step], number: int) -> str:
    taken = {step.id for step in steps}
    while f"{start}{number}" in taken:
        number += 1
    return f"{start}{number}"


def _index(steps: list[Step], position: int) -> int:
    if not 1 <= position <= len(steps) + 1:
        raise ArgumentError(f"position should be 1 to {len(steps) + 1}", parameter="position")
    return position - 1
