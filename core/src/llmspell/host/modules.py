"""Local modules of a spell: files inside its root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell.runtime.run import Run
from llmspell.runtime.system import no_such_module

if TYPE_CHECKING:
    from llmspell.host.host import Host


class LocalModules:
    """Find the files that spells require."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def __call__(self, run: Run, name: str, importer: str) -> dict[str, Any]:
        """Describe the module ``name``, as :meth:`SystemBridge.module` says.

        Raises:
            ScriptModuleNotFoundError: There is none.
        """
        raise no_such_module(name, importer)
