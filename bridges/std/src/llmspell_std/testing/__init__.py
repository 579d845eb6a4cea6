"""The ``testing`` bridge: suites, assertions, mocks and measurements, written and run in a script."""

from llmspell_std.testing.bridge import TestingBridge

__all__ = ["TestingBridge"]
