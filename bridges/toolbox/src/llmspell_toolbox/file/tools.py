"""The tools for files."""

from __future__ import annotations

import base64
import binascii
from itertools import islice
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from llmspell.guards import FileInfo
from llmspell.plugin import Bridge, BridgeError, Call
from llmspell_toolbox.dates.reading import read as read_time
from llmspell_toolbox.declare import tool
from llmspell_toolbox.file.search import Match, Wanted, fits, search

_Most = Annotated[int, Field(ge=1, le=10_000)]
_READ = {"filesystem": "medium"}


class Content(TypedDict):
    """A file's content."""

    path: str
    content: str
    size: int


class Written(TypedDict):
    """What was written: bytes."""

    path: str
    bytes_written: int


class Entry(TypedDict):
    """A file or directory: ``kind`` is file, directory, link or other; ``modified`` seconds since 1970."""

    name: str
    kind: str
    size: int
    modified: float


class Listing(TypedDict):
    """A directory's entries; ``truncated`` where there are more."""

    entries: list[Entry]
    total: int
    truncated: bool


class Found(TypedDict):
    """What a search found; ``truncated`` where there is more."""

    matches: list[Match]
    truncated: bool


class Moved(TypedDict):
    """Where a file went."""

    source: str
    destination: str


class Deleted(TypedDict):
    """What is gone."""

    path: str
    deleted: bool


class FileTools(Bridge):
    """Tools for files and directories that the policy grants. Relative paths start at the working directory."""

    @tool(
        category="file",
        tags=("read",),
        permissions=("read",),
        resources={"memory": "medium", **_READ},
        deterministic=False,
        examples=({"description": "A text file", "parameters": {"path": "notes.txt"}},),
    )
    def file_read(
        self, call: Call, path: str, *, encoding: str = "utf-8", limit: Annotated[int, Field(ge=0)] | None = None
    ) -> Content:
        """Read a file.

        Args:
            path: The file.
            encoding: Of a text, such as utf-8 or latin-1; or base64 to get its bytes written so.
            limit: Refuse a file of more bytes.
        """
        if encoding == "base64":
            raw = call.files.read_bytes(path, limit=limit)
            return {"path": path, "content": base64.b64encode(raw).decode("ascii"), "size": len(raw)}
        size = call.files.stat(path).size
        return {"path": path, "content": call.files.read_text(path, encoding=encoding, limit=limit), "size": size}

    @tool(
        category="file",
        tags=("write",),
        permissions=("write",),
        resources=_READ,
        deterministic=False,
        destructive=True,
        examples=(
            {"description": "Write a file", "parameters": {"path": "out.txt", "content": "Hello"}},
            {
                "description": "Write at its end",
                "parameters": {"path": "out.txt", "content": "\nmore", "mode": "append"},
            },
        ),
    )
    def file_write(
        self,
        call: Call,
        path: str,
        content: str,
        *,
        mode: Literal["write", "append"] = "write",
        encoding: str = "utf-8",
    ) -> Written:
        """Write a file, replacing what it held, or write at its end.

        Args:
            path: The file; its directory must be there.
            content: The text.
            mode: write or append.
            encoding: Of the text, or base64 where content is bytes written so.
        """
        count = call.files.write_bytes(path, _encoded(content, encoding), append=mode == "append")
        return {"path": path, "bytes_written": count}

    @tool(
        category="file",
        tags=("list", "directory"),
        permissions=("read",),
        resources=_READ,
        deterministic=False,
        examples=({"description": "The texts in a directory", "parameters": {"path": ".", "pattern": "*.txt"}},),
    )
    def file_list(
        self, call: Call, path: str = ".", *, recursive: bool = False, pattern: str = "*", max_results: _Most = 1000
    ) -> Listing:
        """List a directory. Links are listed and not followed.

        Args:
            path: The directory.
            recursive: Also what is in its directories.
            pattern: A shell pattern for names, such as *.txt.
            max_results: Most entries told.
        """
        found = [entry for entry in call.files.list(path, recursive=recursive) if fits(entry.name, pattern)]
        entries = [_entry(entry) for entry in found[:max_results]]
        return {"entries": entries, "total": len(found), "truncated": len(found) > max_results}

    @tool(
        category="file",
        tags=("search", "find", "grep"),
        permissions=("read",),
        resources=_READ,
        deterministic=False,
        constraints=("contents of files over 4 MB and of files that are no text are not searched",),
        examples=(
            {
                "description": "Lines with a word",
                "parameters": {"path": ".", "pattern": "*.txt", "content": "(?i)hello"},
            },
        ),
    )
    def file_search(
        self,
        call: Call,
        path: str = ".",
        *,
        pattern: str = "*",
        content: str | None = None,
        modified_after: str | float | None = None,
        size_greater_than: Annotated[int, Field(ge=0)] | None = None,
        case_sensitive: bool = True,
        max_results: _Most = 200,
    ) -> Found:
        """Find files below a directory by name, age, size or content.

        Args:
            path: The directory.
            pattern: A shell pattern for names, such as *.txt.
            content: A regular expression (RE2) that a line must fit.
            modified_after: Only files changed after this time.
            size_greater_than: Only files of more bytes.
            case_sensitive: Whether content tells small letters from capitals.
            max_results: Most matches told.
        """
        after = None if modified_after is None else read_time(modified_after, "UTC")
        wanted = Wanted(pattern, content, after, size_greater_than, case_sensitive)
        found = list(islice(search(call, path, wanted), max_results + 1))
        return {"matches": found[:max_results], "truncated": len(found) > max_results}

    @tool(
        category="file",
        tags=("move", "rename"),
        permissions=("write",),
        resources=_READ,
        deterministic=False,
        destructive=True,
        examples=(
            {
                "description": "Give a file another name",
                "parameters": {"source": "draft.txt", "destination": "final.txt"},
            },
        ),
    )
    def file_move(self, call: Call, source: str, destination: str, *, overwrite: bool = False) -> Moved:
        """Move a file or directory to another name.

        Args:
            source: The file or directory.
            destination: Its new name.
            overwrite: Replace what is there.
        """
        call.files.rename(source, destination, replace=overwrite)
        return {"source": source, "destination": destination}

    @tool(
        category="file",
        tags=("delete", "remove"),
        permissions=("write",),
        resources=_READ,
        deterministic=False,
        destructive=True,
        examples=({"description": "Delete a file", "parameters": {"path": "old.txt"}},),
    )
    def file_delete(self, call: Call, path: str, *, recursive: bool = False) -> Deleted:
        """Delete a file or an empty directory.

        Args:
            path: What to delete.
            recursive: Also a directory with all that is in it.
        """
        call.files.remove(path, recursive=recursive)
        return {"path": path, "deleted": True}


def _entry(found: FileInfo) -> Entry:
    return {"name": found.name, "kind": found.kind, "size": found.size, "modified": found.modified}


def _encoded(content: str, encoding: str) -> bytes:
    try:
        if encoding == "base64":
            return base64.b64decode(content, validate=True)
        return content.encode(encoding)
    except (binascii.Error, UnicodeEncodeError):
        raise BridgeError(f"the content cannot be written as {encoding}", code="not_text") from None
    except (LookupError, ValueError):
        raise BridgeError(f"there is no encoding named {encoding!r}", code="invalid_argument") from None
