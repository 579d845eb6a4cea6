"""Doors: the exports that a run's calls go through, found and allowed once."""

from __future__ import annotations

import asyncio
import difflib
import functools
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from llmspell.bridge import Begun, Bridge, Export, exports_of
from llmspell.bridge.ahead import running_ahead
from llmspell.engine import messages as m
from llmspell.errors import BridgeError, BridgeNotFoundError, PolicyDeniedError
from llmspell.policy import how_to_grant
from llmspell.values.convert import camel

if TYPE_CHECKING:
    from llmspell.gate.gated import GatedRun

Relay = Callable[[list[Any], Callable[["list[Any] | None", "BaseException | None"], None]], "Callable[[], None] | None"]
"""Takes the arguments and who hears the results or the error; returns what calls it off, None to be called as ever."""


@lru_cache(maxsize=4096)
def snake(name: str) -> str:
    """Spell a camelCase name in snake_case.

    Example:
        >>> snake("quickPrompt")
        'quick_prompt'
    """
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


class Door:
    """One export of one object, resolved and allowed: what is left to do is to call it."""

    __slots__ = (
        "bind", "export", "function", "is_async", "names", "needs", "relay", "secrets", "start", "takes_call", "target",
    )  # fmt: skip

    def __init__(self, target: str, owner: object, export: Export) -> None:
        signature = export.signature
        self.target = target
        self.export = export
        self.function: Callable[..., Any] = getattr(owner, export.function.__name__)
        if export.mark.ahead:
            self.function = running_ahead(self.function, export.mark.ahead)
        self.bind = signature.bind
        self.takes_call = signature.takes_call
        self.is_async = export.is_async
        self.start: Callable[..., Any] = (
            functools.partial(asyncio.to_thread, self.function) if export.blocking else self.function
        )
        # An object whose export only passes on what another guest answers may say so with no task that waits for it.
        self.relay: Relay | None = getattr(owner, f"relay_{export.name}", None)
        self.secrets = signature.secrets
        positional = [p for p in signature.parameters if not p.option and not p.variadic]
        self.names = [p.name for p in positional]
        self.needs = sum(p.required for p in positional)


def find(run: GatedRun, call: m.Call) -> Door | Callable[[], Coroutine[Any, Any, Door]]:
    """Find the door a call goes through, and keep it for the next; where its bridge is still to open, what opens it.

    Raises:
        PolicyDeniedError: The policy does not grant it.
        BridgeNotFoundError: There is no such bridge.
        BridgeError: It has no such function.
    """
    target, method = call.target, call.method
    if target == m.HOST:
        door = run.doors[m.HOST, method] = _door(run, m.HOST, run.system, method)
        return door
    if isinstance(target, int):
        owner = run.object_of(target)
        door = run.handle_doors[target, method] = _door(run, type(owner).__name__, owner, method)
        return door
    grants = run.policy.grants
    if not grants.allows_call(target, method):
        if target not in run.bridges.names:
            raise _no_bridge(target, run.bridges.names)
        raise PolicyDeniedError(
            f"{target}.{shown(run, method)} is not granted by the policy",
            hint=how_to_grant(target),
        )
    bridge = run.bridges.get(target)
    if isinstance(bridge, Bridge):
        door = run.doors[target, method] = _door(run, target, bridge, method)
        return door

    opening = Begun(bridge)

    async def opened() -> Door:
        door = run.doors[target, method] = _door(run, target, await opening(), method)
        return door

    return opened


def shown(run: GatedRun, name: str) -> str:
    """Spell the name of an export as the script does."""
    return camel(name) if run.naming == "camel" else name


def _door(run: GatedRun, target: str, owner: object, method: str) -> Door:
    exports = exports_of(type(owner))
    export = exports.get(method)
    if export is None:
        close = difflib.get_close_matches(method, exports, 1)
        hint = f"; did you mean {shown(run, close[0])!r}?" if close else ""
        raise BridgeError(f"{target} has no function {shown(run, method)!r}{hint}", code="unknown_method")
    return Door(target, owner, export)


def _no_bridge(name: str, known: tuple[str, ...]) -> BridgeNotFoundError:
    close = difflib.get_close_matches(name, known, 1)
    return BridgeNotFoundError(
        f"there is no bridge named {name!r}", name=name, hint=f"did you mean {close[0]!r}?" if close else None
    )
