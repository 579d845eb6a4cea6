"""The tokens under the parser's hand, and what it says when they are not what it expects.

Errors, their texts, their places and the way parsing goes on after them follow the reference.
"""

from __future__ import annotations

from llmspell_tengo.syntax.faults import TOO_DEEP, ParseFault
from llmspell_tengo.syntax.file import SourceFile
from llmspell_tengo.syntax.lexer import LITERALS, scan

_BEGINS_STATEMENT = frozenset({"break", "continue", "for", "if", "return", "export"})
_MOST_ERRORS = 10

NESTING = 64
"""How deep a program may nest. A level costs up to twelve frames of ours, of which Python has a thousand, and up to
three of the 200 levels that the Lua compiler bears."""


class TooManyErrors(Exception):
    """Ends parsing after eleven errors, as in the reference."""


class Cursor:
    """Stands at one token of a file.

    Attributes:
        kind: The kind of that token.
        errors: Line, offset and message of each.
        incomplete: The first error is that the file ends.
        depth: How deep the place is nested.
    """

    def __init__(self, file: SourceFile) -> None:
        tokens = scan(file.text)
        self.source = file
        self.kinds = tokens.kinds
        self.texts = tokens.texts
        self.offsets = tokens.offsets
        self.token_faults = tokens.faults
        self.errors: list[tuple[int, int, str]] = []
        self.incomplete = False
        self.index = 0
        self.kind = self.kinds[0]
        self.depth = 0
        self.synced = -1
        self.syncs = 0
        if tokens.faults:
            self._hear()

    def next(self) -> None:
        index = self.index + 1
        if index < len(self.kinds):
            self.index = index
            self.kind = self.kinds[index]
            if self.token_faults:
                self._hear()

    def _hear(self) -> None:
        for offset, message in self.token_faults.pop(self.index, ()):
            self._add(offset, message)
            if "not terminated" in message and message[:3] in ("raw", "com"):
                self.incomplete = len(self.errors) == 1

    def expect(self, kind: str) -> int:
        offset = self.offsets[self.index]
        if self.kind != kind:
            self.error_expected(offset, f"'{kind}'")
        self.next()
        return offset

    def expect_semicolon(self) -> None:
        kind = self.kind
        if kind == ";":
            self.next()
        elif kind not in (")", "}"):
            self.error_expected(self.offsets[self.index], "';'")
            if kind == ",":
                self.next()
            else:
                self.advance()

    def expect_comma(self, closer: str, what: str) -> bool:
        if self.kind == ",":
            self.next()
            if self.kind == closer:
                self.error_expected(self.offsets[self.index], what)
                return False
            return True
        if self.kind == ";" and self.texts[self.index] == "\n":
            self.next()
        return False

    def advance(self) -> None:
        """Skip to where a statement may begin, making sure that parsing goes forward."""
        while self.kind != "EOF":
            if self.kind in _BEGINS_STATEMENT:
                offset = self.offsets[self.index]
                if offset == self.synced and self.syncs < _MOST_ERRORS:
                    self.syncs += 1
                    return
                if offset > self.synced:
                    self.synced = offset
                    self.syncs = 0
                    return
            self.next()

    def _add(self, offset: int, message: str) -> None:
        self.errors.append((self.source.locate(offset).line, offset, message))

    def error(self, offset: int, message: str) -> None:
        if self.errors:
            if self.errors[-1][0] == self.source.locate(offset).line:
                return
            if len(self.errors) > _MOST_ERRORS:
                raise TooManyErrors
        else:
            self.incomplete = self.kind == "EOF" or (
                self.kind == ";" and self.kinds[self.index + 1 :] == ["EOF"] and self.texts[self.index] == "\n"
            )
        self._add(offset, message)

    def error_expected(self, offset: int, what: str) -> None:
        message = f"expected {what}"
        if offset == self.offsets[self.index]:
            text = self.texts[self.index]
            if self.kind == ";" and text == "\n":
                message += ", found newline"
            elif self.kind in LITERALS:
                message += f", found {text}"
            else:
                message += f", found '{self.kind}'"
        self.error(offset, message)

    def deepen(self, by: int = 1) -> None:
        self.depth += by
        if self.depth > NESTING:
            location = self.source.locate(self.offsets[self.index])
            raise ParseFault(f"{TOO_DEEP}: more than {NESTING} levels", location)
