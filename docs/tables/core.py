"""What the core has: errors, limits, grants, messages, commands, settings, parameters, hooks."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, get_type_hints

from tables.markup import attributes_of, first_sentence, plain, table


def errors() -> str:
    from llmspell import errors as tree

    def walk(kind: type, depth: int) -> Iterator[tuple[str, ...]]:
        bases = [base for base in kind.__mro__[1:] if issubclass(base, tree.LlmspellError)]
        shown = f"{'&emsp;' * depth}`{kind.__name__}`"
        yield shown, f"`{kind.code}`", str(kind.exit_code), _told_in_tree(kind.__name__, bases)
        for child in kind.__subclasses__():
            if child.__module__ == tree.__name__:
                yield from walk(child, depth + 1)

    return table(("class", "code", "exit code", "meaning"), list(walk(tree.LlmspellError, 0)))


def _told_in_tree(name: str, bases: list[type]) -> str:
    from llmspell import errors as tree

    line = next((line for line in (tree.__doc__ or "").splitlines() if re.search(rf"\b{name}\b", line)), "")
    told = line.partition(name)[2].strip()
    if told:
        return told
    doc = getattr(tree, name).__doc__
    return first_sentence(getattr(tree, name)) if doc and all(doc != base.__doc__ for base in bases) else ""


def exit_codes() -> str:
    from llmspell import errors as tree

    words = {
        0: "it went well",
        1: "a general failure",
        2: "the command line makes no sense",
        3: "the configuration is wrong",
        4: "the script failed",
        5: "the engine is missing or crashed",
        6: "the policy forbids it, or cannot be enforced",
        7: "the network failed",
        8: "the time is up",
        9: "a limit was reached",
        10: "a value or parameter does not fit",
        11: "a plugin is missing or broken",
        12: "a file cannot be read or written",
        130: "interrupted",
    }
    rows = []
    for code, meaning in words.items():
        names = [f"`{name}`" for name in tree.__all__ if getattr(getattr(tree, name), "exit_code", None) == code]
        rows.append((str(code), meaning, ", ".join(sorted(names))))
    return table(("code", "meaning", "errors"), rows)


def limits() -> str:
    from llmspell import Policy
    from llmspell.fields import names_of
    from llmspell.policy import Limits

    told = attributes_of(Limits)
    policies = [
        Policy.profile("sandbox"), Policy.profile("development"), Policy.profile("production"), Policy.standard(),
        Policy.strict(), Policy.minimal(),
    ]  # fmt: skip
    rows = [
        (f"`{name}`", told[name], *(_amount(name, getattr(policy.limits, name)) for policy in policies))
        for name in names_of(Limits)
    ]
    return table(("limit", "meaning", *(f"`{policy.name}`" for policy in policies)), rows)


_BYTES = frozenset({"memory", "output", "result", "error", "value_bytes"})


def _amount(name: str, value: float | None) -> str:
    if value is None:
        return "none"
    if name in _BYTES and value % 1024 == 0:
        for unit, size in (("MB", 1024 * 1024), ("KB", 1024)):
            if value % size == 0:
                return f"{value // size:g} {unit}"
    return f"{value:,g}" if isinstance(value, float) else f"{value:,}"


def grants() -> str:
    from llmspell import Policy
    from llmspell.fields import names_of
    from llmspell.policy import Grants

    told = attributes_of(Grants)
    names = ("sandbox", "development", "production")
    rows = []
    for name in names_of(Grants):
        given = [_given(name, getattr(Policy.profile(profile).grants, name)) for profile in names]
        rows.append((f"`{name}`", told[name], *given))
    return table(("grant", "meaning", *(f"`{name}`" for name in names)), rows)


def _given(name: str, patterns: frozenset[str]) -> str:
    if not patterns:
        return "nothing"
    if name in ("read", "write"):
        return "the working directory"
    if len(patterns) > 3:
        return f"{len(patterns)} that reach nothing of the world by themselves"
    return ", ".join(f"`{pattern}`" for pattern in sorted(patterns))


def sandbox_bridges() -> str:
    from llmspell.policy.policy import PURE_BRIDGES

    return ", ".join(f"`{name}`" for name in sorted(PURE_BRIDGES)) + "\n"


def messages() -> str:
    from llmspell.engine import messages as words

    parts = []
    for title, names in (
        ("The host says", ("Start", "Reply", "Invoke", "Cancel")),
        ("The guest says", ("Call", "Emit", "Done", "Failed")),
        ("They are made of", ("Source", "Fault", "Failure", "FrameInfo")),
    ):
        parts.append(f"\n### {title}\n")
        parts += [_message(getattr(words, name)) for name in names]
    return "".join(parts)


def _message(kind: Any) -> str:
    told = attributes_of(kind)
    fields = [(f"`{name}`", f"`{_annotation(kind, name)}`", told.get(name, "")) for name in kind.__struct_fields__]
    return f"\n**`{kind.__name__}`**: {first_sentence(kind)}\n\n" + table(("field", "type", "meaning"), fields)


def _annotation(kind: Any, name: str) -> str:
    return str(kind.__annotations__[name])


def commands() -> str:
    import click

    from llmspell.cli.app import cli

    top = click.Context(cli, info_name="llmspell", **cli.context_settings)
    parts = [_command(cli, top)]

    def walk(group: Any, context: click.Context) -> None:
        for name in group.lazy:
            command = group.get_command(context, name)
            inner = click.Context(command, context, info_name=name)
            parts.append(_command(command, inner))
            if isinstance(command, click.Group):
                walk(command, inner)

    walk(cli, top)
    return "".join(parts)


def _command(command: Any, context: Any) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    about = inspect.cleandoc(command.help or "")
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            rows.append((f"`{record[0]}`", record[1]))
    options = "\n" + table(("option", "meaning"), rows) if rows else ""
    return f"\n### `{context.command_path}`\n\n```text\n{usage}\n```\n\n{about}\n{options}"


def settings() -> str:
    """Tell what the configuration file may hold."""
    from llmspell.fields import names_of
    from llmspell.host.config import Config

    rows: list[tuple[str, ...]] = []

    def walk(kind: Any, prefix: str) -> None:
        told = attributes_of(kind)
        hints = get_type_hints(kind)
        for name in names_of(kind):
            inner = hints[name]
            if name in ("ceiling", "warnings"):
                continue
            if is_dataclass(inner) and inner.__module__.endswith(".config"):
                walk(inner, f"{prefix}{name}.")
            else:
                rows.append((f"`{prefix}{name}`", told.get(name, "")))

    walk(Config, "")
    return table(("key", "meaning"), rows)


def parameter_types() -> str:
    rows = [
        ("`string`", "the text as it is", "a text"),
        ("`integer`", "decimal digits", "an integer"),
        ("`number`", "an integer, or a decimal number such as `1.5` or `1e3`", "a number"),
        ("`boolean`", "`true`, `yes`, `on`, `1`, `false`, `no`, `off`, `0`", "a boolean"),
        ("`file`", "a path of a file that exists; **grants reading it**", "the path"),
        ("`dir`", "a path of a directory that exists; **grants reading it and all below it**", "the path"),
        ("`list`", "a JSON array, or texts separated by commas; may be given more than once", "a list"),
        ("`json`", "any JSON", "what it says"),
    ]
    from typing import get_args

    from llmspell.spell import ParameterType

    assert {row[0].strip("`") for row in rows} == set(get_args(ParameterType))
    return table(("type", "on the command line", "the script gets"), rows)


def hooks() -> str:
    from llmspell.host.hookspecs import LlmspellSpecs

    rows = []
    for name, hook in vars(LlmspellSpecs).items():
        if name.startswith("llmspell_"):
            signature = inspect.signature(hook)
            given = ", ".join(f"{p.name}: {p.annotation}" for p in list(signature.parameters.values())[1:])
            rows.append((f"`{name}({given})`", f"`{signature.return_annotation}`", plain(inspect.getdoc(hook) or "")))
    return table(("hook", "returns", "what it does"), rows)
