"""Grants: what of the world a run may reach."""

from __future__ import annotations

import fnmatch
import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from llmspell.fields import After, settle

LOCAL_SUFFIXES = (
    "localhost", "local", "internal", "lan", "home", "corp", "private", "intranet", "test", "home.arpa",
)  # fmt: skip
"""Endings of names that the public DNS cannot define."""


@lru_cache(maxsize=4096)
def _matches(patterns: frozenset[str], name: str) -> bool:
    return name in patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _absolute(paths: frozenset[str]) -> frozenset[str]:
    for path in paths:
        if "\0" in path:
            raise ValueError("a granted path holds a NUL character")
    return frozenset(os.path.abspath(os.path.expanduser(path)) for path in paths)


Paths = Annotated[frozenset[str], After(_absolute)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
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

    bridges: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    read: Paths = frozenset()
    write: Paths = frozenset()
    net: frozenset[str] = frozenset()
    env: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    subprocess: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset({"*"})

    def __post_init__(self) -> None:
        settle(self)

    def allows_call(self, bridge: str, method: str) -> bool:
        """Tell whether a method of a bridge may be called."""
        return self._names(self.bridges, bridge, method) and not self._names(self.denied, bridge, method)

    def allows_bridge(self, bridge: str) -> bool:
        """Tell whether anything of a bridge may be called."""
        if _matches(self.denied, bridge) or f"{bridge}.*" in self.denied:
            return False
        return _matches(self.bridges, bridge) or any(
            fnmatch.fnmatchcase(bridge, pattern.partition(".")[0]) for pattern in self.bridges if "." in pattern
        )

    @staticmethod
    def _names(patterns: frozenset[str], bridge: str, method: str) -> bool:
        return _matches(patterns, bridge) or _matches(patterns, f"{bridge}.{method}")

    def intersect(self, other: Grants) -> Grants:
        """Return what both allow: a child never has more than its parent."""
        return Grants(
            bridges=_meet(self.bridges, other.bridges, _covers_bridge),
            denied=self.denied | other.denied,
            read=_meet_paths(self.read, other.read),
            write=_meet_paths(self.write, other.write),
            net=_meet(self.net, other.net, _covers_host),
            env=_meet(self.env, other.env, _covers),
            secrets=_meet(self.secrets, other.secrets, _covers),
            subprocess=_meet(self.subprocess, other.subprocess, _covers),
            modules=_meet(self.modules, other.modules, _covers),
        )


def _meet(mine: frozenset[str], theirs: frozenset[str], covers: Callable[[str, str], bool]) -> frozenset[str]:
    """Keep each pattern of one side that a pattern of the other side covers whole."""

    def kept(some: frozenset[str], others: frozenset[str]) -> set[str]:
        return {name for name in some if any(covers(name, pattern) for pattern in others)}

    return frozenset(kept(mine, theirs) | kept(theirs, mine))


def _covers(name: str, pattern: str) -> bool:
    """Tell whether ``pattern`` matches all that ``name``, perhaps a pattern itself, matches.

    Between two patterns that is decided only where it is plain: ``*`` in the wider one swallows what stands for
    something in the narrower one, while ``?`` and ``[...]`` would match its signs instead of what they stand for.
    """
    if pattern in (name, "*"):
        return True
    if any(sign in name for sign in "*?[") and ("[" in name or "?" in pattern or "[" in pattern):
        return False
    return fnmatch.fnmatchcase(name, pattern)


def _covers_bridge(name: str, pattern: str) -> bool:
    """As :func:`_covers`; a bridge's name covers all its methods."""
    return _covers(name, pattern) or _covers(name.partition(".")[0], pattern)


def _covers_host(name: str, pattern: str) -> bool:
    """As :func:`_covers`, for hosts with or without a port.

    A pattern means public hosts. So it does not cover a private address or local name, which a grant names literally.
    """
    host, port = _split_port(name.lower())
    wider, wider_port = _split_port(pattern.lower())
    if wider_port and port != wider_port:
        return False
    if host == wider:
        return True
    if "*" not in wider or not ("*" in host or _is_public(host)):
        return False
    return re.fullmatch(".*".join(map(re.escape, wider.split("*"))), host, re.DOTALL) is not None


def how_to_grant(bridge: str) -> str:
    """Say how a run gets a bridge that its policy does not grant."""
    return f"grant it: --allow-bridge {bridge}"


def _split_port(text: str) -> tuple[str, str]:
    head, colon, tail = text.rpartition(":")
    if colon and tail.isdigit() and (head.endswith("]") or ":" not in head):
        return head, tail
    return text, ""


def _is_public(host: str) -> bool:
    try:
        return ipaddress.IPv4Address(host).is_global
    except ValueError:
        return ":" not in host and "." in host and not host.endswith(tuple(f".{name}" for name in LOCAL_SUFFIXES))


def _meet_paths(mine: frozenset[str], theirs: frozenset[str]) -> frozenset[str]:
    def inside(path: str, roots: frozenset[str]) -> bool:
        return any(Path(path).is_relative_to(root) for root in roots)

    return frozenset(path for path in mine if inside(path, theirs)) | frozenset(
        path for path in theirs if inside(path, mine)
    )
