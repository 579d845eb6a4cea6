"""The hooks of the plugins: checked when a plugin is added, called one by one so that a failure has a name."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

from llmspell.errors import PluginLoadError, PolicyDeniedError
from llmspell.host.discovery import Owner
from llmspell.host.hookspecs import CallRequest, Denial, Event, LlmspellSpecs, RunRequest
from llmspell.policy import Policy

if TYPE_CHECKING:
    import click

PREFIX = "llmspell_"
_log = logging.getLogger("llmspell.plugins")


class Hooks:
    """Call the hooks of one host's plugins.

    Args:
        manager: Where the plugins are registered.
        warn: Told, once per plugin and hook, that one failed.
    """

    def __init__(self, manager: pluggy.PluginManager, warn: Callable[[object, str], None]) -> None:
        self._manager = manager
        self._warn = warn
        self._failing: set[tuple[str, str]] = set()

    def implementations(self, hook: str) -> list[pluggy.HookImpl]:
        """List who implements a hook, in the order plugins were added."""
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return caller.get_hookimpls()

    def authorize(self, call: CallRequest) -> Denial | None:
        """Ask every plugin about a host call; any denial wins, and a failure is a denial."""
        for implementation in self.implementations("llmspell_authorize"):
            try:
                answer = _call(implementation, {"call": call})
            except Exception as error:  # noqa: BLE001 - who cannot decide denies
                self._problem(implementation, "llmspell_authorize", error)
                return Denial(f"plugin {_name_of(implementation)!r} failed to decide about this call")
            if answer is not None:
                return answer if isinstance(answer, Denial) else Denial(f"plugin {_name_of(implementation)!r} said no")
        return None

    def narrow_policy(self, request: RunRequest) -> list[Policy]:
        """Ask every plugin which policies the run's is to be intersected with.

        Raises:
            PolicyDeniedError: A plugin failed to answer, so the run cannot be known to be allowed.
        """
        answers: list[Policy] = []
        for implementation in self.implementations("llmspell_narrow_policy"):
            try:
                answer = _call(implementation, {"request": request})
                if answer is not None and not isinstance(answer, Policy):
                    raise TypeError(f"it returned a {type(answer).__name__}, not a Policy")
            except Exception as error:
                self._problem(implementation, "llmspell_narrow_policy", error)
                raise PolicyDeniedError(
                    f"plugin {_name_of(implementation)!r} failed to narrow the run's policy",
                    hint="the run is refused; block the plugin to run without it",
                ) from error
            if answer is not None:
                answers.append(answer)
        return answers

    def emit(self, event: Event) -> None:
        """Tell every observer; what one raises is reported once per plugin and changes nothing."""
        for implementation in self.implementations("llmspell_on_event"):
            try:
                _call(implementation, {"event": event})
            except Exception as error:  # noqa: BLE001 - an observer never disturbs what it observes
                self._problem(implementation, "llmspell_on_event", error, event.run_id)

    def commands(self, cli: click.Group, reserved: Collection[str] = ()) -> None:
        """Let plugins add subcommands; none can replace one that is there or ``reserved``."""
        for implementation in self.implementations("llmspell_commands"):
            before = dict(cli.commands)
            try:
                _call(implementation, {"cli": cli})
            except Exception as error:  # noqa: BLE001 - one plugin's commands must not take the others along
                self._problem(implementation, "llmspell_commands", error)
            added = {name for name, command in cli.commands.items() if before.get(name) is not command}
            taken = {name for name in added if name in before or name in reserved}
            for name in taken:
                del cli.commands[name]
            cli.commands.update({name: command for name, command in before.items() if name not in cli.commands})
            if taken:
                names = ", ".join(sorted(taken))
                self._problem(implementation, "llmspell_commands", ValueError(f"commands that are taken: {names}"))

    def _problem(self, implementation: pluggy.HookImpl, hook: str, error: Exception, run_id: str = "") -> None:
        name = _name_of(implementation)
        if (implementation.plugin_name, hook) in self._failing:
            return
        self._failing.add((implementation.plugin_name, hook))
        text = f"{hook} failed: {say(error)}"
        self._warn(implementation.plugin, text)
        _log.warning("plugin %r: %s", name, text)
        _log.debug("plugin %r: %s", name, hook, exc_info=error)
        event = Event("plugin_failed", time.time(), run_id, {"plugin": name, "hook": hook, "error": say(error)})
        for other in self.implementations("llmspell_on_event"):
            if other.plugin_name != implementation.plugin_name:
                with contextlib.suppress(Exception):
                    _call(other, {"event": event})


def _hook_names() -> list[str]:
    return [name for name in vars(LlmspellSpecs) if name.startswith(PREFIX)]


def _functions(target: object) -> Iterator[tuple[str, Any]]:
    for name in dir(target):
        function = inspect.getattr_static(target, name, None)
        if isinstance(function, staticmethod | classmethod):
            function = function.__func__
        if inspect.isroutine(function):
            yield name, function


def check_hooks(manager: pluggy.PluginManager, owner: Owner, target: object) -> None:
    """Refuse what pluggy would take silently: unknown, unmarked, async and wrapping hooks."""

    def refuse(problem: str, hint: str) -> PluginLoadError:
        return PluginLoadError(f"plugin {owner}: {problem}", plugin=owner.plugin, hint=hint)

    hooks = _hook_names()
    for name, function in _functions(target):
        options = manager.parse_hookimpl_opts(target, name)
        if options is None and not name.startswith(PREFIX):
            continue
        hook = (options and options.get("specname")) or name
        if hook not in hooks:
            close = difflib.get_close_matches(hook, hooks, 1)
            raise refuse(
                f"llmspell has no hook {hook!r}",
                f"did you mean {close[0]!r}?" if close else f"hooks: {', '.join(hooks)}",
            )
        if options is None:
            raise refuse(f"{name} is not marked", "mark it with @hookimpl from llmspell.plugin")
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise refuse(f"{name} is async; hooks are plain functions", "write def, and do async work in the bridge")
        if options.get("wrapper") or options.get("hookwrapper"):
            raise refuse(f"{name} is a hook wrapper, which llmspell does not use", "write a plain hook")


def _call(implementation: pluggy.HookImpl, arguments: Mapping[str, Any]) -> Any:
    answer = implementation.function(*(arguments[name] for name in implementation.argnames))
    if inspect.iscoroutine(answer):
        answer.close()
        raise TypeError("it returned a coroutine; hooks are plain functions")
    return answer


def _name_of(implementation: pluggy.HookImpl) -> str:
    return implementation.plugin_name.partition(":")[2]


def say(error: BaseException) -> str:
    """Put an exception in one line."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
