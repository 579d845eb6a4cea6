"""Workflows as diagrams: Mermaid flowcharts."""

from __future__ import annotations

import itertools

from llmspell_llm.workflow.spec import Step, Workflow

_ENTITIES = {**{c: f"#{ord(c)};" for c in '"<>&#;`[]{}()|\\'}, "\n": " "}
_LABEL = 60


def mermaid(workflow: Workflow) -> str:
    """Draw a workflow as a Mermaid flowchart.

    Texts of the script stand in it as quoted labels with every character that means something to Mermaid or HTML
    escaped, so that they cannot add to the diagram.

    Example:
        >>> print(mermaid(Workflow("w", steps=(Step("a", "tool", "add"),))))
        flowchart TD
          start(["w"])
          finish(["end"])
          s1["a: tool add"]
          start --> s1
          s1 --> finish
    """
    lines = ["flowchart TD", f"  start([{_label(workflow.name or workflow.id)}])", '  finish(["end"])']
    names = {step.id: f"s{number}" for number, step in enumerate(workflow.steps, 1)}
    lines += [f"  {names[step.id]}[{_told(step)}]" for step in workflow.steps]
    if workflow.otherwise is not None:
        lines.append(f"  other[{_told(workflow.otherwise)}]")
    return "\n".join(lines + [f"  {arrow}" for arrow in _arrows(workflow, list(names.values()))])


def _arrows(workflow: Workflow, names: list[str]) -> list[str]:
    match workflow.kind:
        case "parallel":
            return [arrow for name in names for arrow in (f"start --> {name}", f"{name} --> finish")]
        case "conditional":
            words = ["if" if step.condition is not None else "else" for step in workflow.steps]
            ways = list(zip(words, names, strict=True))
            if workflow.otherwise is not None:
                ways.append(("else", "other"))
            return [arrow for word, name in ways for arrow in (f"start -->|{word}| {name}", f"{name} --> finish")]
    arrows = [
        f"{a} -->|if| {b}" if optional else f"{a} --> {b}"
        for (a, b), optional in zip(
            itertools.pairwise(["start", *names, "finish"]),
            [*(step.condition is not None for step in workflow.steps), False],
            strict=True,
        )
    ]
    word = {"loop": "again", "map": "next item", "reduce": "next item"}.get(workflow.kind)
    return [*arrows, f"{names[-1]} -->|{word}| {names[0]}"] if names and word else arrows


def _told(step: Step) -> str:
    target = step.target if isinstance(step.target, str) else getattr(step.target, "name", "") or ""
    target = getattr(step.target, "agent_name", target)
    return _label(f"{step.id}: {step.kind} {target}".strip())


def _label(text: str) -> str:
    short = " ".join(text.split())
    short = short if len(short) <= _LABEL else f"{short[: _LABEL - 3]}..."
    return '"' + "".join(_ENTITIES.get(c, c) for c in short) + '"'
