"""What the script's world is called: the system and processor it runs on, in Go's words."""

from __future__ import annotations

import platform as machine
import sys

_SYSTEMS = {"win32": "windows", "cygwin": "windows", "sunos5": "solaris"}
_PROCESSORS = {"x86_64": "amd64", "aarch64": "arm64", "i386": "386", "i686": "386", "armv7l": "arm"}


def platform() -> str:
    """Return the system's name as Go's ``runtime.GOOS`` has it."""
    return _SYSTEMS.get(sys.platform, sys.platform)


def architecture() -> str:
    """Return the processor's name as Go's ``runtime.GOARCH`` has it."""
    name = machine.machine().lower()
    return _PROCESSORS.get(name, name)
