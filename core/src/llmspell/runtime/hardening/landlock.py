"""Landlock: take away every right on files, TCP ports and scopes that this kernel's Landlock can take away."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from dataclasses import dataclass

from llmspell.runtime.hardening import kernel

_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FS_RIGHTS = ((1, 13), (2, 14), (3, 15), (5, 16))  # from this ABI on, this many rights on files exist
_NET_SINCE, _NET_RIGHTS = 4, 0b11  # bind, connect (TCP)
_SCOPE_SINCE, _SCOPES = 6, 0b11  # abstract Unix sockets, signals


class _Attributes(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


@dataclass(frozen=True, slots=True)
class Restriction:
    """What a ruleset of this kernel's ABI takes away."""

    abi: int

    @property
    def files(self) -> int:
        return max((1 << bits) - 1 for since, bits in _FS_RIGHTS if self.abi >= since)

    @property
    def net(self) -> int:
        return _NET_RIGHTS if self.abi >= _NET_SINCE else 0

    @property
    def scoped(self) -> int:
        return _SCOPES if self.abi >= _SCOPE_SINCE else 0

    @property
    def size(self) -> int:
        """Bytes of the attributes this ABI knows; an older kernel refuses a longer structure."""
        return 24 if self.scoped else 16 if self.net else 8


def probe() -> Restriction:
    """Ask the kernel for its ABI; changes nothing.

    Raises:
        OSError: ENOSYS: no Landlock; EOPNOTSUPP: it is switched off at boot.
    """
    version = 1
    return Restriction(kernel.syscall("landlock_create_ruleset", 0, 0, version))


def restrict(readable: Iterable[str]) -> Restriction:
    """Leave the calling thread the right to read files beneath ``readable``, and nothing else.

    Needs ``no_new_privs``. What is open already stays open. A path that does not exist is left out.

    Raises:
        OSError: As :func:`probe`.
    """
    known = probe()
    attributes = _Attributes(known.files, known.net, known.scoped)
    ruleset = kernel.syscall("landlock_create_ruleset", ctypes.addressof(attributes), known.size, 0)
    try:
        for path in readable:
            _allow_reading(ruleset, path)
        kernel.syscall("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
    return known


def _allow_reading(ruleset: int, path: str) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        rights = _READ_FILE | _READ_DIR if os.path.isdir(path) else _READ_FILE
        rule = _PathBeneath(rights, parent)
        path_beneath = 1
        kernel.syscall("landlock_add_rule", ruleset, path_beneath, ctypes.addressof(rule), 0)
    finally:
        os.close(parent)
