"""Modules of spells: those the host's program defines, and files inside a spell's root, in any language."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from llmspell.engine import Source
from llmspell.engine.modules import Gathered, ModuleRegistry, Resolver, form_of
from llmspell.errors import BridgeError, ScriptModuleNotFoundError

if TYPE_CHECKING:
    from llmspell.host.host import Host
    from llmspell.runtime.run import Run


class LocalModules:
    """Find the modules that spells require.

    One in the asker's own language is handed over as text, since source is compiled where it runs; one in
    another language is loaded into that language's guest of the same run, and its exports are handed over.

    Attributes:
        defined: Modules of the host's program, found before files: ``host.modules.defined.add(...)``.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self.defined = ModuleRegistry()
        self._resolvers: dict[tuple[str, str, frozenset[str]], Resolver] = {}

    def __call__(self, run: Run, name: str, importer: str) -> dict[str, Any] | Awaitable[dict[str, Any]]:
        """Describe the module ``name``, as ``SystemBridge.module`` says.

        Raises:
            ScriptModuleNotFoundError: There is none.
            PolicyDeniedError: It is not granted, or leads out of the spell's root.
        """
        defined = self.defined.for_profile(run.policy.name).find(name, importer, run.policy.grants.modules)
        if isinstance(defined, Gathered):
            return self._hand_over(run, name, self._written(run, name, defined), importer)
        if defined is not None:
            return self._hand_over(run, name, defined, importer)
        try:
            source = self._resolver(run).resolve(name, run.language, importer)
        except ScriptModuleNotFoundError as error:
            close = run.nearest_bridge(name) or self._nearest(run, name)
            if close and not error.hint:
                error.hint = f"did you mean {close!r}?"
            raise
        return self._hand_over(run, name, source, importer)

    def _nearest(self, run: Run, name: str) -> str:
        import difflib

        return next(iter(difflib.get_close_matches(name, self.defined.for_profile(run.policy.name).names, 1)), "")

    def _written(self, run: Run, name: str, found: Gathered) -> Source:
        gathering = self._host.plugins.engine(run.language).gathering
        if gathering is None:
            raise ScriptModuleNotFoundError(
                f"the module {name!r} brings others along, which the {run.language} engine cannot write down",
                name=name,
                hint=f"require what it brings along: {', '.join(found.first)}",
            )
        return found.written(run.language, gathering)

    def _hand_over(
        self, run: Run, name: str, source: Source, importer: str
    ) -> dict[str, Any] | Awaitable[dict[str, Any]]:
        if source.language in ("", run.language):
            return {"kind": "source", "name": source.name, "text": source.text, "language": run.language}
        if source.language == "json":
            return {"kind": "foreign", "name": source.name, "language": "json", "exports": _parsed(name, source)}
        return self._foreign(run, source, importer)

    def spell(self, run: Run, path: str) -> Source:
        """Find a whole spell, by its path inside the run's root."""
        return self._resolver(run).resolve(path if path.startswith("./") else f"./{path}", run.language)

    async def _foreign(self, run: Run, source: Source, importer: str) -> dict[str, Any]:
        from llmspell.host.polyglot import load_foreign

        exports = await load_foreign(run, source, importer)
        return {"kind": "foreign", "name": source.name, "language": source.language, "exports": exports}

    def _resolver(self, run: Run) -> Resolver:
        patterns = run.policy.grants.modules
        shown = os.path.dirname(run.source_name).replace(os.sep, "/") if run.root else ""
        key = (run.root, shown, patterns)
        found = self._resolvers.get(key)
        if found is None:
            if len(self._resolvers) >= 64:
                self._resolvers.clear()
            forms = [form_of(spec) for spec in self._host.plugins.engines.values()]
            found = self._resolvers[key] = Resolver(run.root, forms, shown=shown, patterns=patterns)
        return found


def _parsed(name: str, source: Source) -> Any:
    import json

    try:
        return json.loads(source.text)
    except json.JSONDecodeError as error:
        raise BridgeError(
            f"the module {name!r} is not JSON: {error.msg} (line {error.lineno}, column {error.colno})", code="syntax"
        ) from error
    except RecursionError as error:
        raise BridgeError(f"the module {name!r} is nested too deeply", code="syntax") from error
