"""An engine for workers whose self-check finds that this binding cannot be interrupted."""

from __future__ import annotations

import pytest

from llmspell_quickjs import native
from llmspell_quickjs.engine import JavaScriptEngine


def make() -> JavaScriptEngine:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "_probe_interrupt", lambda: False)
        return JavaScriptEngine()
