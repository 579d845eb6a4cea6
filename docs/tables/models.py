"""What bridges to models have: tools, providers, options of questions, settings of pools, errors."""

from __future__ import annotations

import inspect
import json
from typing import Any

from tables.markup import attributes_of, first_sentence, table


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
