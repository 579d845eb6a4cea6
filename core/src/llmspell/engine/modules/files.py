"""Modules that are files beside the spell, found by name and never outside the spell's root."""

from __future__ import annotations

import difflib
import fnmatch
import os
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from llmspell.engine.source import Source, decode_text
from llmspell.engine.spec import EngineSpec
from llmspell.errors import BridgeError, PolicyDeniedError, ScriptModuleNotFoundError
from llmspell.guards import FilesGuard
from llmspell.policy import Grants

MAX_MODULE_BYTES = 4 * 1024 * 1024
_ABSENT = frozenset({"not_found", "not_directory", "is_directory"})
_NEARBY = 200
"""Entries of a directory that are looked at for a suggestion."""

DATA_FILES = {".json": "json"}
"""Endings of files that are data and no script: they are modules of every language, named with their ending."""


@dataclass(frozen=True, slots=True)
class ModuleForm:
    """How one language names and lays out its module files.

    Attributes:
        language: Engine name.
        extensions: Tried in this order after a name without ending.
        initial: Names, without ending, of the file that stands for its directory.
        dotted: A dot in a name may mean a directory: ``"lib.sub"`` is ``lib/sub``.
    """

    language: str
    extensions: tuple[str, ...]
    initial: tuple[str, ...] = ("init", "index")
    dotted: bool = False


def form_of(spec: EngineSpec) -> ModuleForm:
    """Return the form of an engine's modules: dots mean directories where names are snake_case, as in Lua."""
    return ModuleForm(spec.name, spec.extensions, dotted=spec.naming == "snake")


class Resolver:
    """Find the local modules of one spell.

    ``"./lib"`` and ``"../lib"`` start at the file that asks, every other name at the root. Symbolic links are
    followed as long as they stay inside the root. What ``patterns`` does not grant is refused before any file is
    looked at.

    Args:
        root: The spell's directory; ``""``: there are no local modules.
        forms: The languages at hand. A name with the ending of another language finds that file too.
        shown: How errors call the root; module names begin with it.
        patterns: ``Grants.modules``: matched with a module's path (``lib/sub.lua``), the same without ending, and
            its dotted name.
        max_bytes: A larger file is no module.

    Example:
        >>> resolver = Resolver("", [ModuleForm("lua", (".lua",))])
        >>> resolver.resolve("lib.sub", "lua")
        Traceback (most recent call last):
        ...
        llmspell.errors.ScriptModuleNotFoundError: there is no module 'lib.sub': this script has no directory of its own
    """

    def __init__(
        self,
        root: str,
        forms: Iterable[ModuleForm],
        *,
        shown: str = "",
        patterns: frozenset[str] = frozenset({"*"}),
        max_bytes: int = MAX_MODULE_BYTES,
    ) -> None:
        self._root = root
        self._forms = {form.language: form for form in forms}
        self._languages = {
            **DATA_FILES,
            **{extension: form.language for form in self._forms.values() for extension in form.extensions},
        }
        self._shown = shown
        self._patterns = patterns
        self._max_bytes = max_bytes
        self._guard = FilesGuard(Grants(read=frozenset({root} if root else ())), base=root or None, max_size=max_bytes)

    def resolve(self, name: str, language: str, importer: str = "") -> Source:
        """Return the source of a module.

        Args:
            name: As the script wrote it.
            language: Of the script that asks.
            importer: ``Source.name`` of the file that asks, ``""`` for the spell's main file.

        Raises:
            ScriptModuleNotFoundError: With the nearest name there is.
            PolicyDeniedError: It is not granted, leads out of the root, or is too large.
            ScriptSyntaxError: It is not UTF-8.
        """
        if not self._root:
            raise ScriptModuleNotFoundError(
                f"there is no module {name!r}: this script has no directory of its own", name=name
            )
        form = self._forms[language]
        base = self._base(name, importer)
        candidates = list(self._candidates(base, form))
        granted = [path for path in candidates if self._is_granted(path)]
        if candidates and not granted:
            raise PolicyDeniedError(
                f"the policy does not grant the module {name!r}", hint="add it to the granted modules"
            )
        for path in granted:
            raw = self._read(path, name)
            if raw is not None:
                shown = posixpath.join(self._shown, path) if self._shown else path
                return Source(decode_text(raw, shown), shown, self._languages[posixpath.splitext(path)[1]], self._root)
        raise self._not_found(name, base, form)

    def _base(self, name: str, importer: str) -> str:
        """Return the path below the root that a name means, still without ending."""
        if not name or "\0" in name or "\\" in name or name.startswith("/") or name[1:2] == ":" or len(name) > 1024:
            raise ScriptModuleNotFoundError(
                f"{name[:80]!r} cannot name a module",
                name=name,
                hint="write a name such as lib.text, or a path such as ./lib/text",
            )
        directory = ""
        if name in (".", "..") or name.startswith(("./", "../")):
            inside = importer.removeprefix(f"{self._shown}/") if self._shown else importer
            directory = posixpath.dirname(inside)
        path = posixpath.normpath(posixpath.join(directory, name))
        if path == ".." or path.startswith(("../", "/")):
            raise PolicyDeniedError(
                f"the module {name!r} is outside of the spell's directory", hint="modules live beside the spell"
            )
        return path

    def _candidates(self, base: str, form: ModuleForm) -> Iterator[str]:
        if posixpath.splitext(base)[1] in self._languages:
            yield base
        bases = [base]
        if form.dotted and "." in base and not base.startswith("."):
            bases.append(base.replace(".", "/"))
        for path in bases:
            yield from (path + extension for extension in form.extensions if path != ".")
            for initial in form.initial:
                yield from (posixpath.join(path, initial + extension) for extension in form.extensions)

    def _is_granted(self, path: str) -> bool:
        bare = posixpath.splitext(path)[0]
        spellings = {path, bare, bare.replace("/", ".")}
        if posixpath.basename(bare) in ("init", "index"):
            spellings |= {posixpath.dirname(bare), posixpath.dirname(bare).replace("/", ".")}
        return any(fnmatch.fnmatchcase(text, pattern) for text in spellings for pattern in self._patterns)

    def _read(self, path: str, name: str) -> bytes | None:
        try:
            return self._guard.read_bytes(path)
        except PolicyDeniedError:
            raise PolicyDeniedError(
                f"the module {name!r} is a link out of the spell's directory", hint="copy the file into it"
            ) from None
        except BridgeError as error:
            if error.code in _ABSENT:
                return None
            if error.code == "too_large":
                raise PolicyDeniedError(
                    f"the module {name!r} is larger than {self._max_bytes:,} bytes, the most a module may have"
                ) from None
            raise ScriptModuleNotFoundError(
                f"the module {name!r} cannot be read: {error.message}", name=name
            ) from error

    def _not_found(self, name: str, base: str, form: ModuleForm) -> ScriptModuleNotFoundError:
        whole = posixpath.splitext(base)[1] in self._languages
        tried = base if whole else " or ".join(f"{base}{extension}" for extension in form.extensions)
        # An address, or dots alone, is no name of a file to look for.
        looked = "" if ":" in name or not name.strip("./") else f" (looked for {tried})"
        return ScriptModuleNotFoundError(
            f"there is no module {name!r} in the spell's directory{looked}",
            name=name,
            hint=self._nearby(name, base, form),
        )

    def _nearby(self, name: str, base: str, form: ModuleForm) -> str | None:
        if form.dotted:
            base = base.replace(".", "/")
        directory, wanted = posixpath.split(base)
        try:
            entries = self._guard.list(directory or ".")[:_NEARBY]
        except (BridgeError, PolicyDeniedError):
            return None
        files = {posixpath.splitext(entry.name)[0]: entry.name for entry in entries if self._is_module(entry.name)}
        if not form.dotted and any(entry.name == wanted for entry in entries):
            return f"{name} is a file but no module; a text is read by the bridge fs, where the policy grants it"
        close = difflib.get_close_matches(wanted, files, 1)
        if not close:
            return None
        found = files[close[0]]
        if close[0] == wanted and self._languages[posixpath.splitext(found)[1]] != form.language:
            return f"there is {found}; name it with its ending"
        return f"did you mean {name[: len(name) - len(wanted)] + close[0]!r}?"

    def _is_module(self, filename: str) -> bool:
        return posixpath.splitext(filename)[1] in self._languages


def shown_root(source: Source) -> str:
    """Return how errors call the root of a spell: the directory part of its main file's name."""
    return os.path.dirname(source.name).replace(os.sep, "/") if source.root else ""
