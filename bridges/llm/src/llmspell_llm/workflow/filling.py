"""Data with templates in it, filled in with what a run knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmspell.errors import BridgeError
from llmspell_llm.llm.prompts import TemplateError, render


def filled(given: Any, context: Mapping[str, Any]) -> Any:
    """Return data in which every text was filled in as a template.

    A text that is nothing but one name (``{{ steps.first }}``) becomes what the name means, not its text. What is put
    in is data: braces in it mean nothing.

    Raises:
        TemplateError: A template cannot be filled in.

    Example:
        >>> filled({"who": "{{ input }}", "n": "{{ steps.count }}"}, {"input": "{{ x }}", "steps": {"count": 3}})
        {'who': '{{ x }}', 'n': 3}
    """
    if isinstance(given, str):
        path = only_name(given)
        if path:
            return _at(context, path)
        return render(given, context) if "{{" in given or "{%" in given else given
    if isinstance(given, Mapping):
        return {key: filled(part, context) for key, part in given.items()}
    if isinstance(given, list):
        return [filled(part, context) for part in given]
    return given


def only_name(text: str) -> tuple[str, ...]:
    """Return the name a template consists of, by its parts; nothing if it is more than one name.

    Example:
        >>> only_name("{{ steps.first.2 }}"), only_name("Dear {{ name }}")
        (('steps', 'first', '2'), ())
    """
    text = text.strip()
    if not (text.startswith("{{") and text.endswith("}}") and text.count("{{") == 1):
        return ()
    parts = tuple(text[2:-2].strip().split("."))
    return parts if all(part.isidentifier() or part.isdecimal() for part in parts) else ()


def _at(context: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = context
    for part in path:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and 0 < int(part) <= len(value):
            value = value[int(part) - 1]
        else:
            raise TemplateError(f"there is no {'.'.join(path)!r} here")
    return value


def said(error: BaseException) -> str:
    """Return what an error says to people."""
    return error.message if isinstance(error, BridgeError) else str(error) or type(error).__name__
