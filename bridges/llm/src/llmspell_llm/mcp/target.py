"""Where a server is: a program to start, or an address."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from llmspell.errors import ArgumentError

_PROGRAM = {"command", "args", "directory", "env"}
_ADDRESS = {"url", "headers", "token_env"}


@dataclass(frozen=True, slots=True)
class ProgramTarget:
    """A server that is started and speaks over its standard input and output.

    Attributes:
        env: Names of granted variables, secret ones too, that it gets.
    """

    command: str
    args: tuple[str, ...] = ()
    directory: str | None = None
    env: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What to call it where nobody says."""
        return os.path.basename(self.command) or self.command


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """A server that listens at an address.

    Attributes:
        token_env: Name of a granted variable, sent as a bearer token.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    token_env: str | None = None

    @property
    def name(self) -> str:
        """What to call it where nobody says."""
        return urlsplit(self.url).hostname or self.url


Target: TypeAlias = ProgramTarget | HttpTarget


def target_from(given: str | Mapping[str, Any]) -> Target:
    """Read what a script says of a server.

    Args:
        given: An address, or ``{command, args, directory, env}`` or ``{url, headers, token_env}``.

    Raises:
        ArgumentError: It says neither, or both, or something unknown.
    """
    if isinstance(given, str):
        if not given.startswith(("http://", "https://")):
            raise _bad(f"{given!r} is no address; a program is given as {{command = ..., args = ...}}")
        return HttpTarget(given)
    known = _PROGRAM if "command" in given else _ADDRESS
    if ("command" in given) == ("url" in given):
        raise _bad("a server is {command, args, directory, env} or {url, headers, token_env}")
    if unknown := sorted(set(given) - known):
        raise _bad(f"a server has no {unknown[0]!r} here; it has {', '.join(sorted(known))}")
    if "command" in given:
        return ProgramTarget(
            _text(given, "command"),
            tuple(_texts(given, "args")),
            None if given.get("directory") is None else _text(given, "directory"),
            tuple(_texts(given, "env")),
        )
    headers = given.get("headers") or {}
    if not isinstance(headers, Mapping) or not all(isinstance(value, str) for value in headers.values()):
        raise _bad("headers should be a table of texts")
    token = None if given.get("token_env") is None else _text(given, "token_env")
    return HttpTarget(_text(given, "url"), dict(headers), token)


def _text(given: Mapping[str, Any], key: str) -> str:
    if not isinstance(given[key], str) or not given[key]:
        raise _bad(f"{key} should be a text")
    value: str = given[key]
    return value


def _texts(given: Mapping[str, Any], key: str) -> list[str]:
    value = given.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _bad(f"{key} should be a list of texts")
    return value


def _bad(message: str) -> ArgumentError:
    return ArgumentError(f"connect_mcp: {message}", parameter="server", position=1)
