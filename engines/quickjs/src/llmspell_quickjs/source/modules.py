"""Module syntax: ``import`` and ``export`` rewritten to the same resolver that ``require`` uses.

An import becomes a constant of the module function's first line, filled before the body runs; an export becomes a
getter, so that others see the current value. Circular imports are an error of the resolver (as in every engine), so
nothing depends on the order of evaluation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from tree_sitter import Node

from llmspell_quickjs.source.edits import Edits
from llmspell_quickjs.source.parsing import bound_names, child_of_type, string_value, text_of

HELPER = "__llmspell"
"""The parameter of every module function; what rewritten code uses of the glue, and nothing more."""

_TYPE_ONLY = frozenset({"interface_declaration", "type_alias_declaration", "ambient_declaration", "function_signature"})


@dataclass(slots=True)
class Request:
    """A module that must be there before the body runs.

    Attributes:
        specifier: As the author wrote it.
        names: What is imported by name, to be missed by name.
        line: Where.
    """

    specifier: str
    line: int
    names: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ModuleSyntax:
    """What a source imports and exports, and the code its function begins with."""

    requests: list[Request] = field(default_factory=list)
    stars: list[int] = field(default_factory=list)
    getters: list[tuple[str, str]] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    has_default_value: bool = False
    is_module: bool = False

    @property
    def prologue(self) -> str:
        """JavaScript that defines exports and imports; one line."""
        parts = []
        if self.getters:
            body = ",".join(f"get {json.dumps(name)}(){{return {local}}}" for name, local in self.getters)
            parts.append(f"{HELPER}.exports({{{body}}});")
        parts += self.constants
        return "".join(parts)


def rewrite_modules(root: Node, edits: Edits) -> ModuleSyntax:
    """Take the module syntax out of a source; the edits keep every line."""
    syntax = ModuleSyntax()
    for node in root.children:
        if node.type == "import_statement":
            # The parser reads on over what it does not understand, `form` for `from`: that is left to be refused.
            if not node.has_error:
                _import(node, edits, syntax)
        elif node.type == "export_statement":
            _export(node, edits, syntax)
    return syntax


def _request(syntax: ModuleSyntax, source: Node) -> int:
    specifier = string_value(source)
    for index, known in enumerate(syntax.requests):
        if known.specifier == specifier:
            return index
    syntax.requests.append(Request(specifier, source.start_point[0] + 1))
    return len(syntax.requests) - 1


def _import(node: Node, edits: Edits, syntax: ModuleSyntax) -> None:
    syntax.is_module = True
    edits.blank(node.start_byte, node.end_byte, ";")
    source = node.child_by_field_name("source")
    if source is None or child_of_type(node, "type") is not None:
        return
    index = _request(syntax, source)
    clause = child_of_type(node, "import_clause")
    for part in clause.named_children if clause is not None else ():
        if part.type == "identifier":
            _constant(syntax, index, "default", text_of(part))
        elif part.type == "namespace_import":
            syntax.constants.append(f"const {text_of(part.named_children[-1])}={HELPER}.m[{index}];")
        elif part.type == "named_imports":
            for item in part.named_children:
                name = item.child_by_field_name("name")
                if item.type != "import_specifier" or name is None or child_of_type(item, "type") is not None:
                    continue
                alias = item.child_by_field_name("alias")
                _constant(syntax, index, _name(name), text_of(alias if alias is not None else name))


def _constant(syntax: ModuleSyntax, index: int, name: str, local: str) -> None:
    syntax.requests[index].names.append(name)
    syntax.constants.append(f"const {local}={HELPER}.m[{index}][{json.dumps(name)}];")


def _name(node: Node) -> str:
    return string_value(node) if node.type == "string" else text_of(node)


def _export(node: Node, edits: Edits, syntax: ModuleSyntax) -> None:
    syntax.is_module = True
    declaration = node.child_by_field_name("declaration")
    value = node.child_by_field_name("value")
    source = node.child_by_field_name("source")
    clause = child_of_type(node, "export_clause")
    if child_of_type(node, "type") is not None or (declaration is not None and declaration.type in _TYPE_ONLY):
        edits.blank(node.start_byte, node.end_byte, ";")
    elif declaration is not None:
        edits.blank(node.start_byte, declaration.start_byte, ";")
        name = declaration.child_by_field_name("name")
        if child_of_type(node, "default") is not None:
            syntax.getters.append(("default", text_of(name) if name is not None else "undefined"))
        elif name is not None:
            syntax.getters.append((text_of(name), text_of(name)))
        else:
            for declarator in declaration.named_children:
                pattern = declarator.child_by_field_name("name")
                if pattern is not None:
                    syntax.getters += ((bound, bound) for bound in bound_names(pattern))
    elif value is not None:
        syntax.has_default_value = True
        syntax.getters.append(("default", f"{HELPER}.default"))
        edits.replace(node.start_byte, value.start_byte, f";{HELPER}.default=")
        edits.insert(value.end_byte, ";", rank=1)
    else:
        edits.blank(node.start_byte, node.end_byte, ";")
        index = None if source is None else _request(syntax, source)
        if clause is not None:
            _clause(clause, index, syntax)
        elif index is not None:
            namespace = child_of_type(node, "namespace_export")
            if namespace is None:
                syntax.stars.append(index)
            else:
                syntax.getters.append((_name(namespace.named_children[-1]), f"{HELPER}.m[{index}]"))


def _clause(clause: Node, index: int | None, syntax: ModuleSyntax) -> None:
    for item in clause.named_children:
        name = item.child_by_field_name("name")
        if item.type != "export_specifier" or name is None or child_of_type(item, "type") is not None:
            continue
        alias = item.child_by_field_name("alias")
        exported = _name(alias if alias is not None else name)
        if index is None:
            syntax.getters.append((exported, text_of(name)))
        else:
            syntax.requests[index].names.append(_name(name))
            syntax.getters.append((exported, f"{HELPER}.m[{index}][{json.dumps(_name(name))}]"))
