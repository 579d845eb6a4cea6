"""A file system root of a process's own, in which nothing exists but what it may read.

Landlock decides what can be opened; it does not hide that a file exists, how large it is and when it changed.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

from llmspell.runtime.hardening import kernel

_NEW_MOUNTS = 0x00020000
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _REMOUNT, _BIND = 0x1, 0x2, 0x4, 0x20, 0x1000
_RECURSIVELY, _PRIVATE = 0x4000, 0x40000
_DETACH = 2

# Exists wherever Linux is, is no ancestor of anything worth reading, and is better out of sight itself.
_SITE = "/proc"


def own_root(readable: Iterable[str]) -> str:
    """Move into a root that holds ``readable`` under their own names, read-only, and drop the old one.

    Needs the right to mount, which a user namespace gives, and ends all use of ``/proc``.

    Raises:
        OSError: The kernel refused one of the steps. The process is then in an undefined place.
    """
    kernel.syscall("unshare", _NEW_MOUNTS)
    _mount(None, "/", None, _RECURSIVELY | _PRIVATE)
    _mount("none", _SITE, "tmpfs", _NO_SETUID | _NO_DEVICES, "size=1m,mode=755")
    for path in readable:
        if os.path.exists(path):
            _show(os.path.abspath(path))
    _mount(None, _SITE, None, _REMOUNT | _READ_ONLY | _BIND | _NO_SETUID | _NO_DEVICES)
    os.chdir(_SITE)
    here = ctypes.create_string_buffer(b".")
    kernel.syscall("pivot_root", ctypes.addressof(here), ctypes.addressof(here))
    kernel.syscall("umount2", ctypes.addressof(here), _DETACH)
    os.chdir("/")
    return ""


def _show(path: str) -> None:
    place = _SITE + path
    if os.path.isdir(path):
        os.makedirs(place, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.close(os.open(place, os.O_CREAT | os.O_RDONLY, 0o444))
    _mount(path, place, None, _BIND)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    texts = [None if text is None else ctypes.create_string_buffer(os.fsencode(text)) for text in
             (source, target, kind, options)]  # fmt: skip
    at = [0 if text is None else ctypes.addressof(text) for text in texts]
    kernel.syscall("mount", at[0], at[1], at[2], flags, at[3])
