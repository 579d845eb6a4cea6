"""The plugin: one engine."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from llmspell.engine import EngineSpec
from llmspell.plugin import hookimpl
from llmspell_quickjs.spec import SPEC


@hookimpl
def llmspell_engines() -> Iterable[EngineSpec]:
    """Offer the JavaScript engine."""
    from dataclasses import replace

    try:
        return [replace(SPEC, version=version("quickjs-ng"))]
    except PackageNotFoundError:
        # Offered all the same: whoever asks for it is told what is missing, by the factory.
        return [SPEC]
