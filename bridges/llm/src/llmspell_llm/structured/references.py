"""What a schema refers to, followed when it is made: none is found broken after a model was paid for an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class BrokenReference(Exception):
    """A schema refers to what is not there, or names it in no way that could be followed."""

    def __init__(self, reference: str) -> None:
        super().__init__(reference)
        self.reference = reference


def follow_all(definition: Any, check: Callable[[Any, str], None]) -> None:
    """Follow every reference of a schema, and those of what they refer to.

    A part with an ``$id`` of its own begins a document within, as it does when values are checked. What stands in a
    place where no schema is expected is data, unless something refers to it.

    Args:
        definition: What is known to be a schema (draft 2020-12).
        check: Raises for what is none; called with what is referred to in a place where none is expected, and with the
            reference.

    Raises:
        BrokenReference: One leads nowhere.

    Example:
        >>> follow_all({"items": {"$id": "https://example.org/item", "$ref": "#/$defs/name"}}, print)
        Traceback (most recent call last):
        ...
        llmspell_llm.structured.references.BrokenReference: #/$defs/name
    """
    from jsonschema_specifications import REGISTRY
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    seen: set[int] = set()
    references: list[tuple[str, Any]] = []

    def visit(resource: Any, resolver: Any) -> None:
        waiting = [(resource, resolver)]
        while waiting:
            resource, resolver = waiting.pop()
            part = resource.contents
            if isinstance(part, Mapping) and id(part) not in seen:
                seen.add(id(part))
                references.extend((part[key], resolver) for key in ("$ref", "$dynamicRef") if key in part)
                waiting += [(inner, resolver.in_subresource(inner)) for inner in resource.subresources()]

    root = DRAFT202012.create_resource(definition)
    base = root.id() or ""
    known = REGISTRY.with_resource(base, root).crawl()  # once: a lookup in what was not crawled crawls all of it
    visit(root, known.resolver(base))
    while references:
        reference, resolver = references.pop()
        try:
            found = resolver.lookup(reference)
        except (Unresolvable, ValueError) as error:  # a pointer's index that is no number, an address that is none
            raise BrokenReference(reference) from error
        if id(found.contents) not in seen and not isinstance(found.contents, bool):
            check(found.contents, reference)
            visit(DRAFT202012.create_resource(found.contents), found.resolver)
