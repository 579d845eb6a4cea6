"""Whether a text that makes no sense so far may come to make some as it goes on."""

from __future__ import annotations

import re

_GOES_ON = (
    "import", "export", "from", "default", "as", "const", "let", "var", "class", "extends", "function", "async",
    "interface", "type", ",", "*", "=", "=>", "(", "[", ".", "+", "-", "/", "%", "&", "|", "?", ":", "!",
)  # fmt: skip
_WITHOUT_SOURCE = re.compile(r"\s*import\s+(?:type\s+)?(?:[A-Za-z_$][\w$]*|[^;'\"]*\}|[^;'\"]*\*\s*as\s+[\w$]+)\s*$")
"""An import that has all but where from."""


def is_unfinished(statement: str) -> bool:
    """Tell whether a statement ends with what wants to go on, or leaves something open.

    Example:
        >>> is_unfinished("interface Bee {"), is_unfinished("import { bee }"), is_unfinished("type Bee = )")
        (True, True, False)
    """
    rest = statement.rstrip()
    return rest.endswith(_GOES_ON) or is_open(rest) or _WITHOUT_SOURCE.match(rest) is not None


def is_open(text: str) -> bool:
    """Tell whether a text leaves a bracket open."""
    return any(text.count(pair[0]) > text.count(pair[1]) for pair in ("{}", "()", "[]"))
