"""``Files`` on their way to the VM, prepared once: the engine's program cache."""

from __future__ import annotations

import threading
from collections import OrderedDict

from llmspell.engine import Source
from llmspell.engine.messages import Failure
from llmspell_quickjs.source import Prepared, Refused, Role, prepare
from llmspell_quickjs.syntax import bad_text

_TYPESCRIPT = ("typescript", "ts")
_Key = tuple[str, Role, str]


class PreparedFiles:
    """Prepared sources, least recently used ones dropped.

    Args:
        size: How many.
    """

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, Prepared | Failure] = OrderedDict()

    def get(self, source: Source, role: Role) -> Prepared | Failure:
        """Prepare a source; TypeScript that cannot be run by erasing its types is a failure."""
        key = (source.name, role, source.text)
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                return known
        made: Prepared | Failure
        try:
            source.text.encode()
            made = prepare(source.name, source.text, role, "typescript" if source.language in _TYPESCRIPT else None)
        except Refused as error:
            made = bad_text(source.name, source.text, error.offset, str(error), incomplete=error.incomplete)
        except RecursionError:
            made = bad_text(source.name, source.text, 0, "the source is nested too deeply")
        except UnicodeEncodeError as error:
            offset = len(source.text[: error.start].encode("utf-8", "surrogatepass"))
            made = bad_text(source.name, source.text, offset, "half of a surrogate pair; write it as an escape")
        with self._lock:
            self._known[key] = made
            if len(self._known) > self._size:
                self._known.popitem(last=False)
        return made
