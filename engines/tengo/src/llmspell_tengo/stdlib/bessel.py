"""Bessel functions of whole order, to about twelve digits.

First kind: Bessel's integral by the trapezoidal rule, which converges geometrically for a periodic integrand.
Second kind: Neumann's series in functions of the first kind for orders 0 and 1, then upward recurrence; for large
arguments Hankel's asymptotic expansion (Abramowitz and Stegun, 9.1.88, 9.1.27 and 9.2.5-10).
"""

from __future__ import annotations

import math

_LARGE = 30.0
"""From here on Hankel's expansion has reached full precision for orders 0 and 1."""
_EULER = 0.57721566490153286061
_MOST_ORDER = 100_000
"""The recurrence takes a step an order."""


def first_kind(order: int, value: float) -> float:
    """Return J of a whole order."""
    if math.isnan(value):
        return value
    if math.isinf(value):
        return 0.0
    sign = 1.0
    if order < 0:
        order, value = -order, -value
    if value < 0:
        value = -value
        sign = -1.0 if order % 2 else 1.0
    if value == 0:
        return 1.0 if order == 0 else 0.0
    if order <= 1 and value > _LARGE:
        return sign * _hankel(order, value)[0]
    if order > 2 * value + 200:
        return sign * _power_series(order, value)
    if value > _MOST_ORDER:
        return sign * _upward(order, value, _hankel(0, value)[0], _hankel(1, value)[0])
    points = int(value) + order + 40
    total = 0.5 * (1.0 + math.cos(order * math.pi))
    step = math.pi / points
    for index in range(1, points):
        angle = index * step
        total += math.cos(order * angle - value * math.sin(angle))
    return sign * total / points


def second_kind(order: int, value: float) -> float:
    """Return Y of a whole order; it has no real value left of 0."""
    if value < 0 or math.isnan(value):
        return math.nan
    sign = 1.0
    if order < 0:
        order = -order
        sign = -1.0 if order % 2 else 1.0
    if value == 0:
        return -math.inf * sign
    if math.isinf(value):
        return 0.0
    if value > _LARGE:
        first, second = _hankel(0, value)[1], _hankel(1, value)[1]
    else:
        first, second = _neumann(value)
    return sign * _upward(order, value, first, second)


def _upward(order: int, value: float, first: float, second: float) -> float:
    if order == 0:
        return first
    for index in range(1, min(order, _MOST_ORDER)):
        first, second = second, 2 * index / value * second - first
        if math.isinf(second):
            break
    return second


def _power_series(order: int, value: float) -> float:
    log_term = order * math.log(value / 2) - math.lgamma(order + 1)
    if log_term < -745:
        return 0.0
    total = term = 1.0
    for index in range(1, 60):
        term *= -(value * value / 4) / (index * (order + index))
        total += term
    return math.exp(log_term) * total


def _neumann(value: float) -> tuple[float, float]:
    count = int(value) + 60
    values = _miller(count, value)
    log_term = math.log(value / 2) + _EULER
    zero = log_term * values[0]
    one = log_term * values[1] - values[0] / value  # the derivative of the series for order 0, negated
    for index in range(1, count // 2 - 1):
        sign = -1.0 if index % 2 else 1.0
        zero -= 2 * sign * values[2 * index] / index
        one += sign * (values[2 * index - 1] - values[2 * index + 1]) / index
    return 2 / math.pi * zero, 2 / math.pi * one


def _miller(count: int, value: float) -> list[float]:
    """Return J of the orders from 0 by downward recurrence, scaled by J0 + 2 J2 + 2 J4 + ... = 1."""
    values = [0.0] * (count + 2)
    values[count] = 1e-300
    for order in range(count, 0, -1):
        values[order - 1] = 2 * order / value * values[order] - values[order + 1]
        if abs(values[order - 1]) > 1e200:
            values = [each * 1e-200 for each in values]
    scale = values[0] + 2 * sum(values[2::2])
    return [each / scale for each in values]


def _hankel(order: int, value: float) -> tuple[float, float]:
    mu = 4.0 * order * order
    p = q = 0.0
    term = 1.0
    for index in range(30):
        if index % 2 == 0:
            p += term if index % 4 == 0 else -term
        else:
            q += term if index % 4 == 1 else -term
        following = term * (mu - (2 * index + 1) ** 2) / ((index + 1) * 8 * value)
        if abs(following) >= abs(term):
            break
        term = following
    angle = value - (order / 2 + 0.25) * math.pi
    scale = math.sqrt(2 / (math.pi * value))
    return (
        scale * (p * math.cos(angle) - q * math.sin(angle)),
        scale * (p * math.sin(angle) + q * math.cos(angle)),
    )
