"""``Tool``: a function with a name, a schema and what people and models should know of it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmspell.errors import BridgeError
from llmspell.plugin import Call
from llmspell_llm.structured import Problem, Schema

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")

Function = Callable[[Call, dict[str, Any]], Awaitable[Any]]
"""What a tool does: gets the call it serves and the checked parameters."""


class ToolError(BridgeError):
    """A tool cannot be made, found or run, or did not do what it promised.

    Attributes:
        tool: Its name.
        problems: What of its input or output does not fit, if that is why.
    """

    code = "tool"

    def __init__(self, message: str, *, tool: str = "", code: str | None = None, problems: list[Problem] | None = None):
        found = [{"path": problem.path, "message": problem.message} for problem in problems or ()]
        super().__init__(message, code=code, details={"tool": tool, "errors": found})
        self.tool = tool
        self.problems = problems or []


@dataclass(frozen=True, slots=True)
class Example:
    """How a tool is used: a description, parameters, and what comes of it."""

    description: str
    parameters: Mapping[str, Any]
    result: Any = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that models may ask for.

    Attributes:
        parameters: Schema of its parameters; the root is an object.
        output: Schema of its result, checked where given.
        source: ``script``, ``bridge``, ``mcp`` or ``agent``: where it comes from.
        permissions: What it needs of the policy, for people: ``("read",)``.
        resources: What it uses: ``memory``, ``network``, ``filesystem``, ``concurrency``, each ``none`` to ``high``.
        deterministic: The same parameters give the same result.
        destructive: It changes or removes something that cannot be brought back.
        requires_approval: A person must agree to every single use.
        timeout: Seconds it may take; None for no limit of its own.
    """

    name: str
    description: str
    parameters: Schema
    function: Function
    output: Schema | None = None
    category: str = "custom"
    tags: tuple[str, ...] = ()
    version: str = "1.0.0"
    source: str = "script"
    permissions: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    constraints: tuple[str, ...] = ()
    resources: Mapping[str, str] = field(default_factory=dict)
    usage: str = ""
    deterministic: bool = True
    destructive: bool = False
    requires_approval: bool = False
    deprecated: bool = False
    experimental: bool = False
    timeout: float | None = None

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ToolError(f"{self.name!r} is no name for a tool: letters, digits, '_' and '-', at most 64")

    @property
    def schema(self) -> dict[str, Any]:
        """Its parameters as a JSON Schema, as models take it."""
        definition = self.parameters.definition
        found = dict(definition) if isinstance(definition, Mapping) else {}
        return {"type": "object", "properties": {}, **found}

    def summary(self) -> dict[str, Any]:
        """Return the line of a list."""
        return {
            "name": self.name,
            "description": self.description,
            "category": self.category,
            "tags": list(self.tags),
            "version": self.version,
            "source": self.source,
            "deprecated": self.deprecated,
            "experimental": self.experimental,
        }

    def details(self) -> dict[str, Any]:
        """Return all there is to know."""
        return {
            **self.summary(),
            "usage": self.usage,
            "parameters": self.schema,
            "output": None if self.output is None else self.output.definition,
            "permissions": list(self.permissions),
            "examples": [
                {"description": e.description, "parameters": dict(e.parameters), "result": e.result}
                for e in self.examples
            ],
            "constraints": list(self.constraints),
            "resources": dict(self.resources),
            "deterministic": self.deterministic,
            "destructive": self.destructive,
            "requires_approval": self.requires_approval,
            "timeout": self.timeout,
        }
