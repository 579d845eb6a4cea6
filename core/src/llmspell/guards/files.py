"""``FilesGuard``: the one way to the file system."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Literal, TypeAlias

from llmspell.errors import BridgeError, PolicyDeniedError
from llmspell.guards.paths import Roots, checked_path, normal
from llmspell.guards.walk import WALK, LeadsOut, Place, Walker
from llmspell.policy import Grants

Kind = Literal["file", "directory", "link", "other"]
Mode = Literal["rb", "wb", "ab", "xb"]
Need = Literal["read", "write", "either"]

_FLAGS: dict[str, int] = {
    "rb": os.O_RDONLY,
    "wb": os.O_WRONLY | os.O_CREAT,
    "ab": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    "xb": os.O_WRONLY | os.O_CREAT | os.O_EXCL,
}
_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_MAX_DEPTH = 64
_CHUNK = 1024 * 1024
_IO = 12
_FAILURES: dict[int, tuple[str, str]] = {
    errno.ENOENT: ("not_found", "there is no file or directory {!r}"),
    errno.EEXIST: ("exists", "{!r} exists already"),
    errno.EISDIR: ("is_directory", "{!r} is a directory"),
    errno.ENOTDIR: ("not_directory", "{!r} is not a directory, or something on the way to it is not"),
    errno.ENOTEMPTY: ("not_empty", "the directory {!r} is not empty"),
    errno.EACCES: ("no_permission", "the system does not permit that for {!r}"),
    errno.EPERM: ("no_permission", "the system does not permit that for {!r}"),
    errno.EROFS: ("read_only", "{!r} is on a read-only file system"),
    errno.ENOSPC: ("no_space", "there is no space left to write {!r}"),
    errno.EDQUOT: ("no_space", "the disk quota is used up; {!r} was not written"),
    errno.ENAMETOOLONG: ("invalid_path", "a name in {!r} is too long"),
    errno.ELOOP: ("link_loop", "{!r} goes through too many symbolic links, or changed meanwhile"),
    errno.EMFILE: ("too_many_open", "too many files are open to open {!r}"),
    errno.ENFILE: ("too_many_open", "too many files are open to open {!r}"),
    errno.EXDEV: ("cross_device", "{!r} cannot be moved to another file system"),
}


@dataclass(frozen=True, slots=True)
class FileInfo:
    """What is known of a file or directory.

    Attributes:
        name: Its own name; in a recursive listing the path relative to the directory listed.
        kind: ``"link"`` only in listings, which do not follow links.
        size: Bytes.
        modified: Seconds since 1970.
    """

    name: str
    kind: Kind
    size: int
    modified: float


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    return "link" if stat.S_ISLNK(mode) else "other"


_Listing: TypeAlias = list[FileInfo]


class FilesGuard:
    """Reach only what ``Grants.read`` and ``Grants.write`` name, whatever links and races try.

    Relative paths start at ``base``. ``..`` is settled on the text of a path, before any file is looked at; a path
    that is not granted is refused without touching the disk, so a refusal tells nothing about what exists.
    Symbolic links are followed as long as they stay inside granted directories. Only regular files are opened:
    never devices, pipes or sockets. Messages quote paths as they were given and nothing else.

    Args:
        grants: What is granted; also a ``/`` grant leaves out ``/proc``, ``/sys`` and ``/dev``.
        base: Where relative paths start; the working directory if not given.
        max_size: Bytes one read may return and one file may reach by writing.
        max_entries: Entries one listing may have.
        walk: How a path is walked; the default is the best this system can do.

    Example:
        >>> FilesGuard(Grants()).read_bytes("notes.txt")
        Traceback (most recent call last):
        ...
        llmspell.errors.PolicyDeniedError: the policy does not allow reading 'notes.txt'
    """

    def __init__(
        self,
        grants: Grants,
        *,
        base: str | None = None,
        max_size: int = 64 * 1024 * 1024,
        max_entries: int = 100_000,
        walk: Walker = WALK,
    ) -> None:
        self.max_size = max_size
        self.max_entries = max_entries
        self._base = base
        self._walk = walk
        self._read = Roots(grants.read)
        self._write = Roots(grants.write)
        self._either = Roots(grants.read | grants.write)

    def open(self, path: str, mode: Mode = "rb") -> IO[bytes]:
        """Open a regular file for bytes. ``max_size`` bounds only what is there when it is opened for reading.

        Raises:
            PolicyDeniedError: The path is not granted for this mode.
            BridgeError: ``not_found``, ``exists``, ``is_directory``, ``special_file``, ``too_large`` and the like.
        """
        with self._place(path, "read" if mode == "rb" else "write") as place, _failures(path):
            return self._open(place, path, mode)

    def read_bytes(self, path: str, *, limit: int | None = None) -> bytes:
        """Return the whole of a file, which must not be larger than ``limit`` (at most ``max_size``) bytes."""
        most = self.max_size if limit is None else min(limit, self.max_size)
        with self.open(path) as file, _failures(path):
            size = os.fstat(file.fileno()).st_size
            content = file.read(min(size, most) + 1)
            while size < len(content) <= most:  # it grew meanwhile, or is a file of the kernel, which have no size
                more = file.read(min(most + 1 - len(content), _CHUNK))
                if not more:
                    break
                content += more
        if len(content) > most:
            raise _too_large(path, most)
        return content

    def read_text(self, path: str, *, encoding: str = "utf-8", limit: int | None = None) -> str:
        """Return the whole of a text file.

        Raises:
            BridgeError: Also ``not_text``: its bytes are not that encoding.
        """
        content = self.read_bytes(path, limit=limit)
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            raise BridgeError(
                f"{path!r} is not {encoding} text (byte {error.start + 1:,})", code="not_text", exit_code=_IO
            ) from None
        except LookupError:
            raise BridgeError(f"there is no encoding named {encoding!r}", code="invalid_argument") from None

    def write_bytes(self, path: str, content: bytes, *, append: bool = False, exclusive: bool = False) -> int:
        """Write a file, replacing what it holds unless ``append``; return how many bytes were written.

        Args:
            exclusive: Refuse (``exists``) if there is a file already.
        """
        if len(content) > self.max_size:
            raise _too_large(path, self.max_size)
        mode: Mode = "xb" if exclusive else "ab" if append else "wb"
        with self._place(path, "write") as place, _failures(path), self._open(place, path, mode) as file:
            before = os.fstat(file.fileno()).st_size if append else 0
            if before + len(content) > self.max_size:
                raise _too_large(path, self.max_size)
            if not append:
                file.truncate(0)
            file.write(content)
        return len(content)

    def write_text(self, path: str, content: str, *, append: bool = False, exclusive: bool = False) -> int:
        """Write a UTF-8 text file; return how many bytes were written."""
        try:
            encoded = content.encode("utf-8")
        except UnicodeEncodeError:
            raise BridgeError(
                f"the text for {path!r} holds lone surrogates, which UTF-8 cannot hold", code="not_text"
            ) from None
        return self.write_bytes(path, encoded, append=append, exclusive=exclusive)

    def stat(self, path: str) -> FileInfo:
        """Tell what a path is, links followed. Granted reading or writing suffices."""
        with self._place(path, "either") as place, _failures(path):
            found = place.stat()
        name = os.path.basename(normal(path)) or os.sep
        return FileInfo(name, _kind(found.st_mode), found.st_size, found.st_mtime)

    def exists(self, path: str) -> bool:
        """Tell whether there is something at a granted path."""
        try:
            self.stat(path)
        except BridgeError as error:
            if error.code in ("not_found", "not_directory"):
                return False
            raise
        return True

    def list(self, path: str = ".", *, recursive: bool = False) -> _Listing:
        """List a directory, sorted by name. Links are listed, not followed.

        Raises:
            BridgeError: Also ``not_directory``; ``too_large`` beyond ``max_entries``.
        """
        found: _Listing = []
        with self._place(path, "read") as place, _failures(path):
            directory = place.name if place.dir_fd is None else place.open(os.O_RDONLY | _DIRECTORY)
            self._scan(directory, path, "", found, _MAX_DEPTH if recursive else 0)
        return sorted(found, key=lambda info: info.name)

    def mkdir(self, path: str, *, parents: bool = False, exist_ok: bool = False) -> None:
        """Make a directory, with ``parents`` also those above it as far as they are granted."""
        if parents:
            above = os.path.dirname(os.path.normpath(path))
            if above and self.allows(above, write=True) and not self.exists(above):
                self.mkdir(above, parents=True, exist_ok=True)
        with self._place(path, "write") as place, _failures(path):
            try:
                os.mkdir(place.name, dir_fd=place.dir_fd)
            except FileExistsError:
                if not (exist_ok and stat.S_ISDIR(place.stat().st_mode)):
                    raise

    def remove(self, path: str, *, recursive: bool = False) -> None:
        """Remove a file, a link (never what it points to) or an empty directory; with ``recursive`` a whole tree.

        Raises:
            PolicyDeniedError: Also for a granted directory itself, and any above one: it is not the script's.
            BridgeError: Also ``not_empty``.
        """
        with self._place(path, "write", follow=False) as place, _failures(path):
            is_directory = stat.S_ISDIR(place.stat().st_mode)
            self._must_be_movable(place, path, is_directory)
            if not is_directory:
                os.unlink(place.name, dir_fd=place.dir_fd)
            elif recursive:
                try:
                    shutil.rmtree(place.name, dir_fd=place.dir_fd)
                except RecursionError:
                    raise _too_deep(path) from None
            else:
                os.rmdir(place.name, dir_fd=place.dir_fd)

    def rename(self, source: str, target: str, *, replace: bool = False) -> None:
        """Move a file or directory to another name; both need to be granted for writing.

        Raises:
            PolicyDeniedError: Also for links and for granted directories themselves.
            BridgeError: ``exists`` if there is something at ``target``, unless ``replace``.
        """
        with self._place(source, "write", follow=False) as old, self._place(target, "write", follow=False) as new:
            with _failures(source):
                mode = old.stat().st_mode
                if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                    raise BridgeError(
                        f"{source!r} is a link or special file and stays where it is", code="special_file"
                    )
                self._must_be_movable(old, source, stat.S_ISDIR(mode))
            with _failures(target):
                self._must_be_movable(new, target, stat.S_ISDIR(mode))
                if not replace and _there(new):
                    raise FileExistsError(errno.EEXIST, "exists")
                os.replace(old.name, new.name, src_dir_fd=old.dir_fd, dst_dir_fd=new.dir_fd)

    def allows(self, path: str, *, write: bool = False) -> bool:
        """Tell whether a path is granted, by its text; a link may still lead out when it is used."""
        roots = self._write if write else self._read
        return roots.locate(self._absolute(path)) is not None

    def unguarded_path(self, path: str, *, write: bool = False) -> str:
        """Return the real path, checked now, for a library that opens files by name only (SQLite).

        What happens to the path between this check and that library's use is not guarded. Never show it to a
        script.
        """
        with self._place(path, "write" if write else "read") as place:
            return place.path

    def _absolute(self, path: str) -> str:
        checked_path(path)
        return normal(os.path.join(self._base if self._base is not None else os.getcwd(), path))

    def _place(self, path: str, need: Need, *, follow: bool = True) -> Place:
        roots = {"read": self._read, "write": self._write, "either": self._either}[need]
        doing = {"read": "reading", "write": "writing", "either": "looking at"}[need]
        option = "--allow-write" if need == "write" else "--allow-read"
        located = roots.locate(self._absolute(path))
        if located is None:
            raise PolicyDeniedError(
                f"the policy does not allow {doing} {path!r}",
                hint=f"grant it: {option} {path}",
            )
        try:
            with _failures(path):
                return self._walk(roots, located, follow)
        except LeadsOut:
            raise PolicyDeniedError(
                f"the policy does not allow {doing} {path!r}: a symbolic link leads out of what is granted",
                hint=f"grant the place it leads to: {option} PATH",
            ) from None

    def _open(self, place: Place, path: str, mode: Mode) -> IO[bytes]:
        try:
            kind = _kind(place.stat().st_mode)
        except FileNotFoundError:
            if mode == "rb":
                raise
        else:
            _must_be_file(kind, path)
        descriptor = place.open(_FLAGS[mode])
        try:
            now = os.fstat(descriptor)
            _must_be_file(_kind(now.st_mode), path)
            if mode == "rb" and now.st_size > self.max_size:
                raise _too_large(path, self.max_size)
            return os.fdopen(descriptor, mode)
        except BaseException:
            os.close(descriptor)
            raise

    def _scan(self, directory: int | str, path: str, prefix: str, found: _Listing, depth: int) -> None:
        """Add the entries of an opened directory (or, by fallback, a named one) and close it."""
        try:
            below: list[str] = []
            with os.scandir(directory) as entries:
                for entry in entries:
                    try:
                        info = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    if len(found) >= self.max_entries:
                        raise BridgeError(
                            f"{path!r} has more than {self.max_entries:,} entries", code="too_large", exit_code=_IO
                        )
                    kind = _kind(info.st_mode)
                    found.append(FileInfo(prefix + entry.name, kind, info.st_size, info.st_mtime))
                    if kind == "directory":
                        below.append(entry.name)
            if not depth:
                return
            if depth == 1 and below:
                raise _too_deep(path)
            for name in below:
                deeper: int | str = (
                    os.path.join(directory, name)
                    if isinstance(directory, str)
                    else os.open(name, os.O_RDONLY | _DIRECTORY | _NOFOLLOW, dir_fd=directory)
                )
                self._scan(deeper, path, f"{prefix}{name}/", found, depth - 1)
        finally:
            if isinstance(directory, int):
                os.close(directory)

    def _must_be_movable(self, place: Place, path: str, is_directory: bool) -> None:
        if is_directory and self._either.carries(place.path):
            raise PolicyDeniedError(f"{path!r} is itself granted, or holds what is; it cannot be moved or removed")


def _there(place: Place) -> bool:
    try:
        place.stat()
    except FileNotFoundError:
        return False
    return True


def _must_be_file(kind: Kind, path: str) -> None:
    if kind == "directory":
        raise BridgeError(f"{path!r} is a directory", code="is_directory", exit_code=_IO)
    if kind != "file":
        raise BridgeError(f"{path!r} is not a regular file", code="special_file", exit_code=_IO)


def _too_large(path: str, limit: int) -> BridgeError:
    return BridgeError(f"{path!r} is larger than the {limit:,} bytes allowed", code="too_large", exit_code=_IO)


def _too_deep(path: str) -> BridgeError:
    return BridgeError(f"the directories in {path!r} are nested too deep", code="too_deep", exit_code=_IO)


@contextmanager
def _failures(path: str) -> Iterator[None]:
    """Turn the system's refusals into errors that name the path as it was given."""
    try:
        yield
    except OSError as error:
        code, message = _FAILURES.get(error.errno or 0, ("io", "{!r} could not be used"))
        raise BridgeError(message.format(path), code=code, exit_code=_IO) from error
