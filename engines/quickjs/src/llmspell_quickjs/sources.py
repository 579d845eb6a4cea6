"""``RunSources``: the files of one run, prepared, checked, and described for the glue."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from llmspell.engine import Source
from llmspell.engine.messages import Failure
from llmspell_quickjs.cache import PreparedFiles
from llmspell_quickjs.codec import to_json
from llmspell_quickjs.names import camel
from llmspell_quickjs.source import Prepared, Role
from llmspell_quickjs.stack import LANGUAGE, Files
from llmspell_quickjs.syntax import Check, syntax_failure

_WEB = dict.fromkeys(
    ("BridgeError", "async", "channel", "clearInterval", "clearTimeout", "console", "crypto", "setInterval",
     "setTimeout", "structuredClone", "TextDecoder", "TextEncoder", "URL", "URLSearchParams"),
    "",
)  # fmt: skip
"""Globals that a part of the glue makes when they are first used."""


class RunSources:
    """The files of one run.

    Args:
        programs: Prepared files of the process.
        check: Whether a text parses; asked only where the parser was in doubt.
    """

    __slots__ = ("_check", "_globals", "_programs", "_root", "files")

    def __init__(self, programs: PreparedFiles, check: Check) -> None:
        self._programs = programs
        self._check = check
        self._root = ""
        self._globals: dict[str, str] = {}
        self.files = Files()

    def begin(self, root: str, bridges: Iterable[str]) -> None:
        """Note where local modules are, and which bridges there are as globals."""
        self._root = root
        self._globals = dict(_globals_of(tuple(bridges)))

    def prepare(self, source: Source, role: Role) -> Prepared | Failure:
        """Prepare a file; a failure if it cannot be run as it stands."""
        prepared = self._programs.get(source, role)
        if isinstance(prepared, Prepared) and prepared.odd is not None:
            return syntax_failure(prepared, self._check) or prepared
        return prepared

    def found(self, found: dict[str, Any], write: Callable[[Any], str]) -> str:
        """Tell the glue of a module that the host has found; what the answer begins with says its kind.

        ``B`` a bridge, ``F`` one of another language, ``S`` a file, ``K`` a file that is known, ``Y`` one that does not
        parse.

        Args:
            found: The host's answer.
            write: Writes exports of another language.
        """
        if found["kind"] == "bridge":
            exports = [[camel(method), method, is_async] for method, is_async, _ in found["exports"]]
            return "B" + to_json([found["name"], exports])
        if found["kind"] == "foreign":
            return "F" + write(found["exports"])
        if self.files.named(found["name"]) is not None:
            return "K" + to_json(found["name"])
        prepared = self.prepare(Source(found["text"], found["name"], LANGUAGE, self._root), "module")
        if isinstance(prepared, Failure):
            place = (prepared.file, prepared.line, prepared.column)
            return "Y" + to_json({"message": prepared.message, "place": place})
        return self._written(prepared)

    def again(self, name: str) -> str:
        """Tell the glue once more of a file that is known."""
        prepared = self.files.named(name)
        assert prepared is not None
        return self._written(prepared)

    def _written(self, prepared: Prepared) -> str:
        described, code = self.describe(prepared)
        return f"S{to_json(described)}\n{code}"

    def describe(self, prepared: Prepared) -> tuple[dict[str, Any], str]:
        """Give a file its lines; return what the glue must know of it, and its code at those lines."""
        first = self.files.add(prepared)
        described = {
            "key": prepared.name,
            "name": prepared.name,
            "first": first,
            "count": prepared.edits.line_count + 1,
            "edits": prepared.edits.shifts,
            "calls": prepared.long_calls,
            "isWide": not prepared.text.isascii(),
            "globals": self._new_globals(prepared),
            "isAsync": prepared.is_async,
            "isModule": prepared.is_module,
            "requests": [{"specifier": r.specifier, "names": r.names, "line": r.line} for r in prepared.requests],
            "stars": prepared.stars,
        }
        return described, "\n" * (first - 1) + prepared.text

    def _new_globals(self, prepared: Prepared) -> list[tuple[str, str]]:
        """List the globals a file may mean that no file before it did: bridges, and those every author expects."""
        known = self._globals
        shown = list(known) if prepared.may_mention_any else sorted(known.keys() & prepared.words)
        return [(name, known.pop(name)) for name in shown]


@lru_cache(maxsize=64)
def _globals_of(bridges: tuple[str, ...]) -> dict[str, str]:
    return {camel(name): name for name in bridges} | _WEB
