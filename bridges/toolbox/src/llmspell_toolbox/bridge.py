"""The bridges that hold the tools. Scripts mostly reach them through ``tools.execute`` or an agent."""

from __future__ import annotations

from llmspell_toolbox.data.tools import DataTools
from llmspell_toolbox.dates.tools import DatetimeTools
from llmspell_toolbox.math.tools import MathTools


class ToolboxBridge(MathTools, DatetimeTools, DataTools):
    """The built-in tools that reach nothing by themselves: files, hosts and programs are granted apart.

    Each is also a tool of that name, known to ``tools`` and to agents.
    """

    name = "toolbox"
