"""Test kits for engines, bridges and plugins, ours and everybody else's, and a scripted model.

May import every room; nothing imports it. Needs pytest only where a test class of it is collected.
"""

from llmspell.testing.bridge import BridgeConformance, Example
from llmspell.testing.cases import Case, load_cases, read_cases
from llmspell.testing.engine import EngineConformance
from llmspell.testing.fake_model import FakeFailure, FakeModel, FakeReply, FakeRequest, FakeToolCall
from llmspell.testing.harness import BridgeHarness
from llmspell.testing.plugin import PluginConformance
from llmspell.testing.scripted import CallFailed

__all__ = [
    "BridgeConformance",
    "BridgeHarness",
    "CallFailed",
    "Case",
    "EngineConformance",
    "Example",
    "FakeFailure",
    "FakeModel",
    "FakeReply",
    "FakeRequest",
    "FakeToolCall",
    "PluginConformance",
    "load_cases",
    "read_cases",
]
