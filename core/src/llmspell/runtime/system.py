"""What a guest may ask the host itself: the target ``@host``, which needs no grant."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from llmspell.bridge import Begun, Bridge, BridgeSet, Call, export, exports_of
from llmspell.errors import BridgeError
from llmspell.policy import how_to_grant
from llmspell.runtime.channels import SharedChannel, SharedChannels

ModuleSource = Callable[[Any, str, str], Awaitable[dict[str, Any]] | dict[str, Any]]
"""Finds a local module: ``(run, name, importer)`` to a module's description."""


class SystemBridge(Bridge):
    """Modules, for ``require`` and ``import`` in every language.

    Args:
        find_local: Resolves names of files (``"./lib"``, ``"lib.sub"``) inside the run's root.
    """

    name = "@host"

    def __init__(self, find_local: ModuleSource) -> None:
        self.find_local = find_local

    @export
    def module(self, call: Call, name: str, importer: str = "") -> Any:
        """Describe the module ``name``, asked for by the file ``importer``.

        Returns:
            One of
            ``{"kind": "bridge", "name", "exports": [[method, is_async, is_stream], ...], "doc"}``;
            ``{"kind": "source", "name", "text", "language"}``: a file in the asker's own language, to be compiled,
            run once per run and remembered under ``name`` (its path inside the root);
            ``{"kind": "foreign", "name", "language", "exports": {...}}``: a module in another language, already
            loaded; functions among its exports are handles of kind ``function``.
        """
        run = call.run
        bridges: BridgeSet = run.bridges
        if name in bridges.names:
            if not run.policy.grants.allows_bridge(name):
                raise BridgeError(
                    f"the bridge {name!r} is not granted by the policy; {how_to_grant(name)}", code="denied"
                )
            return describe_bridge(bridges, name)
        return self.find_local(run, name, importer)

    @export
    def cancel(self, call: Call, number: int) -> None:
        """Drop a pending call of the guest: its host work is cancelled, and no reply comes."""
        call.run.drop(number)

    @export
    async def sleep(self, seconds: float) -> None:
        """Wait; the timer of every language."""
        await asyncio.sleep(seconds)

    @export
    def shared_channel(self, call: Call, name: str, capacity: int = 0) -> SharedChannel:
        """Return the channel of that name of the session, made on first use."""
        channels: SharedChannels = call.run.services.channels
        return channels.get(name, capacity)


def describe_bridge(bridges: BridgeSet, name: str) -> dict[str, Any] | Awaitable[dict[str, Any]]:
    """Describe a bridge to a guest, opening it if need be."""
    bridge = bridges.get(name)
    if isinstance(bridge, Bridge):
        return _describe(bridge, name)

    opening = Begun(bridge)

    async def opened() -> dict[str, Any]:
        return _describe(await opening(), name)

    return opened()


def _describe(bridge: Bridge, name: str) -> dict[str, Any]:
    exports = [[each, item.is_async, item.is_stream] for each, item in exports_of(type(bridge)).items()]
    return {"kind": "bridge", "name": name, "exports": exports}
