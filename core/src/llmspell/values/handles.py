"""Names for live things: what crosses instead of the thing itself.

They are plain classes, not msgspec structs or dataclasses: those would be encoded as bare arrays or maps
inside free data, while these reach the wire's own extension hook.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

HandleKind = Literal["object", "stream", "function"]


class MethodRef(NamedTuple):
    """A method of a host object: its snake_case name and whether it is ``async``."""

    name: str
    is_async: bool = False


class _Handle:
    __slots__: tuple[str, ...] = ()

    def _fields(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((type(self), self._fields()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._fields()!r}"


class FunctionRef(_Handle):
    """A function that lives in a guest.

    Attributes:
        id: Unique within one guest and run.
        name: For messages; may be empty.
    """

    __slots__ = ("id", "name")

    def __init__(self, id: int, name: str = "") -> None:
        self.id = id
        self.name = name


class HostRef(_Handle):
    """An object that lives in the host; a script holds it as a handle with methods.

    A guest calls a method by saying ``Call(target=ref.id, method=..., args=...)``.

    Attributes:
        id: Unique within one run.
        type: Class name, for messages.
        methods: What may be called.
        kind: ``"stream"`` has the async methods ``next`` (returns ``[done, value]``) and ``close``, and each
            engine shows it as its native iterator; ``"function"`` has ``call`` (arguments as they are) and is
            shown as a function; ``"object"`` is everything else.
    """

    __slots__ = ("id", "kind", "methods", "type")

    def __init__(self, id: int, type: str, methods: tuple[MethodRef, ...] = (), kind: HandleKind = "object") -> None:
        self.id = id
        self.type = type
        self.methods = methods
        self.kind = kind
