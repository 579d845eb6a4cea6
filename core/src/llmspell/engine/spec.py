"""What an engine plugin declares of itself before anything of it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from llmspell.engine.contract import ScriptEngine

API_VERSION = 1
"""Version of the plugin contract. A plugin built for another one is refused by name."""

Limit = Literal["deadline", "steps", "memory", "output", "cancel", "recursion"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can enforce, by placement.

    Attributes:
        inline: Limits it enforces inside the host's process. ``deadline`` here is cooperative: long C calls
            of the engine are not interrupted.
        worker: Limits it enforces itself in a worker; the worker adds its own hard ones.
        suspends: It can suspend inside a synchronous host call. One that cannot asks through
            ``port.ask`` and needs a placement that may block.
        calls_each: It hears ``Invoke.each``; for others, every item of a stream is an exchange of its own.
    """

    inline: frozenset[Limit] = frozenset()
    worker: frozenset[Limit] = frozenset()
    suspends: bool = True
    calls_each: bool = False


@dataclass(frozen=True, slots=True)
class Gathering:
    """How a language writes a module that only brings others along. ``NAME`` stands for a module's name.

    Attributes:
        load: A statement that loads a module: ``'require("NAME")'``.
        same: A statement that makes a module's exports those of another: ``'return require("NAME")'``.
        table: One that makes them a table of ``MEMBERS``: ``'return {MEMBERS}'``.
        member: One member, called ``KEY``: ``'["KEY"] = require("NAME")'``; members are joined by commas.
    """

    load: str
    same: str
    table: str
    member: str


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Describe an engine.

    Attributes:
        name: Engine name, e.g. ``"lua"``.
        factory: ``"module:attr"`` or a callable that returns a :class:`ScriptEngine`; called once per process
            that needs the engine, with ``options`` as keyword arguments. Use the string: it is not imported
            before use, and only a string can be preloaded by workers.
        extensions: File name endings with their dot.
        aliases: Other names people may use.
        naming: How scripts of this language see exports and option keys.
        options: Keyword arguments for the factory; plain values only.
        ordered: Its maps keep the order in which their keys were written. Where they do not, the host sorts small ones
            by key.
        instants: Its scripts have a type for points in time: an aware datetime reaches the guest as one, in UTC. Where
            they have not, the host writes it as ISO 8601 text.
        gathering: How it writes modules made of others. Without it, scripts of this language cannot require bundles
            of modules that the host's program defines, nor modules that declare what is to be loaded before them.
        api: The contract version it was written for.

    Example:
        >>> EngineSpec("lua", "llmspell_lua.engine:LuaEngine", extensions=(".lua",)).naming
        'snake'
    """

    name: str
    factory: str | Callable[..., ScriptEngine]
    extensions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    version: str = ""
    capabilities: Capabilities = field(default_factory=Capabilities)
    naming: Literal["snake", "camel"] = "snake"
    options: dict[str, Any] = field(default_factory=dict)
    description: str = ""
    gathering: Gathering | None = None
    ordered: bool = True
    instants: bool = False
    api: int = API_VERSION
