"""CSV: read, filtered, reshaped, summed up, written."""

from __future__ import annotations

import csv
import io
import operator
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llmspell.plugin import BridgeError
from llmspell_std.data.formats import MAX_TEXT

Row = dict[str, Any]
COMPARISONS = ("eq", "ne", "gt", "gte", "lt", "lte", "contains", "starts_with", "ends_with", "in")
_ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le,
}  # fmt: skip
AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": sum, "mean": statistics.fmean, "min": min, "max": max, "median": statistics.median, "count": len,
}  # fmt: skip


def rows(data: str | list[Row], headers: bool | list[str], delimiter: str) -> list[Row]:
    """Return the rows of a text; a list of tables is rows already.

    Args:
        headers: The first line names the columns; False for ``column1`` ...; or their names.
        delimiter: One character.

    Raises:
        BridgeError: ``invalid_csv``, with the line; ``too_large``.
    """
    if isinstance(data, list):
        return data
    if len(data) > MAX_TEXT:
        raise BridgeError(f"the text is longer than {MAX_TEXT:,} characters", code="too_large")
    if len(delimiter) != 1 or delimiter in '\r\n"':
        raise BridgeError("a delimiter is one character, and no quote or line end", code="invalid_argument")
    try:
        lines = list(csv.reader(io.StringIO(data, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise BridgeError(f"the text is not CSV: {error}", code="invalid_csv") from None
    filled = [line for line in lines if line]
    if not filled:
        return []
    if isinstance(headers, list):
        names = headers
    elif headers:
        names, filled = filled[0], filled[1:]
    else:
        names = [f"column{place}" for place in range(1, len(filled[0]) + 1)]
    if len(set(names)) != len(names):
        raise BridgeError("two columns have one name", code="invalid_csv")
    for number, line in enumerate(filled, 1):
        if len(line) != len(names):
            raise BridgeError(
                f"row {number} has {len(line)} fields, there are {len(names)} columns", code="invalid_csv"
            )
    return [dict(zip(names, line, strict=True)) for line in filled]


def written(given: list[Row], delimiter: str) -> str:
    """Write rows as CSV, with a first line of names."""
    names = list(dict.fromkeys(name for row in given for name in row))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(["" if row.get(name) is None else row[name] for name in names] for row in given)
    return out.getvalue()


def kept(given: list[Row], where: Mapping[str, Any]) -> list[Row]:
    """Return the rows that meet every condition: ``{column: value}`` or ``{column: {gt: 3}}``."""
    for column, condition in where.items():
        for comparison in condition if isinstance(condition, Mapping) else ():
            if comparison not in COMPARISONS:
                known = ", ".join(COMPARISONS)
                raise BridgeError(
                    f"column {column!r}: there is no comparison {comparison!r}; there are {known}",
                    code="invalid_argument",
                )
    return [row for row in given if all(_meets(row.get(column), test) for column, test in where.items())]


def _meets(cell: Any, condition: Any) -> bool:
    tests = condition if isinstance(condition, Mapping) else {"eq": condition}
    return all(_compared(cell, comparison, wanted) for comparison, wanted in tests.items())


def _compared(cell: Any, comparison: str, wanted: Any) -> bool:
    if comparison == "in":
        return isinstance(wanted, list) and any(_compared(cell, "eq", one) for one in wanted)
    left, right = number(cell), number(wanted)
    if comparison in ("contains", "starts_with", "ends_with"):
        text, part = str(cell), str(wanted)
        return {"contains": part in text, "starts_with": text.startswith(part), "ends_with": text.endswith(part)}[
            comparison
        ]
    pair: tuple[Any, Any] = (left, right) if left is not None and right is not None else (str(cell), str(wanted))
    first, second = pair
    return bool(_ORDERS[comparison](first, second))


def reshaped(given: list[Row], columns: list[str] | None, rename: Mapping[str, str], sort_by: str | None) -> list[Row]:
    """Return rows with some columns, under other names, sorted by one: numbers before texts."""
    if sort_by is not None:
        descending, name = sort_by.startswith("-"), sort_by.removeprefix("-")
        _known(given, [name])
        given = sorted(given, key=lambda row: _rank(row.get(name)), reverse=descending)
    names = columns if columns is not None else list(dict.fromkeys(name for row in given for name in row))
    _known(given, names)
    return [{rename.get(name, name): row.get(name) for name in names} for row in given]


def summed(given: list[Row], group_by: list[str], aggregates: Mapping[str, str]) -> list[Row]:
    """Return one row for each group, with ``{column}_{function}`` for each aggregate."""
    for function in aggregates.values():
        if function not in AGGREGATES:
            known = ", ".join(AGGREGATES)
            raise BridgeError(f"there is no aggregate {function!r}; there are {known}", code="invalid_argument")
    _known(given, [*group_by, *aggregates])
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in given:
        groups.setdefault(tuple(str(row.get(name)) for name in group_by), []).append(row)
    out = []
    for key, members in groups.items():
        made: Row = dict(zip(group_by, key, strict=True))
        for column, function in aggregates.items():
            if function == "count":
                made[f"{column}_count"] = sum(row.get(column) not in (None, "") for row in members)
                continue
            numbers = [found for row in members if (found := number(row.get(column))) is not None]
            made[f"{column}_{function}"] = AGGREGATES[function](numbers) if numbers else None
        out.append(made)
    return out


def typed(given: list[Row]) -> list[Row]:
    """Return rows with numbers where every cell of a column is one."""
    names = list(given[0]) if given else []
    numeric = [name for name in names if all(number(row.get(name)) is not None for row in given)]
    return [{**row, **{name: number(row[name]) for name in numeric}} for row in given]


def number(cell: Any) -> float | int | None:
    """Return the number a cell holds, or None."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return cell
    if not isinstance(cell, str) or len(cell) > 40 or not cell.strip() or not cell.isascii():
        return None
    try:
        return int(cell)
    except ValueError:
        pass
    try:
        found = float(cell)
    except ValueError:
        return None
    return found if found - found == 0 else None  # neither inf nor nan


def _rank(cell: Any) -> tuple[bool, Any]:
    found = number(cell)
    return (True, str(cell)) if found is None else (False, found)


def _known(given: list[Row], names: list[str]) -> None:
    there = {name for row in given for name in row}
    for name in names:
        if given and name not in there:
            known = ", ".join(sorted(there))
            raise BridgeError(f"there is no column {name!r}; columns: {known}", code="invalid_argument")
