"""The values themselves and the limits they are held to."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, TypeAlias, Union, cast

from llmspell.errors import ConversionError
from llmspell.values.handles import FunctionRef, HostRef

Value: TypeAlias = Union[
    bool, int, float, str, bytes, datetime.datetime, "list[Value]", "dict[str, Value]", FunctionRef, HostRef, None
]
"""What crosses. A datetime is an instant: it is aware, and a converter brings it to UTC."""


@dataclass(frozen=True, slots=True)
class ValueLimits:
    """How large one crossing value may be; counted before anything is allocated for it.

    Attributes:
        depth: Nesting of lists and dicts.
        nodes: Values in all, containers included.
        bytes: Bytes of all texts and byte strings together, keys included.
    """

    depth: int = 64
    nodes: int = 1_000_000
    bytes: int = 64 * 1024 * 1024


DEFAULT_VALUE_LIMITS = ValueLimits()

_SCALARS = frozenset({type(None), bool, int, float})


def check_value(value: object, limits: ValueLimits = DEFAULT_VALUE_LIMITS) -> None:
    """Check that ``value`` is a :data:`Value` within ``limits``.

    Raises:
        ConversionError: With the path of the first offence: a foreign type, a key that is not a text,
            a cycle, or a limit.

    Example:
        >>> check_value({"a": [1, {2, 3}]})
        Traceback (most recent call last):
        ...
        llmspell.errors.ConversionError: a set cannot cross (at $.a[1])
    """
    if type(value) in _SCALARS:
        return
    _Checker(limits).check(value)


def text_size(text: str, stop_at: int) -> int:
    """Count the bytes of a text as UTF-8; a text that is longer than ``stop_at`` is not encoded to find out."""
    if text.isascii() or len(text) > stop_at:
        return len(text)
    return len(text.encode("utf-8", "surrogatepass"))


def size_of(value: object, stop_at: int) -> int:
    """Count the bytes of a value: texts as UTF-8, eight for everything else; no further than ``stop_at``.

    Example:
        >>> size_of({"a": ["é", 1]}, 1000)
        27
    """
    size = 0
    stack: list[Any] = [value]
    while stack and size <= stop_at:
        item = stack.pop()
        kind = type(item)
        if kind is str:
            size += text_size(item, stop_at)
        elif kind is bytes:
            size += len(item)
        else:
            size += 8
            if kind is list:
                stack.extend(item)
            elif kind is dict:
                stack.extend(item)
                stack.extend(item.values())
    return size


class _Checker:
    __slots__ = ("bytes", "limits", "nodes", "open")

    def __init__(self, limits: ValueLimits) -> None:
        self.limits = limits
        self.nodes = 0
        self.bytes = 0
        self.open: set[int] = set()

    def check(self, value: object) -> None:
        stack: list[tuple[object, str, int]] = [(value, "$", 0)]
        while stack:
            item, path, depth = stack.pop()
            if depth < 0:
                self.open.discard(id(item))
                continue
            self.nodes += 1
            if self.nodes > self.limits.nodes:
                raise ConversionError(
                    f"the value has more than {self.limits.nodes:,} parts (limit: value nodes)", path=path
                )
            kind = type(item)
            if kind in _SCALARS or kind is FunctionRef or kind is HostRef:
                continue
            if kind is str:
                self._count(text_size(item, self.limits.bytes), path)  # type: ignore[arg-type]
            elif kind is bytes:
                self._count(len(item), path)  # type: ignore[arg-type]
            elif kind is list or kind is dict:
                if id(item) in self.open:
                    raise ConversionError("the value contains itself", path=path)
                if depth >= self.limits.depth:
                    raise ConversionError(
                        f"the value is nested deeper than {self.limits.depth} levels (limit: value depth)",
                        path=path,
                    )
                self.open.add(id(item))
                stack.append((item, path, -1))
                if kind is list:
                    stack.extend((part, f"{path}[{i}]", depth + 1) for i, part in enumerate(cast("list[object]", item)))
                else:
                    for key, part in item.items():  # type: ignore[attr-defined]
                        if type(key) is not str:
                            raise ConversionError(f"a dict key must be a text, not {type(key).__name__}", path=path)
                        self._count(text_size(key, self.limits.bytes), path)
                        stack.append((part, f"{path}.{key}", depth + 1))
            elif kind is not datetime.datetime:
                raise ConversionError(f"a {kind.__name__} cannot cross", path=path)
            elif item.tzinfo is None:  # type: ignore[attr-defined]
                raise ConversionError("a datetime without a zone cannot cross", path=path)

    def _count(self, size: int, path: str) -> None:
        self.bytes += size
        if self.bytes > self.limits.bytes:
            raise ConversionError(
                f"the value holds more than {self.limits.bytes:,} bytes of text (limit: value bytes)",
                path=path,
            )
