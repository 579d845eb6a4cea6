"""Configuration: the user's file, the project's file, the environment and arguments, in this order."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import Annotated, Any

from llmspell.errors import ConfigError, NotFoundError
from llmspell.fields import FieldError, SomeOf, names_of, read, settle
from llmspell.host.config_files import Layer, project_file, read_layer, user_file
from llmspell.policy import Grants, Limits, Policy
from llmspell.policy.policy import NOTHING

_MB = 1024 * 1024
LIMITS: dict[str, dict[str, Any]] = {
    "strict": {
        "time": 10.0, "memory": 32 * _MB, "output": _MB, "result": 4 * _MB, "calls": 10_000, "concurrent_calls": 100,
        "tasks": 1_000,
    },
    "normal": {
        "time": 30.0, "memory": 64 * _MB, "output": 8 * _MB, "result": 16 * _MB, "calls": 100_000,
        "concurrent_calls": 1_000, "tasks": 10_000,
    },
    "relaxed": {
        "time": 600.0, "memory": 1024 * _MB, "output": 64 * _MB, "result": 128 * _MB, "calls": 1_000_000,
        "concurrent_calls": 10_000, "tasks": 100_000,
    },
}  # fmt: skip
"""Named sets of limits, for ``[policy] limits = "..."``; ``[limits.NAME]`` changes or adds one."""

LimitSet = Annotated[dict[str, Any], SomeOf(Limits)]
"""Some limits by name, and nothing said of the others."""

_LISTS = {"LLMSPELL_PLUGINS": ("plugins", "allow"), "LLMSPELL_BLOCK": ("plugins", "block")}
_TEXTS = {
    "LLMSPELL_PROFILE": ("policy", "profile"),
    "LLMSPELL_LIMITS": ("policy", "limits"),
    "LLMSPELL_MODEL": ("models", "default"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSettings:
    """Which plugins are used.

    Attributes:
        allow: Names of plugins or distributions; None for all that are installed.
        block: Names never to load. Files add to each other's.
        prefer: Settles conflicts: ``"engine:lua" = "llmspell-lua"``.
    """

    allow: tuple[str, ...] | None = None
    block: tuple[str, ...] = ()
    prefer: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settle(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """The policy of runs that are not given one.

    Attributes:
        profile: ``sandbox``, ``development``, ``production``, or a plugin's.
        limits: ``strict``, ``normal``, ``relaxed``, or one of ``[limits.NAME]``; replaces the profile's.
        grants: What is granted beyond the profile. Relative paths start at the file's directory.
    """

    profile: str = "sandbox"
    limits: str | None = None
    grants: Grants = NOTHING

    def __post_init__(self) -> None:
        settle(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Models by name.

    Attributes:
        default: What ``llm`` uses when a spell names none.
        aliases: Short names.
        providers: Settings of each provider, e.g. ``base_url``.
    """

    default: str | None = None
    aliases: dict[str, str] = field(default_factory=dict)
    providers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settle(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """What a file that is not trusted asks of the policy: taken where it is tighter, and only there."""

    profile: str | None = None
    limits: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
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
    limits: dict[str, LimitSet] = field(default_factory=dict)
    bridges: dict[str, dict[str, Any]] = field(default_factory=dict)
    engines: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: ModelSettings = ModelSettings()
    trust: tuple[str, ...] = ()
    ceiling: tuple[Ceiling, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        settle(self)

    def default_policy(self, find: Callable[[str], Policy] = Policy.profile) -> Policy:
        """Return the policy of runs that are not given one.

        Args:
            find: Turns a profile's name into a policy; a host's also knows those of plugins.

        Raises:
            ConfigError: No such profile or set of limits.
        """
        policy = _found(self.policy.profile, find)
        if self.policy.limits is not None:
            limits = dataclasses.replace(policy.limits, **self.limits_named(self.policy.limits))
            policy = dataclasses.replace(policy, limits=limits)
        extra = {name: getattr(self.policy.grants, name) for name in names_of(Grants)}
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
        return LIMITS.get(name, {}) | self.limits.get(name, {})


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
        return read(Config, _anchored(layer))
    except FieldError as error:
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
        said = _said(checked, _anchored(layer))
        if not layer.trusted:
            says_profile = "profile" in said.get("policy", {})
            ceiling.append(_ceiling(checked, read(Config, merged), says_profile=says_profile))
            said, unused = _without_trust(said)
            warnings += [_not_followed(layer, path) for path in unused]
        block = (*merged.get("plugins", {}).get("block", ()), *said.get("plugins", {}).get("block", ()))
        _update(merged, said)
        if block:
            merged["plugins"]["block"] = tuple(dict.fromkeys(block))
    return dataclasses.replace(read(Config, merged), ceiling=tuple(ceiling), warnings=tuple(warnings))


def _said(checked: Any, given: Any) -> Any:
    """Return what a layer says in the form it was checked to, and nothing that it does not say."""
    if is_dataclass(checked) and isinstance(given, Mapping):
        return {name: _said(getattr(checked, name), given[name]) for name in given}
    return checked


def _ceiling(asked: Config, known: Config, *, says_profile: bool) -> Ceiling:
    """Settle what an untrusted file asks of the policy, so that its own sets of limits reach no further."""
    settings = asked.policy
    limits = {}
    if settings.limits is not None:
        limits = dataclasses.replace(asked, limits={**known.limits, **asked.limits}).limits_named(settings.limits)
    return Ceiling(profile=settings.profile if says_profile else None, limits=limits)


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


def _explain(error: FieldError, layer: Layer) -> ConfigError:
    problem = error.problems[0]
    where = layer.place(problem.path)
    more = f" (and {len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
    if problem.known:
        return ConfigError(f"{where}: there is no key {problem.key!r}{more}", hint=problem.hint)
    return ConfigError(f"{where}: {problem.key}: {problem.text}{more}", hint=problem.hint)
