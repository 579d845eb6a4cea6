"""Answers that have a shape: JSON Schemas, constraints on answers, and reading what a model wrote.

May import ``errors`` and ``conversation``. Loads ``jsonschema`` on first use only.
"""

from llmspell_llm.structured.combine import diff_schemas, merge_schemas
from llmspell_llm.structured.constraint import Choices, Constraint, Mismatch, Shape
from llmspell_llm.structured.infer import expand, infer_schema
from llmspell_llm.structured.reading import read_json
from llmspell_llm.structured.registry import SchemaRegistry
from llmspell_llm.structured.schema import Problem, Schema, SchemaError

__all__ = [
    "Choices",
    "Constraint",
    "Mismatch",
    "Problem",
    "Schema",
    "SchemaError",
    "SchemaRegistry",
    "Shape",
    "diff_schemas",
    "expand",
    "infer_schema",
    "merge_schemas",
    "read_json",
]
