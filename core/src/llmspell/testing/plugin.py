"""``PluginConformance``: what every installed plugin must do, as a test class to subclass."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, ClassVar

from llmspell.bridge import Bridge
from llmspell.bridge.registry import load_factory
from llmspell.host.plugins import PluginHost
from llmspell.host.reports import PluginReport

QUICK = 1.0
"""Seconds that importing a plugin's module may take."""

_LOADED_TOO_EARLY = """
import json, sys
from llmspell.host.plugins import PluginHost
plugins = PluginHost(allow=[sys.argv[1]])
specs = [*plugins.engines.values(), *plugins.bridges]
modules = {spec.factory.partition(":")[0] for spec in specs if isinstance(spec.factory, str)}
print(json.dumps(sorted(modules & sys.modules.keys())))
"""


class PluginConformance:
    """What every installed plugin must do: load quickly, by itself, describing what it offers.

    Attributes:
        plugin: Name of its entry point, or of its distribution if that has one plugin.

    Example:
        A test module of a plugin's distribution::

            from llmspell.testing import PluginConformance

            class TestNotes(PluginConformance):
                plugin = "llmspell-notes"
    """

    plugin: ClassVar[str]

    def host(self) -> PluginHost:
        """Load this plugin and no other."""
        return PluginHost(allow=[self.plugin])

    def report(self) -> PluginReport:
        """Return what became of it."""
        reports = self.host().reports()
        assert len(reports) == 1, f"{self.plugin} names {len(reports)} plugins"
        return reports[0]

    def _specs(self) -> list[Any]:
        plugins = self.host()
        return [*plugins.engines.values(), *plugins.bridges]

    def test_it_is_installed_and_loads(self) -> None:
        report = self.report()
        assert report.status == "loaded", f"{report.name} is {report.status}: {report.error}"
        assert report.distribution
        assert report.version
        assert not report.warnings, f"{report.name} loads with warnings: {report.warnings}"

    def test_it_loads_quickly(self) -> None:
        assert self.report().load_seconds < QUICK

    def test_it_does_not_load_what_it_describes(self) -> None:
        command = [sys.executable, "-c", _LOADED_TOO_EARLY, self.plugin]
        out = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own program
        early = json.loads(out.stdout)
        assert not early, f"loading the plugin already imported {', '.join(early)}"

    def test_everything_it_offers_is_described(self) -> None:
        for spec in self._specs():
            assert spec.description, f"{spec.name} has no description"

    def test_factories_are_named_and_can_be_loaded(self) -> None:
        for spec in self._specs():
            assert isinstance(spec.factory, str), f"{spec.name}: name the factory as 'module:attr'"
            made = load_factory(spec.factory, spec.name)
            assert callable(made), f"{spec.name}: {spec.factory} cannot be called"
            if isinstance(made, type) and issubclass(made, Bridge):
                assert made.name == spec.name, f"{spec.factory} calls itself {made.name!r}, not {spec.name!r}"
                assert set(made.requires) == set(spec.requires), f"{spec.name}: description and class disagree"

    def test_hosts_load_it_independently(self) -> None:
        first, second = self.host(), self.host()
        assert first.engines == second.engines
        assert [spec.name for spec in first.bridges] == [spec.name for spec in second.bridges]
