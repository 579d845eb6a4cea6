"""Workflows as templates and as documents."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import Call, export
from llmspell_llm.bridges.aliases import also
from llmspell_llm.bridges.workflow.base import MAX_WORKFLOWS, WorkflowBase
from llmspell_llm.workflow import Step, Workflow, WorkflowError
from llmspell_llm.workflow.documents import FORMATS, read, write
from llmspell_llm.workflow.filling import only_name


class WritingExports(WorkflowBase):
    """The exports about templates, exporting and importing."""

    @export
    def save_as_template(self, call: Call, id: str, name: str, description: str = "") -> str:
        """Keep a workflow as a template; return the template's name.

        Texts in it may hold ``{{ param.NAME }}``, which ``create_from_template`` gives a meaning.
        """
        if len(self.templates.all(call)) >= MAX_WORKFLOWS:
            raise WorkflowError(f"there are {MAX_WORKFLOWS:,} templates already; remove some", code="too_many")
        workflow = self.find(call, id).workflow
        self.templates.add(call, name, {"description": description, "workflow": workflow})
        return name

    create_template = also(save_as_template, "create_template")

    @export
    def list_templates(self, call: Call) -> list[dict[str, Any]]:
        """List the templates: ``{name, description, type, steps}`` each."""
        return [_brief(name, template) for name, template in self.templates.all(call).items()]

    @export
    def get_template(self, call: Call, name: str) -> dict[str, Any]:
        """Return a template: ``{name, description, type, steps, workflow}``."""
        template = self._template(call, name)
        return {**_brief(name, template), "workflow": template["workflow"].as_value()}

    @export
    def remove_template(self, call: Call, name: str) -> bool:
        """Forget a template; tell whether there was one."""
        return self.templates.remove(call, name) is not None

    @export
    def create_from_template(self, call: Call, name: str, id: str, parameters: dict[str, Any] | None = None) -> str:
        """Make a workflow of a template.

        Args:
            name: The template.
            id: The new workflow's id.
            parameters: What ``{{ param.NAME }}`` means in its prompts and inputs, and which agent, tool, workflow or
                spell a step means whose target is that and nothing else. They are data: a template in them stays text.
        """
        workflow: Workflow = self._template(call, name)["workflow"]
        given = {**workflow.parameters, **(parameters or {})}
        steps = tuple(_aimed(step, given) for step in workflow.steps)
        other = None if workflow.otherwise is None else _aimed(workflow.otherwise, given)
        self.keep(call, replace(workflow, id=id, name=id, steps=steps, otherwise=other, parameters=given))
        return id

    def _template(self, call: Call, name: str) -> dict[str, Any]:
        found = self.templates.find(call, name)
        if found is None:
            known = ", ".join(self.templates.all(call)) or "none"
            raise WorkflowError(f"there is no template {name!r}; templates: {known}", code="not_found")
        return found

    @export(name="export")
    def export_(self, call: Call, id: str, format: str = "json") -> str:
        """Write a workflow down: ``json``, ``yaml`` or ``mermaid`` (a diagram). Functions are told by name only."""
        return write(self.find(call, id).workflow, format)

    export_workflow = also(export_, "export_workflow")

    @export(name="import")
    def import_(self, call: Call, data: str | dict[str, Any], format: str = "json") -> str:
        """Make a workflow of what ``export`` or ``get`` gave; return its id. A text may hold no functions."""
        if format not in FORMATS:
            raise ArgumentError(f"there is no format {format!r}; formats: json, yaml", parameter="format", position=2)
        told = dict(read(data, format)) if isinstance(data, str) else dict(data)
        told.pop("status", None)
        id = told.pop("id", None)
        if not isinstance(id, str):
            raise ArgumentError("this is no workflow: it has no id", parameter="data", position=1)
        self.make(call, id, told)
        return id

    import_workflow = also(import_, "import_workflow")


def _brief(name: str, template: dict[str, Any]) -> dict[str, Any]:
    workflow: Workflow = template["workflow"]
    return {
        "name": name,
        "description": template["description"],
        "type": workflow.kind,
        "steps": len(workflow.steps),
    }


def _aimed(step: Step, parameters: dict[str, Any]) -> Step:
    """Give a step the target a parameter names; a prompt keeps its template, which is filled in when it is run."""
    if step.kind == "prompt" or not isinstance(step.target, str):
        return step
    path = only_name(step.target)
    if len(path) != 2 or path[0] != "param":
        return step
    if path[1] not in parameters:
        raise ArgumentError(f"step {step.id!r} needs the parameter {path[1]!r}", parameter="parameters", position=3)
    return replace(step, target=parameters[path[1]])
