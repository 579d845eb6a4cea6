"""The calculator, and what hostile expressions come to."""

from __future__ import annotations

import math
from typing import Any

import pytest

from llmspell.errors import BridgeError
from llmspell_toolbox.math.expression import evaluate
from llmspell_toolbox.math.operations import BINARY, UNARY


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1 + 2 * 3", 7), ("2 ^ 10", 1024), ("-(-3)", 3), ("7 // 2 + 7 % 4", 6), ("sqrt(16) + cbrt(27)", 7.0),
        ("log(8, 2)", 3.0), ("gcd(12, 18) + lcm(4, 6)", 18), ("1 if pi > 3 else 0", 1), ("max(1, 2, 3)", 3),
        ("round(2.345, 2)", 2.35), ("1 << 8 | 1", 257), ("not 0", True), ("hypot(3, 4)", 5.0),
    ],
)  # fmt: skip
def test_an_expression_is_calculated(expression: str, result: Any) -> None:
    assert evaluate(expression, {}) == pytest.approx(result)


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("9 ** 9 ** 9", "too_large"), ("2 ** 99999", "too_large"), ("1 << 99999", "too_large"),
        ("10**1000 * 10**1000", "too_large"), ("factorial(1000)", "domain_error"), ("round(5, -10**9)", "domain_error"),
        ("'a' * 10**9", "invalid_expression"), ("b'a'", "invalid_expression"), ("(1).__class__", "invalid_expression"),
        ("().__class__.__mro__", "invalid_expression"), ("[x for x in (1, 2)]", "invalid_expression"),
        ("lambda: 1", "invalid_expression"),
        ("__import__('os')", "invalid_expression"), ("x := 1", "invalid_expression"),
        ("f'{1}'", "invalid_expression"), ("abs(*(1,))", "invalid_expression"), ("abs(x=1)", "invalid_expression"),
        ("nothing + 1", "invalid_expression"), ("abs", "invalid_expression"), ("...", "invalid_expression"),
        ("1j", "invalid_expression"), ("", "invalid_expression"), ("1; 2", "invalid_expression"),
        ("-" * 1900 + "1", "invalid_expression"), ("(" * 900 + "1" + ")" * 900, "invalid_expression"),
        ("1" * 3000, "invalid_expression"), ("1 / 0", "domain_error"), ("sqrt(-1)", "domain_error"),
        ("(-8) ^ (1/3)", "domain_error"), ("sqrt(1, 2, 3)", "domain_error"), ("1 >> -1", "domain_error"),
        ("exp(10000)", "domain_error"), ("10.0 ** 400", "domain_error"), ("None", "invalid_expression"),
    ],
)  # fmt: skip
def test_a_hostile_expression_is_refused(expression: str, code: str) -> None:
    with pytest.raises(BridgeError) as caught:
        evaluate(expression, {})
    assert caught.value.code == code


def test_operations_take_numbers_texts_and_constants(bench: Any) -> None:
    assert bench.run("calculator", operation="power", operand1="2", operand2=8)["result"] == 256
    assert bench.run("calculator", operation="cos", operand1="pi")["result"] == -1.0
    assert bench.run("calculator", operation="log", operand1=100, operand2=10)["result"] == pytest.approx(2)
    assert bench.run("calculator", operation="sqrt", operand1=9)["result"] == 3.0


def test_a_number_beyond_64_bits_comes_back_as_text(bench: Any) -> None:
    assert bench.run("calculator", expression="2 ** 100")["result"] == str(2**100)


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({}, "invalid_argument", "either an expression or an operation"),
        ({"expression": "1", "operation": "add"}, "invalid_argument", "either an expression or an operation"),
        ({"operation": "destroy", "operand1": 1}, "invalid_argument", "there is no operation 'destroy'"),
        ({"operation": "add", "operand1": 1}, "invalid_argument", "needs operand2"),
        ({"operation": "add", "operand1": "x", "operand2": 1}, "invalid_argument", "operand1 should be a number"),
        ({"operation": "divide", "operand1": 1, "operand2": 0}, "domain_error", "division by zero"),
        ({"expression": 1}, "invalid_parameters", "do not fit"),
        ({"expression": "1e308 * 10"}, "domain_error", "no finite number"),
    ],
)
def test_what_cannot_be_calculated_is_said_so(bench: Any, given: dict[str, Any], code: str, message: str) -> None:
    told = bench.refused("calculator", **given)
    assert told[0] == code
    assert message in told[1]


@pytest.mark.parametrize("name", sorted(UNARY))
def test_every_operation_of_one_number_works(name: str) -> None:
    number = {"acosh": 1.5, "factorial": 5}.get(name, 0.5)
    assert math.isfinite(UNARY[name](number))


@pytest.mark.parametrize("name", sorted(BINARY))
def test_every_operation_of_two_numbers_works(name: str) -> None:
    assert math.isfinite(BINARY[name](6, 4))
