"""What a run has to show: its output as it comes, and its result at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmspell.engine.messages import Emit
from llmspell.errors import ConversionError, LlmspellError, ResourceExhausted
from llmspell.runtime.run import Run
from llmspell.values import FunctionRef, HostRef, size_of


def emit(run: Run, said: Emit, stop: Callable[[str, LlmspellError | None], None] | None) -> None:
    """Take an ``Emit``: output goes to the run's output, warnings to its events.

    Raises:
        OutputExceeded: The limit is reached, and there is no ``stop`` to call with it.
    """
    try:
        if said.kind in ("output", "error_output"):
            run.output(str(said.data), said.kind)
        elif isinstance(said.data, dict):
            run.warned(said.kind, said.data)
    except ResourceExhausted as error:
        run.stop_error = error
        if stop is None:
            raise
        stop("output", error)


def result_of(run: Run, value: Any) -> Any:
    """Turn a result of the run into what the embedder gets: handles become the objects they stand for.

    Raises:
        ConversionError: A function of the script, which is gone with the run.
        ResourceExhausted: It is larger than the policy allows.
    """
    limit = run.policy.limits.result
    if limit is not None and size_of(value, limit) > limit:
        raise ResourceExhausted(f"the result is larger than {limit:,} bytes", limit="result", value=limit)
    return _received(run, value, "$")


def _received(run: Run, value: Any, path: str) -> Any:
    kind = type(value)
    if kind is dict:
        return {key: _received(run, part, f"{path}.{key}") for key, part in value.items()}
    if kind is list:
        return [_received(run, part, f"{path}[{index}]") for index, part in enumerate(value)]
    if kind is HostRef:
        return run.object_of(value.id)
    if kind is FunctionRef:
        raise ConversionError("a function of the script cannot outlive its run", path=path)
    return value
