"""The tools for the web, gathered."""

from __future__ import annotations

from llmspell_toolbox.web.api import ApiTools
from llmspell_toolbox.web.pages import PageTools
from llmspell_toolbox.web.requests import RequestTools
from llmspell_toolbox.web.search import SearchTools


class WebTools(RequestTools, PageTools, SearchTools, ApiTools):
    """Tools for hosts that the policy grants."""
