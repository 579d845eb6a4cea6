"""Write the tables of the reference from the code: ``python docs/generate.py`` (``--check`` only compares).

In a document, what stands between ``<!-- generated: NAME -->`` and ``<!-- end -->`` belongs to this program.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

DOCS = Path(__file__).resolve().parent
_PART = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Lay out a Markdown table."""
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def attributes_of(thing: Any) -> dict[str, str]:
    """Read the ``Attributes:`` section of a docstring."""
    doc = inspect.getdoc(thing) or ""
    _, found, rest = doc.partition("Attributes:\n")
    told: dict[str, str] = {}
    name = ""
    for line in rest.splitlines() if found else ():
        if line and not line.startswith(" "):
            break
        if match := re.fullmatch(r"    (\S[^:]*): (.*)", line):
            name = match[1]
            told |= dict.fromkeys(re.split(r",\s*", name), match[2].strip())
        elif line.strip() and name:
            told |= {part: f"{told[part]} {line.strip()}" for part in re.split(r",\s*", name)}
    return {key: plain(text) for key, text in told.items()}


def plain(text: str) -> str:
    """Turn docstring markup into Markdown."""
    text = re.sub(r":\w+:`~?([^`]+)`", lambda found: f"`{found[1].rpartition('.')[2]}`", text)
    return text.replace("``", "`")


def first_sentence(thing: Any) -> str:
    return plain(" ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split()))


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

    top = click.Context(cli, info_name="llmspell")
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


def built_in_tools() -> str:
    """Tell every built-in tool, category by category."""
    from llmspell.bridge import exports_of
    from llmspell_llm.tools.derived import input_of, text_of
    from llmspell_toolbox.bridge import MachineBridge, ToolboxBridge
    from llmspell_toolbox.declare import tools_of

    found: dict[str, list[str]] = {}
    for kind in (ToolboxBridge, MachineBridge):
        for name, category, details in tools_of(kind):
            export = exports_of(kind)[name]
            found.setdefault(category, []).append(_tool(name, text_of(export.doc), input_of(export), details))
    return "".join(f"\n## {category}\n{''.join(sorted(tools))}" for category, tools in sorted(found.items()))


def _tool(name: str, said: str, schema: dict[str, Any], details: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (
            f"`{key}`",
            _kind(part),
            "required" if key in required else _default(part),
            part["description"],
        )
        for key, part in schema["properties"].items()
    ]
    needs = ", ".join(details["permissions"])
    notes = [
        f"Needs: {needs}." if needs else "",
        *(f"{each[:1].upper()}{each[1:]}." for each in details["constraints"]),
    ]
    example = json.dumps(details["examples"][0]["parameters"], ensure_ascii=False)
    return (
        f"\n### `{name}`\n\n{said} {' '.join(note for note in notes if note)}".rstrip()
        + f"\n\n{table(('parameter', 'type', 'default', 'meaning'), rows)}\n```json\n{example}\n```\n"
    )


def _default(part: dict[str, Any]) -> str:
    return "" if part.get("default") is None else f"`{json.dumps(part['default'])}`"


def _kind(part: dict[str, Any]) -> str:
    if "anyOf" in part:
        return " or ".join(dict.fromkeys(_kind(each) for each in part["anyOf"] if each.get("type") != "null"))
    if "enum" in part:
        return " or ".join(f"`{value}`" for value in part["enum"])
    return {"object": "table", "array": "list", "string": "text"}.get(part.get("type", ""), part.get("type", "any"))


def tengo_builtins() -> str:
    from llmspell_tengo.stdlib.catalogue import BUILTINS, catalogue

    return _functions(catalogue()[BUILTINS])


def tengo_modules() -> str:
    from llmspell_tengo.stdlib.catalogue import BUILTINS, catalogue

    parts = []
    for module, functions in catalogue().items():
        if module != BUILTINS:
            parts.append(f"\n### `{module}`\n\n{_functions(functions)}")
            if constants := _tengo_constants(module):
                parts.append(f"\nConstants: {', '.join(constants)}.\n")
    return "".join(parts)


def _functions(functions: Any) -> str:
    rows = [(f"`{function.signature}`", function.meaning) for function in functions.values()]
    return table(("function", "what it does"), rows)


def _tengo_constants(module: str) -> list[str]:
    from llmspell_tengo.machine.parts import STANDARD, source
    from llmspell_tengo.machine.vm import LuaVM

    if module == "os":
        found = re.search(r"^local constants = \{\n(.*?)^\}", source("os.lua").decode(), re.MULTILINE | re.DOTALL)
        assert found is not None
        names = [*re.findall(r"^  (\w+) = ", found[1], re.MULTILINE), "platform", "arch"]
        return [f"`{name}`" for name in sorted(names)]
    if module not in STANDARD:
        return []
    vm = LuaVM()
    vm.require(module)
    shown = []
    for name, value in vm.table[b"members"][module.encode()].items():
        if isinstance(value, bytes):
            shown.append(f'`{name.decode()}` = `"{value.decode()}"`')
        elif isinstance(value, int | float):
            shown.append(f"`{name.decode()}` = {value!r}")
    return sorted(shown)


def conversions() -> str:
    """Show what Python objects become, by converting one of each."""
    import datetime
    import decimal
    import enum
    import pathlib
    import uuid
    from collections import namedtuple

    from llmspell.values import ValueConverter

    Point = namedtuple("Point", "east north")

    class Colour(enum.Enum):
        RED = "red"

    samples = [
        ("a named tuple, a dataclass, a pydantic model", "Point(1, 2)", Point(1, 2)),
        ("an enum", "Colour.RED", Colour.RED),
        ("a date, time or both", "date(2026, 1, 31)", datetime.date(2026, 1, 31)),
        ("a duration, in seconds", "timedelta(minutes=1.5)", datetime.timedelta(minutes=1.5)),
        ("a decimal", 'Decimal("1.10")', decimal.Decimal("1.10")),
        ("a UUID", "UUID(int=1)", uuid.UUID(int=1)),
        ("a path", 'Path("a", "b")', pathlib.PurePosixPath("a", "b")),
        ("a set", "{3, 1, 2}", {3, 1, 2}),
        ("a tuple or other sequence", "(1, 2)", (1, 2)),
        ("a mapping; keys become texts", '{1: "a"}', {1: "a"}),
        ("bytes of every kind", 'bytearray(b"\\xff")', bytearray(b"\xff")),
    ]
    convert = ValueConverter().to_value
    rows = [(f"{what}: `{shown}`", f"`{convert(item)!r}`") for what, shown, item in samples]
    return table(("Python", "value"), rows)


def deviations() -> str:
    from llmspell.testing.matrix import deviations_table

    return deviations_table().replace("|---|---|---|---|", "| --- | --- | --- | --- |") + "\n"


def conformance() -> str:
    from llmspell.testing.cases import load_cases

    def holds(case: Any, language: str) -> str:
        if language not in case.sources:
            return "–"
        return "differs" if language in case.deviations else "yes"

    cases = load_cases()
    languages = ("lua", "javascript", "tengo")
    total = tuple(str(sum(language in case.sources for case in cases)) for language in languages)
    rows = [(f"`{case.id}`", case.what, *(holds(case, language) for language in languages)) for case in cases]
    return table(("case", "what holds", *languages), [*rows, ("", "**cases**", *total)])


def hooks() -> str:
    from llmspell.host.hookspecs import LlmspellSpecs

    rows = []
    for name, hook in vars(LlmspellSpecs).items():
        if name.startswith("llmspell_"):
            signature = inspect.signature(hook)
            given = ", ".join(f"{p.name}: {p.annotation}" for p in list(signature.parameters.values())[1:])
            rows.append((f"`{name}({given})`", f"`{signature.return_annotation}`", plain(inspect.getdoc(hook) or "")))
    return table(("hook", "returns", "what it does"), rows)


def provider_kinds() -> str:
    from llmspell_llm.providers import BUILT_IN
    from llmspell_local.provider import LOCAL

    rows = []
    for kind in sorted((*BUILT_IN, LOCAL), key=lambda kind: (kind.rank is None, kind.rank, kind.name)):
        settings = ["api_key", "base_url", *(kind.options or ())]
        shown = [
            _setting(kind, name) for name in settings if kind.variables(name) or name not in ("api_key", "base_url")
        ]
        names = ", ".join(f"`{name}`" for name in (kind.name, *kind.aliases))
        default = f"`{kind.default_model}`" if kind.default_model else "the first it lists"
        rows.append(
            (names, kind.title, "<br>".join(shown), default, "yes" if kind.rank is not None else "by name only")
        )
    return table(("kind", "what", "settings, and variables that hold them", "default model", "asked unnamed"), rows)


def _setting(kind: Any, name: str) -> str:
    needed = " (needed)" if name in kind.needs else " (one of these is needed)" if name in kind.either else ""
    variables = ", ".join(f"`{variable}`" for variable in kind.variables(name))
    return f"`{name}`{needed}" + (f": {variables}" if variables else "")


def question_options() -> str:
    from llmspell_llm.bridges.llm import LlmBridge

    told = {
        **_arguments_of(LlmBridge.stream),
        **_arguments_of(LlmBridge.batch_process),
        **_arguments_of(LlmBridge.complete),
    }
    told.pop("prompts")
    extra = {
        "on_error": "For `stream` a function that gets `{code, message}` instead of an error being raised; for "
        "`batch_process` `raise` (the first failure ends everything) or `collect` (`{ok, value, error}` for each).",
        "top_p": "Share of the probability mass that is considered.",
        "presence_penalty": "-2 to 2; higher for new subjects.",
        "frequency_penalty": "-2 to 2; higher for fewer repetitions.",
    }
    return table(("option", "meaning"), [(f"`{name}`", text) for name, text in sorted({**told, **extra}.items())])


def _arguments_of(function: Any) -> dict[str, str]:
    """Read the ``Args:`` section of a docstring."""

    class Told:
        pass

    doc = inspect.getdoc(function) or ""
    Told.__doc__ = "Told.\n\nAttributes:\n" + doc.partition("Args:\n")[2] + "\n\nEnd."
    return attributes_of(Told)


def pool_settings() -> str:
    from dataclasses import fields

    from llmspell_llm.pool import PoolSettings

    told = attributes_of(PoolSettings)
    rows = [(f"`{each.name}`", told[each.name], f"{each.default}".lower()) for each in fields(PoolSettings)]
    return table(("setting", "meaning", "default"), rows)


def model_errors() -> str:
    from llmspell_llm import errors as ours

    kinds = [getattr(ours, name) for name in ours.__all__]
    rows = [
        (f"`{kind.code}`", first_sentence(kind), "yes" if kind.transient else "no")
        for kind in sorted(kinds, key=lambda kind: kind.code)
    ]
    return table(("code", "meaning", "may pass"), rows)


PARTS: dict[str, Callable[[], str]] = {
    "built-in-tools": built_in_tools,
    "commands": commands,
    "conformance": conformance,
    "conversions": conversions,
    "deviations": deviations,
    "errors": errors,
    "exit-codes": exit_codes,
    "grants": grants,
    "hooks": hooks,
    "limits": limits,
    "messages": messages,
    "model-errors": model_errors,
    "parameter-types": parameter_types,
    "pool-settings": pool_settings,
    "provider-kinds": provider_kinds,
    "question-options": question_options,
    "sandbox-bridges": sandbox_bridges,
    "settings": settings,
    "tengo-builtins": tengo_builtins,
    "tengo-modules": tengo_modules,
}


def regenerate(text: str) -> str:
    """Return a document with its generated parts written anew; parts of other names are not ours."""

    def part(found: re.Match[str]) -> str:
        write = PARTS.get(found[2])
        return found[0] if write is None else f"{found[1]}{write()}{found[3]}"

    return _PART.sub(part, text)


def main(check: bool) -> int:
    stale = []
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        fresh = regenerate(text)
        if fresh != text:
            stale.append(path)
            if not check:
                path.write_text(fresh, encoding="utf-8")
    for path in stale:
        print(f"{'stale' if check else 'written'}: {path.relative_to(DOCS.parent)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
