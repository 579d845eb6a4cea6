"""The ``tools`` bridge: tools defined, found, run, composed, measured and described."""

from __future__ import annotations

from llmspell_llm.bridges.tools.composing import ComposingExports
from llmspell_llm.bridges.tools.connecting import ConnectingExports
from llmspell_llm.bridges.tools.defining import DefiningExports
from llmspell_llm.bridges.tools.describing import DescribingExports
from llmspell_llm.bridges.tools.executing import ExecutingExports
from llmspell_llm.bridges.tools.measuring import MeasuringExports


class ToolsBridge(
    DefiningExports, ExecutingExports, ComposingExports, MeasuringExports, DescribingExports, ConnectingExports
):
    """Tools: functions with a schema, of the script or of installed distributions.

    A tool of the script lives as long as its run, and is known to every language in it. What tools get and return is
    checked against their schemas; every use is counted.
    """

    name = "tools"
