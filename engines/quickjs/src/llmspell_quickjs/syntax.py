"""Syntax errors: found without running anything, told in the author's places, and whether more input would help."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmspell.engine.messages import Failure
from llmspell_quickjs.source import Prepared, dialect_of
from llmspell_quickjs.source.parsing import captures, parse, text_of
from llmspell_quickjs.source.unfinished import is_open, is_unfinished
from llmspell_quickjs.stack import LANGUAGE, Files

if TYPE_CHECKING:
    from llmspell_quickjs.vm import Vm

Check = Callable[[str], dict[str, Any] | None]
"""Whether a text parses as a script: None, or the error as the glue describes it. Nothing of the text runs."""

_PLACE = re.compile(r"^    at (?:.*\()?<input>:(\d+):(\d+)\)?$", re.MULTILINE)
_CHECKED_FROM = 2
"""The line a text begins at when it is checked: what keeps it from running stands on a line before."""

_STATEMENT = {
    "javascript": re.compile(rb"\s*(import|export)\b(?!\s*[.(])"),
    "typescript": re.compile(rb"\s*(import|export|interface|type)\b(?!\s*[.(=:])"),
}
"""What the engine would not understand even if it were whole, by dialect."""
_UNFINISHED = ("unexpected end of string", "unexpected end of comment")
_PATTERN = "variable name expected"
"""What the engine says of a pattern like ``{ a, b`` whose end it has looked for in vain."""

_MISPLACED = " must be inside "
_REDEFINED = "invalid redefinition of "
_LAST_WORD = re.compile(r"([\w$]+)\s*$")
_LAST_CLASS = re.compile(r".*\bclass\s+([\w$]+)", re.DOTALL)
_WEB_SYNTAX = ("unexpected line terminator in regexp", re.compile(r"</[\w.]*>"))


def checker(vm: Vm) -> Check:
    """Make a check by a VM, which it does not keep from being closed."""

    def check(text: str) -> dict[str, Any] | None:
        answer = vm.enter("check", text)
        return json.loads(answer) if answer else None

    return check


def syntax_failure(prepared: Prepared, check: Check) -> Failure | None:
    """Check a prepared file.

    A file the parser finds odd is also tried as the body of a method: only a text whose braces are balanced fits
    into both, so none can close the function it is put into and go on outside of it.
    """
    told = check(prepared.text)
    shift = 0
    if told is None and prepared.odd is not None:
        told = check(prepared.as_method)
        shift = len(prepared.method_head.encode()) - len(prepared.head.encode())
    if told is None:
        return None
    return describe(prepared, told, check, shift, _CHECKED_FROM)


def describe(prepared: Prepared, told: dict[str, Any], check: Check, shift: int = 0, first: int = 1) -> Failure:
    """Make the failure of a syntax error in a prepared file that begins at line ``first``."""
    line, column = _place(told["stack"], first)
    broken = _broken_statement(prepared)
    if broken is not None:
        return broken
    incomplete = False
    message = str(told["message"])
    if line == 0 and (at := _bad_regexp(prepared, check)) is not None:
        return _at(prepared, *prepared.edits.place(at), f"this regular expression makes no sense: {message}")
    if line > prepared.edits.line_count and _MISPLACED in message:
        return _at(prepared, *prepared.edits.place(len(prepared.edits.text.rstrip())), message)
    if line and message.startswith(_REDEFINED):
        return _redefined(prepared, line, column - shift if line == 1 else column)
    if line > prepared.edits.line_count or line == 0:
        # The error is in what stands around the file: its end is too early, or comes too late.
        incomplete = not _closes_too_much(prepared, check)
        line = prepared.edits.line_count
        column = len(prepared.edits.line_text(line)) + 1
        message = "unexpected end of input" if incomplete else "unexpected '}'"
    else:
        if prepared.stray is not None and prepared.stray[0] == line:
            message = "await stands in a function that is not async"
            return _at(prepared, *prepared.stray, message)
        column = prepared.edits.original_column(line, column - shift if line == 1 else column)
        if message.startswith(_WEB_SYNTAX[0]) and _WEB_SYNTAX[1].search(prepared.edits.line_text(line)):
            message = "JSX is not supported; texts are made with templates: `<p>${text}</p>`"
        incomplete = _is_unfinished(prepared, message, line, column) or _type_goes_on(prepared)
    return _at(prepared, line, column, message, incomplete=incomplete)


def _at(prepared: Prepared, line: int, column: int, message: str, *, incomplete: bool = False) -> Failure:
    return Failure(
        kind="syntax",
        message=message,
        language=LANGUAGE,
        file=prepared.name,
        line=line,
        column=column,
        incomplete=incomplete,
    )


def _broken_statement(prepared: Prepared) -> Failure | None:
    """Tell of an import, export or type that was not understood, and so left to an engine that knows none of them."""
    if prepared.odd is None:
        return None
    text = prepared.edits.text
    begin = text.rfind(b"\n", 0, prepared.odd) + 1
    statement = _STATEMENT[dialect_of(prepared.name)].match(text, begin)
    if statement is None:
        return None
    incomplete = is_unfinished(text[begin:].decode("utf-8", "replace"))
    message = f"this {statement[1].decode()} makes no sense from here on"
    return _at(prepared, *prepared.edits.place(prepared.odd), message, incomplete=incomplete)


def in_files(told: dict[str, Any], files: Files, check: Check) -> Failure | None:
    """Make the failure of a syntax error in a file of a run; None if it is in none of them."""
    line, _ = _place(told["stack"], 1)
    found = files.find(line)
    prepared = files.last if line == 0 else None if found is None else found[0]
    if prepared is None:
        return None
    return describe(prepared, told, check, first=files.first_of(prepared))


def bad_text(name: str, text: str, offset: int, message: str, *, incomplete: bool = False) -> Failure:
    """Tell of something at a byte of a source that cannot be run, whatever the engine would say of it."""
    before = text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace")
    return Failure(
        kind="syntax",
        message=message,
        language=LANGUAGE,
        file=name,
        line=before.count("\n") + 1,
        column=len(before) - (before.rfind("\n") + 1) + 1,
        incomplete=incomplete,
    )


def _place(stack: str, first: int) -> tuple[int, int]:
    match = _PLACE.search(stack)
    return (int(match[1]) - first + 1, int(match[2])) if match else (0, 0)


def _closes_too_much(prepared: Prepared, check: Check) -> bool:
    """Tell whether one more opening brace before the file would make it parse."""
    return check(prepared.text.replace("{", "{{", 1)) is None


def _redefined(prepared: Prepared, line: int, column: int) -> Failure:
    """Tell of a name that is declared twice. The engine notices behind it, of a class at the class's end."""
    edits = prepared.edits
    offset = len(edits.text)
    if line <= edits.line_count:
        offset = edits.offset(line, edits.original_column(line, column))
    text = edits.text[:offset].decode("utf-8", "replace")
    found = _LAST_CLASS.match(text) if text.rstrip().endswith("}") else _LAST_WORD.search(text)
    if found is None:
        return _at(prepared, *edits.place(offset), "a name is declared twice")
    start = len(text[: found.start(1)].encode())
    return _at(prepared, *edits.place(start), f"'{found[1]}' is declared twice")


def _bad_regexp(prepared: Prepared, check: Check) -> int | None:
    """Return where a regular expression stands that makes no sense: of those the engine tells no place."""
    dialect = dialect_of(prepared.name)
    for node in captures(parse(prepared.edits.text, dialect), dialect, "(regex) @regex").get("regex", ()):
        if check(f"({text_of(node)})") is not None:
            return node.start_byte
    return None


def _is_unfinished(prepared: Prepared, message: str, line: int, column: int) -> bool:
    if message == _PATTERN:
        return is_open(prepared.edits.text[prepared.edits.offset(line, column) :].decode("utf-8", "replace"))
    if not message.startswith(_UNFINISHED):
        return False
    if prepared.edits.text.endswith((b"\\", b"\\\n")):  # a string goes on in the next line
        return True
    text = prepared.edits.line_text(line)[column - 1 :]
    return text.startswith(("`", "/*")) or message.startswith(_UNFINISHED[1])


def _type_goes_on(prepared: Prepared) -> bool:
    """Tell whether a file of TypeScript ends where a type is to follow, of which the engine knows nothing."""
    if prepared.odd is None or dialect_of(prepared.name) != "typescript":
        return False
    return prepared.edits.text.rstrip().endswith((b":", b"<", b"|", b"&", b" as", b" satisfies"))
