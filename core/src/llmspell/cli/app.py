"""The command ``llmspell`` itself: its own options and the table of its subcommands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from llmspell.cli.lazy import Lazy, LazyGroup

if TYPE_CHECKING:
    from llmspell.host.host import Host
    from llmspell.runtime.worker.launch import Launch

_COMMANDS = {
    "run": Lazy("llmspell.cli.commands.run:run", "Run a spell."),
    "exec": Lazy("llmspell.cli.commands.run:execute", "Run code given on the command line."),
    "engines": Lazy("llmspell.cli.commands.engines:engines", "List the script engines."),
    "bridges": Lazy("llmspell.cli.commands.bridges:bridges", "List the bridges, or what one of them offers."),
    "plugins": Lazy("llmspell.cli.commands.plugins:plugins", "Show what became of every installed plugin."),
    "security": Lazy("llmspell.cli.commands.security:security", "Show what this machine can enforce."),
    "version": Lazy("llmspell.cli.commands.version:version", "Show the versions of llmspell and its plugins."),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of ``llmspell`` itself, which every subcommand heeds.

    Attributes:
        launch: The process that forks workers, where one was launched ahead.
    """

    config: str | None = None
    block: tuple[str, ...] = ()
    launch: Launch | None = None

    def open_host(self, *, warn: bool = True) -> Host:
        """Make the host that a command works with.

        Args:
            warn: Tell what of the configuration is not followed and which plugins cannot be used.

        Raises:
            ConfigError: The configuration cannot be used.
        """
        from llmspell.cli.warnings import show_warnings, warn_of
        from llmspell.host.config import load_config
        from llmspell.host.host import Host

        show_warnings(warn)
        config = load_config(path=self.config)
        if warn:
            warn_of(config.warnings)
        return Host(block=self.block, config=config)


class _Cli(LazyGroup):
    _asked = False

    def add_plugin_commands(self, ctx: click.Context) -> None:
        """Ask the plugins for commands, once."""
        if self._asked:
            return
        self._asked = True
        settings = ctx.find_object(Settings) or Settings()
        with settings.open_host(warn=False) as host:
            host.plugins.commands(self, self.lazy)


def _version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted:
        from llmspell import __version__

        click.echo(f"llmspell {__version__}")
        ctx.exit()


@click.group(
    cls=_Cli,
    lazy=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
@click.option("--config", metavar="FILE", envvar="LLMSPELL_CONFIG", help="Read this configuration file only.")
@click.option("--block", metavar="PLUGIN", multiple=True, help="Do not load this plugin or distribution; repeatable.")
@click.pass_context
def cli(ctx: click.Context, config: str | None, block: tuple[str, ...]) -> None:
    """Run spells: short scripts in Lua, JavaScript and Tengo that drive language models."""
    ctx.obj = Settings(config, block, ctx.obj)
