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
class Rights:
    """Rights that can be taken away, as the kernel's bit masks.

    Attributes:
        abi: Version of Landlock's interface.
        files: On files and directories.
        net: On TCP ports.
        scopes: On what lives outside: abstract Unix sockets, processes to signal.
    """

    abi: int
    files: int
    net: int
    scopes: int

    def only(self, *, files: bool, net: bool, scopes: bool) -> Rights:
        return Rights(self.abi, self.files if files else 0, self.net if net else 0, self.scopes if scopes else 0)


def probe() -> Rights:
    """Ask the kernel which rights its Landlock can take away; changes nothing.

    Raises:
        OSError: ENOSYS: no Landlock; EOPNOTSUPP: it is switched off at boot.
    """
    version = 1
    abi = kernel.syscall("landlock_create_ruleset", 0, 0, version)
    return Rights(
        abi,
        files=max((1 << bits) - 1 for since, bits in _FS_RIGHTS if abi >= since),
        net=_NET_RIGHTS if abi >= _NET_SINCE else 0,
        scopes=_SCOPES if abi >= _SCOPE_SINCE else 0,
    )


def restrict(rights: Rights, readable: Iterable[str]) -> None:
    """Take ``rights`` from the calling thread, but for reading files beneath ``readable``.

    Needs ``no_new_privs``. What is open already stays open. A path that does not exist is left out.

    Args:
        rights: As :func:`probe` found them, or fewer.
        readable: Files and directories.

    Raises:
        OSError: As :func:`probe`.
    """
    attributes = _Attributes(rights.files, rights.net, rights.scopes)
    # An older kernel refuses a structure longer than the one it knows.
    size = 24 if rights.abi >= _SCOPE_SINCE else 16 if rights.abi >= _NET_SINCE else 8
    ruleset = kernel.syscall("landlock_create_ruleset", ctypes.addressof(attributes), size, 0)
    try:
        if rights.files:
            for path in readable:
                _allow_reading(ruleset, path)
        kernel.syscall("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


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
