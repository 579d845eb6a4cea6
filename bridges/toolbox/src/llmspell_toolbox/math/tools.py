"""The calculator."""

from __future__ import annotations

import math
from typing import NotRequired

from typing_extensions import TypedDict

from llmspell.plugin import Bridge, BridgeError
from llmspell_toolbox.declare import tool
from llmspell_toolbox.math.expression import domain_error, evaluate
from llmspell_toolbox.math.operations import BINARY, CONSTANTS, UNARY, Number, bounded

_Operand = int | float | str | None


class Calculated(TypedDict):
    """A result and what it is the result of."""

    result: int | float | bool | str
    expression: NotRequired[str]
    operation: NotRequired[str]


class MathTools(Bridge):
    """Tools that calculate."""

    @tool(
        category="math",
        tags=("arithmetic", "numbers"),
        constraints=("numbers of at most 4096 bits", "numbers that no float holds exactly come back as text"),
        examples=(
            {
                "description": "An expression",
                "parameters": {"expression": "2 * (3 + 4) ^ 2"},
                "result": {"result": 98, "expression": "2 * (3 + 4) ^ 2"},
            },
            {
                "description": "An expression with variables, functions and constants",
                "parameters": {"expression": "round(sin(pi / 2) * x)", "variables": {"x": 10}},
                "result": {"result": 10, "expression": "round(sin(pi / 2) * x)"},
            },
            {
                "description": "One operation",
                "parameters": {"operation": "divide", "operand1": 7, "operand2": 2},
                "result": {"result": 3.5, "operation": "divide"},
            },
        ),
    )
    def calculator(
        self,
        expression: str | None = None,
        *,
        operation: str | None = None,
        operand1: _Operand = None,
        operand2: _Operand = None,
        variables: dict[str, int | float] | None = None,
    ) -> Calculated:
        """Calculate an expression such as "2 * (3 + 4) ^ 2", or one operation on one or two operands.

        Args:
            expression: Numbers, + - * / // % ^, comparisons, parentheses, functions (sqrt, sin, log, round, max, ...)
                and constants (pi, e, tau, phi).
            operation: Instead of an expression: add, subtract, multiply, divide, mod, power, sqrt, log, gcd, ...
            operand1: A number, a text of one, or the name of a constant.
            operand2: The same; the base of log, the exponent of power, the places of round.
            variables: Numbers by name, for the expression.
        """
        if (expression is None) == (operation is None):
            raise BridgeError("give either an expression or an operation", code="invalid_argument")
        if expression is not None:
            return {"result": _plain(evaluate(expression, variables or {})), "expression": expression}
        assert operation is not None
        return {"result": _plain(_operate(operation, operand1, operand2)), "operation": operation}


def _operate(operation: str, operand1: _Operand, operand2: _Operand) -> Number:
    if operation not in UNARY and operation not in BINARY:
        known = ", ".join(sorted({*UNARY, *BINARY}))
        raise BridgeError(f"there is no operation {operation!r}; there are {known}", code="invalid_argument")
    first = _number(operand1, "operand1")
    try:
        if operand2 is not None and operation in BINARY:
            return bounded(BINARY[operation](first, _number(operand2, "operand2")))
        if operation in UNARY:
            return bounded(UNARY[operation](first))
    except (ArithmeticError, ValueError) as error:
        raise domain_error(error) from None
    raise BridgeError(f"{operation} needs operand2", code="invalid_argument")


def _number(given: _Operand, name: str) -> Number:
    if isinstance(given, int | float):
        return bounded(given)
    if isinstance(given, str):
        if given.strip().lower() in CONSTANTS:
            return CONSTANTS[given.strip().lower()]
        try:
            return bounded(int(given)) if given.strip().lstrip("+-").isdigit() else float(given)
        except ValueError:
            pass
    raise BridgeError(f"{name} should be a number, a text of one or a constant's name", code="invalid_argument")


def _plain(number: Number | bool) -> int | float | bool | str:
    """Return a number as every language holds it: integers beyond 64 bits as text, floats that are none as an error."""
    if isinstance(number, float) and not math.isfinite(number):
        raise BridgeError("that is no finite number", code="domain_error")
    if isinstance(number, int) and not isinstance(number, bool) and number.bit_length() > 63:
        return str(number)
    return number
