"""The completion value: what the last statement of a script is worth, returned from the function it is wrapped in."""

from __future__ import annotations

from tree_sitter import Node

from llmspell_quickjs.source.edits import Edits
from llmspell_quickjs.source.parsing import child_of_type, end_of

RESULT = "__llmspell_result"
"""The variable that holds the value when it has to be picked up on the way, as in a loop."""

_EMPTY = frozenset(
    {"comment", "empty_statement", "import_statement", "export_statement", "lexical_declaration",
     "variable_declaration", "function_declaration", "generator_function_declaration", "class_declaration",
     "abstract_class_declaration", "interface_declaration", "type_alias_declaration", "ambient_declaration",
     "function_signature", "hash_bang_line", "using_declaration", "debugger_statement", "break_statement",
     "continue_statement"}
)  # fmt: skip
"""Statements without a value of their own: the one before them counts."""

_WITH_BODY = frozenset(
    {"for_statement", "for_in_statement", "while_statement", "do_statement", "labeled_statement", "with_statement"}
)
_TRANSPARENT = frozenset({"statement_block", "labeled_statement"})
"""What leaves the value of the statement before it standing if it has none."""

_JOINING = frozenset({"call_expression", "subscript_expression"})
_OPEN = _JOINING | {
    "assignment_expression", "augmented_assignment_expression", "binary_expression", "member_expression",
    "sequence_expression", "ternary_expression", "unary_expression",
}  # fmt: skip
"""Expressions that no bracket encloses."""

_NESTING = _WITH_BODY | {
    "statement_block", "if_statement", "else_clause", "try_statement", "catch_clause", "finally_clause",
    "switch_statement", "switch_body", "switch_case", "switch_default",
}  # fmt: skip
"""What holds statements of the same function."""


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
        edits.insert(_start_of(expression), "return (", rank=-1)
        edits.insert(end_of(expression), ")")
        return False
    picker = _Picker(edits)
    for statement in reversed([node for node in statements if node.start_byte <= last.start_byte]):
        picker.pick_up(statement)
        picker.pick_up_before_jumps(statement)
        if picker.picked or (statement.type not in _TRANSPARENT and statement.type not in _EMPTY):
            break
    return bool(picker.picked)


def _last(statements: list[Node]) -> Node | None:
    return next((node for node in reversed(statements) if node.type not in _EMPTY), None)


def _followed(statements: list[Node], last: Node) -> bool:
    """Tell whether anything that runs stands after the statement."""
    return any(node.start_byte > last.start_byte and node.type != "comment" for node in statements)


def _is_directive(statement: Node) -> bool:
    before = statement.prev_named_sibling
    return statement.named_children[0].type == "string" and before is None and statement.next_named_sibling is not None


def _is_postfix(node: Node) -> bool:
    return node.type == "update_expression" and not node.children[-1].is_named


def _start_of(expression: Node) -> int:
    """Return where a statement's expression begins. The parser joins ``a++`` with a parenthesis in the next line."""
    open_nodes = [expression]
    while open_nodes:
        node = open_nodes.pop()
        first = node.children[0] if node.children else None
        if node.type in _JOINING and first is not None and _is_postfix(first):
            return next(child for child in node.children[1:] if child.type != "comment").start_byte
        open_nodes += (child for child in node.children if child.type in _OPEN)
    return expression.start_byte


class _Picker:
    """Has the values of statements assigned to :data:`RESULT`.

    Attributes:
        picked: Where those statements begin.
    """

    __slots__ = ("_edits", "picked")

    def __init__(self, edits: Edits) -> None:
        self._edits = edits
        self.picked: set[int] = set()

    def pick_up(self, node: Node | None) -> None:
        """Assign the value of every expression statement with which a statement can end."""
        if node is None:
            return
        kind = node.type
        if kind == "expression_statement":
            self._assign(node)
        elif kind in ("statement_block", "else_clause"):
            self.pick_up(_last([child for child in node.children if child.is_named]))
        elif kind == "if_statement":
            self.pick_up(node.child_by_field_name("consequence"))
            self.pick_up(node.child_by_field_name("alternative"))
        elif kind == "try_statement":
            handler = child_of_type(node, "catch_clause")
            self.pick_up(node.child_by_field_name("body"))
            self.pick_up(None if handler is None else handler.child_by_field_name("body"))
        elif kind == "switch_statement":
            body = node.child_by_field_name("body")
            for case in body.named_children if body is not None else ():
                self.pick_up(_last(case.children_by_field_name("body")))
        elif kind in _WITH_BODY:
            self.pick_up(node.child_by_field_name("body"))

    def pick_up_before_jumps(self, node: Node) -> None:
        """Assign what a ``break`` or ``continue`` leaves behind, wherever in a statement it stands."""
        before: list[Node] = []
        for child in node.named_children:
            if child.type in ("break_statement", "continue_statement"):
                self.pick_up(_last(before))
            elif child.type in _NESTING:
                self.pick_up_before_jumps(child)
            before.append(child)

    def _assign(self, statement: Node) -> None:
        if not statement.named_children or statement.start_byte in self.picked:
            return
        self.picked.add(statement.start_byte)
        expression = statement.named_children[0]
        self._edits.insert(_start_of(expression), f"{RESULT}=(", rank=-1)
        self._edits.insert(end_of(expression), ")")
