"""What any POSIX system offers: environment, descriptors, session, resource limits. And two Linux flags."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from collections.abc import Collection, Mapping
from pathlib import Path

from llmspell.runtime.hardening import kernel
from llmspell.runtime.hardening.plan import ProcessLimits

ADDRESS_SPACE = "address space"
"""How :func:`limit_resources` says that memory is limited."""

_STANDARD = 3
_FEW = 256  # where a process cannot be asked; nothing but the standard three is inherited there


def scrub_environment(keep: Mapping[str, str]) -> str:
    """Make ``keep`` the whole environment.

    The block a process was started with stays in its memory: start it with a scrubbed one too.
    """
    for name in set(os.environ) - set(keep):
        del os.environ[name]
    os.environ.update(keep)
    return f"only {', '.join(sorted(keep))}" if keep else "empty"


def close_descriptors(keep: Collection[int]) -> str:
    """Point standard input, output and error at the null device and close everything else but ``keep``.

    The three stay occupied, or a stray write of some library would land in whatever is opened next.
    """
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(_STANDARD):
        if number not in keep and null != number:
            os.dup2(null, number, inheritable=False)
    if null >= _STANDARD and null not in keep:
        os.close(null)
    low = _STANDARD
    for number in sorted({number for number in keep if number >= _STANDARD}):
        os.closerange(low, number)
        low = number + 1
    os.closerange(low, _highest_descriptor())
    return f"{len(keep)} kept"


def _highest_descriptor() -> int:
    try:
        return max((int(name) for name in os.listdir("/proc/self/fd")), default=0) + 1
    except OSError:
        return os.sysconf("SC_OPEN_MAX") if hasattr(os, "sysconf") else _FEW


def own_session() -> str:
    """Become leader of a session and process group of one's own, without a controlling terminal."""
    if os.getsid(0) != os.getpid():
        os.setsid()
    return ""


def limit_resources(limits: ProcessLimits) -> str:
    """Apply resource limits, soft and hard; never raises one above the hard limit it already has.

    Returns:
        What was limited, and to what. Address space is only where a process can be asked how much it has already.
    """
    import resource

    asked = {
        "core": (resource.RLIMIT_CORE, 0),
        "file size": (resource.RLIMIT_FSIZE, limits.file_size),
        "open files": (resource.RLIMIT_NOFILE, limits.open_files),
        "cpu": (resource.RLIMIT_CPU, limits.cpu),
    }
    occupied = _occupied()
    if limits.memory is not None and occupied is not None:
        asked[ADDRESS_SPACE] = (resource.RLIMIT_AS, occupied + limits.memory)
    said = []
    for name, (kind, value) in asked.items():
        if value is None:
            continue
        _, hard = resource.getrlimit(kind)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))
        said.append(f"{name} {bound}")
    return ", ".join(said)


def _occupied() -> int | None:
    """Return the bytes of address space this process occupies; None where that cannot be told."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:
        return None


def forbid_new_privileges() -> str:
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    return ""


def forbid_dumping() -> str:
    """Close ``/proc/PID/mem`` and ptrace of this process to everyone without privileges."""
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    return ""


def die_with_parent(parent: int) -> str:
    """Be killed when the parent ends.

    Args:
        parent: Its process id as this process sees it; 0 if it lives outside of this process-id namespace.

    Raises:
        OSError: ESRCH: the parent is gone already.
    """
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise OSError(errno.ESRCH, "the parent ended before its death could be watched")
    return ""


def parent_death_signal() -> int:
    """Return the signal set by :func:`die_with_parent`, 0 if none."""
    word = ctypes.c_int(0)
    kernel.prctl(kernel.PR_GET_PDEATHSIG, ctypes.addressof(word))
    return word.value
