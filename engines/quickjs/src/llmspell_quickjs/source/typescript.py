"""TypeScript: every type becomes spaces, so that what is left is JavaScript on the same lines and columns.

Only erasable syntax: what has a meaning at run time (``enum``, ``namespace``, parameter properties, ``import =``,
``export =``) is refused by name, as Node and other type strippers do.
"""

from __future__ import annotations

from tree_sitter import Node

from llmspell_quickjs.source.edits import Edits
from llmspell_quickjs.source.parsing import captures, child_of_type, first_error
from llmspell_quickjs.source.refused import Refused
from llmspell_quickjs.source.unfinished import is_unfinished

_ERASED = """
[(type_annotation) (type_parameters) (type_arguments) (implements_clause) (accessibility_modifier)
 (override_modifier) (asserts_annotation) (type_predicate_annotation) (omitting_type_annotation)
 (adding_type_annotation) (opting_type_annotation)] @type
(non_null_expression "!" @type)
(optional_parameter "?" @type)
(variable_declarator "!" @type)
(method_definition "?" @type)
(public_field_definition ["?" "!" "readonly"] @type)
(abstract_class_declaration "abstract" @type)
[(interface_declaration) (type_alias_declaration) (ambient_declaration) (function_signature)] @statement
[(abstract_method_signature) (method_signature) (index_signature)] @member
(public_field_definition ["declare" "abstract"]) @member
(as_expression) @cast
(satisfies_expression) @cast
(required_parameter pattern: (this)) @this
(arrow_function) @arrow
(call_expression function: [(as_expression) (satisfies_expression)] @joined)
(subscript_expression object: [(as_expression) (satisfies_expression)] @joined)
(member_expression object: [(as_expression) (satisfies_expression)] @joined)
[(lookup_type) (array_type)] @bracket
(enum_declaration) @refused
(internal_module) @refused
(module) @refused
(import_require_clause) @refused
(import_alias) @refused
(export_statement "=" @refused)
(required_parameter [(accessibility_modifier) (override_modifier) "readonly"]) @refused
(optional_parameter [(accessibility_modifier) (override_modifier) "readonly"]) @refused
"""

_WHY = {
    "enum_declaration": "an enum has a meaning at run time; use an object with 'as const'",
    "internal_module": "a namespace has a meaning at run time; use a module of its own",
    "module": "a namespace has a meaning at run time; use a module of its own",
    "import_require_clause": "'import x = require()' is not supported; use 'import x from'",
    "import_alias": "'import a = b' is not supported; use a const",
    "=": "'export =' is not supported; use 'export default'",
    "required_parameter": "a parameter property has a meaning at run time; declare the field and assign it",
    "optional_parameter": "a parameter property has a meaning at run time; declare the field and assign it",
}


class NotErasable(Refused):
    """TypeScript that cannot be run by erasing types."""


def erase_types(root: Node, edits: Edits) -> None:
    """Blank the types of a TypeScript tree.

    Raises:
        NotErasable: It uses syntax that erasing types cannot run.
    """
    found = captures(root, "typescript", _ERASED)
    for node in found.get("refused", ()):
        if not _is_ambient(node):
            raise NotErasable(_WHY[node.type], node.start_byte)
    _refuse_joined_lines(found, edits.text)
    _refuse_nonsense(found, edits.text)
    for node in found.get("arrow", ()):
        _move_parenthesis(node, edits)
    for node in found.get("statement", ()):
        parent = node.parent
        whole = parent if parent is not None and parent.type == "export_statement" else node
        edits.blank(whole.start_byte, whole.end_byte, ";")
    for node in found.get("member", ()):
        edits.blank(node.start_byte, node.end_byte, ";")
    for node in found.get("this", ()):
        after = node.next_sibling
        edits.blank(node.start_byte, after.end_byte if after is not None and after.type == "," else node.end_byte)
    for node in found.get("cast", ()):
        keyword = child_of_type(node, "as", "satisfies")
        if keyword is not None:
            edits.blank(keyword.start_byte, node.end_byte)
    for node in found.get("type", ()):
        edits.blank(node.start_byte, node.end_byte)


def _is_ambient(node: Node) -> bool:
    up: Node | None = node
    while up is not None:
        if up.type == "ambient_declaration":
            return True
        up = up.parent
    return False


def _refuse_joined_lines(found: dict[str, list[Node]], text: bytes) -> None:
    """Refuse a type that swallowed the next line: the grammar joins what TypeScript ends at the line break."""
    message = "this line is read as going on from the type before it; end that line with a semicolon"
    for node in found.get("joined", ()):
        raise NotErasable(message, node.end_byte)
    for node in found.get("bracket", ()):
        inner = node.named_children[0]
        if b"\n" in text[inner.end_byte : node.end_byte].split(b"[")[0]:
            raise NotErasable(message, inner.end_byte)


def _refuse_nonsense(found: dict[str, list[Node]], text: bytes) -> None:
    """Refuse a type the parser found no sense in: once it is erased nobody else would, nor miss what it swallowed."""
    erased = [node for kind in ("statement", "member", "type") for node in found.get(kind, ())]
    # Of a cast the engine sees what stands before the keyword, which is its first child.
    erased += [child for cast in found.get("cast", ()) for child in cast.children[1:]]
    for node in erased:
        if node.has_error:
            incomplete = not text[node.end_byte :].strip() and is_unfinished(
                text[node.start_byte :].decode("utf-8", "replace")
            )
            raise NotErasable("this type makes no sense from here on", first_error(node), incomplete=incomplete)


def _move_parenthesis(arrow: Node, edits: Edits) -> None:
    """Keep ``)`` and ``=>`` on one line when the return type between them spans several."""
    annotation = arrow.child_by_field_name("return_type")
    parameters = arrow.child_by_field_name("parameters")
    if annotation is None or parameters is None:
        return
    if b"\n" in edits.text[parameters.end_byte : annotation.end_byte]:
        start, end = parameters.end_byte - 1, annotation.end_byte
        edits.blank(start, end - 1)
        edits.replace(end - 1, end, ")")
