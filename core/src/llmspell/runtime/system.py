"""What a guest may ask the host itself: the target ``@host``, which needs no grant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from llmspell.bridge import Bridge, BridgeSet, Call, export, exports_of
from llmspell.errors import BridgeError, ScriptModuleNotFoundError

ModuleSource = Callable[[Any, str, str], Awaitable[dict[str, Any]] | dict[str, Any]]
"""Finds a local module: ``(run, name, importer)`` to a module's description."""


class SystemBridge(Bridge):
    """Modules, for ``require`` and ``import`` in every language.

    Args:
        find_local: Resolves names of files (``"./lib"``, ``"lib.sub"``) inside the run's root.
    """

    name = "@host"

    def __init__(self, find_local: ModuleSource) -> None:
        self._find_local = find_local

    @export
    async def module(self, call: Call, name: str, importer: str = "") -> dict[str, Any]:
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
                raise BridgeError(f"the bridge {name!r} is not granted by the policy", code="denied")
            return await describe_bridge(bridges, name)
        found = self._find_local(run, name, importer)
        return found if isinstance(found, dict) else await found


async def describe_bridge(bridges: BridgeSet, name: str) -> dict[str, Any]:
    """Describe a bridge to a guest, opening it if need be."""
    bridge = bridges.get(name)
    if not isinstance(bridge, Bridge):
        bridge = await bridge
    found = exports_of(type(bridge))
    return {
        "kind": "bridge",
        "name": name,
        "exports": [[each, item.is_async, item.is_stream] for each, item in found.items()],
    }


def no_such_module(name: str, importer: str, hint: str | None = None) -> ScriptModuleNotFoundError:
    where = f" (required by {importer})" if importer else ""
    return ScriptModuleNotFoundError(f"there is no module {name!r}{where}", name=name, hint=hint)
