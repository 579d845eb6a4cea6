"""Other formats than JSON: YAML, TOML, CSV and XML, from hostile hands."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Callable
from typing import Any

from llmspell.plugin import BridgeError, Value, instants_as_text
from llmspell_std.data import jsontext

MAX_TEXT = 4 * 1024 * 1024
"""Longest text that is read as YAML, TOML, CSV or XML: their parsers are slow."""

_MAX_DEPTH = 100


def read(text: str, form: str) -> Any:
    """Read a text of a format.

    Raises:
        BridgeError: ``invalid_<format>``; ``unknown_format``; ``too_large``.
    """
    if form == "json":
        return jsontext.parse(text)
    reader = _READERS.get(form)
    if reader is None:
        raise _unknown(form, ("json", *_READERS))
    if len(text) > MAX_TEXT:
        raise BridgeError(f"the text is longer than the {MAX_TEXT:,} characters that {form} may have", code="too_large")
    try:
        return reader(text)
    except RecursionError:
        raise BridgeError(f"the {form} text is nested too deep", code=f"invalid_{form}") from None


def write(value: Value, form: str, *, pretty: bool = False) -> str:
    """Write a value in a format.

    Raises:
        BridgeError: ``unknown_format``; ``not_<format>``: the value has no such form.
    """
    if form == "json":
        return jsontext.write(value, indent=2 if pretty else None)
    writer = _WRITERS.get(form)
    if writer is None:
        raise _unknown(form, ("json", *_WRITERS))
    jsontext.write(value)
    return writer(value)


def _unknown(form: str, known: tuple[str, ...]) -> BridgeError:
    return BridgeError(f"the format {form!r} is not known here; there are {', '.join(known)}", code="unknown_format")


def _bad(form: str, reason: str) -> BridgeError:
    return BridgeError(f"the text is not {form.upper()}: {reason}", code=f"invalid_{form}")


def _read_yaml(text: str) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """Without anchors: a few lines of them can stand for gigabytes."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            if isinstance(event, yaml.AliasEvent):
                raise yaml.MarkedYAMLError(problem="aliases (*name) are refused", problem_mark=self.get_mark())
            return super().compose_node(parent, index)

    try:
        return yaml.load(text, Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise _bad("yaml", f"{error.problem}{where}") from None
    except (yaml.YAMLError, ValueError, KeyError, AttributeError):
        raise _bad("yaml", "it cannot be read") from None


def _write_yaml(value: Value) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Without anchors for parts that happen to be the same object."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    return yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True)


def _read_toml(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _bad("toml", str(error)) from None


def _read_csv(text: str) -> Any:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise _bad("csv", str(error)) from None
    if not rows:
        return []
    head = rows[0]
    if len(set(head)) != len(head):
        raise _bad("csv", "its first line names a column twice")
    for number, row in enumerate(rows[1:], 2):
        if row and len(row) != len(head):
            raise _bad("csv", f"line {number} has {len(row)} fields, the first line names {len(head)}")
    return [dict(zip(head, row, strict=True)) for row in rows[1:] if row]


def _write_csv(value: Value) -> str:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise BridgeError("only a list of tables can be written as CSV", code="not_csv")
    rows: list[dict[str, Any]] = [row for row in value if isinstance(row, dict)]
    head = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(head)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in head])
    return out.getvalue()


def _cell(item: Any) -> str:
    if item is None:
        return ""
    item = instants_as_text(item)
    return item if isinstance(item, str) else jsontext.write(item)


def _read_xml(text: str) -> Any:
    from defusedxml import DefusedXmlException
    from defusedxml import ElementTree as Tree

    try:
        root = Tree.fromstring(text, forbid_dtd=True)
    except Tree.ParseError as error:
        line, column = error.position
        raise _bad("xml", f"{str(error).partition(':')[0]} (line {line}, column {column + 1})") from None
    except (DefusedXmlException, ValueError):
        raise _bad("xml", "document types and entities are refused") from None
    return {root.tag: _element(root, 0)}


def _element(element: Any, depth: int) -> Any:
    """Attributes become ``@name``, text beside them ``#text``, repeated children a list."""
    if depth > _MAX_DEPTH:
        raise _bad("xml", f"it is nested deeper than {_MAX_DEPTH} levels")
    out: dict[str, Any] = {f"@{name}": text for name, text in element.attrib.items()}
    for child in element:
        below = _element(child, depth + 1)
        known = out.get(child.tag)
        if child.tag not in out:
            out[child.tag] = below
        elif isinstance(known, list):
            known.append(below)
        else:
            out[child.tag] = [known, below]
    text = (element.text or "").strip()
    if not out:
        return text
    if text:
        out["#text"] = text
    return out


def _write_xml(value: Value) -> str:
    if not isinstance(value, dict) or len(value) != 1:
        raise BridgeError("only a table with one key, the root's name, can be written as XML", code="not_xml")
    out: list[str] = []
    for name, content in value.items():
        _put_element(out, name, content)
    return "".join(out)


def _put_element(out: list[str], name: str, content: Any) -> None:
    from xml.sax.saxutils import escape, quoteattr

    if not name.replace("-", "_").replace(".", "_").replace(":", "_").isidentifier():
        raise BridgeError(f"{name!r} is no name for an XML element", code="not_xml")
    if isinstance(content, list):
        for part in content:
            _put_element(out, name, part)
        return
    attributes = {key[1:]: part for key, part in content.items() if key[:1] == "@"} if isinstance(content, dict) else {}
    out.append(f"<{name}")
    for key, part in attributes.items():
        if not key.replace("-", "_").replace(".", "_").replace(":", "_").isidentifier():
            raise BridgeError(f"{key!r} is no name for an XML attribute", code="not_xml")
        out.append(f" {key}={quoteattr(_cell(part))}")
    out.append(">")
    if isinstance(content, dict):
        out.append(escape(_cell(content.get("#text"))))
        for key, part in content.items():
            if key[:1] != "@" and key != "#text":
                _put_element(out, key, part)
    else:
        out.append(escape(_cell(content)))
    out.append(f"</{name}>")


_READERS: dict[str, Callable[[str], Any]] = {
    "yaml": _read_yaml, "toml": _read_toml, "csv": _read_csv, "xml": _read_xml,
}  # fmt: skip
_WRITERS: dict[str, Callable[[Value], str]] = {"yaml": _write_yaml, "csv": _write_csv, "xml": _write_xml}
