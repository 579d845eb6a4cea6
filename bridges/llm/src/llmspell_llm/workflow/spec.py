"""What a workflow is: its steps and how they follow each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import ScriptFunction
from llmspell_llm.plain import known

KINDS = ("sequential", "parallel", "conditional", "loop", "map", "reduce")
STEP_KINDS = ("function", "agent", "tool", "workflow", "spell", "prompt")
STRATEGIES = ("stop", "continue", "retry", "compensate")
MAX_ROUNDS = 1000
"""Rounds of a loop that does not say how many it may take."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a step is tried, and how long is waited in between.

    Attributes:
        attempts: Tries altogether.
        delay: Seconds before the second try.
        backoff: What the delay is multiplied by each time.
        max_delay: Seconds it grows to at most.
    """

    attempts: int = 1
    delay: float = 0.0
    backoff: float = 2.0
    max_delay: float = 60.0

    def before(self, attempt: int) -> float:
        """Return the seconds to wait before an attempt, the second being 2.

        Example:
            >>> [Retry(9, delay=1, max_delay=5).before(n) for n in (2, 3, 4, 5)]
            [1.0, 2.0, 4.0, 5.0]
        """
        return float(min(self.max_delay, self.delay * self.backoff ** (attempt - 2)))

    def as_value(self) -> dict[str, Any]:
        return {
            "attempts": self.attempts,
            "delay": self.delay,
            "backoff": self.backoff,
            "max_delay": self.max_delay,
        }


ONCE = Retry()
USUAL_RETRY = Retry(attempts=3, delay=0.5)
"""What ``on_error = "retry"`` means to a step that does not say more."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        id: Its name within the workflow; outputs are found by it.
        kind: One of :data:`STEP_KINDS`.
        target: What is done: a function, the name of an agent, tool or workflow, a spell's path, or a prompt template.
        input: What it gets: None for the output before it, a function of the context, or data whose texts may be
            templates (``{{ steps.first }}``).
        options: For whoever does it: options of ``llm.complete`` or of an agent's run.
        condition: A function of the context; the step is left out where it does not hold.
        retry: How often it is tried; None as ``on_error`` says.
        on_error: One of :data:`STRATEGIES`; None as the workflow says.
        compensation: Undoes the step, when a later one fails and the workflow compensates: a function of its output.
        timeout: Seconds one try may take.
        save: Name of the variable that its output becomes.
    """

    id: str
    kind: str
    target: Any
    input: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)
    condition: ScriptFunction | None = None
    retry: Retry | None = None
    on_error: str | None = None
    compensation: ScriptFunction | None = None
    timeout: float | None = None
    save: str | None = None

    def as_value(self) -> dict[str, Any]:
        """Return it as data; functions and agents are told by name only."""
        return known(
            {
                "id": self.id,
                "kind": self.kind,
                "target": shown(self.target),
                "input": shown(self.input),
                "options": dict(self.options),
                "condition": shown(self.condition),
                "retry": None if self.retry is None else self.retry.as_value(),
                "on_error": self.on_error,
                "compensation": shown(self.compensation),
                "timeout": self.timeout,
                "save": self.save,
            }
        )


@dataclass(frozen=True, slots=True)
class Workflow:
    """Steps and how they follow each other.

    Attributes:
        kind: ``sequential`` (each gets what the one before gave), ``parallel`` (all get the input; the output is a
            table by step), ``conditional`` (the first whose condition holds, else ``otherwise``), ``loop`` (the steps
            again and again, while ``condition`` holds or ``times`` times), ``map`` (the steps for each item of a
            list) or ``reduce`` (the steps for each item, with what came of those before).
        variables: What its steps find as ``vars``; a run changes a copy.
        parameters: What its steps find as ``param``: what a template was filled in with.
        times: Rounds of a ``loop``; one with a condition goes round as often at most.
        concurrency: How many branches or items are worked on at once.
        initial: What a ``reduce`` begins with.
        timeout: Seconds a run may take.
    """

    id: str
    kind: str = "sequential"
    name: str = ""
    description: str = ""
    steps: tuple[Step, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    on_error: str = "stop"
    condition: ScriptFunction | None = None
    otherwise: Step | None = None
    times: int | None = None
    concurrency: int = 10
    initial: Any = None
    timeout: float | None = None

    @property
    def every_step(self) -> Iterator[Step]:
        """The steps, with what is done otherwise."""
        yield from self.steps
        if self.otherwise is not None:
            yield self.otherwise

    def step(self, id: str) -> Step:
        """Return a step.

        Raises:
            ArgumentError: There is none of that id.
        """
        for step in self.steps:
            if step.id == id:
                return step
        known = ", ".join(step.id for step in self.steps) or "none"
        raise ArgumentError(f"workflow {self.id!r} has no step {id!r}; steps: {known}", parameter="step")

    def with_steps(self, steps: Iterable[Step]) -> Workflow:
        return replace(self, steps=tuple(steps))

    def as_value(self) -> dict[str, Any]:
        """Return it as data; functions and agents are told by name only."""
        return known(
            {
                "id": self.id,
                "type": self.kind,
                "name": self.name,
                "description": self.description,
                "steps": [step.as_value() for step in self.steps],
                "variables": dict(self.variables),
                "parameters": dict(self.parameters),
                "on_error": self.on_error,
                "condition": shown(self.condition),
                "otherwise": None if self.otherwise is None else self.otherwise.as_value(),
                "times": self.times,
                "concurrency": self.concurrency,
                "initial": self.initial,
                "timeout": self.timeout,
            }
        )


def shown(part: Any) -> Any:
    """Return a part as data: a function as ``{"$function": name}``, an agent's handle as the agent's name."""
    if isinstance(part, ScriptFunction):
        return {"$function": part.name or "anonymous"}
    name = getattr(part, "agent_name", None)
    return part if name is None else name
