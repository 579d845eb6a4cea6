"""Compiled programs: bytecode that the host made from source text, and nobody else."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

import msgspec

from llmspell.engine import Source
from llmspell.engine.cache import Codec
from llmspell.errors import Location, ScriptSyntaxError
from llmspell_lua.vm import Vm

_MAX_NAME = 50
"""Lua shortens longer chunk names in messages to sixty characters."""

_MAX_SOURCE = 4 * 1024 * 1024
_MAX_LABELS = 20_000
"""The parser compares each label with all others, and cannot be interrupted while it does."""

_POSITION = re.compile(r"(?P<file>[^\n]*?):(?P<line>\d+): (?P<text>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LuaProgram:
    """A compiled source.

    Attributes:
        source: What it was compiled from.
        display: What the script's own messages call it: never a path of the host.
        bytecode: With line numbers and names, for error messages.
        key: Identifies it within one VM build.
        needs: Parts of the prelude that it mentions.
    """

    source: Source
    display: str
    bytecode: bytes
    key: tuple[str, ...]
    needs: tuple[str, ...] = ()


class _OnDisk(msgspec.Struct, array_like=True):
    source: Source
    display: str
    bytecode: bytes
    key: tuple[str, ...]
    needs: tuple[str, ...]


def _dump(program: LuaProgram) -> bytes:
    return msgspec.msgpack.encode(
        _OnDisk(program.source, program.display, program.bytecode, program.key, program.needs)
    )


def _load(payload: bytes) -> LuaProgram:
    kept = msgspec.msgpack.decode(payload, type=_OnDisk)
    return LuaProgram(kept.source, kept.display, kept.bytecode, kept.key, kept.needs)


PROGRAM_CODEC: Codec[LuaProgram] = Codec(_dump, _load)
"""How programs are kept on disk."""

_MENTIONS = {
    "handling": re.compile(r"\bxpcall\b"),
    "coroutines": re.compile(r"\bcoroutine\b"),
    "strings": re.compile(r"\b(?:find|match|gmatch|gsub|rep)\b"),
    "tables": re.compile(r"\btable\b"),
}


def needs_of(text: str) -> tuple[str, ...]:
    """Return the parts of the prelude that a source mentions.

    What it does not mention is loaded when it is called after all; but inside a callback of C code that would be
    too late, so whatever could be called there is loaded before.
    """
    return tuple(part for part, mention in _MENTIONS.items() if mention.search(text))


def display_name(name: str) -> str:
    """Return the name of a source without its directories, short enough to stay whole in messages."""
    base = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] if not name.startswith("<") else name
    return shorten(base or name)


def shorten(name: str) -> str:
    """Cut a name to what Lua keeps whole, in bytes."""
    raw = name.encode("utf-8", "replace")
    if len(raw) <= _MAX_NAME:
        return raw.decode()
    return "..." + raw[-_MAX_NAME:].decode("utf-8", "ignore")


def split_position(message: str) -> tuple[str, int, str]:
    """Split ``file:line: text``; file and line are ``""`` and 0 if there is no position."""
    match = _POSITION.match(message)
    if match is None:
        return "", 0, message
    return match["file"], int(match["line"]), match["text"]


def source_bytes(source: Source) -> bytes:
    """Return the text as Lua reads it: without byte order mark, a first ``#`` line made empty."""
    text = source.text.removeprefix("\ufeff")
    if text.startswith("#"):
        text = text[text.find("\n") :] if "\n" in text else ""
    return text.encode("utf-8", "surrogatepass")


class Compiler:
    """Turn source text into bytecode, in a state that never runs a script."""

    def __init__(self, vm: Vm) -> None:
        self._lock = threading.Lock()
        self._compile = vm.runtime().eval(
            b"function(text, name) local f, message = load(text, name, 't', {})"
            b" if not f then return false, message end return string.dump(f) end"
        )

    def compile(self, source: Source, display: str) -> bytes:
        """Compile ``source``.

        Raises:
            ScriptSyntaxError: With the location, under the source's own name.
        """
        text = source_bytes(source)
        if len(text) > _MAX_SOURCE or max(text.count(b"::"), text.count(b"goto")) > _MAX_LABELS:
            raise ScriptSyntaxError(
                f"the source is too large: at most {_MAX_SOURCE:,} bytes and {_MAX_LABELS // 2:,} labels",
                language="lua",
                location=Location(source.name),
            )
        with self._lock:
            made = self._compile(text, b"@" + display.encode("utf-8", "surrogatepass"))
        if isinstance(made, bytes):
            return made
        message = made[1].decode("utf-8", "replace")
        _, line, problem = split_position(message)
        raise ScriptSyntaxError(
            problem,
            language="lua",
            location=Location(source.name, line),
            incomplete=problem.endswith("<eof>"),
        )
