"""Options that ``run`` and ``exec`` share, and the policy they add up to."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from llmspell.host.host import Host
    from llmspell.policy import Policy

F = TypeVar("F", bound=Callable[..., Any])


class _Read(click.ParamType[Any]):
    """A value that one of the policy's own functions reads; its complaint becomes the usage error."""

    def __init__(self, name: str, function: str) -> None:
        self.name = name
        self._function = function

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from llmspell.policy import limits

        try:
            return getattr(limits, self._function)(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


_DURATION = _Read("duration", "parse_duration")
_SIZE = _Read("size", "parse_size")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose for one run; None where they left it open."""

    profile: str | None = None
    level: str | None = None
    timeout: float | None = None
    memory: int | None = None
    allow_read: tuple[str, ...] = ()
    allow_write: tuple[str, ...] = ()
    allow_net: tuple[str, ...] = ()
    allow_env: tuple[str, ...] = ()
    allow_run: tuple[str, ...] = ()
    allow_bridge: tuple[str, ...] = ()

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> Choices:
        """Take the choices out of a command's options."""
        return cls(**{field.name: options.pop(field.name) for field in fields(cls)})

    def policy(self, host: Host, named: tuple[str, ...] = ()) -> Policy:
        """Return the policy these choices add up to.

        The person at the command line owns the policy: their limits replace those of the profile, and what they
        allow is added after the level has had its say.

        Args:
            named: Paths they named as parameters, which grants reading them.

        Raises:
            UsageError: There is no such profile, or a choice is impossible.
        """
        from llmspell.errors import NotFoundError, UsageError

        try:
            policy = host.default_policy() if self.profile is None else host.policy(self.profile)
        except NotFoundError as error:
            raise UsageError(error.message, hint=error.hint) from None
        policy = _at_level(policy, self.level)
        limits = {"time": self.timeout, "memory": self.memory}
        policy = _with_limits(policy, {name: value for name, value in limits.items() if value is not None})
        grants = {
            "read": (*self.allow_read, *named),
            "write": self.allow_write,
            "net": self.allow_net,
            "env": self.allow_env,
            "subprocess": self.allow_run,
            "bridges": self.allow_bridge,
        }
        given = {name: more for name, more in grants.items() if more}
        return policy.grant(**given) if given else policy


def _at_level(policy: Policy, level: str | None) -> Policy:
    if level is None or level == policy.level:
        return policy
    from llmspell.policy import Policy

    preset = Policy.at_level(level)
    if level == "strict":
        return policy.intersect(preset)
    return dataclasses.replace(policy, level=preset.level, placement=preset.placement)


def _with_limits(policy: Policy, changes: dict[str, Any]) -> Policy:
    if not changes:
        return policy
    from llmspell.errors import UsageError
    from llmspell.fields import FieldError

    try:
        return dataclasses.replace(policy, limits=dataclasses.replace(policy.limits, **changes))
    except FieldError as error:
        problem = error.problems[0]
        option = {"time": "--timeout", "memory": "--memory"}[problem.key]
        raise UsageError(f"{option}: {problem.text}") from None


_OPTIONS = (
    click.option("-p", "--param", "params", metavar="KEY=VALUE", multiple=True, help="A parameter; repeatable."),
    click.option("--params", "params_file", metavar="FILE.json", help="Parameters from a JSON object in a file."),
    click.option("--profile", metavar="NAME", help="Policy: sandbox (default), development, production, a plugin's."),
    click.option(
        "--level", type=click.Choice(["minimal", "standard", "strict"]), help="How strongly the policy is enforced."
    ),
    click.option("--timeout", type=_DURATION, metavar="TIME", help="Wall-clock limit, e.g. 30s or 2m."),
    click.option("--memory", type=_SIZE, metavar="SIZE", help="Memory of the script, e.g. 64MB."),
    click.option("--allow-read", metavar="PATH", multiple=True, help="Allow reading a file or directory; repeatable."),
    click.option("--allow-write", metavar="PATH", multiple=True, help="Allow writing there; repeatable."),
    click.option("--allow-net", metavar="HOST", multiple=True, help="Allow connecting to a host; repeatable."),
    click.option("--allow-env", metavar="NAME", multiple=True, help="Allow an environment variable; repeatable."),
    click.option("--allow-run", metavar="PROGRAM", multiple=True, help="Allow starting a program; repeatable."),
    click.option("--allow-bridge", metavar="NAME", multiple=True, help="Allow a bridge; repeatable."),
    click.option("--record", metavar="FILE", help="Append every host call to this file, one JSON object a line."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object: value, output, usage, error."),
    click.option("-q", "--quiet", is_flag=True, help="Print only what the spell itself prints."),
)  # fmt: skip


def run_options(function: F) -> F:
    """Add the options of a run to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
