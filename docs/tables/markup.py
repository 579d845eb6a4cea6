"""What is read out of docstrings, and how a table is laid out."""

from __future__ import annotations

import inspect
import re
from typing import Any


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Lay out a Markdown table."""
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def attributes_of(thing: Any) -> dict[str, str]:
    """Read the ``Attributes:`` section of a docstring."""
    doc = inspect.getdoc(thing) or ""
    _, found, rest = doc.partition("Attributes:\n")
    told: dict[str, str] = {}
    name = ""
    for line in rest.splitlines() if found else ():
        if line and not line.startswith(" "):
            break
        if match := re.fullmatch(r"    (\S[^:]*): (.*)", line):
            name = match[1]
            told |= dict.fromkeys(re.split(r",\s*", name), match[2].strip())
        elif line.strip() and name:
            told |= {part: f"{told[part]} {line.strip()}" for part in re.split(r",\s*", name)}
    return {key: plain(text) for key, text in told.items()}


def plain(text: str) -> str:
    """Turn docstring markup into Markdown."""
    text = re.sub(r":\w+:`~?([^`]+)`", lambda found: f"`{found[1].rpartition('.')[2]}`", text)
    return text.replace("``", "`")


def first_sentence(thing: Any) -> str:
    return plain(" ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split()))
