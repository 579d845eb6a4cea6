"""Numbers: Go's formats that C lacks, and the mathematics that Lua lacks."""

from __future__ import annotations

import math as _math
import secrets
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from llmspell_tengo.stdlib import bessel
from llmspell_tengo.stdlib.strings import RawText, raw

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def entropy() -> int:
    """Return a seed nobody can guess."""
    return secrets.randbits(63)


# Reading


def parse_int(text: RawText, base: int, bits: int) -> int | str:
    """Read an integer as Go's ``ParseInt``; a str says why not."""
    if bits < 0 or bits > 64:
        return f"invalid bit size {bits}"
    if base != 0 and not 2 <= base <= 36:
        return f"invalid base {base}"
    body = raw(text).decode("latin-1")
    sign = -1 if body[:1] == "-" else 1
    if body[:1] in ("+", "-"):
        body = body[1:]
    if base == 0:
        base, body = _base_of(body)
    digits = body.lower()
    if not digits or any(char not in _DIGITS[:base] for char in digits):
        return "invalid syntax"
    value = sign * int(digits, base)
    limit = 1 << ((bits or 64) - 1)
    return value if -limit <= value < limit else "value out of range"


def _base_of(body: str) -> tuple[int, str]:
    """Find the base a literal's prefix names, and drop well-placed underscores."""
    lowered = body.lower()
    base, rest = 10, body
    for prefix, its_base in (("0x", 16), ("0b", 2), ("0o", 8)):
        if lowered.startswith(prefix) and len(body) > 2:
            base, rest = its_base, body[2:]
    if base == 10 and len(body) > 1 and body[0] == "0":
        base, rest = 8, body[1:]
    prefixed = len(rest) < len(body)
    if "_" in rest:
        pieces = rest.split("_")
        if "" in pieces[1:] or (pieces[0] == "" and not prefixed):
            return base, "_"
        rest = "".join(pieces)
    return base, rest


def float32(value: float) -> float | None:
    """Round to single precision; None beyond its range."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return None


# Writing


def format_float32(value: float, verb: RawText, precision: int) -> str:
    """Format a value that has only single precision."""
    short = float32(value)
    if short is None:
        return "+Inf" if value > 0 else "-Inf"
    if precision >= 0 or not _math.isfinite(short):
        return format_float(short, verb, precision, mantissa_bits=23)
    for digits in range(1, 10):
        text = f"{short:.{digits - 1}e}"
        if float32(float(text)) == short:
            return _shortest(Decimal(text), raw(verb).decode("latin-1"))
    raise AssertionError("nine digits identify a float32")


def format_float(value: float, verb: RawText, precision: int, mantissa_bits: int = 52) -> str:
    """Format as Go's ``FormatFloat`` with verb ``b``, ``x``, ``X``, or any with many digits.

    Raises:
        ValueError: The precision is out of reach.
    """
    letter = raw(verb).decode("latin-1")
    if _math.isnan(value):
        return "NaN"
    if _math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if letter == "b":
        return _binary(value, mantissa_bits)
    if letter in "xX":
        text = _hexadecimal(value, precision)
        return text.upper() if letter == "X" else text
    if letter not in "eEfgG":
        return "%" + letter
    if precision < 0:
        return _shortest(Decimal(repr(value)), letter)
    if precision > 1_000_000:
        raise ValueError("exceeding string size limit")
    return format(value, f".{precision}{letter}") if letter not in "gG" else _general(value, letter, precision)


def _general(value: float, letter: str, precision: int) -> str:
    text = format(value, f".{max(precision, 1)}{letter}")
    return text


def _shortest(value: Decimal, letter: str) -> str:
    sign, digit_tuple, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    digits = "".join(map(str, digit_tuple)).lstrip("0") or "0"
    point = len(digits) + exponent
    digits = digits.rstrip("0") or "0"
    if value == 0:
        point = 1
    form = letter.lower()
    if form == "g":
        form = "e" if point - 1 < -4 or point - 1 >= 6 else "f"
    if form == "e":
        power = point - 1
        text = (
            digits[0] + ("." + digits[1:] if len(digits) > 1 else "") + f"e{'-' if power < 0 else '+'}{abs(power):02d}"
        )
    elif point <= 0:
        text = "0." + "0" * -point + digits
    else:
        text = digits[:point].ljust(point, "0") + ("." + digits[point:] if len(digits) > point else "")
    text = ("-" if sign else "") + text
    return text.upper() if letter in "EG" else text


def _binary(value: float, bits: int) -> str:
    mantissa, exponent = _math.frexp(abs(value))
    number = int(mantissa * (1 << (bits + 1)))
    power = exponent - bits - 1
    lowest = -1074 if bits == 52 else -149
    if power < lowest:
        number >>= lowest - power
        power = lowest
    sign = "-" if _math.copysign(1, value) < 0 else ""
    if value == 0:
        power = lowest
    return f"{sign}{number}p{power:+d}"


def _hexadecimal(value: float, precision: int) -> str:
    sign = "-" if _math.copysign(1, value) < 0 else ""
    mantissa, exponent = _math.frexp(abs(value))
    if value == 0:
        number, power = 0, 0
    else:
        number, power = int(mantissa * (1 << 53)), exponent - 1
    digits = 13 if precision < 0 else precision
    if digits < 13:
        drop = 4 * (13 - digits)
        kept, rest = number >> drop, number & ((1 << drop) - 1)
        half = 1 << (drop - 1)
        if rest > half or (rest == half and kept & 1):
            kept += 1
        if kept >> (4 * digits) > 1:
            kept >>= 1
            power += 1
        number = kept << drop
    fraction = f"{number & ((1 << 52) - 1):013x}"
    fraction = fraction.rstrip("0") if precision < 0 else fraction[:precision].ljust(precision, "0")
    lead = number >> 52
    return f"{sign}0x{lead}{'.' + fraction if fraction else ''}p{'-' if power < 0 else '+'}{abs(power):02d}"


# Mathematics


def _guarded(function: Callable[..., float], beyond: float = _math.inf) -> Callable[..., float]:
    """Give NaN outside a function's domain and ``beyond`` past the range of a double."""

    def call(*args: float) -> float:
        try:
            return float(function(*args))
        except OverflowError:
            return beyond
        except ValueError:
            return _math.nan

    return call


def _sinh(value: float) -> float:
    try:
        return _math.sinh(value)
    except OverflowError:
        return _math.copysign(_math.inf, value)


def _gamma(value: float) -> float:
    if value == 0:
        return _math.copysign(_math.inf, value)
    try:
        return _math.gamma(value)
    except OverflowError:
        return _math.inf
    except ValueError:
        return _math.nan


def _atanh(value: float) -> float:
    return _math.copysign(_math.inf, value) if abs(value) == 1 else _guarded(_math.atanh)(value)


def _log1p(value: float) -> float:
    return -_math.inf if value == -1 else _guarded(_math.log1p)(value)


def _logb(value: float) -> float:
    if value == 0:
        return -_math.inf
    if not _math.isfinite(value):
        return value if _math.isnan(value) else _math.inf
    return float(_math.frexp(value)[1] - 1)


def _ilogb(value: float) -> int:
    if value == 0:
        return -(2**31)
    if not _math.isfinite(value):
        return 2**31 - 1
    return _math.frexp(value)[1] - 1


def _ldexp(value: float, power: int) -> float:
    try:
        return _math.ldexp(value, max(-(10**6), min(power, 10**6)))
    except OverflowError:
        return _math.copysign(_math.inf, value)


def _remainder(left: float, right: float) -> float:
    return _guarded(_math.remainder)(left, right)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "acosh": _guarded(_math.acosh),
    "asinh": _math.asinh,
    "atanh": _atanh,
    "cbrt": _math.cbrt,
    "cosh": _guarded(_math.cosh),
    "erf": _math.erf,
    "erfc": _math.erfc,
    "exp2": _guarded(_math.exp2),
    "expm1": _guarded(_math.expm1),
    "gamma": _gamma,
    "hypot": _math.hypot,
    "ilogb": _ilogb,
    "j0": lambda value: bessel.first_kind(0, value),
    "j1": lambda value: bessel.first_kind(1, value),
    "jn": bessel.first_kind,
    "ldexp": _ldexp,
    "log1p": _log1p,
    "logb": _logb,
    "nextafter": _math.nextafter,
    "remainder": _remainder,
    "sinh": _sinh,
    "tanh": _math.tanh,
    "y0": lambda value: bessel.second_kind(0, value),
    "y1": lambda value: bessel.second_kind(1, value),
    "yn": bessel.second_kind,
}


def math(name: str, *args: Any) -> Any:
    """Compute one of the functions of the module ``math``."""
    return _FUNCTIONS[name](*args)
