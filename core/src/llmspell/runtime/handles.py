"""``Handles``: the live objects that one run's script holds, by number."""

from __future__ import annotations

from typing import Any

from llmspell.bridge import HostObject, exports_of
from llmspell.errors import BridgeError
from llmspell.gate.doors import Door
from llmspell.values import HostRef, MethodRef
from llmspell.values.handles import HandleKind


class Handles:
    """Number objects and find them again; an object has one number, however often it crosses.

    Attributes:
        doors: What the gate has resolved of them: by number and name of the method.
    """

    __slots__ = ("_last", "_objects", "_refs", "doors")

    def __init__(self) -> None:
        self._last = 0
        self._objects: dict[int, HostObject] = {}
        self._refs: dict[int, HostRef] = {}
        self.doors: dict[tuple[int, str], Door] = {}

    def of(self, item: HostObject) -> HostRef:
        """Return what stands for an object in the script."""
        known = self._refs.get(id(item))
        if known is not None:
            return known
        self._last += 1
        methods = tuple(MethodRef(name, found.is_async) for name, found in exports_of(type(item)).items())
        kind: HandleKind = getattr(item, "handle_kind", "object")
        name = getattr(item, "handle_name", "") or type(item).__name__
        ref = HostRef(self._last, name, methods, kind)
        self._objects[ref.id] = item
        self._refs[id(item)] = ref
        return ref

    def object_of(self, handle: int) -> HostObject:
        """Return the object that a handle stands for.

        Raises:
            BridgeError: It is not one of these.
        """
        try:
            return self._objects[handle]
        except KeyError:
            raise unknown(handle) from None

    def objects(self) -> list[HostObject]:
        """Return all objects, in the order in which they first crossed."""
        return list(self._objects.values())


def unknown(handle: int) -> BridgeError:
    """Say that a handle stands for nothing in this run."""
    return BridgeError(f"handle {handle} is not of this run", code="unknown_handle")


async def close_all(objects: list[Any]) -> None:
    """Close what handles stood for; one that fails to close does not keep the others open.

    Raises:
        ExceptionGroup: Of what their closing raised.
    """
    errors: list[Exception] = []
    for item in objects:
        try:
            if hasattr(item, "aclose"):
                await item.aclose()
            else:
                item.close()
        except Exception as error:  # noqa: BLE001 - collected and raised below
            errors.append(error)
    if errors:
        raise ExceptionGroup("handles failed to close", errors)
