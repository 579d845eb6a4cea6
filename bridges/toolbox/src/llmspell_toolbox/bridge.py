"""The bridges that hold the tools. Scripts mostly reach them through ``tools.execute`` or an agent."""

from __future__ import annotations

from llmspell_toolbox.data.tools import DataTools
from llmspell_toolbox.dates.tools import DatetimeTools
from llmspell_toolbox.feed.tools import FeedTools
from llmspell_toolbox.file.tools import FileTools
from llmspell_toolbox.math.tools import MathTools
from llmspell_toolbox.system.machine import MachineTools
from llmspell_toolbox.system.tools import SystemTools
from llmspell_toolbox.web.tools import WebTools


class ToolboxBridge(FileTools, WebTools, SystemTools, MathTools, DatetimeTools, DataTools, FeedTools):
    """The built-in tools that reach nothing by themselves: files, hosts and programs are granted apart.

    Each is also a tool of that name, known to ``tools`` and to agents.
    """

    name = "toolbox"
    permissions = ("read", "write", "net", "env", "subprocess")


class MachineBridge(MachineTools):
    """The built-in tools that tell of the machine: not granted in the sandbox."""

    name = "machine"
    permissions = ("machine",)
