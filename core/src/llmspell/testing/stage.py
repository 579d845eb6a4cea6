"""Where conformance takes place: a host with one engine, the kit, and nothing else."""

from __future__ import annotations

import tempfile
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from llmspell.bridge import BridgeSpec
from llmspell.engine import EngineSpec, Source
from llmspell.errors import ScriptModuleNotFoundError
from llmspell.gate import MemoryRecorder
from llmspell.host.hookspecs import hookimpl
from llmspell.host.host import Host
from llmspell.host.plugins import PluginHost
from llmspell.host.session import Session
from llmspell.policy import Policy
from llmspell.testing.kit import Kit

TIME = 20.0
"""Seconds any run of a case may take, unless the case says otherwise."""


@cache
def snippets_for(language: str) -> dict[str, str]:
    """Return the small sources of a language, by name; none for a language that is not ours."""
    text = (files(__package__) / "snippets.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text).get(language, {}))


def engine_spec_of(engine: EngineSpec | str) -> EngineSpec:
    """Return a description, or find that of an installed engine by name.

    Raises:
        EngineNotFoundError: No installed plugin offers it.
    """
    return engine if isinstance(engine, EngineSpec) else PluginHost().engine(engine)


class Stage:
    """A host with one engine and the kit.

    Args:
        spec: The engine.
        level: ``"minimal"``, ``"standard"`` or ``"strict"``: where its guests live.
        others: More engines, for modules in other languages.
    """

    def __init__(self, spec: EngineSpec, level: str = "minimal", others: tuple[EngineSpec, ...] = ()) -> None:
        self.spec = spec
        self.level = level
        self.kits: list[Kit] = []
        self.reached = threading.Event()
        self.let_go = threading.Event()
        self._others = others
        self._modules: dict[str, bool] = {}
        self.host = Host(plugins=(), config={}, environ={})
        self.host.register(self, name="conformance")

    @hookimpl
    def llmspell_engines(self) -> tuple[EngineSpec, ...]:
        """Offer the engine under test."""
        return (replace(self.spec, aliases=()), *self._others)

    @hookimpl
    def llmspell_bridges(self) -> tuple[BridgeSpec, ...]:
        """Offer the kit; every session has its own."""
        return (BridgeSpec("kit", self._make_kit),)

    def _make_kit(self) -> Kit:
        kit = Kit(self.reached, self.let_go)
        self.kits.append(kit)
        return kit

    @property
    def kit(self) -> Kit:
        """The kit of the session that opened it last."""
        return self.kits[-1]

    def policy(self, limits: Mapping[str, Any] | None = None, denied: tuple[str, ...] = ()) -> Policy:
        """Return the policy of a case: its level, everything of the kit, and the limits it names."""
        policy = Policy.at_level(self.level).grant(bridges={"kit", "spell"}, denied=set(denied))
        return replace(policy, limits=replace(policy.limits, **{"time": TIME, **(limits or {})}))

    def source(self, text: str) -> Source:
        """Return a source in the engine's language, without a directory of its own."""
        ending = self.spec.extensions[0] if self.spec.extensions else ""
        return Source(text, name=f"case{ending}", language=self.spec.name)

    def has_module(self, name: str) -> bool:
        """Tell whether the engine has a module of its own of this name; its snippet ``use`` is asked once.

        Raises:
            LlmspellError: The module is there and does not load.
        """
        if name not in self._modules:
            text = snippets_for(self.spec.name)["use"].replace("MODULE", name)
            try:
                with self.host.session(self.policy()) as session:
                    session.run(self.source(text))
            except ScriptModuleNotFoundError:
                self._modules[name] = False
            else:
                self._modules[name] = True
        return self._modules[name]

    @contextmanager
    def spell(self, text: str, beside: Mapping[str, str]) -> Iterator[Source | str]:
        """Yield what to run: a source, or the path of a file with others beside it."""
        if not beside:
            yield self.source(text)
            return
        with tempfile.TemporaryDirectory(prefix="llmspell-case-") as directory:
            root = Path(directory) / "spell"
            for name, content in {f"main{self.spec.extensions[0]}": text, **beside}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
            yield str(root / f"main{self.spec.extensions[0]}")

    @contextmanager
    def session(self, policy: Policy | None = None, **options: Any) -> Iterator[tuple[Session, MemoryRecorder]]:
        """Open a session with a recorder; nothing is reached and nothing let go of yet."""
        self.reached.clear()
        self.let_go.clear()
        recorder = MemoryRecorder()
        with self.host.session(policy or self.policy(), recorder=recorder, **options) as session:
            yield session, recorder

    def close(self) -> None:
        """Close the host."""
        self.host.close()
