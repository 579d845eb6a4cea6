"""Test kits for engines, bridges and plugins, ours and everybody else's, and a scripted model.

May import every room; nothing imports it. Needs pytest only where a test class of it is collected.
"""

from llmspell.testing.fake_model import FakeFailure, FakeModel, FakeReply, FakeRequest, FakeToolCall

__all__ = ["FakeFailure", "FakeModel", "FakeReply", "FakeRequest", "FakeToolCall"]
