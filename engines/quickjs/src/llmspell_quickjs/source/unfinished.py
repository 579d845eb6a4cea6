"""Whether a text that makes no sense so far may come to make some as it goes on."""

from __future__ import annotations

_GOES_ON = (
    "import", "export", "from", "default", "as", "const", "let", "var", "class", "extends", "function", "async",
    "interface", "type", ",", "*", "=", "=>", "(", "[", ".", "+", "-", "/", "%", "&", "|", "?", ":", "!",
)  # fmt: skip


def is_unfinished(statement: str) -> bool:
    """Tell whether a statement ends with what wants to go on, or leaves something open.

    Example:
        >>> is_unfinished("interface Bee {"), is_unfinished("type Bee = )")
        (True, False)
    """
    rest = statement.rstrip()
    return rest.endswith(_GOES_ON) or any(rest.count(pair[0]) > rest.count(pair[1]) for pair in ("{}", "()", "[]"))
