"""The one door between guests and the host: authorize, validate, run, convert, record.

May import ``errors``, ``values``, ``policy``, ``guards``, ``bridge`` and ``engine``.
"""

from llmspell.gate.budget import Budget, Usage
from llmspell.gate.gate import Gate
from llmspell.gate.record import CallRecord, JsonlRecorder, MemoryRecorder, Recorder

__all__ = ["Budget", "CallRecord", "Gate", "JsonlRecorder", "MemoryRecorder", "Recorder", "Usage"]
