"""Watching agents: hooks, events, counts."""

from __future__ import annotations

import itertools
from typing import Annotated, Any

from pydantic import Field

from llmspell.errors import ArgumentError
from llmspell.plugin import Call, ScriptFunction, export
from llmspell_llm.agent.agent import AgentMetrics
from llmspell_llm.bridges.agent.base import HOOKS, AgentBase, Subscription
from llmspell_llm.bridges.aliases import also

_ids = itertools.count(1)


class ObservingExports(AgentBase):
    """The exports that watch."""

    @export
    def set_hook(self, call: Call, agent: Any, kind: str, function: ScriptFunction) -> None:
        """Have a function of the script called while an agent works.

        Args:
            agent: The agent.
            kind: ``pre_run`` gets the input, ``post_run`` the result: what they return takes its place, ``false``
                forbids. ``pre_tool`` gets ``{tool, params}`` and may return ``{params}``, ``{result}`` (the tool is
                then not used) or ``false``; ``post_tool`` gets ``{tool, params, result}`` and may return
                ``{result}``. ``error`` gets ``{agent, error, code}``; a text or table it returns is the result instead.
            function: What is called.
        """
        if kind not in HOOKS:
            raise ArgumentError(f"there is no hook {kind!r}; hooks: {', '.join(HOOKS)}", parameter="kind", position=2)
        self.hooks.of(call)[f"{self.agent(call, agent).name}\n{kind}"] = function

    register_hook = also(set_hook, "register_hook")

    @export
    def remove_hook(self, call: Call, agent: Any, kind: str) -> bool:
        """Call a hook no more; tell whether there was one."""
        return self.hooks.of(call).pop(f"{self.agent(call, agent).name}\n{kind}", None) is not None

    unregister_hook = also(remove_hook, "unregister_hook")

    @export
    def clear_hooks(self, call: Call, agent: Any) -> int:
        """Call no hook of an agent any more; return how many there were."""
        return sum(self.remove_hook(call, agent, kind) for kind in HOOKS)

    @export
    def subscribe(self, call: Call, function: ScriptFunction, filter: dict[str, Any] | None = None) -> str:
        """Have a function of the script told what agents do; return an id for ``unsubscribe``.

        Args:
            function: Gets ``{agent, type, timestamp, data}``. Types: ``created``, ``started``, ``step``,
                ``tool_called``, ``tool_finished``, ``completed``, ``error``, ``delegated``, ``handed_off``, and those
                of ``emit_event``.
            filter: ``agent`` and ``type`` to be told of only.
        """
        given = filter or {}
        agent = self.agent(call, given["agent"]).name if given.get("agent") is not None else None
        id_ = f"subscription-{next(_ids)}"
        self.subscriptions.of(call)[id_] = Subscription(function, agent, given.get("type"))
        return id_

    @export
    def unsubscribe(self, call: Call, id: str) -> bool:
        """Tell a function no more; tell whether it was told before."""
        return self.subscriptions.of(call).pop(id, None) is not None

    @export
    async def emit_event(self, call: Call, agent: Any, type: str, data: dict[str, Any] | None = None) -> None:
        """Say that something of the script's own happened to an agent."""
        await self.note(call, self.agent(call, agent), type, data or {})

    @export
    def get_event_history(
        self, call: Call, agent: Any, limit: Annotated[int, Field(ge=0)] | None = None, *, type: str | None = None
    ) -> list[dict[str, Any]]:
        """Return what happened to an agent, the oldest first; the last thousand events are kept."""
        events = [event for event in self.agent(call, agent).events if type in (None, event.type)]
        return [event.as_value() for event in (events if limit is None else events[len(events) - limit :])]

    @export
    def clear_event_history(self, call: Call, agent: Any) -> None:
        """Forget what happened to an agent."""
        self.agent(call, agent).events.clear()

    @export
    def start_event_recording(self, call: Call, agent: Any) -> None:
        """Keep events from now on, as an agent does from its beginning."""
        self.agent(call, agent).recording = True

    @export
    def stop_event_recording(self, call: Call, agent: Any) -> int:
        """Keep no events from now on; return how many are kept."""
        found = self.agent(call, agent)
        found.recording = False
        return len(found.events)

    @export
    async def replay_events(self, call: Call, agent: Any, function: ScriptFunction, *, type: str | None = None) -> int:
        """Tell a function what happened to an agent, in order; return how much that was."""
        events = [event for event in self.agent(call, agent).events if type in (None, event.type)]
        for event in events:
            await function(event.as_value())
        return len(events)

    @export
    def get_metrics(self, call: Call, agent: Any) -> dict[str, Any]:
        """Tell how an agent did: counts, durations in ms, tokens, tool calls, last error."""
        return self.agent(call, agent).metrics.as_value()

    get_performance_report = also(get_metrics, "get_performance_report")

    @export
    def reset_metrics(self, call: Call, agent: Any) -> None:
        """Forget how an agent did."""
        self.agent(call, agent).metrics = AgentMetrics()
