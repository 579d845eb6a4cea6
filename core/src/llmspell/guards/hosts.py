"""Hosts as texts: one strict reading of a host name, and which grants cover it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from llmspell.errors import BridgeError, ConfigError
from llmspell.guards.addresses import Address
from llmspell.policy.grants import LOCAL_SUFFIXES

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class HostName:
    """A host as a script may name it, in its one canonical spelling.

    Attributes:
        text: Lower-case ASCII name, or canonical address without brackets.
        address: Set if it is an address.
    """

    text: str
    address: Address | None = None

    @property
    def is_local_name(self) -> bool:
        """Whether the public DNS cannot define it: no dot, or a suffix reserved for private use."""
        return self.address is None and (
            "." not in self.text or self.text.endswith(tuple("." + suffix for suffix in LOCAL_SUFFIXES))
        )


def read_host(text: str) -> HostName:
    """Read a host in exactly one way; what another reader could take for something else is refused.

    Refused so: short, octal, hexadecimal and single-number addresses, a trailing dot, percent signs, zone
    identifiers, and names outside IDNA 2008 (full-width and circled letters, ideographic dots).

    Raises:
        BridgeError: ``invalid_url``.
    """
    if not text:
        raise _unreadable(text, "it is empty")
    host = text
    if host.startswith("[") or host.endswith("]") or ":" in host:
        return _read_ipv6(text, host.removeprefix("[").removesuffix("]"))
    if not host.isascii():
        host = _to_ascii(text)
    host = host.lower()
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]) or (labels[-1] == "" and len(labels) > 1 and _NUMBER.fullmatch(labels[-2])):
        try:
            return HostName(host, ipaddress.IPv4Address(host))
        except ValueError:
            raise _unreadable(text, "it is an address in an unusual form; write four decimal numbers") from None
    if labels[-1] == "":
        raise _unreadable(text, "it ends in a dot")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _unreadable(text, "it is no host name")
    return HostName(host)


def _read_ipv6(text: str, inner: str) -> HostName:
    try:
        address = ipaddress.IPv6Address(inner)
    except ValueError:
        raise _unreadable(text, "it is no IPv6 address") from None
    if "%" in inner:
        raise _unreadable(text, "zone identifiers are refused")
    return HostName(str(address), address)


def _to_ascii(text: str) -> str:
    try:
        import idna
    except ImportError:
        raise _unreadable(text, "it is not ASCII; write it in its xn-- form") from None
    try:
        return idna.encode(text, strict=True).decode("ascii")
    except idna.IDNAError:
        raise _unreadable(text, "it holds characters that are not allowed in host names") from None


def _unreadable(text: str, reason: str) -> BridgeError:
    return BridgeError(f"the host {text!r} is refused: {reason}", code="invalid_url", exit_code=7)


@dataclass(frozen=True, slots=True)
class _Grant:
    """One entry of ``Grants.net``; ``pattern`` is None for a literal ``host``."""

    host: str
    port: int | None
    pattern: re.Pattern[str] | None

    def covers(self, host: str, port: int) -> bool:
        if self.port is not None and self.port != port:
            return False
        return self.host == host if self.pattern is None else self.pattern.fullmatch(host) is not None


@lru_cache(maxsize=1024)
def _read_grant(text: str) -> _Grant:
    host, port = _split_port(text.strip().lower())
    if "*" in host:
        parts = (re.escape(part) for part in host.split("*"))
        return _Grant(host, port, re.compile(".*".join(parts), re.DOTALL))
    try:
        return _Grant(read_host(host).text, port, None)
    except BridgeError as error:
        raise ConfigError(f"the granted host {text!r} cannot be used: {error.message}") from None


def _split_port(text: str) -> tuple[str, int | None]:
    head, colon, tail = text.rpartition(":")
    single = colon and (head.endswith("]") or ":" not in head)
    if single and tail.isascii() and tail.isdigit():
        return head, int(tail)
    return text, None


class HostGrants:
    """The hosts a policy grants.

    Args:
        granted: As in :class:`llmspell.policy.Grants`: names, ``*`` patterns, addresses, each with or without a port.

    Raises:
        ConfigError: On use, if an entry is no host.
    """

    __slots__ = ("_granted",)

    def __init__(self, granted: Iterable[str]) -> None:
        self._granted = tuple(granted)

    @property
    def _grants(self) -> Iterable[_Grant]:
        return map(_read_grant, self._granted)

    def covers(self, host: HostName, port: int) -> bool:
        """Tell whether a grant, literal or pattern, covers the host."""
        return any(grant.covers(host.text, port) for grant in self._grants)

    def names(self, host: str, port: int) -> bool:
        """Tell whether a host or address is granted literally."""
        return any(grant.pattern is None and grant.covers(host, port) for grant in self._grants)
