"""Tools: functions with a schema, that models may ask for and scripts may call.

May import ``errors``, ``structured``, ``scoped`` and ``neighbours``.
"""

from llmspell_llm.tools.registry import ToolRegistry
from llmspell_llm.tools.running import ToolRunner
from llmspell_llm.tools.source import ToolSource
from llmspell_llm.tools.tool import Example, Tool, ToolError

__all__ = ["Example", "Tool", "ToolError", "ToolRegistry", "ToolRunner", "ToolSource"]
