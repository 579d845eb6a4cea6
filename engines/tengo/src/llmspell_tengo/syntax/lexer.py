"""Text to tokens, with Go's automatic semicolons."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

KEYWORDS = frozenset(
    [
        "break",
        "continue",
        "else",
        "for",
        "func",
        "error",
        "immutable",
        "if",
        "return",
        "export",
        "true",
        "false",
        "in",
        "undefined",
        "import",
    ]
)
LITERALS = frozenset({"ident", "int", "float", "char", "string"})

_ENDS_STATEMENT = frozenset({"break", "continue", "return", "export", "true", "false", "undefined"})
_CLOSERS = frozenset({")", "]", "}", "++", "--"})

_ESCAPE = (
    r"\\(?:[abfnrtv\\%s]|[0-3][0-7]{2}|x[0-9a-fA-F]{2}|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}"
    r"|U(?!0000[dD][89a-fA-F])(?:000[0-9a-fA-F]|0010)[0-9a-fA-F]{4})"
)
_TOKEN = re.compile(
    r"""(?:
     ([A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)  # 1 word
    |(\n[ \t\r\n]*)  # 2 newlines
    |((?:0[bB][01_]*|0[oO][0-7_]*|0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?|[0-9][0-9_]*(?:\.[0-9_]*)?
        |\.[0-9][0-9_]*)(?:[eEpP][+-]?[0-9_]*)?)  # 3 number
    |("(?:[^"\\\n]|"""
    + _ESCAPE % '"'
    + r""")*")  # 4 string
    |(//[^\n]*)  # 5 line comment
    |(/\*[\s\S]*?\*/)  # 6 block comment
    |(&\^=|<<=|>>=|\.\.\.|&\^|<<|>>|\+=|-=|\*=|/=|/(?![/*])|%=|&=|\|=|\^=|&&|\|\||\+\+|--|==|!=|<=|>=|:=
        |[-+*%&|^<>=!()\[\]{},.;:?])  # 7 operator
    |('(?:[^'\\\n]|"""
    + _ESCAPE % "'"
    + r""")')  # 8 character
    |(`[^`]*`)  # 9 raw string
    |([\s\S])  # 10 anything
    )[ \t\r]*""",
    re.VERBOSE,
)
_WORD, _NEWLINE, _NUMBER, _STRING, _LINE_COMMENT, _BLOCK_COMMENT, _OPERATOR, _CHAR, _RAW = range(1, 10)
_TO_LINE_END = re.compile(r"(?:[ \t\r]|/\*[^\n]*?\*/)*(?:\n|//|/\*|\Z)")
_SPACES = re.compile(r"[ \t\r]*")
_BOM = "\ufeff"


@dataclass(slots=True)
class Tokens:
    """A scanned file as three columns.

    Attributes:
        kinds: ``"ident"``, ``"int"``, ``"float"``, ``"char"``, ``"string"``, ``"EOF"``, ``"ILLEGAL"``; operators
            and keywords are their own kind.
        texts: What stands in the source; ``"\\n"`` for an automatic semicolon.
        offsets: Where, in characters.
        faults: What was wrong with a token, by its index: offset and message.
    """

    kinds: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    faults: dict[int, list[tuple[int, str]]] = field(default_factory=dict)

    def fault(self, offset: int, message: str) -> None:
        """Note a fault of the token that is added next."""
        self.faults.setdefault(len(self.kinds), []).append((offset, message))


def scan(text: str) -> Tokens:
    """Split ``text`` into tokens; never raises, faults are kept beside the tokens."""
    tokens = Tokens()
    kinds, texts, offsets = tokens.kinds.append, tokens.texts.append, tokens.offsets.append
    match_at = _TOKEN.match
    at = _SPACES.match(text, 1 if text.startswith(_BOM) else 0).end()  # type: ignore[union-attr]
    end = len(text)
    closes = False
    if "\0" in text:
        tokens.fault(text.index("\0"), "illegal character NUL")
    while at < end:
        match = match_at(text, at)
        assert match is not None
        group = match.lastindex
        if group == _WORD:
            word = match[1]
            if not word.isascii():
                word = _identifier(word)
                if not word:
                    at = _irregular(text, at, tokens)
                    continue
            if word in KEYWORDS:
                kinds(word)
                closes = word in _ENDS_STATEMENT
            else:
                kinds("ident")
                closes = True
            texts(word)
            offsets(at)
            if len(word) < len(match[1]):
                at += len(word)
                continue
        elif group == _OPERATOR:
            word = match[7]
            kinds(word)
            texts(word)
            offsets(at)
            closes = word in _CLOSERS
        elif group == _NEWLINE:
            if closes:
                kinds(";")
                texts("\n")
                offsets(at)
                closes = False
        elif group == _NUMBER:
            _number(match[3], at, tokens)
            closes = True
        elif group in (_STRING, _RAW, _CHAR):
            kinds("char" if group == _CHAR else "string")
            texts(match[group])
            offsets(at)
            closes = True
        elif group in (_LINE_COMMENT, _BLOCK_COMMENT):
            if closes and (group == _LINE_COMMENT or _ends_line(text, match)):
                kinds(";")
                texts("\n")
                offsets(at)
            closes = False
        else:
            closes = closes or text[at] in "\"'`"
            at = _irregular(text, at, tokens)
            continue
        at = match.end()
    if closes:
        kinds(";")
        texts("\n")
        offsets(end)
    kinds("EOF")
    texts("")
    offsets(end)
    return tokens


def _identifier(word: str) -> str:
    """Return the part of ``word`` that is an identifier: letters, decimal digits and underscores."""
    for index, char in enumerate(word):
        if not (char.isascii() or char.isalpha() or (index and char.isdecimal())):
            return word[:index]
    return word


def _number(text: str, at: int, tokens: Tokens) -> None:
    hexadecimal = text[:2] in ("0x", "0X")
    exponent = text[-1] in "+-pP" or (text[-1] in "eE" and not hexadecimal)
    if exponent:
        tokens.fault(at + len(text), "exponent has no digits")
    is_float = "." in text or "p" in text or "P" in text or (not hexadecimal and ("e" in text or "E" in text))
    tokens.kinds.append("float" if is_float else "int")
    tokens.texts.append(text)
    tokens.offsets.append(at)


def _ends_line(text: str, comment: re.Match[str]) -> bool:
    """Tell whether a newline, the end or a line comment follows, with nothing but comments between."""
    if "\n" in comment[6]:
        return True
    return _TO_LINE_END.match(text, comment.end()) is not None


def _irregular(text: str, at: int, tokens: Tokens) -> int:
    """Scan what the token pattern refused: a broken literal, comment or character. Returns where to go on."""
    char = text[at]
    if char == '"':
        return _quoted(text, at, tokens, '"')
    if char == "'":
        return _quoted(text, at, tokens, "'")
    end = len(text)
    if char == "`":
        tokens.fault(at, "raw string literal not terminated")
        _add(tokens, "string", text[at:], at)
        return end
    if text.startswith("/*", at):
        tokens.fault(at, "comment not terminated")
        return end
    if char == _BOM:
        tokens.fault(at, "illegal byte order mark")
    elif char != "\0":
        tokens.fault(at, f"illegal character {_name(char)}")
    _add(tokens, "ILLEGAL", char, at)
    return _SPACES.match(text, at + 1).end()  # type: ignore[union-attr]


def _add(tokens: Tokens, kind: str, text: str, at: int) -> None:
    tokens.kinds.append(kind)
    tokens.texts.append(text)
    tokens.offsets.append(at)


def _name(char: str) -> str:
    return f"U+{ord(char):04X} '{char}'" if char.isprintable() else f"U+{ord(char):04X}"


_ESCAPE_DIGITS = {"x": (2, 16), "u": (4, 16), "U": (8, 16), **dict.fromkeys("01234567", (3, 8))}


def _quoted(text: str, at: int, tokens: Tokens, quote: str) -> int:
    """Scan a string or character literal that has something wrong with it."""
    end = len(text)
    index = at + 1
    what = "string" if quote == '"' else "rune"
    count = 0
    sound = True
    while True:
        if index >= end or text[index] == "\n":
            if sound or quote == '"':
                tokens.fault(at, f"{what} literal not terminated")
            sound = False
            break
        char = text[index]
        index += 1
        if char == quote:
            break
        count += 1
        if char == "\\":
            index, well = _escape(text, index, tokens, quote)
            sound = sound and well
    if quote == "'" and sound and count != 1:
        tokens.fault(at, "illegal rune literal")
    _add(tokens, "string" if quote == '"' else "char", text[at:index], at)
    return _SPACES.match(text, index).end()  # type: ignore[union-attr]


def _escape(text: str, index: int, tokens: Tokens, quote: str) -> tuple[int, bool]:
    end = len(text)
    char = text[index] if index < end else ""
    if char and char in "abfnrtv\\" + quote:
        return index + 1, True
    if char not in _ESCAPE_DIGITS:
        tokens.fault(index, "unknown escape sequence" if char else "escape sequence not terminated")
        return index, False
    begin = index
    count, base = _ESCAPE_DIGITS[char]
    index += 0 if base == 8 else 1
    value = 0
    for _ in range(count):
        digit = text[index] if index < end else ""
        try:
            value = value * base + int(digit, base)
        except ValueError:
            tokens.fault(
                index,
                f"illegal character {_name(digit)} in escape sequence" if digit else "escape sequence not terminated",
            )
            return index, False
        index += 1
    limit = 255 if base == 8 or char == "x" else 0x10FFFF
    if value > limit or 0xD800 <= value < 0xE000:
        tokens.fault(begin, "escape sequence is invalid Unicode code point")
        return index, False
    return index, True
