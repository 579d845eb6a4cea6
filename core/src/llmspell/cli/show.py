"""How results and tables look: coloured on a terminal, plain text elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from llmspell.cli.payload import dumps, plain
from llmspell.cli.streams import Stream


def show_value(value: Any, stream: Stream) -> None:
    """Write a spell's value: nothing for nothing, texts and instants as they are, everything else as JSON."""
    if value is None:
        return
    if isinstance(value, datetime):
        value = plain(value)
    if isinstance(value, str):
        stream.line(value)
        return
    text = dumps(value, indent=2)
    if stream.is_terminal and isinstance(value, list | dict):
        from rich.console import Console
        from rich.json import JSON

        if not stream.at_line_start:
            stream.line("")
        Console(file=sys.stdout).print(JSON(text, indent=2), soft_wrap=True)
        return
    stream.line(text)


def show_table(headings: Sequence[str], rows: Sequence[Sequence[str]], stream: Stream) -> None:
    """Write a table; every cell is one line."""
    cells = [[" ".join(cell.split()) for cell in row] for row in rows]
    if stream.is_terminal:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*headings, box=None, header_style="bold", pad_edge=False)
        for row in cells:
            table.add_row(*(Text(cell) for cell in row))
        Console(file=sys.stdout).print(table)
        return
    lines = [list(headings), *cells]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        stream.line("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
