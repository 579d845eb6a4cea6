"""What a session lends to its runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmspell.bridge import BridgeSet
from llmspell.gate.doors import Door
from llmspell.runtime.channels import SharedChannels
from llmspell.values import DEFAULT_VALUE_LIMITS, ValueConverter, ValueLimits

if TYPE_CHECKING:
    from llmspell.gate.gated import Authorizer

Sink = Callable[[str, str], None]


def _unavailable(*_: Any) -> Any:
    raise RuntimeError("this run has no session")


@dataclass(slots=True)
class RunServices:
    """What each run of a session has from it."""

    session: str
    principal: str
    bridges: BridgeSet
    converter: ValueConverter
    doors: dict[tuple[str, str], Door]
    value_limits: ValueLimits = DEFAULT_VALUE_LIMITS
    event: Callable[[str, str, dict[str, Any]], None] | None = None
    environ: dict[str, str] = field(default_factory=dict)
    on_output: Sink | None = None
    scrub: Callable[[str], str] | None = None
    authorize: Authorizer | None = None
    child: Callable[..., Any] = _unavailable
    find_spell: Callable[..., Any] = _unavailable
    watch: Callable[[Any], None] = _unavailable
    unwatch: Callable[[Any], None] = _unavailable
    rewatch: Callable[[Any], None] = _unavailable
    release: Callable[[Any], None] = _unavailable
    channels: SharedChannels = field(default_factory=SharedChannels)
