"""What a server offers, read with suspicion: names, texts and schemas come from somebody else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmspell_llm.mcp.errors import McpError
from llmspell_llm.structured import Schema
from llmspell_llm.structured.schema import SchemaError

MAX_TEXT = 4000
MAX_SCHEMA = 256 * 1024
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool of a server.

    Attributes:
        name: As the server calls it.
        parameters: Of its arguments.
        output: Of its structured result.
        hints: ``readOnlyHint``, ``destructiveHint`` and the like: what the server says of it, and no more than that.
    """

    name: str
    description: str
    parameters: Schema
    output: Schema | None
    hints: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """What must stay the same for the tool to be the same."""
        output = None if self.output is None else self.output.definition
        return json.dumps([self.description, self.parameters.definition, output], sort_keys=True, default=str)


def offer_from(server: str, tool: Any) -> Offer:
    """Read a tool as the library lists it.

    Raises:
        McpError: ``bad_response``: its name or schema cannot be used.
    """
    name = str(tool.name)
    if not name or len(name) > 200:
        raise McpError("a tool has no usable name", server=server, code="bad_response")
    annotations = tool.annotations
    return Offer(
        name,
        str(tool.description or tool.title or name)[:MAX_TEXT],
        _schema(server, name, {"type": "object", **(tool.input_schema or {})}),
        None if tool.output_schema is None else _schema(server, name, tool.output_schema),
        {} if annotations is None else annotations.model_dump(by_alias=True, exclude_none=True),
    )


def _schema(server: str, name: str, definition: Mapping[str, Any]) -> Schema:
    try:
        if len(json.dumps(definition)) > MAX_SCHEMA:
            raise McpError(f"the schema of tool {name!r} is too large", server=server, code="bad_response")
        schema = Schema(definition)
        schema.problems({})  # finds references to elsewhere now, and not when the tool is used
        return schema
    except (SchemaError, RecursionError, ValueError) as error:
        raise McpError(
            f"the schema of tool {name!r} cannot be used: {error}", server=server, code="bad_response"
        ) from None


def local_name(name: str, prefix: str) -> str:
    """Return what a tool is called here.

    Example:
        >>> local_name("repo.search", "github")
        'github_repo_search'
    """
    made = _NO_NAME.sub("_", f"{prefix}_{name}" if prefix else name)
    return (made if made[:1].isalpha() or made[:1] == "_" else f"_{made}")[:64]


def value_of(server: str, name: str, result: Any) -> Any:
    """Return what a tool gave: its structured content, else its text, else its parts.

    Raises:
        McpError: ``tool_failed``: it says so, in its own words.
    """
    parts = [part.model_dump(mode="json", by_alias=True, exclude_none=True) for part in result.content]
    texts = [part["text"] for part in parts if part.get("type") == "text"]
    if result.is_error:
        said = "\n".join(texts)[:MAX_TEXT] or "it does not say why"
        raise McpError(f"tool {name!r} failed: {said}", server=server, code="tool_failed")
    if result.structured_content is not None:
        return result.structured_content
    return "\n".join(texts) if len(texts) == len(parts) else parts
