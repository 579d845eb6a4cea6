"""What the engine says of itself before anything of it is loaded."""

from __future__ import annotations

import sys

from llmspell.engine import Capabilities, EngineSpec, Gathering
from llmspell.engine.spec import Limit
from llmspell_quickjs import __version__

INTERRUPTS = sys.platform in ("linux", "darwin")
"""Where a running script can be stopped from outside; elsewhere only by ending its worker."""

_ENFORCED: frozenset[Limit] = frozenset(
    ("deadline", "memory", "output", "cancel") if INTERRUPTS else ("memory", "output")
)

SPEC = EngineSpec(
    name="javascript",
    factory="llmspell_quickjs.engine:JavaScriptEngine",
    extensions=(".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"),
    aliases=("js", "typescript", "ts"),
    version=__version__,
    capabilities=Capabilities(inline=_ENFORCED, worker=_ENFORCED, suspends=False, calls_each=True),
    naming="camel",
    instants=True,
    gathering=Gathering(
        load='require("NAME");',
        same='module.exports = require("NAME");',
        table="module.exports = {MEMBERS};",
        member='"KEY": require("NAME")',
    ),
    description="JavaScript and TypeScript (types stripped) on quickjs-ng.",
)
