"""Any text as balanced HTML of bounded depth, which the parser then reads in time that grows with its length.

Lexbor, like any parser in C, cannot be interrupted and holds the interpreter; deep nesting and tags of very many
attributes make it take time that grows with their square. So hostile pages are cut to size here first. Each construct
is read once and, like in a browser, goes on to the end of the page where it is not closed: nothing is looked for twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmspell.plugin import BridgeError
from llmspell_toolbox.patience import patient

MAX_DEPTH = 200
MAX_TAGS = 100_000
MAX_ATTRIBUTES = 50
MAX_VALUE = 8192

_NAME = re.compile(r"[A-Za-z][^\s/>]{0,63}")
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9:-]*")
_ATTRIBUTE = re.compile(r"[\s/]*([^\s/>=]?[^\s/>=]*)\s*(=?)\s*")
_UNQUOTED = re.compile(r"[^\s>]*")
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)  # fmt: skip
_RAW = frozenset(["script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext"])
_TEXTUAL = frozenset(("title", "textarea"))
_UNSEEN = frozenset(
    ("svg", "math", "template", "object", "applet", "noscript", "frameset", "frame", "canvas", "audio", "video")
)


def tidied(text: str) -> str:
    """Return HTML as balanced tags without scripts, styles, comments and pictures that are drawn.

    Raises:
        BridgeError: ``too_large``: more than 100,000 tags; ``too_slow``.

    Example:
        >>> tidied("<p class=a>x<b>y<script>z()</script></p>1 < 2")
        '<p class="a">x<b>y</b></p>1 &lt; 2'
    """
    with patient("reading the page"):
        return "".join(_Tidy(text).pieces())


class _Tidy:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._open: list[str] = []
        self._hidden: list[str] = []

    def pieces(self) -> Iterator[str]:
        text, signs = self._text, 0
        while True:
            found = text.find("<", self._place)
            if found < 0:
                break
            yield self._shown(text[self._place : found])
            self._place = found
            signs += 1
            if signs > MAX_TAGS:
                raise BridgeError(f"the page has more than {MAX_TAGS:,} tags", code="too_large")
            after = text[found + 1 : found + 4]
            if after[:3] == "!--":
                self._skip_past("-->", found + 2)
            elif after[:1] in ("!", "?"):
                self._skip_past(">", found)
            elif name := _NAME.match(text, found + (2 if after[:1] == "/" else 1)):
                self._place = name.end()
                attributes = self._attributes()
                yield self._end(name[0].lower()) if after[:1] == "/" else self._start(name[0].lower(), attributes)
            elif after[:1] == "/":
                self._skip_past(">", found)
            else:
                self._place = found + 1
                yield self._shown("&lt;")
        yield self._shown(text[self._place :])
        yield "".join(f"</{name}>" for name in reversed(self._open))

    def _shown(self, text: str) -> str:
        return "" if self._hidden else text

    def _skip_past(self, mark: str, start: int) -> None:
        end = self._text.find(mark, start)
        self._place = len(self._text) if end < 0 else end + len(mark)

    def _attributes(self) -> str:
        """Read up to the end of a tag, and return its attributes as they may stand in one."""
        text = self._text
        kept: dict[str, str] = {}
        while self._place < len(text) and text[self._place] != ">":
            found = _ATTRIBUTE.match(text, self._place)
            assert found is not None
            before, self._place = self._place, found.end()
            value = self._value() if found[2] else ""
            name = found[1].lower()
            if len(kept) < MAX_ATTRIBUTES and len(value) <= MAX_VALUE and _PLAIN_NAME.fullmatch(name):
                kept.setdefault(name, value)
            if self._place == before:
                self._place += 1
        self._place += 1
        return "".join(f' {name}="{value}"' for name, value in kept.items())

    def _value(self) -> str:
        text, quote = self._text, self._text[self._place : self._place + 1]
        if quote in ('"', "'"):
            end = text.find(quote, self._place + 1)
            end = len(text) if end < 0 else end
            value, self._place = text[self._place + 1 : end], min(end + 1, len(text))
        else:
            found = _UNQUOTED.match(text, self._place)
            assert found is not None
            value, self._place = found[0], found.end()
        return value.replace('"', "&quot;")

    def _start(self, name: str, attributes: str) -> str:
        if name in _RAW:
            self._content_of(name)
            return ""
        if self._hidden or name in _UNSEEN:
            if name in _UNSEEN and len(self._hidden) < MAX_DEPTH:
                self._hidden.append(name)
            return ""
        if name in _TEXTUAL:
            content = self._content_of(name).replace("<", "&lt;")
            return f"<{name}{attributes}>{content}</{name}>"
        if not _PLAIN_NAME.fullmatch(name):
            return ""
        if name in _VOID:
            return f"<{name}{attributes}>"
        if len(self._open) >= MAX_DEPTH:
            return ""
        self._open.append(name)
        return f"<{name}{attributes}>"

    def _end(self, name: str) -> str:
        if self._hidden:
            if name in self._hidden:
                del self._hidden[len(self._hidden) - 1 - self._hidden[::-1].index(name) :]
            return ""
        if name not in self._open:
            return ""
        at = len(self._open) - 1 - self._open[::-1].index(name)
        closed = self._open[at:]
        del self._open[at:]
        return "".join(f"</{each}>" for each in reversed(closed))

    def _content_of(self, name: str) -> str:
        """Skip to the end tag of an element that holds no tags, and return what stands before it."""
        start = self._place
        found = re.compile(rf"</{name}(?=[\s/>])[^>]*>?", re.IGNORECASE).search(self._text, start)
        self._place = len(self._text) if found is None or name == "plaintext" else found.end()
        return self._text[start : self._place if found is None else found.start()]
