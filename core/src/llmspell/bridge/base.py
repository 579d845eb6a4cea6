"""``Bridge``: a thin, typed wrapper over a library, one per capability."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

API_VERSION = 1


class HostObject:
    """Base of live things an export returns; a script holds it as a handle with methods.

    Mark the methods with :func:`export`. Override ``close`` to let go of what it holds when its run ends.
    """

    def close(self) -> None:
        """Let go of resources; called once when the run that received the handle ends."""


@dataclass(frozen=True, slots=True)
class BridgeContext:
    """What a bridge gets to know when it is opened.

    Attributes:
        config: The bridge's section of the configuration.
        bridges: The opened bridges it requires, by name.
        environ: The environment it may read settings from. Bridges never read ``os.environ``.
        services: What the host offers to bridges of the house: ``data_dir`` and the like.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    bridges: Mapping[str, Bridge] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, Any] = field(default_factory=dict)


class Bridge:
    """Give scripts a capability.

    Subclass it, set ``name``, mark methods with ``@export``. Everything else (schemas, documentation, editor
    stubs, tool descriptions) derives from their signatures and docstrings.

    Attributes:
        name: What scripts ``require``.
        requires: Bridges it needs, with optional versions: ``("data", "state>=1.2")``.
        permissions: What it reaches of the world, for documentation: ``("net",)``.
        version: The bridge's own version.

    Example:
        >>> from llmspell.plugin import export
        >>> class Greeter(Bridge):
        ...     "Greetings."
        ...     name = "greeter"
        ...     @export
        ...     def greet(self, name: str) -> str:
        ...         "Greet somebody."
        ...         return f"Hello, {name}!"
    """

    name: ClassVar[str] = ""
    requires: ClassVar[tuple[str, ...]] = ()
    permissions: ClassVar[tuple[str, ...]] = ()
    version: ClassVar[str] = "1.0.0"

    async def open(self, context: BridgeContext) -> None:
        """Get ready; called once, after the bridges it requires. Raise to refuse."""

    async def close(self) -> None:
        """Let go of everything; called once, before the bridges it requires."""

    async def health(self) -> dict[str, Any]:
        """Tell how it is: at least ``{"ok": bool}``."""
        return {"ok": True}


@dataclass(frozen=True, slots=True)
class BridgeSpec:
    """Describe a bridge that a plugin offers.

    Attributes:
        name: What scripts ``require``.
        factory: A class, a callable without arguments, or ``"module:attr"`` for either; not imported before use.
        scope: ``"session"``: each session has its own; ``"host"``: one for all sessions, so it keeps nothing that
            one principal must not see of another.
        aliases: Other names scripts may use.
        api: The contract version it was written for.
    """

    name: str
    factory: str | Callable[[], Bridge]
    description: str = ""
    scope: Literal["session", "host"] = "session"
    requires: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    version: str = "1.0.0"
    api: int = API_VERSION
