"""``Agent``: who it is, what it remembers, and how it did."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmspell.errors import ArgumentError
from llmspell_llm.conversation import Settings, Usage
from llmspell_llm.plain import known

HISTORY = 1000
MAX_ITERATIONS = 10
MAX_SNAPSHOTS = 100


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """Who an agent is.

    Attributes:
        name: What scripts call it.
        model: Which model it is; None for the default.
        system: How it should behave.
        description: What it is good for, for other agents that may ask it.
        tools: Names of the tools it may use.
        settings: How it should answer.
        max_iterations: How often it may ask its model in one run.
        max_tool_calls: How often it may use tools in one run; None for no limit of its own.
        max_time: Seconds one run may take, hooks and tools included; None for no limit of its own.
        budget: ``tokens`` and ``cost`` (US dollars) that one run may take, agents it asks included.
        schema: What its answers must look like: a schema as scripts give it, or None.
    """

    name: str
    model: str | None = None
    system: str | None = None
    description: str = ""
    tools: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    max_iterations: int = MAX_ITERATIONS
    max_tool_calls: int | None = None
    max_time: float | None = None
    budget: Mapping[str, Any] = field(default_factory=dict)
    schema: Any = None

    def as_value(self) -> dict[str, Any]:
        return known(
            {
                "name": self.name,
                "model": self.model,
                "system": self.system,
                "description": self.description,
                "tools": list(self.tools),
                "max_iterations": self.max_iterations,
                "max_tool_calls": self.max_tool_calls,
                "max_time": self.max_time,
                "budget": dict(self.budget),
                "schema": self.schema,
                "temperature": self.settings.temperature,
                "max_tokens": self.settings.max_tokens,
            }
        )


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """Something that happened to an agent."""

    agent: str
    type: str
    time: float
    data: Mapping[str, Any]

    def as_value(self) -> dict[str, Any]:
        return {"agent": self.agent, "type": self.type, "timestamp": self.time, "data": dict(self.data)}


@dataclass(slots=True)
class AgentMetrics:
    """How an agent did. Durations in seconds."""

    runs: int = 0
    failures: int = 0
    steps: int = 0
    tool_calls: int = 0
    usage: Usage = field(default_factory=Usage)
    durations: deque[float] = field(default_factory=lambda: deque(maxlen=HISTORY))
    last_error: str | None = None

    def as_value(self) -> dict[str, Any]:
        """Return what scripts see; durations in milliseconds."""
        times = [took * 1000 for took in self.durations]
        return known(
            {
                "execution_count": self.runs,
                "success_count": self.runs - self.failures,
                "error_count": self.failures,
                "success_rate": (self.runs - self.failures) / self.runs if self.runs else None,
                "steps": self.steps,
                "tool_calls": self.tool_calls,
                "avg_duration_ms": statistics.fmean(times) if times else None,
                "median_duration_ms": statistics.median(times) if times else None,
                "max_duration_ms": max(times) if times else None,
                "usage": self.usage.as_value(),
                "last_error": self.last_error,
            }
        )


class Agent:
    """An agent of a session.

    Attributes:
        memory: The conversation that ``chat`` goes on with, as plain data.
        state: Data of the script's own.
        snapshots: Memory and state by name, as they were.
        status: ``idle``, or ``running`` while it works.
        removed: It is no more.
    """

    def __init__(self, spec: AgentSpec) -> None:
        self.spec = spec
        self.memory: list[Any] = []
        self.state: dict[str, Any] = {}
        self.snapshots: dict[str, dict[str, Any]] = {}
        self.metrics = AgentMetrics()
        self.events: deque[AgentEvent] = deque(maxlen=HISTORY)
        self.recording = True
        self.running: set[asyncio.Task[Any]] = set()
        self.created = time.time()
        self.removed = False

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def status(self) -> str:
        return "running" if self.running else "idle"

    def note(self, kind: str, data: Mapping[str, Any]) -> AgentEvent:
        """Remember that something happened."""
        event = AgentEvent(self.name, kind, time.time(), dict(data))
        if self.recording:
            self.events.append(event)
        return event

    def save(self, name: str) -> dict[str, Any]:
        """Keep memory and state as they are under a name.

        Raises:
            ArgumentError: It has too many snapshots.
        """
        if name not in self.snapshots and len(self.snapshots) >= MAX_SNAPSHOTS:
            raise ArgumentError(f"agent {self.name!r} has {MAX_SNAPSHOTS} snapshots already; delete some")
        self.snapshots[name] = {**self.export(), "saved_at": time.time()}
        return {"name": name, "saved_at": self.snapshots[name]["saved_at"]}

    def restore(self, name: str) -> None:
        """Bring memory and state back.

        Raises:
            ArgumentError: There is no such snapshot.
        """
        if name not in self.snapshots:
            known = ", ".join(self.snapshots) or "none"
            raise ArgumentError(f"agent {self.name!r} has no snapshot {name!r}; snapshots: {known}")
        self.load(self.snapshots[name])

    def export(self) -> dict[str, Any]:
        """Return what it remembers and its state, as data that :meth:`load` takes."""
        return {"version": 1, "agent": self.name, "memory": list(self.memory), "state": dict(self.state)}

    def load(self, data: Mapping[str, Any]) -> None:
        """Take over an export.

        Raises:
            ArgumentError: It is none.
        """
        memory, state = data.get("memory"), data.get("state")
        if data.get("version") != 1 or not isinstance(memory, list) or not isinstance(state, Mapping | list):
            raise ArgumentError("this is no export of an agent", parameter="data")
        from llmspell_llm.adapter.steps import History

        try:
            History.load(memory)
        except ValueError as error:
            raise ArgumentError("the memory in this export of an agent cannot be read", parameter="data") from error
        self.memory, self.state = list(memory), dict(state) if isinstance(state, Mapping) else {}

    def info(self) -> dict[str, Any]:
        """Return what scripts see of it."""
        return {
            **self.spec.as_value(),
            "id": self.name,
            "status": self.status,
            "created": self.created,
            "remembers": len(self.memory),
        }
