"""Arithmetic written out, by simpleeval cut down to numbers: no texts, attributes, containers or comprehensions."""

from __future__ import annotations

import ast
import operator
from collections.abc import Mapping
from typing import Any

from llmspell.plugin import BridgeError
from llmspell_toolbox.math.operations import CONSTANTS, FUNCTIONS, Number, bounded, multiply, power, shift_left

MAX_LENGTH = 2000
_NODES = (
    ast.Expression, ast.Expr, ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp,
    ast.Call,
)  # fmt: skip
_OPERATORS: dict[Any, Any] = {
    ast.Add: lambda x, y: bounded(x + y), ast.Sub: lambda x, y: bounded(x - y), ast.Mult: multiply,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: power,
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert, ast.Not: operator.not_,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
    ast.LShift: shift_left, ast.RShift: operator.rshift,
}  # fmt: skip


def evaluate(text: str, variables: Mapping[str, Number]) -> Number | bool:
    """Evaluate an expression such as ``2 * (x + 1) ** 3`` over numbers; ``^`` means a power, as in most calculators.

    Raises:
        BridgeError: ``invalid_expression``; ``domain_error`` (1/0, sqrt(-1)); ``too_large``.
    """
    import simpleeval

    if len(text) > MAX_LENGTH:
        raise BridgeError(f"an expression has at most {MAX_LENGTH} characters", code="invalid_expression")
    evaluator: Any = simpleeval.SimpleEval(
        operators=_OPERATORS, functions=FUNCTIONS, names={**CONSTANTS, **variables, "True": True, "False": False}
    )
    evaluator.nodes = {kind: work for kind, work in evaluator.nodes.items() if kind in _NODES}
    try:
        parsed = ast.parse(text.strip().replace("^", "**"), mode="eval").body
        _check_constants(parsed)
        made = evaluator.eval(text, previously_parsed=parsed)
    except BridgeError:
        raise
    except (ArithmeticError, TypeError) as error:
        raise domain_error(error) from None
    except SyntaxError as error:
        raise BridgeError(f"the expression cannot be read: {error.msg}", code="invalid_expression") from None
    except (RecursionError, MemoryError):
        raise BridgeError("the expression is nested too deep", code="invalid_expression") from None
    except simpleeval.InvalidExpression as error:
        raise BridgeError(f"the expression cannot be evaluated: {error}", code="invalid_expression") from None
    except ValueError as error:
        raise domain_error(error) from None
    if not isinstance(made, bool | int | float):
        raise BridgeError("the expression gives no number", code="invalid_expression")
    return made


def domain_error(error: Exception) -> BridgeError:
    """Say in the calculator's words what an operation cannot do."""
    return BridgeError(f"that cannot be calculated: {error}", code="domain_error")


def _check_constants(parsed: ast.expr) -> None:
    """Let only numbers in: a text could be made long, and has methods."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.Constant):
            if not isinstance(node.value, int | float):
                raise BridgeError("an expression holds numbers alone", code="invalid_expression")
            bounded(node.value)
