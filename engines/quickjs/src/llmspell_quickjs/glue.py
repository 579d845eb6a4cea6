"""The glue: the JavaScript that stands between the engine and scripts, read once per process."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_CORE = re.compile(r"\d\d-\w+\.js")
_COMMENT = re.compile(r"^[ ]*//.*$", re.MULTILINE)

FIRST_LINE = 2000
"""The line the first author's file is given. Every file gets lines of its own, so that a line names its file; what
stands before is the glue's, or text a script evaluated itself."""


@cache
def core() -> str:
    """Return the glue that every VM begins with, as one function call.

    Comment lines become empty ones: every VM parses this text.
    """
    folder = files("llmspell_quickjs") / "js"
    names = sorted(entry.name for entry in folder.iterdir() if _CORE.fullmatch(entry.name))
    text = "".join((folder / name).read_text("utf-8") for name in names)
    head = f'(() => {{"use strict"; const FIRST_LINE = {FIRST_LINE};\n'
    return head + _COMMENT.sub("", text) + "})();"


@cache
def parts() -> dict[str, str]:
    """Return the parts that are loaded when a script first needs them, by name."""
    folder = files("llmspell_quickjs") / "js"
    return {
        entry.name.removesuffix(".js"): _COMMENT.sub("", entry.read_text("utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".js") and not _CORE.fullmatch(entry.name)
    }
