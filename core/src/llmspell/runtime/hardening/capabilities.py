"""Linux capabilities: give all of them up, and the way back to them."""

from __future__ import annotations

import ctypes
import errno

from llmspell.runtime.hardening import kernel

_VERSION_3 = 0x20080522
_MOST = 64


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in ("e0", "p0", "i0", "e1", "p1", "i1"))


def drop_all() -> str:
    """Empty the effective, permitted, inheritable, ambient and, if allowed to, bounding sets of this thread.

    Returns:
        What a report should say beyond "applied", or ``""``.

    Raises:
        OSError: The kernel refused to empty a set.
    """
    detail = _empty_bounding_set()
    kernel.prctl(kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_CLEAR_ALL)
    header, sets = _Header(_VERSION_3, 0), _Sets()
    kernel.syscall("capset", ctypes.addressof(header), ctypes.addressof(sets))
    return detail


def held() -> int:
    """Return this thread's permitted set as a bit mask."""
    header, sets = _Header(_VERSION_3, 0), _Sets()
    kernel.syscall("capget", ctypes.addressof(header), ctypes.addressof(sets))
    return int(sets.p0 | sets.p1 << 32)


def _empty_bounding_set() -> str:
    for capability in range(_MOST):
        try:
            kernel.prctl(kernel.PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == errno.EPERM:
                # Only a privileged process may; an unprivileged one under no_new_privs cannot gain any anyway.
                return "the bounding set stays as it was, as for every unprivileged process"
            if error.errno == errno.EINVAL:
                return ""  # beyond the last one this kernel knows
            raise
    return ""
