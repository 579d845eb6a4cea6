"""From Python objects to values: a registry of small converters, dispatched by type.

The other direction needs no registry of its own: an export's parameters are validated, and so converted, by
pydantic against its signature (see :mod:`llmspell.bridge.signature`).
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import functools
import pathlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from llmspell.errors import ConversionError, LlmspellError
from llmspell.values.handles import FunctionRef, HostRef
from llmspell.values.instants import instant_of, is_instant
from llmspell.values.value import DEFAULT_VALUE_LIMITS, Value, ValueLimits, text_size

Naming: TypeAlias = Literal["snake", "camel"]


class TypeConverter(Protocol):
    """Turn one kind of Python object into something simpler.

    The result may again need conversion: a converter takes one step and the registry goes on from there.
    """

    def __call__(self, item: Any, /) -> object: ...


@dataclass(frozen=True, slots=True)
class ConverterSpec:
    """Describe how objects of ``type`` (and its subclasses) cross to a script.

    Attributes:
        type: The Python type.
        to_value: One step towards a value.
        record: The result is a dict of *names* (fields), which follow the naming of the script's language.

    Example:
        >>> from fractions import Fraction
        >>> spec = ConverterSpec(Fraction, lambda f: {"num": f.numerator, "den": f.denominator})
        >>> ValueConverter([spec]).to_value(Fraction(1, 3))
        {'num': 1, 'den': 3}
    """

    type: type
    to_value: TypeConverter
    record: bool = False


def camel(name: str) -> str:
    """Spell a snake_case name in camelCase; leading underscores stay.

    Example:
        >>> camel("quick_prompt")
        'quickPrompt'
    """
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] if part else "_" for part in rest) if head else name


@functools.lru_cache(maxsize=4096)
def _camel_cached(name: str) -> str:
    return camel(name)


def _dataclass_fields(item: Any) -> dict[str, object]:
    """Apply the field metadata ``rename``, ``skip`` and ``omit_empty``."""
    out: dict[str, object] = {}
    for field in dataclasses.fields(item):
        meta = field.metadata
        if meta.get("skip"):
            continue
        part = getattr(item, field.name)
        if meta.get("omit_empty") and (part is None or part in ("", b"", [], {}, ())):
            continue
        out[meta.get("rename", field.name)] = part
    return out


def _model_fields(item: Any) -> dict[str, object]:
    fields = type(item).model_fields
    return {(fields[name].alias or name): getattr(item, name) for name in fields}


def _iso(item: Any) -> str:
    return str(item.isoformat())


def _sorted_set(item: Any) -> list[object]:
    """Make sets reproducible: sorted where their members can be compared."""
    try:
        return sorted(item)
    except TypeError:
        return list(item)


_CLOCK = ConverterSpec(datetime.datetime, _iso)
_BUILT_IN: tuple[ConverterSpec, ...] = (
    ConverterSpec(enum.Enum, lambda item: item.value),
    _CLOCK,
    ConverterSpec(datetime.date, _iso),
    ConverterSpec(datetime.time, _iso),
    ConverterSpec(datetime.timedelta, lambda item: item.total_seconds()),
    ConverterSpec(decimal.Decimal, str),
    ConverterSpec(uuid.UUID, str),
    ConverterSpec(pathlib.PurePath, str),
    ConverterSpec(bytearray, bytes),
    ConverterSpec(memoryview, bytes),
    ConverterSpec(bool, bool),
    ConverterSpec(int, int.__int__),
    ConverterSpec(float, float.__float__),
    ConverterSpec(str, str.__str__),
    ConverterSpec(bytes, bytes.__bytes__),
    ConverterSpec(Mapping, lambda item: dict(item.items())),
    ConverterSpec(Set, _sorted_set),
    ConverterSpec(Sequence, list),
)


_SCALARS = frozenset({type(None), bool, int, float})
_TEXT = frozenset({str})


def all_of(kinds: Iterable[type], allowed: frozenset[type]) -> bool:
    """Tell whether all types are among ``allowed``; quickest where they are all the same."""
    found = list(kinds)
    return not found or (found[0] in allowed and found.count(found[0]) == len(found)) or set(found) <= allowed


class ValueConverter:
    """Convert Python objects into values.

    The result is always a fresh tree: no container in it is shared, contains itself or belongs to anybody
    else, and it is within the limits. Engines rely on that.

    Args:
        specs: More converters; later ones win, and all win over the built-in ones.
        limits: Limits of one value.
        handle: Makes a handle for an object that has exports; objects without are refused.
        instants: Leave points in time as they are, in UTC, for an engine whose scripts have a type for them; else
            they become texts, in their own zone.
    """

    def __init__(
        self,
        specs: Sequence[ConverterSpec] = (),
        limits: ValueLimits = DEFAULT_VALUE_LIMITS,
        handle: Callable[[object], HostRef | FunctionRef | None] | None = None,
        *,
        instants: bool = False,
    ) -> None:
        self._specs = (*reversed(specs), *_BUILT_IN)
        self._by_type: dict[type, ConverterSpec | None] = {}
        self.limits = limits
        self.instants = instants
        self._handle = handle

    def bound(
        self, handle: Callable[[object], HostRef | FunctionRef | None], limits: ValueLimits, *, instants: bool = False
    ) -> ValueConverter:
        """Return a converter with this one's registry, for one guest."""
        other = ValueConverter.__new__(ValueConverter)
        other._specs = self._specs
        other._by_type = self._by_type
        other.limits = limits
        other.instants = instants
        other._handle = handle
        return other

    def to_value(self, item: object, naming: Naming = "snake") -> Value:
        """Convert ``item``.

        Args:
            naming: ``"camel"`` spells the field names of records (dataclasses, pydantic models) in camelCase;
                keys of plain dicts are data and stay.

        Raises:
            ConversionError: With the path of what cannot cross.
        """
        kind = type(item)
        if kind in _SCALARS:
            return item  # type: ignore[return-value]
        if kind is str and len(item) < 1024 and self.limits.bytes >= 4096:  # type: ignore[arg-type]
            return item  # type: ignore[return-value]
        return _Conversion(self, naming).convert(item, "$", 0)

    def step(self, item: object, kind: type, path: str) -> tuple[object, bool]:
        """Take one step: return what ``item`` becomes and whether that is a record."""
        try:
            spec = self._by_type[kind]
        except KeyError:
            spec = self._by_type[kind] = self._find(kind)
        if spec is not None:
            try:
                if spec is _CLOCK and self.instants:
                    return instant_of(item, path), False
                return spec.to_value(item), spec.record
            except LlmspellError:
                raise
            except Exception as error:
                raise ConversionError(
                    f"a {kind.__name__} cannot cross: its converter failed with {type(error).__name__}", path=path
                ) from error
        if self._handle is not None and (ref := self._handle(item)) is not None:
            return ref, False
        raise ConversionError(f"a {kind.__name__} cannot cross to a script", path=path)

    def _find(self, kind: type) -> ConverterSpec | None:
        for spec in self._specs[: -len(_BUILT_IN)]:
            if issubclass(kind, spec.type):
                return spec
        if dataclasses.is_dataclass(kind):
            return ConverterSpec(kind, _dataclass_fields, record=True)
        if hasattr(kind, "model_fields") and hasattr(kind, "model_dump"):
            return ConverterSpec(kind, _model_fields, record=True)
        if issubclass(kind, tuple) and hasattr(kind, "_fields"):
            return ConverterSpec(kind, lambda item: item._asdict(), record=True)
        return next((spec for spec in _BUILT_IN if issubclass(kind, spec.type)), None)


class _Conversion:
    """One conversion under way: its counters and the containers it stands inside of."""

    __slots__ = ("bytes", "camel", "limits", "nodes", "open", "registry")

    def __init__(self, registry: ValueConverter, naming: Naming) -> None:
        self.registry = registry
        self.limits = registry.limits
        self.camel = naming == "camel"
        self.nodes = 0
        self.bytes = 0
        self.open: set[int] = set()

    def convert(self, item: Any, path: str, depth: int, record: bool = False) -> Value:
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            raise ConversionError(
                f"the value has more than {self.limits.nodes:,} parts (limit: value nodes)", path=path
            )
        kind = type(item)
        if kind in _SCALARS:
            return item  # type: ignore[no-any-return]
        if kind is str:
            self._count(text_size(item, self.limits.bytes), path)
            return item  # type: ignore[no-any-return]
        if kind is bytes:
            self._count(len(item), path)
            return item  # type: ignore[no-any-return]
        if kind is dict or kind is list or kind is tuple:
            return self._container(item, kind, path, depth, record)
        if kind is HostRef or kind is FunctionRef:
            return item  # type: ignore[no-any-return]
        if id(item) in self.open:
            raise ConversionError("the value contains itself", path=path)
        if depth > self.limits.depth:
            raise self._too_deep(path)
        self.open.add(id(item))
        try:
            simpler, is_record = self.registry.step(item, kind, path)
            if simpler is item and self.registry.instants and is_instant(item):
                return item
            return self.convert(simpler, path, depth + 1 if is_record else depth, is_record)
        finally:
            self.open.discard(id(item))

    def _container(self, item: Any, kind: type, path: str, depth: int, record: bool) -> Value:
        if id(item) in self.open:
            raise ConversionError("the value contains itself", path=path)
        if depth >= self.limits.depth:
            raise self._too_deep(path)
        if self.nodes + len(item) > self.limits.nodes:
            raise ConversionError(
                f"the value has more than {self.limits.nodes:,} parts (limit: value nodes)", path=path
            )
        self.open.add(id(item))
        try:
            return self._record(item, path, depth, record) if kind is dict else self._list(item, path, depth)
        finally:
            self.open.discard(id(item))

    def _list(self, item: Any, path: str, depth: int) -> list[Value]:
        if all_of(map(type, item), _SCALARS):
            self.nodes += len(item)
            return list(item)
        return [
            part if type(part) in _SCALARS and self._node() else self.convert(part, f"{path}[{index}]", depth + 1)
            for index, part in enumerate(item)
        ]

    def _record(self, item: dict[Any, Any], path: str, depth: int, record: bool) -> dict[str, Value]:
        # Types are counted at the speed of C: most tables hold texts and numbers only, and need no loop.
        if all_of(map(type, item), _TEXT) and not (record and self.camel):
            self._count(text_size("".join(item), self.limits.bytes), path)
            if all_of(map(type, item.values()), _SCALARS):
                self.nodes += len(item)
                return item.copy()
            return {key: self._part(part, path, key, depth) for key, part in item.items()}
        out: dict[str, Value] = {}
        for name, part in item.items():
            key = name if type(name) is str else self._key(name, path)
            self._count(text_size(key, self.limits.bytes), path)
            if record and self.camel:
                key = _camel_cached(key)
            if key in out:
                raise ConversionError(f"two keys become the same text {key!r}", path=path)
            out[key] = self._part(part, path, key, depth)
        return out

    def _part(self, part: Any, path: str, key: str, depth: int) -> Value:
        kind = type(part)
        if kind in _SCALARS:
            self.nodes += 1
            return part  # type: ignore[no-any-return]
        if kind is str:
            self.nodes += 1
            self._count(len(part) if part.isascii() else text_size(part, self.limits.bytes), path)
            return part  # type: ignore[no-any-return]
        return self.convert(part, f"{path}.{key}", depth + 1)

    def _node(self) -> bool:
        self.nodes += 1
        return True

    def _key(self, key: object, path: str) -> str:
        if isinstance(key, str):
            return key.value if isinstance(key, enum.Enum) else str.__str__(key)
        if isinstance(key, int) and not isinstance(key, bool):
            return str(int(key))
        if isinstance(key, uuid.UUID | pathlib.PurePath | datetime.date):
            return str(key)
        raise ConversionError(f"a dict key must be a text, not {type(key).__name__}", path=path)

    def _count(self, size: int, path: str) -> None:
        self.bytes += size
        if self.bytes > self.limits.bytes:
            raise ConversionError(
                f"the value holds more than {self.limits.bytes:,} bytes of text (limit: value bytes)",
                path=path,
            )

    def _too_deep(self, path: str) -> ConversionError:
        return ConversionError(
            f"the value is nested deeper than {self.limits.depth} levels (limit: value depth)", path=path
        )
