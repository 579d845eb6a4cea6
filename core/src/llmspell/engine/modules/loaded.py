"""What one run has loaded, and what it is in the middle of loading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from llmspell.errors import ScriptModuleNotFoundError

State = Literal["new", "pending", "loaded"]


class LoadedSet:
    """Load each module of a run once, and tell a circle from a module that another task is loading.

    Example:
        >>> loaded = LoadedSet()
        >>> with loaded.loading("a"), loaded.loading("b", importer="a"):
        ...     loaded.begin("a", importer="b")
        Traceback (most recent call last):
        ...
        llmspell.errors.ScriptModuleNotFoundError: modules require each other in a circle: a -> b -> a
    """

    def __init__(self) -> None:
        self._importers: dict[str, str] = {}
        self._loaded: dict[str, None] = {}

    def begin(self, name: str, importer: str = "") -> State:
        """Ask to load a module on behalf of ``importer`` (``""`` for the main script).

        Returns:
            ``"new"``: load it, then say :meth:`finish` or :meth:`fail`. ``"loaded"``: it is there. ``"pending"``:
            somebody who is not waiting for ``importer`` is loading it.

        Raises:
            ScriptModuleNotFoundError: The modules require each other in a circle, which the message names.
        """
        if name in self._loaded:
            return "loaded"
        if name not in self._importers:
            self._importers[name] = importer
            return "new"
        chain = [name]
        above = importer
        while above and above not in chain[1:]:
            chain.append(above)
            if above == name:
                circle = " -> ".join(reversed(chain))
                raise ScriptModuleNotFoundError(f"modules require each other in a circle: {circle}", name=name)
            above = self._importers.get(above, "")
        return "pending"

    def finish(self, name: str) -> None:
        """Say that a module is loaded."""
        self._importers.pop(name, None)
        self._loaded[name] = None

    def fail(self, name: str) -> None:
        """Say that loading failed; the next one who asks tries again."""
        self._importers.pop(name, None)

    @contextmanager
    def loading(self, name: str, importer: str = "") -> Iterator[State]:
        """Load a module in a ``with`` block: an exception means it failed."""
        state = self.begin(name, importer)
        try:
            yield state
        except BaseException:
            if state == "new":
                self.fail(name)
            raise
        if state == "new":
            self.finish(name)

    @property
    def names(self) -> tuple[str, ...]:
        """What is loaded, in the order it was."""
        return tuple(self._loaded)
