"""What this distribution offers. Imports nothing of it: every factory is a name."""

from __future__ import annotations

from collections.abc import Iterable

from llmspell.plugin import BridgeSpec, hookimpl


@hookimpl
def llmspell_bridges() -> Iterable[BridgeSpec]:
    """Offer the standard bridges."""
    return (
        BridgeSpec("auth", "llmspell_std.auth.bridge:AuthBridge", "credentials, tokens, passwords, sessions, rules"),
        BridgeSpec("core", "llmspell_std.core:CoreBridge", "time, texts, tables, hashes, wrapped functions"),
        BridgeSpec("data", "llmspell_std.data:DataBridge", "JSON and other formats, collections, paths, schemas"),
        BridgeSpec("errors", "llmspell_std.errors:ErrorsBridge", "errors as tables; retry, fallback, circuit breaker"),
        BridgeSpec("events", "llmspell_std.events:EventsBridge", "listeners, patterns, history, replay"),
        BridgeSpec("fs", "llmspell_std.fs:FsBridge", "files and directories that the policy grants"),
        BridgeSpec("hooks", "llmspell_std.hooks:HooksBridge", "functions before and after models, agents and tools"),
        BridgeSpec("http", "llmspell_std.http:HttpBridge", "requests to hosts that the policy grants"),
        BridgeSpec("json", "llmspell_std.json:JsonBridge", "JSON texts: write, read, compare, mend"),
        BridgeSpec("log", "llmspell_std.log:LogBridge", "levelled, structured logging", aliases=("logging",)),
        BridgeSpec("state", "llmspell_std.state:StateBridge", "values that outlive a run, named, versioned, saved"),
        BridgeSpec("terminal", "llmspell_std.terminal:TerminalBridge", "asking the person who started the spell"),
        BridgeSpec("testing", "llmspell_std.testing:TestingBridge", "suites, assertions, mocks, measurements"),
        BridgeSpec(
            "util",
            "llmspell_std.util:UtilBridge",
            "small helpers, and short names for functions of other bridges",
            requires=("auth", "errors", "log"),
            aliases=("utils",),
        ),
    )
