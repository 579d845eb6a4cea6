"""XML: read without document types and entities, queried by the XPath that ElementTree knows."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from llmspell.plugin import BridgeError
from llmspell_std.data import formats
from llmspell_toolbox.patience import patient

MAX_TEXT = 2 * 1024 * 1024
MAX_PATH = 500
MAX_MATCHES = 10_000


def parsed(text: str) -> Any:
    """Return the root element.

    Raises:
        BridgeError: ``invalid_xml``, with line and column; also for document types and entities, which bombs are
            made of; ``too_large``.
    """
    from defusedxml import DefusedXmlException
    from defusedxml import ElementTree as Tree

    if len(text) > MAX_TEXT:
        raise BridgeError(f"the text is longer than {MAX_TEXT:,} characters", code="too_large")
    try:
        return Tree.fromstring(text, forbid_dtd=True)
    except Tree.ParseError as error:
        line, column = error.position
        reason = str(error).partition(":")[0]
        raise BridgeError(
            f"the text is not XML: {reason} (line {line}, column {column + 1})",
            code="invalid_xml",
            details={"line": line, "column": column + 1},
        ) from None
    except (DefusedXmlException, ValueError):
        raise BridgeError("the text is not XML: document types and entities are refused", code="invalid_xml") from None


def table(text: str) -> Any:
    """Return XML as tables: attributes are ``@name``, text beside them ``#text``, repeated children a list."""
    return formats.read(text, "xml")


def selected(root: Any, path: str, namespaces: Mapping[str, str]) -> list[Any]:
    """Return the elements that a path selects.

    Raises:
        BridgeError: ``invalid_path``; ``too_slow``; ``too_large``.
    """
    if len(path) > MAX_PATH:
        raise BridgeError(f"a path has at most {MAX_PATH} characters", code="invalid_path")
    relative = f".{path}" if path.startswith("//") else path.removeprefix("/") or "."
    try:
        with patient("selecting"):
            found = list(islice(root.iterfind(relative, dict(namespaces)), MAX_MATCHES + 1))
    except (SyntaxError, KeyError, ValueError, TypeError) as error:  # TypeError: it calls what is no part of a path
        reason = "it cannot be read" if isinstance(error, TypeError) else str(error)
        raise BridgeError(f"the path {path!r} cannot be used: {reason}", code="invalid_path") from None
    if len(found) > MAX_MATCHES:
        raise BridgeError(f"the path selects more than {MAX_MATCHES:,} elements", code="too_large")
    return found


def element(found: Any) -> dict[str, Any]:
    """Return what is known of an element: ``{tag, text, attributes}``."""
    with patient("reading"):
        return {"tag": found.tag, "text": "".join(found.itertext()).strip(), "attributes": dict(found.attrib)}


def record(found: Any, mapping: Mapping[str, str], namespaces: Mapping[str, str]) -> dict[str, Any]:
    """Return a table by name: the text of what each path selects below an element, or ``@name`` an attribute."""
    made: dict[str, Any] = {}
    for name, path in mapping.items():
        where, _, attribute = path.partition("@")
        where = where.rstrip("/") or "."
        below = found if where == "." else next(iter(selected(found, where, namespaces)), None)
        if below is None:
            made[name] = None
        else:
            made[name] = below.get(attribute) if attribute else "".join(below.itertext()).strip()
    return made
