"""What the registry of tools finds: one source for each category, and one for what tells of the machine."""

from __future__ import annotations

from llmspell_toolbox.bridge import ToolboxBridge
from llmspell_toolbox.declare import source

DATA = source(ToolboxBridge, "data")
DATETIME = source(ToolboxBridge, "datetime")
MATH = source(ToolboxBridge, "math")
