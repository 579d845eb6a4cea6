"""What the registry of tools finds: one source for each category, and one for what tells of the machine."""

from __future__ import annotations

from llmspell_toolbox.bridge import MachineBridge, ToolboxBridge
from llmspell_toolbox.declare import source

DATA = source(ToolboxBridge, "data")
DATETIME = source(ToolboxBridge, "datetime")
FEED = source(ToolboxBridge, "feed")
FILE = source(ToolboxBridge, "file")
MATH = source(ToolboxBridge, "math")
SYSTEM = source(ToolboxBridge, "system")
WEB = source(ToolboxBridge, "web")
MACHINE = source(MachineBridge, "system")
