"""The ``hooks`` bridge: functions of a script that models, agents and tools call before and after their work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmspell.plugin import Bridge, BridgeError, Call, HostObject, ScriptFunction, export
from llmspell_std.ending import at_end

TYPES = (
    "before_generate", "after_generate", "before_tool_call", "after_tool_call", "before_run", "after_run", "on_error",
)  # fmt: skip
PRIORITY = {"HIGHEST": 1000, "HIGH": 100, "NORMAL": 0, "LOW": -100, "LOWEST": -1000}
VETO = "vetoed"
_MAX_HOOKS = 1_000


@dataclass(slots=True)
class Hook:
    """Functions by type, under one id."""

    id: str
    handlers: dict[str, ScriptFunction]
    priority: int = 0
    enabled: bool = True
    calls: int = 0

    def info(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "types": sorted(self.handlers),
            "priority": self.priority,
            "enabled": self.enabled,
            "calls": self.calls,
        }


class HooksBridge(Bridge):
    """Run functions before and after generating, tool calls and agents' runs.

    A handler receives the context as a table. A table it returns is merged into the context, for the handlers after
    it and for whoever asked; ``false`` vetoes: nothing after it runs, and the context says ``vetoed``. Hooks live as
    long as the run that registered them. Higher priority runs first.
    """

    name = "hooks"

    def __init__(self) -> None:
        self._hooks: dict[str, Hook] = {}
        self._count = 0

    async def fire(self, kind: str, context: dict[str, Any]) -> dict[str, Any]:
        """Run the hooks of a type, for other bridges; return the context as the hooks left it."""
        for hook in self._ordered(kind):
            if self._hooks.get(hook.id) is not hook or not hook.enabled:
                continue
            hook.calls += 1
            answer = await hook.handlers[kind](context)
            if answer is False:
                return {**context, VETO: True, "vetoed_by": hook.id}
            if isinstance(answer, dict):
                context = {**context, **answer}
        return context

    @property
    def wanted(self) -> frozenset[str]:
        """Types that any hook waits for, so that nobody builds a context for nothing."""
        return frozenset(kind for hook in self._hooks.values() if hook.enabled for kind in hook.handlers)

    @export
    def register_hook(self, call: Call, first: str | dict[str, Any], definition: dict[str, Any] | None = None) -> str:
        """Register a hook and return its id.

        ``{id, type, priority, handler}`` for one type, or functions by type:
        ``{id, priority, before_generate = fn, after_generate = fn, ...}``; the id may be given before the table.
        """
        beside = definition or {}
        definition = {**beside, "id": first} if isinstance(first, str) else {**first, **beside}
        hook = self._read(definition)
        if hook.id in self._hooks:
            raise BridgeError(f"there is a hook {hook.id!r} already", code="exists")
        if len(self._hooks) >= _MAX_HOOKS:
            raise BridgeError(f"there are {_MAX_HOOKS:,} hooks already", code="too_many")
        self._hooks[hook.id] = hook
        at_end(call, lambda: self._forget(hook))
        return hook.id

    register = register_hook

    @export
    def create_simple_hook(self, call: Call, id: str, type: str, fn: ScriptFunction, priority: int = 0) -> str:
        """Register one function for one type; return the id."""
        return self.register_hook(call, {"id": id, "type": type, "handler": fn, "priority": priority})

    @export
    def create_hook(self, id: str) -> HookBuilder:
        """Return a builder of a hook."""
        return HookBuilder(self, id)

    builder = create_hook

    @export
    def unregister_hook(self, id: str) -> bool:
        """Remove a hook; tell whether there was one."""
        return self._hooks.pop(id, None) is not None

    unregister = unregister_hook

    @export
    def list_hooks(self, type: str | None = None) -> list[dict[str, Any]]:
        """Return ``{id, types, priority, enabled, calls}`` of each hook, or of those of a type; first to run first."""
        return [hook.info() for hook in self._ordered(type)]

    list_ = list_hooks

    @export
    def get_hook(self, id: str) -> dict[str, Any] | None:
        """Return ``{id, types, priority, enabled, calls}``, or nothing."""
        known = self._hooks.get(id)
        return None if known is None else known.info()

    get_hook_info = get_hook

    @export
    def enable_hook(self, id: str) -> None:
        """Have a hook run."""
        self._known(id).enabled = True

    enable = enable_hook

    @export
    def disable_hook(self, id: str) -> None:
        """Have a hook not run."""
        self._known(id).enabled = False

    disable = disable_hook

    @export
    def is_hook_enabled(self, id: str) -> bool:
        """Tell whether a hook runs."""
        return self._known(id).enabled

    @export
    def batch_enable(self, ids: list[str]) -> int:
        """Have several hooks run; return how many of them there are."""
        return self._switch(ids, True)

    @export
    def batch_disable(self, ids: list[str]) -> int:
        """Have several hooks not run; return how many of them there are."""
        return self._switch(ids, False)

    @export
    def get_enabled_hooks(self, type: str | None = None) -> list[str]:
        """Return the ids of hooks that run."""
        return [hook.id for hook in self._ordered(type) if hook.enabled]

    @export
    def get_disabled_hooks(self, type: str | None = None) -> list[str]:
        """Return the ids of hooks that do not run."""
        return [hook.id for hook in self._ordered(type) if not hook.enabled]

    @export
    def set_hook_priority(self, id: str, priority: int) -> None:
        """Change a hook's priority."""
        self._known(id).priority = priority

    @export
    def get_hook_priority(self, id: str) -> int:
        """Return a hook's priority."""
        return self._known(id).priority

    @export
    def clear_hooks(self, type: str | None = None) -> int:
        """Remove all hooks, or those of a type; return how many."""
        gone = self._ordered(type)
        for hook in gone:
            self._forget(hook)
        return len(gone)

    @export
    async def execute_hooks(self, type: str, context: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the hooks of a type; return the context as they left it."""
        return await self.fire(type, context or {})

    @export
    async def execute_hook(self, id: str, type: str, context: dict[str, Any] | None = None) -> Any:
        """Run one hook; return what its function returns."""
        hook = self._known(id)
        if type not in hook.handlers:
            raise BridgeError(f"the hook {id!r} has no {type!r}", code="not_found")
        hook.calls += 1
        return await hook.handlers[type](context or {})

    @export
    def types(self) -> list[str]:
        """Return the types that models, agents and tools know; a script may use others for itself."""
        return list(TYPES)

    @export
    def priorities(self) -> dict[str, int]:
        """Return names for priorities."""
        return dict(PRIORITY)

    def _read(self, definition: dict[str, Any]) -> Hook:
        self._count += 1
        number, priority = definition.get("id", f"hook-{self._count}"), definition.get("priority", 0)
        if not isinstance(number, str) or isinstance(priority, bool) or not isinstance(priority, int):
            raise BridgeError("a hook's id is a text and its priority an integer", code="invalid_argument")
        handlers = {kind: fn for kind, fn in definition.items() if isinstance(fn, ScriptFunction) and kind != "handler"}
        kind, handler = definition.get("type"), definition.get("handler")
        if isinstance(kind, str) and isinstance(handler, ScriptFunction):
            handlers[kind] = handler
        if not handlers:
            raise BridgeError(
                f"a hook needs a type and a handler, or functions by type: {', '.join(TYPES)}", code="invalid_argument"
            )
        return Hook(number, handlers, priority, definition.get("enabled") is not False)

    def _ordered(self, kind: str | None) -> list[Hook]:
        found = [hook for hook in self._hooks.values() if kind is None or kind in hook.handlers]
        return sorted(found, key=lambda hook: -hook.priority)

    def _known(self, id: str) -> Hook:
        try:
            return self._hooks[id]
        except KeyError:
            raise BridgeError(f"there is no hook {id!r}", code="not_found") from None

    def _switch(self, ids: list[str], enabled: bool) -> int:
        known = [self._hooks[id] for id in ids if id in self._hooks]
        for hook in known:
            hook.enabled = enabled
        return len(known)

    def _forget(self, hook: Hook) -> None:
        if self._hooks.get(hook.id) is hook:
            del self._hooks[hook.id]


class HookBuilder(HostObject):
    """Builds a hook piece by piece; each step returns the builder."""

    def __init__(self, hooks: HooksBridge, id: str) -> None:
        self._hooks = hooks
        self._definition: dict[str, Any] = {"id": id}

    @export
    def with_priority(self, priority: int) -> HookBuilder:
        """Set the priority."""
        return self._with("priority", priority)

    @export
    def before_generate(self, fn: ScriptFunction) -> HookBuilder:
        """Run before a model generates."""
        return self._with("before_generate", fn)

    @export
    def after_generate(self, fn: ScriptFunction) -> HookBuilder:
        """Run after a model has generated."""
        return self._with("after_generate", fn)

    @export
    def before_tool_call(self, fn: ScriptFunction) -> HookBuilder:
        """Run before a tool is called."""
        return self._with("before_tool_call", fn)

    @export
    def after_tool_call(self, fn: ScriptFunction) -> HookBuilder:
        """Run after a tool was called."""
        return self._with("after_tool_call", fn)

    @export
    def on(self, type: str, fn: ScriptFunction) -> HookBuilder:
        """Run for a type given by name."""
        return self._with(type, fn)

    @export
    def register(self, call: Call) -> str:
        """Register the hook; return its id."""
        return self._hooks.register_hook(call, dict(self._definition))

    def _with(self, name: str, value: Any) -> HookBuilder:
        self._definition[name] = value
        return self
