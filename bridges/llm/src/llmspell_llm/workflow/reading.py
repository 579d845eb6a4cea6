"""Workflows as scripts describe them: tables of options, checked, with an error that names the step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import ScriptFunction
from llmspell_llm.names import snake_keys
from llmspell_llm.workflow.spec import KINDS, STEP_KINDS, STRATEGIES, USUAL_RETRY, Retry, Step, Workflow

_WORKFLOW_KEYS = {
    "id", "type", "name", "description", "steps", "variables", "parameters", "on_error", "condition", "otherwise",
    "times", "concurrency", "initial", "timeout",
}  # fmt: skip
_STEP_KEYS = {
    "id", "name", "kind", "target", "input", "options", "condition", "retry", "on_error", "compensation", "compensate",
    "timeout", "save", *STEP_KINDS,
}  # fmt: skip
_MAX_TIMES = 1_000_000
_MAX_STEPS = 10_000


def workflow_from(id: str, given: Mapping[str, Any]) -> Workflow:
    """Return the workflow that a script describes.

    Raises:
        ArgumentError: It makes no sense, and where.
    """
    told = snake_keys(given)
    if unknown := sorted(set(told) - _WORKFLOW_KEYS):
        raise ArgumentError(f"a workflow has no {unknown[0]!r}; it has {', '.join(sorted(_WORKFLOW_KEYS))}")
    kind = told.get("type", "sequential")
    if kind not in KINDS:
        raise ArgumentError(f"there is no type of workflow {kind!r}; types: {', '.join(KINDS)}")
    steps = told.get("steps") or []
    if not isinstance(steps, list):
        raise ArgumentError("the steps of a workflow are a list")
    found = [step_from(each, f"step{number}") for number, each in enumerate(steps, 1)]
    check_steps(found)
    return Workflow(
        id=id,
        kind=kind,
        name=str(told.get("name") or id),
        description=str(told.get("description") or ""),
        steps=tuple(found),
        variables=_table(told.get("variables"), "variables"),
        parameters=_table(told.get("parameters"), "parameters"),
        on_error=_strategy(told.get("on_error")) or "stop",
        condition=_function(told.get("condition"), "condition of a workflow"),
        otherwise=None if told.get("otherwise") is None else step_from(told["otherwise"], "otherwise"),
        times=_whole(told.get("times"), "times", 0, _MAX_TIMES),
        concurrency=_whole(told.get("concurrency"), "concurrency", 1, 1000) or 10,
        initial=told.get("initial"),
        timeout=_seconds(told.get("timeout"), "timeout of a workflow", least=0.001),
    )


def step_from(given: Any, default_id: str) -> Step:
    """Return the step that a script describes: a function, or a table.

    ``{id = "a", agent = "critic"}``, ``{tool = "add", input = {a = 1}}``, ``{prompt = "Summarize: {{ input }}"}``,
    ``{function = fn}``, ``{workflow = "other"}``, ``{spell = "child.lua"}``, or ``{kind, target}``.

    Raises:
        ArgumentError: It makes no sense.
    """
    if isinstance(given, ScriptFunction):
        return Step(default_id, "function", given)
    if not isinstance(given, Mapping):
        raise ArgumentError("a step is a function, or a table that says what is done", parameter="step")
    told = snake_keys(given)
    if unknown := sorted(set(told) - _STEP_KEYS):
        raise ArgumentError(f"a step has no {unknown[0]!r}; it has {', '.join(sorted(_STEP_KEYS))}", parameter="step")
    id = str(told.get("id") or told.get("name") or default_id)
    if "/" in id or ">" in id:
        raise ArgumentError(f"step {id!r}: the id of a step holds no / and no >", parameter="step")
    kind, target = _what(id, told)
    return Step(
        id=id,
        kind=kind,
        target=target,
        input=told.get("input"),
        options=_table(told.get("options"), f"options of step {id!r}"),
        condition=_function(told.get("condition"), f"condition of step {id!r}"),
        retry=_retry(id, told.get("retry")),
        on_error=_strategy(told.get("on_error")),
        compensation=_function(told.get("compensation", told.get("compensate")), f"compensation of step {id!r}"),
        timeout=_seconds(told.get("timeout"), f"timeout of step {id!r}", least=0.001),
        save=None if told.get("save") is None else str(told["save"]),
    )


def check_steps(steps: Sequence[Step]) -> None:
    """Check that no two steps have one id, and that there are not too many.

    Raises:
        ArgumentError: There are.
    """
    if len(steps) > _MAX_STEPS:
        raise ArgumentError(f"a workflow has {_MAX_STEPS:,} steps at most", parameter="steps")
    seen: set[str] = set()
    for step in steps:
        if step.id in seen:
            raise ArgumentError(f"two steps are named {step.id!r}", parameter="steps")
        seen.add(step.id)


def _what(id: str, told: Mapping[str, Any]) -> tuple[str, Any]:
    """Return which kind of step it is, and what is done."""
    kinds = [kind for kind in STEP_KINDS if told.get(kind) is not None]
    if told.get("kind") is not None:
        kind, target = str(told["kind"]), told.get("target")
        if kinds or kind not in STEP_KINDS or target is None:
            raise ArgumentError(f"step {id!r}: kind is one of {', '.join(STEP_KINDS)}, with a target", parameter="step")
    elif len(kinds) == 1:
        kind, target = kinds[0], told[kinds[0]]
    else:
        raise ArgumentError(f"step {id!r} needs one of {', '.join(STEP_KINDS)}", parameter="step")
    if kind == "function" and not isinstance(target, ScriptFunction):
        raise ArgumentError(f"step {id!r}: its function is none", parameter="step")
    if kind in ("spell", "prompt", "workflow") and not isinstance(target, str):
        raise ArgumentError(f"step {id!r}: its {kind} is a text", parameter="step")
    return kind, target


def _table(given: Any, what: str) -> dict[str, Any]:
    if given is None or given == []:
        return {}
    if not isinstance(given, Mapping):
        raise ArgumentError(f"the {what} are a table")
    return dict(given)


def _function(given: Any, what: str) -> ScriptFunction | None:
    if given is not None and not isinstance(given, ScriptFunction):
        raise ArgumentError(f"the {what} is a function")
    return given


def _strategy(given: Any) -> str | None:
    if given is not None and given not in STRATEGIES:
        raise ArgumentError(f"on_error is one of {', '.join(STRATEGIES)}, not {given!r}")
    return None if given is None else str(given)


def _whole(given: Any, what: str, least: int, most: int) -> int | None:
    if given is None:
        return None
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise ArgumentError(f"{what} should be a whole number from {least} to {most:,}")
    return given


def _seconds(given: Any, what: str, *, least: float = 0.0) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not least <= given < float("inf"):
        raise ArgumentError(f"the {what} should be a number of seconds")
    return float(given)


def _retry(id: str, given: Any) -> Retry | None:
    if given is None:
        return None
    table = given if isinstance(given, Mapping) else {"attempts": given, "delay": 0}
    told = snake_keys(table)
    if unknown := sorted(set(told) - {"attempts", "delay", "backoff", "max_delay"}):
        raise ArgumentError(f"step {id!r}: retry has no {unknown[0]!r}; it is {{attempts, delay, backoff, max_delay}}")
    usual = USUAL_RETRY
    attempts = _whole(told.get("attempts"), f"step {id!r}: attempts", 1, 100)
    delay = _seconds(told.get("delay"), f"delay of step {id!r}")
    backoff = _seconds(told.get("backoff"), f"backoff of step {id!r}", least=1.0)
    max_delay = _seconds(told.get("max_delay"), f"max_delay of step {id!r}")
    return Retry(
        usual.attempts if attempts is None else attempts,
        usual.delay if delay is None else delay,
        usual.backoff if backoff is None else backoff,
        usual.max_delay if max_delay is None else max_delay,
    )
