"""Configuration: the user's file, the project's file, the environment and arguments, in this order."""

from __future__ import annotations

import difflib
import os
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llmspell.errors import ConfigError, NotFoundError
from llmspell.host.config_files import Layer, project_file, read_layer, user_file
from llmspell.policy import Grants, Limits, Policy

_MB = 1024 * 1024
LIMITS: dict[str, Limits] = {
    "strict": Limits(
        time=10, memory=32 * _MB, output=_MB, result=4 * _MB, calls=10_000, concurrent_calls=100, tasks=1_000
    ),
    "normal": Limits(
        time=30, memory=64 * _MB, output=8 * _MB, result=16 * _MB, calls=100_000, concurrent_calls=1_000, tasks=10_000
    ),
    "relaxed": Limits(
        time=600, memory=1024 * _MB, output=64 * _MB, result=128 * _MB, calls=1_000_000, concurrent_calls=10_000,
        tasks=100_000,
    ),
}  # fmt: skip
"""Named sets of limits, for ``[policy] limits = "..."``; ``[limits.NAME]`` changes or adds one."""

_LISTS = {"LLMSPELL_PLUGINS": ("plugins", "allow"), "LLMSPELL_BLOCK": ("plugins", "block")}
_TEXTS = {
    "LLMSPELL_PROFILE": ("policy", "profile"),
    "LLMSPELL_LIMITS": ("policy", "limits"),
    "LLMSPELL_MODEL": ("models", "default"),
}


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PluginSettings(_Settings):
    """Which plugins are used.

    Attributes:
        allow: Names of plugins or distributions; None for all that are installed.
        block: Names never to load. Files add to each other's.
        prefer: Settles conflicts: ``"engine:lua" = "llmspell-lua"``.
    """

    allow: tuple[str, ...] | None = None
    block: tuple[str, ...] = ()
    prefer: dict[str, str] = Field(default_factory=dict)


class PolicySettings(_Settings):
    """The policy of runs that are not given one.

    Attributes:
        profile: ``sandbox``, ``development``, ``production``, or a plugin's.
        limits: ``strict``, ``normal``, ``relaxed``, or one of ``[limits.NAME]``; replaces the profile's.
        grants: What is granted beyond the profile. Relative paths start at the file's directory.
    """

    profile: str = "sandbox"
    limits: str | None = None
    grants: Grants = Grants(modules=frozenset())


class ModelSettings(_Settings):
    """Models by name.

    Attributes:
        default: What ``llm`` uses when a spell names none.
        aliases: Short names.
        providers: Settings of each provider, e.g. ``base_url``.
    """

    default: str | None = None
    aliases: dict[str, str] = Field(default_factory=dict)
    providers: dict[str, dict[str, Any]] = Field(default_factory=dict)


class Ceiling(_Settings):
    """What a file that is not trusted asks of the policy: taken where it is tighter, and only there."""

    profile: str | None = None
    limits: dict[str, Any] = Field(default_factory=dict)


class Config(_Settings):
    """Everything that can be configured.

    Attributes:
        trust: Directories whose ``llmspell.toml`` may say anything; elsewhere it may only tighten.
        ceiling: What files that may only tighten ask for; filled in by :func:`load_config`.
        warnings: What was said and is not followed, and why.

    Example:
        >>> load_config({"plugins": {"block": ["noisy"]}}).plugins.block
        ('noisy',)
    """

    plugins: PluginSettings = PluginSettings()
    policy: PolicySettings = PolicySettings()
    limits: dict[str, Limits] = Field(default_factory=dict)
    bridges: dict[str, dict[str, Any]] = Field(default_factory=dict)
    engines: dict[str, dict[str, Any]] = Field(default_factory=dict)
    models: ModelSettings = ModelSettings()
    trust: tuple[str, ...] = ()
    ceiling: tuple[Ceiling, ...] = Field(default=(), exclude=True)
    warnings: tuple[str, ...] = Field(default=(), exclude=True)

    def default_policy(self, find: Callable[[str], Policy] = Policy.profile) -> Policy:
        """Return the policy of runs that are not given one.

        Args:
            find: Turns a profile's name into a policy; a host's also knows those of plugins.

        Raises:
            ConfigError: No such profile or set of limits.
        """
        policy = _found(self.policy.profile, find)
        if self.policy.limits is not None:
            limits = policy.limits.model_copy(update=self.limits_named(self.policy.limits))
            policy = policy.model_copy(update={"limits": limits})
        extra = {name: getattr(self.policy.grants, name) for name in Grants.model_fields}
        if any(extra.values()):
            policy = policy.grant(**extra)
        for asked in self.ceiling:
            if asked.profile is not None:
                policy = policy.intersect(_found(asked.profile, find))
            policy = policy.narrow(**asked.limits)
        return policy

    def limits_named(self, name: str) -> dict[str, Any]:
        """Return the limits that a named set fixes.

        Raises:
            ConfigError: No such set.
        """
        known = sorted({*LIMITS, *self.limits})
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            raise ConfigError(
                f"policy.limits: there is no set of limits named {name!r}",
                hint=f"did you mean {close[0]!r}?" if close else f"sets of limits: {', '.join(known)}",
            )
        fixed: dict[str, Any] = {}
        for limits in (LIMITS.get(name), self.limits.get(name)):
            if limits is not None:
                fixed |= {field: getattr(limits, field) for field in limits.model_fields_set}
        return fixed


def _found(profile: str, find: Callable[[str], Policy]) -> Policy:
    try:
        return find(profile)
    except NotFoundError as error:
        raise ConfigError(f"policy.profile: {error.message}", hint=error.hint) from error


def load_config(
    config: Config | Mapping[str, Any] | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
    directory: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Return the configuration to use.

    Args:
        config: Returned as it is, or a mapping of its fields; then no file and no environment is read.
        path: The one file to read, trusted; the environment still adds to it.
        directory: Where to look for the project's file; the working directory if not given.
        environ: The process's own if not given. ``LLMSPELL_PROFILE``, ``LLMSPELL_LIMITS``, ``LLMSPELL_MODEL``,
            ``LLMSPELL_PLUGINS`` and ``LLMSPELL_BLOCK`` (comma-separated) win over files.

    Raises:
        ConfigError: Naming the file and line, the variable, or the argument, and the key.
    """
    if isinstance(config, Config):
        return config
    if config is not None:
        return _merge([Layer("config", dict(config))])
    environ = os.environ if environ is None else environ
    layers: list[Layer] = []
    if path is not None:
        layers.append(read_layer(Path(path), trusted=True))
    else:
        mine = user_file()
        if mine.is_file():
            layers.append(read_layer(mine, trusted=True))
        project = project_file(Path(directory) if directory is not None else Path.cwd())
        if project is not None and not (mine.is_file() and project.samefile(mine)):
            layers.append(read_layer(project, trusted=_is_trusted(project, layers)))
    layers += _from_environment(environ)
    return _merge(layers)


def _is_trusted(project: Path, layers: list[Layer]) -> bool:
    trusted = [path for layer in layers for path in _check(layer).trust]
    real = os.path.realpath(project)
    return any(Path(real).is_relative_to(os.path.realpath(os.path.expanduser(path))) for path in trusted)


def _from_environment(environ: Mapping[str, str]) -> list[Layer]:
    layers = []
    for name, (section, key) in {**_TEXTS, **_LISTS}.items():
        text = environ.get(name, "").strip()
        if text:
            value: Any = [part.strip() for part in text.split(",") if part.strip()] if name in _LISTS else text
            layers.append(Layer(name, {section: {key: value}}))
    return layers


def _check(layer: Layer) -> Config:
    """Validate what one source says.

    Raises:
        ConfigError: Naming the place and the key.
    """
    for key in ("ceiling", "warnings"):
        if key in layer.content:
            raise ConfigError(f"{layer.place((key,))}: there is no key {key!r}")
    try:
        return Config.model_validate(_anchored(layer))
    except ValidationError as error:
        raise _explain(error, layer) from None


def _anchored(layer: Layer) -> dict[str, Any]:
    """Let the relative paths of a file's grants start at the file's directory."""
    policy = layer.content.get("policy")
    grants = policy.get("grants") if isinstance(policy, dict) else None
    if not isinstance(policy, dict) or not isinstance(grants, dict):
        return layer.content
    moved = {"modules": [], **grants}
    for name in ("read", "write") if layer.directory is not None else ():
        if isinstance(grants.get(name), list):
            moved[name] = [
                os.path.join(str(layer.directory), os.path.expanduser(path)) if isinstance(path, str) else path
                for path in grants[name]
            ]
    return {**layer.content, "policy": {**policy, "grants": moved}}


def _merge(layers: list[Layer]) -> Config:
    merged: dict[str, Any] = {}
    ceiling: list[Ceiling] = []
    warnings: list[str] = []
    for layer in layers:
        checked = _check(layer)
        said = checked.model_dump(exclude_unset=True)
        if not layer.trusted:
            ceiling.append(_ceiling(checked, Config.model_validate(merged)))
            said, unused = _without_trust(said)
            warnings += [_not_followed(layer, path) for path in unused]
        block = (*merged.get("plugins", {}).get("block", ()), *said.get("plugins", {}).get("block", ()))
        _update(merged, said)
        if block:
            merged["plugins"]["block"] = tuple(dict.fromkeys(block))
    config = Config.model_validate(merged)
    return config.model_copy(update={"ceiling": tuple(ceiling), "warnings": tuple(warnings)})


def _ceiling(asked: Config, known: Config) -> Ceiling:
    """Settle what an untrusted file asks of the policy, so that its own sets of limits reach no further."""
    settings = asked.policy
    limits = {}
    if settings.limits is not None:
        limits = asked.model_copy(update={"limits": {**known.limits, **asked.limits}}).limits_named(settings.limits)
    return Ceiling(profile=settings.profile if "profile" in settings.model_fields_set else None, limits=limits)


def _without_trust(said: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, ...]]]:
    """Part what a file may say without trust from what is not followed; its policy is settled apart."""
    kept: dict[str, Any] = {}
    unused: list[tuple[str, ...]] = []
    for section, body in said.items():
        for key, value in body.items() if isinstance(body, dict) else [("", body)]:
            if section == "models" and key in ("default", "aliases"):
                kept.setdefault(section, {})[key] = value
            elif section != "limits" and (section, key) not in (("policy", "profile"), ("policy", "limits")):
                unused.append((section, key) if key else (section,))
    return kept, unused


def _not_followed(layer: Layer, path: tuple[str, ...]) -> str:
    return (
        f"{layer.place(path)}: {'.'.join(path)} is not followed, since the project is not trusted; to trust it, "
        f'add trust = ["{layer.directory}"] to {user_file()}'
    )


def _update(into: dict[str, Any], said: Mapping[str, Any]) -> None:
    for key, value in said.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _update(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, dict) else value


def _explain(error: ValidationError, layer: Layer) -> ConfigError:
    problem = error.errors(include_url=False)[0]
    path = problem["loc"]
    key = ".".join(str(part) for part in path)
    where = layer.place(path)
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if problem["type"] != "extra_forbidden":
        text = str(problem["msg"]).removeprefix("Value error, ")
        return ConfigError(f"{where}: {key}: {text}{more}")
    known = _keys_at(path[:-1])
    close = difflib.get_close_matches(str(path[-1]), known, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"keys here: {', '.join(known)}"
    return ConfigError(f"{where}: there is no key {key!r}{more}", hint=hint)


def _keys_at(path: tuple[int | str, ...]) -> list[str]:
    kind: Any = Config
    for part in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(part)].annotation
        else:
            kind = typing.get_args(kind)[-1]
    names = kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else ()
    return [name for name in names if name not in ("ceiling", "warnings")]
