"""From a granted path to an opened directory and a name in it, with no gap between check and use.

Two ways: :func:`walk_descriptors` opens each directory relative to the one before and follows no link by itself
(Linux, macOS, BSD); :func:`walk_names` is for systems without descriptor-relative calls and checks again after
the file is open (:meth:`Place.confirm`).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from llmspell.guards.paths import Roots, normal

_MAX_LINKS = 40
_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)

_NOT_A_DIRECTORY = (errno.ENOTDIR, errno.ELOOP, errno.EMLINK)

HAS_DESCRIPTORS = {os.open, os.stat, os.unlink, os.mkdir, os.rmdir, os.rename, os.readlink} <= os.supports_dir_fd
"""Whether this system can do everything relative to an opened directory."""


class LeadsOut(Exception):
    """A symbolic link on the way leads out of what is granted."""


class Place:
    """A directory held open and a name in it; ``dir_fd`` is None where only full names exist.

    Attributes:
        path: The real path at the time of the walk, for comparison with roots and never for opening.
    """

    __slots__ = ("dir_fd", "name", "path")

    def __init__(self, dir_fd: int | None, name: str, path: str) -> None:
        self.dir_fd = dir_fd
        self.name = name
        self.path = path

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *problem: object) -> None:
        if self.dir_fd is not None:
            os.close(self.dir_fd)
            self.dir_fd = None

    def stat(self) -> os.stat_result:
        """Stat the entry itself, never what a link points to."""
        return os.stat(self.name, dir_fd=self.dir_fd, follow_symlinks=False)

    def open(self, flags: int, mode: int = 0o666) -> int:
        """Open the entry and return its descriptor. A link, even one put there this moment, is not followed.

        Raises:
            OSError: As ``os.open`` does; ``ELOOP`` if a link has come in between.
        """
        flags |= _NOFOLLOW | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(self.name, flags, mode, dir_fd=self.dir_fd)
        try:
            self._confirm(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _confirm(self, descriptor: int) -> None:
        if self.dir_fd is not None:
            return
        same = os.path.samestat(os.fstat(descriptor), os.stat(self.path, follow_symlinks=False))
        if not same or os.path.realpath(self.path) != self.path:
            raise OSError(errno.ELOOP, "the path changed while it was opened")


Walker = Callable[[Roots, str, bool], Place]


def walk_descriptors(roots: Roots, path: str, follow: bool = True) -> Place:
    """Walk to a path that ``roots`` located.

    A link is read, its target located anew among the roots, and the walk starts over there: so links inside the
    granted directories work, and all others are refused.

    Args:
        follow: Also follow a link at the very end; False names the link itself.

    Raises:
        LeadsOut: A link leads out of the roots.
        OSError: A directory on the way is missing or is none.
    """
    for _ in range(_MAX_LINKS):
        found = _descend(path, follow)
        if isinstance(found, Place):
            return found
        located = roots.locate(found)
        if located is None:
            raise LeadsOut
        path = located
    raise OSError(errno.ELOOP, "too many symbolic links")


def _descend(path: str, follow: bool) -> Place | str:
    """Open directory after directory; return the place, or where a link on the way points."""
    parts = [part for part in path.split(os.sep) if part] or [os.curdir]
    here = os.open(os.sep, _DIRECTORY)
    try:
        for index, name in enumerate(parts[:-1]):
            try:
                below = os.open(name, _DIRECTORY | _NOFOLLOW, dir_fd=here)
            except OSError as error:
                target = _link(name, here) if error.errno in _NOT_A_DIRECTORY else None
                if target is None:
                    raise
                return _redirected(parts, index, target)
            above, here = here, below
            os.close(above)
        if follow and (target := _link(parts[-1], here)) is not None:
            return _redirected(parts, len(parts) - 1, target)
        place = Place(here, parts[-1], path)
        here = -1
        return place
    finally:
        if here >= 0:
            os.close(here)


def _link(name: str, directory: int) -> str | None:
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOENT):
            return None
        raise


def _redirected(parts: list[str], index: int, target: str) -> str:
    return normal(os.path.join(os.sep, *parts[:index], target, *parts[index + 1 :]))


def walk_names(roots: Roots, path: str, follow: bool = True) -> Place:
    """Walk by full names, for systems that have no descriptor-relative calls.

    Raises:
        LeadsOut: The real path is not granted.
        OSError: Links go round in a circle.
    """
    parent, name = os.path.split(path)
    real = os.path.realpath(path) if follow or not name else os.path.join(os.path.realpath(parent), name)
    if not roots.holds(real):
        raise LeadsOut
    if follow and os.path.islink(real):
        raise OSError(errno.ELOOP, "too many symbolic links")
    return Place(None, real, real)


WALK: Walker = walk_descriptors if HAS_DESCRIPTORS else walk_names
