"""Bridges of other distributions that a session may have open: hooks and events.

They are asked for by name and by what they can do, so that nothing here requires them.
"""

from __future__ import annotations

from typing import Any

from llmspell.plugin import BridgeError, Call

VETO = "vetoed"


class VetoedError(BridgeError):
    """A hook did not allow something."""

    code = "vetoed"


async def fire(call: Call, kind: str, context: dict[str, Any]) -> dict[str, Any]:
    """Run the session's hooks of a type and return the context as they left it.

    Args:
        call: The call that asks.
        kind: ``before_generate``, ``after_generate``, ``before_tool_call``, ``after_tool_call``, ``before_run``,
            ``after_run`` or ``on_error``.
        context: What the hooks get and may change.

    Raises:
        VetoedError: A hook said no.
    """
    hooks = call.run.bridges.peek("hooks")
    if hooks is None or kind not in getattr(hooks, "wanted", ()):
        return context
    changed: dict[str, Any] = await hooks.fire(kind, context)
    if changed.get(VETO):
        raise VetoedError(f"hook {changed.get('vetoed_by', '?')!r} does not allow this ({kind})")
    return changed


def hooked(call: Call, kind: str) -> bool:
    """Tell whether a hook of a type waits, so that nobody builds a context for nothing."""
    hooks = call.run.bridges.peek("hooks")
    return hooks is not None and kind in getattr(hooks, "wanted", ())


async def publish(call: Call, event: str, data: dict[str, Any]) -> None:
    """Tell the session's event bus something, if it has one."""
    events = call.run.bridges.peek("events")
    if events is not None and hasattr(events, "publish"):
        await events.publish(call, event, data)
