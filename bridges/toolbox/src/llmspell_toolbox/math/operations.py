"""The calculator's operations, constants and functions, each bounded."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from llmspell.plugin import BridgeError

Number: TypeAlias = int | float

MAX_BITS = 4096
"""Longest integer an operation may make: more digits than anybody asks a calculator for."""

CONSTANTS: dict[str, float] = {
    "pi": math.pi, "e": math.e, "tau": math.tau, "phi": (1 + math.sqrt(5)) / 2, "sqrt2": math.sqrt(2),
    "sqrt3": math.sqrt(3), "ln2": math.log(2), "ln10": math.log(10),
}  # fmt: skip


def power(base: Number, exponent: Number) -> Number:
    """Raise to a power; the result has at most ``MAX_BITS`` bits."""
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        if base.bit_length() * exponent > MAX_BITS + exponent:
            raise _too_large()
        return bounded(int(base**exponent))
    made: Any = base**exponent
    if isinstance(made, complex):
        raise BridgeError("a negative number has no real power with such an exponent", code="domain_error")
    return bounded(made)


def multiply(left: Number, right: Number) -> Number:
    """Multiply two numbers, never a text by a number."""
    return bounded(left * right)


def shift_left(number: int, places: int) -> Number:
    """Shift by at most ``MAX_BITS`` places."""
    if not 0 <= places <= MAX_BITS:
        raise _too_large()
    return bounded(number << places)


def factorial(number: Number) -> int:
    """Return n!, for 0 to 170: what also a float could hold."""
    if number != int(number) or not 0 <= number <= 170:
        raise BridgeError("factorial takes a whole number from 0 to 170", code="domain_error")
    return math.factorial(int(number))


def round_(number: Number, places: Number = 0) -> Number:
    """Round half to even; to an integer where no places are asked for."""
    if places != int(places) or abs(places) > 400:
        raise BridgeError("round takes a whole number of places from -400 to 400", code="domain_error")
    return round(number, int(places)) if places else round(number)


def log(number: Number, base: Number | None = None) -> float:
    """Return the natural logarithm, or the one to a base."""
    return math.log(number) if base is None else math.log(number, base)


def bounded(number: Number) -> Number:
    """Return a number that is not longer than ``MAX_BITS``."""
    if isinstance(number, int) and number.bit_length() > MAX_BITS:
        raise _too_large()
    return number


def _too_large() -> BridgeError:
    return BridgeError(f"the number would be longer than {MAX_BITS} bits", code="too_large")


def _whole(function: Callable[..., int]) -> Callable[..., int]:
    def on_whole(*numbers: Number) -> int:
        if any(number != int(number) for number in numbers):
            raise BridgeError("that takes whole numbers", code="domain_error")
        return function(*map(int, numbers))

    return on_whole


UNARY: dict[str, Callable[[Any], Number]] = {
    "abs": abs, "negate": lambda x: -x, "sqrt": math.sqrt, "cbrt": math.cbrt, "exp": math.exp, "log": log,
    "ln": math.log, "log10": math.log10, "log2": math.log2, "sin": math.sin, "cos": math.cos, "tan": math.tan,
    "asin": math.asin, "acos": math.acos, "atan": math.atan, "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh,
    "asinh": math.asinh, "acosh": math.acosh, "atanh": math.atanh, "floor": math.floor, "ceil": math.ceil,
    "round": round_, "trunc": math.trunc, "factorial": factorial, "degrees": math.degrees, "radians": math.radians,
}  # fmt: skip
BINARY: dict[str, Callable[[Any, Any], Number]] = {
    "add": lambda x, y: x + y, "subtract": lambda x, y: x - y, "multiply": multiply, "divide": lambda x, y: x / y,
    "floor_divide": lambda x, y: x // y, "mod": lambda x, y: x % y, "power": power, "log": log, "atan2": math.atan2,
    "hypot": math.hypot, "gcd": _whole(math.gcd), "lcm": _whole(math.lcm), "min": min, "max": max,
    "round": round_,
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Number]] = {
    **UNARY, "pow": power, "min": min, "max": max, "atan2": math.atan2, "hypot": math.hypot,
    "gcd": _whole(math.gcd), "lcm": _whole(math.lcm), "log": log,
}  # fmt: skip
"""What expressions may call."""
