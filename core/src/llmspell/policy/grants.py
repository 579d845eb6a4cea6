"""Grants: what of the world a run may reach."""

from __future__ import annotations

import fnmatch
import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


@lru_cache(maxsize=4096)
def _matches(patterns: frozenset[str], name: str) -> bool:
    return name in patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _absolute(paths: frozenset[str]) -> frozenset[str]:
    for path in paths:
        if "\0" in path:
            raise ValueError("a granted path holds a NUL character")
    return frozenset(os.path.abspath(os.path.expanduser(path)) for path in paths)


Paths = Annotated[frozenset[str], AfterValidator(_absolute)]


class Grants(BaseModel):
    """What of the world a run may reach. Empty means nothing: deny by default.

    Attributes:
        bridges: Names or patterns of bridges and methods: ``"*"``, ``"llm"`` (whole bridge), ``"fs.read"``,
            ``"data.*"``.
        denied: The same, taken away again; wins over ``bridges``.
        read: Files, and directories with all below them, that may be read.
        write: The same for writing (which does not include reading).
        net: Hosts that may be connected to: ``"api.example.org"``, ``"*.example.org"``, ``"host:port"``,
            ``"*"`` (any public host). Private, loopback and link-local addresses need their host or address
            named literally.
        env: Names or patterns of environment variables.
        secrets: Names of environment variables whose values reach bridges but never scripts.
        subprocess: Programs that may be started, by name or absolute path.
        modules: Patterns of local modules a script may ``require``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bridges: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    read: Paths = frozenset()
    write: Paths = frozenset()
    net: frozenset[str] = frozenset()
    env: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    subprocess: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset({"*"})

    def allows_call(self, bridge: str, method: str) -> bool:
        """Tell whether a method of a bridge may be called."""
        return self._names(self.bridges, bridge, method) and not self._names(self.denied, bridge, method)

    def allows_bridge(self, bridge: str) -> bool:
        """Tell whether anything of a bridge may be called."""
        if _matches(self.denied, bridge) or f"{bridge}.*" in self.denied:
            return False
        return _matches(self.bridges, bridge) or any(pattern.partition(".")[0] == bridge for pattern in self.bridges)

    @staticmethod
    def _names(patterns: frozenset[str], bridge: str, method: str) -> bool:
        return _matches(patterns, bridge) or _matches(patterns, f"{bridge}.{method}")

    def intersect(self, other: Grants) -> Grants:
        """Return what both allow: a child never has more than its parent."""
        return Grants.model_construct(
            bridges=_meet(self.bridges, other.bridges),
            denied=self.denied | other.denied,
            read=_meet_paths(self.read, other.read),
            write=_meet_paths(self.write, other.write),
            net=_meet(self.net, other.net),
            env=_meet(self.env, other.env),
            secrets=_meet(self.secrets, other.secrets),
            subprocess=_meet(self.subprocess, other.subprocess),
            modules=_meet(self.modules, other.modules),
        )


def _meet(mine: frozenset[str], theirs: frozenset[str]) -> frozenset[str]:
    """Keep each pattern of one side that the other side covers."""

    def covered(name: str, patterns: frozenset[str]) -> bool:
        bridge = name.partition(".")[0]
        return any(
            pattern in (name, bridge) or fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(bridge, pattern)
            for pattern in patterns
        )

    return frozenset(name for name in mine if covered(name, theirs)) | frozenset(
        name for name in theirs if covered(name, mine)
    )


def _meet_paths(mine: frozenset[str], theirs: frozenset[str]) -> frozenset[str]:
    def inside(path: str, roots: frozenset[str]) -> bool:
        return any(Path(path).is_relative_to(root) for root in roots)

    return frozenset(path for path in mine if inside(path, theirs)) | frozenset(
        path for path in theirs if inside(path, mine)
    )
