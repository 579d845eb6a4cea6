"""The plugin: one engine."""

from __future__ import annotations

from collections.abc import Iterable

from llmspell.engine import EngineSpec
from llmspell.plugin import hookimpl
from llmspell_quickjs.spec import SPEC


@hookimpl
def llmspell_engines() -> Iterable[EngineSpec]:
    """Offer the JavaScript engine; whether its binding is there is found out by whoever uses it."""
    return [SPEC]
