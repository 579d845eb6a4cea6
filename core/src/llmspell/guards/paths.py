"""Paths as texts: what a script may write as a path, and which grant covers it. Touches no file but the roots."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from llmspell.errors import BridgeError

_KERNEL = ("/proc", "/sys", "/dev")
"""Trees that show the host process itself. A grant of ``/`` does not mean them; they are granted by name."""

_MAX_PATH = 4096
_DEVICE_NAMES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{digit}" for port in ("com", "lpt") for digit in "123456789¹²³"}
)


def checked_path(path: str, *, windows: bool = os.name == "nt") -> str:
    """Return ``path`` if it can name a file at all.

    Raises:
        BridgeError: ``invalid_path``: empty, too long, with a NUL or a text no file system encodes; on Windows
            also device names, alternate streams and device or network prefixes.
    """
    if not path:
        raise BridgeError("a path cannot be empty", code="invalid_path")
    if "\0" in path:
        raise BridgeError(f"the path {path!r} holds a NUL character", code="invalid_path")
    try:
        size = len(os.fsencode(path))
    except UnicodeEncodeError:
        raise BridgeError(f"the path {path!r} is not valid Unicode", code="invalid_path") from None
    if size > _MAX_PATH:
        raise BridgeError(f"the path is longer than {_MAX_PATH:,} bytes", code="invalid_path")
    if windows:
        _check_windows(path)
    return path


def _check_windows(path: str) -> None:
    unified = path.replace("/", "\\")
    if unified.startswith("\\\\"):
        raise BridgeError(f"{path!r} is a network or device path, which is never granted", code="invalid_path")
    drive, rest = (unified[:2], unified[2:]) if unified[1:2] == ":" else ("", unified)
    if drive and not (drive[0].isascii() and drive[0].isalpha() and rest.startswith("\\")):
        raise BridgeError(f"{path!r} is relative to a drive; give a full path", code="invalid_path")
    for part in rest.split("\\"):
        if ":" in part:
            raise BridgeError(f"{path!r} names an alternate stream of a file", code="invalid_path")
        if part not in (".", "..") and part != part.rstrip(" ."):
            raise BridgeError(f"a name in {path!r} ends in a dot or blank", code="invalid_path")
        if part.partition(".")[0].rstrip(" ").lower() in _DEVICE_NAMES:
            raise BridgeError(f"{path!r} names a device", code="invalid_path")


def normal(path: str) -> str:
    """Normalise an absolute path as a text, without looking at any file.

    Example:
        >>> normal("//srv/./data/../x/")
        '/srv/x'
    """
    flat = os.path.normpath(path)
    return flat[1:] if flat.startswith("//") and os.sep == "/" else flat


def is_inside(path: str, root: str) -> bool:
    """Tell whether ``path`` is ``root`` or below it; both normal."""
    return path == root or path.startswith(root if root.endswith(os.sep) else root + os.sep)


def _kernel_tree(path: str) -> str | None:
    return next((tree for tree in _KERNEL if is_inside(path, tree)), None)


class _Root(NamedTuple):
    given: str
    real: str


class Roots:
    """Granted paths, each as it was given and as it really was when first asked for.

    The real path is taken once, so that nothing a script renames later can move a root.

    Args:
        granted: Absolute paths, as :class:`llmspell.policy.Grants` holds them.
    """

    __slots__ = ("_granted", "_resolved")

    def __init__(self, granted: Iterable[str]) -> None:
        self._granted = tuple(granted)
        self._resolved: tuple[_Root, ...] | None = None

    @property
    def _roots(self) -> tuple[_Root, ...]:
        if self._resolved is None:
            pairs = (_Root(normal(path), os.path.realpath(path)) for path in self._granted)
            self._resolved = tuple(sorted(pairs, key=lambda root: -len(root.given)))
        return self._resolved

    def locate(self, path: str) -> str | None:
        """Return where a normal absolute path stands below the real path of a root, or None if no root has it."""
        for root in self._roots:
            if is_inside(path, root.given):
                found = normal(root.real + os.sep + path[len(root.given) :])
            elif is_inside(path, root.real):
                found = path
            else:
                continue
            tree = _kernel_tree(found)
            if tree is None or is_inside(root.real, tree):
                return found
        return None

    def holds(self, path: str) -> bool:
        """Tell whether a real path is granted."""
        return any(
            is_inside(path, root.real) and ((tree := _kernel_tree(path)) is None or is_inside(root.real, tree))
            for root in self._roots
        )

    def carries(self, path: str) -> bool:
        """Tell whether a root is, or stands below, the real path: then it must stay where it is."""
        return any(is_inside(root.real, path) for root in self._roots)
