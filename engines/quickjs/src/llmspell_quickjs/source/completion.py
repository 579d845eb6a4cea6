"""The completion value: what the last statement of a script is worth, returned from the function it is wrapped in."""

from __future__ import annotations

from tree_sitter import Node

from llmspell_quickjs.source.edits import Edits
from llmspell_quickjs.source.parsing import child_of_type

RESULT = "__llmspell_result"
"""The variable that holds the value when it has to be picked up on the way, as in a loop."""

_EMPTY = frozenset(
    {"comment", "empty_statement", "import_statement", "export_statement", "lexical_declaration",
     "variable_declaration", "function_declaration", "generator_function_declaration", "class_declaration",
     "abstract_class_declaration", "interface_declaration", "type_alias_declaration", "ambient_declaration",
     "function_signature", "hash_bang_line",
     "using_declaration", "debugger_statement"}
)  # fmt: skip
"""Statements without a value of their own: the one before them counts."""

_WITH_BODY = frozenset(
    {"for_statement", "for_in_statement", "while_statement", "do_statement", "labeled_statement", "with_statement"}
)


def return_completion(root: Node, edits: Edits) -> bool:
    """Make the function return what the script's last statement is worth.

    Returns:
        True if the value is picked up in :data:`RESULT`, which the function must declare and return.
    """
    statements = [child for child in root.children if child.is_named]
    last = _last(statements)
    if last is None or last.has_error:
        return False
    if last.type == "expression_statement" and not _is_directive(last) and not _followed(statements, last):
        expression = last.named_children[0]
        edits.insert(expression.start_byte, "return (", rank=-1)
        edits.insert(expression.end_byte, ")")
        return False
    return _pick_up(last, edits)


def _last(statements: list[Node]) -> Node | None:
    return next((node for node in reversed(statements) if node.type not in _EMPTY), None)


def _followed(statements: list[Node], last: Node) -> bool:
    """Tell whether anything that runs stands after the statement."""
    return any(node.start_byte > last.start_byte and node.type != "comment" for node in statements)


def _is_directive(statement: Node) -> bool:
    before = statement.prev_named_sibling
    return statement.named_children[0].type == "string" and before is None and statement.next_named_sibling is not None


def _pick_up(node: Node | None, edits: Edits) -> bool:
    """Assign the value of every expression statement in tail position; return whether there is one."""
    if node is None:
        return False
    kind = node.type
    if kind == "expression_statement":
        if not node.named_children:
            return False
        expression = node.named_children[0]
        edits.insert(expression.start_byte, f"{RESULT}=(", rank=-1)
        edits.insert(expression.end_byte, ")")
        return True
    if kind in ("statement_block", "else_clause"):
        return _pick_up(_last([child for child in node.children if child.is_named]), edits)
    if kind == "if_statement":
        alternative = _pick_up(node.child_by_field_name("alternative"), edits)
        return _pick_up(node.child_by_field_name("consequence"), edits) or alternative
    if kind == "try_statement":
        handler = child_of_type(node, "catch_clause")
        caught = handler is not None and _pick_up(handler.child_by_field_name("body"), edits)
        return _pick_up(node.child_by_field_name("body"), edits) or caught
    if kind == "switch_statement":
        body = node.child_by_field_name("body")
        cases = [_pick_up(_last_of_case(case), edits) for case in (body.named_children if body is not None else ())]
        return any(cases)
    if kind in _WITH_BODY:
        return _pick_up(node.child_by_field_name("body"), edits)
    return False


def _last_of_case(case: Node) -> Node | None:
    body = [child for child in case.children_by_field_name("body") if child.type != "break_statement"]
    return _last(body)
