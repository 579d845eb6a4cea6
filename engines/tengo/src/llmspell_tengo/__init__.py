"""The Tengo language: compiled to Lua 5.4 and run on lupa, as an engine of llmspell and on its own."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from llmspell_tengo.script import Compiled, Script, eval, standard

__all__ = ["Compiled", "Script", "eval", "standard"]


def __getattr__(name: str) -> Any:
    """Import the embedding API when it is first used: plugins are found without it."""
    if name in __all__:
        from llmspell_tengo import script

        return getattr(script, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
