"""Module syntax: ``import`` and ``export`` rewritten to the same resolver that ``require`` uses.

An import becomes a constant of the module function's first line, filled before the body runs; an export becomes a
getter, so that others see the current value. Circular imports are an error of the resolver (as in every engine), so
nothing depends on the order of evaluation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from tree_sitter import Node

from llmspell_quickjs.source.edits import Edits
from llmspell_quickjs.source.parsing import bound_names, child_of_type, end_of, string_value, text_of
from llmspell_quickjs.source.refused import Refused

HELPER = "__llmspell"
"""The parameter of every module function; what rewritten code uses of the glue, and nothing more."""

_NAMELESS = frozenset({"arrow_function", "class", "function_expression", "generator_function"})
_DECLARING = frozenset({"class", "function_expression", "generator_function"})
_TYPE_ONLY = frozenset({"interface_declaration", "type_alias_declaration", "ambient_declaration", "function_signature"})

_INSIDE = frozenset(
    {"statement_block", "if_statement", "else_clause", "for_statement", "for_in_statement", "while_statement",
     "do_statement", "switch_case", "switch_default", "labeled_statement"}
)  # fmt: skip
_AMBIENT = frozenset({"ambient_declaration", "module", "internal_module"})


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
    is_module: bool = False
    imported: set[str] = field(default_factory=set)
    exported: set[str] = field(default_factory=set)

    def bind(self, local: str, value: str, node: Node) -> None:
        """Give the file a constant for what it imports."""
        if local in self.imported:
            raise Refused(f"'{local}' is imported twice", node.start_byte)
        self.imported.add(local)
        self.constants.append(f"const {local}={value};")

    def show(self, name: str, value: str, node: Node) -> None:
        """Export what an expression is worth whenever somebody looks."""
        if name in self.exported:
            raise Refused(f"'{name}' is exported twice", node.start_byte)
        self.exported.add(name)
        self.getters.append((name, value))

    @property
    def has_default(self) -> bool:
        """Whatever else a spell does, this is what it is worth."""
        return any(name == "default" for name, _ in self.getters)

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
    """Take the module syntax out of a source; the edits keep every line.

    Raises:
        Refused: One name is imported or exported twice.
    """
    syntax = ModuleSyntax()
    for node in root.children:
        if node.type == "import_statement":
            # The parser reads on over what it does not understand, `form` for `from`: that is left to be refused.
            if not node.has_error:
                _import(node, edits, syntax)
        elif node.type == "export_statement":
            _export(node, edits, syntax)
    return syntax


def refuse_nested(statements: Iterable[Node]) -> None:
    """Refuse ``import`` and ``export`` that do not stand at the top of their file.

    Raises:
        Refused: One of the statements stands inside of another.
    """
    for node in statements:
        if node.parent is not None and node.parent.type in _INSIDE and not _is_ambient(node):
            if node.type == "import_statement":
                message = "an import statement stands at the top level only; here, use await import()"
            else:
                message = "export stands at the top level only"
            raise Refused(message, node.start_byte)


def _is_ambient(node: Node | None) -> bool:
    while node is not None and node.type not in _AMBIENT:
        node = node.parent
    return node is not None


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
            _constant(syntax, index, "default", part)
        elif part.type == "namespace_import":
            local = part.named_children[-1]
            syntax.bind(text_of(local), f"{HELPER}.m[{index}]", local)
        elif part.type == "named_imports":
            for item in part.named_children:
                name = item.child_by_field_name("name")
                if item.type != "import_specifier" or name is None or child_of_type(item, "type") is not None:
                    continue
                alias = item.child_by_field_name("alias")
                _constant(syntax, index, _name(name), alias if alias is not None else name)


def _constant(syntax: ModuleSyntax, index: int, name: str, local: Node) -> None:
    syntax.requests[index].names.append(name)
    syntax.bind(text_of(local), f"{HELPER}.m[{index}][{json.dumps(name)}]", local)


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
            syntax.show("default", text_of(name) if name is not None else "undefined", node)
        elif name is not None:
            syntax.show(text_of(name), text_of(name), name)
        else:
            for declarator in declaration.named_children:
                pattern = declarator.child_by_field_name("name")
                if pattern is not None:
                    for bound in bound_names(pattern):
                        syntax.show(bound, bound, pattern)
    elif value is not None:
        value = _declared(value)
        syntax.show("default", f"{HELPER}.default", node)
        # What has no name of its own is called "default", as a property of an object would be.
        is_nameless = value.type in _NAMELESS and value.child_by_field_name("name") is None
        before, behind = ("({default:", "}).default;") if is_nameless else ("", ";")
        edits.replace(node.start_byte, value.start_byte, f";{HELPER}.default={before}")
        edits.insert(end_of(value), behind, rank=1)
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
                syntax.show(_name(namespace.named_children[-1]), f"{HELPER}.m[{index}]", namespace)


def _declared(value: Node) -> Node:
    """Return the function or class that a default export begins with, which ends it: the parser reads on."""
    node = value
    while node.children and node.type not in _DECLARING:
        node = node.children[0]
    return node if node.type in _DECLARING else value


def _clause(clause: Node, index: int | None, syntax: ModuleSyntax) -> None:
    for item in clause.named_children:
        name = item.child_by_field_name("name")
        if item.type != "export_specifier" or name is None or child_of_type(item, "type") is not None:
            continue
        alias = item.child_by_field_name("alias")
        exported = _name(alias if alias is not None else name)
        if index is None:
            syntax.show(exported, text_of(name), item)
        else:
            syntax.requests[index].names.append(_name(name))
            syntax.show(exported, f"{HELPER}.m[{index}][{json.dumps(_name(name))}]", item)
