"""Workflows written down as JSON and YAML, and read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import instants_as_text
from llmspell_llm.workflow.drawing import mermaid
from llmspell_llm.workflow.spec import Workflow
from llmspell_llm.yamltext import read_yaml

FORMATS = ("json", "yaml", "mermaid")
MAX_TEXT = 4 * 1024 * 1024


def write(workflow: Workflow, format: str) -> str:
    """Write a workflow down. Functions are told by name only, so such a workflow cannot be read back.

    Raises:
        ArgumentError: There is no such format, or a part cannot be written (bytes).
    """
    if format == "mermaid":
        return mermaid(workflow)
    if format not in FORMATS:
        raise ArgumentError(f"there is no format {format!r}; formats: {', '.join(FORMATS)}", parameter="format")
    value = instants_as_text(workflow.as_value())
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
        if format == "yaml":
            import yaml

            text = yaml.safe_dump(json.loads(text), sort_keys=False, allow_unicode=True)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"workflow {workflow.id!r} cannot be written as {format}: {error}") from error
    return text


def read(text: str, format: str) -> Mapping[str, Any]:
    """Read what :func:`write` wrote as JSON or YAML.

    Raises:
        ArgumentError: It cannot be read, or holds functions, which only a script can give.
    """
    if format not in ("json", "yaml"):
        raise ArgumentError("a workflow is read from json or yaml", parameter="format")
    if len(text) > MAX_TEXT:
        raise ArgumentError(f"a workflow's text has {MAX_TEXT:,} characters at most", parameter="data")
    try:
        value = json.loads(text) if format == "json" else read_yaml(text)
    except RecursionError:
        raise ArgumentError("the text is nested too deeply", parameter="data") from None
    except Exception as error:
        raise ArgumentError(f"this is no {format}: {str(error).splitlines()[0]}", parameter="data") from error
    if not isinstance(value, Mapping) or not isinstance(value.get("id"), str):
        raise ArgumentError("this is no workflow: it has no id", parameter="data")
    if where := _function_in(value, "$"):
        raise ArgumentError(f"the workflow holds a function at {where}, which only a script can give", parameter="data")
    return value


def _function_in(value: Any, path: str) -> str:
    if isinstance(value, Mapping):
        if "$function" in value:
            return path
        return next((found for key, part in value.items() if (found := _function_in(part, f"{path}.{key}"))), "")
    if isinstance(value, list):
        return next((found for i, part in enumerate(value) if (found := _function_in(part, f"{path}[{i}]"))), "")
    return ""
