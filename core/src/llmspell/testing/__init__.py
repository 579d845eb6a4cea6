"""Test kits for engines, bridges and plugins, ours and everybody else's, and a scripted model.

May import every room; nothing imports it. Needs pytest only where a test class of it is collected.
"""

from llmspell.testing.cases import Case, load_cases
from llmspell.testing.engine import EngineConformance
from llmspell.testing.fake_model import FakeFailure, FakeModel, FakeReply, FakeRequest, FakeToolCall

__all__ = [
    "Case",
    "EngineConformance",
    "FakeFailure",
    "FakeModel",
    "FakeReply",
    "FakeRequest",
    "FakeToolCall",
    "load_cases",
]
