"""Parameters: from the command line's texts, or from Python, to what the script gets as ``params``."""

from __future__ import annotations

import difflib
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from llmspell.errors import ParameterError, UsageError
from llmspell.spell.manifest import Manifest, Parameter, mismatch, shown
from llmspell.values import instants_as_text

_INTEGER = re.compile(r"[+-]?[0-9]+")
_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def parse_assignments(manifest: Manifest, assignments: Iterable[str]) -> dict[str, Any]:
    """Read ``KEY=VALUE`` texts by the types the spell declares; undeclared ones stay texts.

    A ``list`` is a JSON array or comma-separated texts, and may be given more than once.

    Raises:
        UsageError: Not of the form, not UTF-8, or a key given twice.
        ParameterError: A value that is not of its declared type.

    Example:
        >>> declared = Manifest(parameters={"n": Parameter(type="integer")})
        >>> parse_assignments(declared, ["n=3", "who=bees=2"])
        {'n': 3, 'who': 'bees=2'}
    """
    params: dict[str, Any] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        key = key.strip()
        if not equals or not key:
            raise UsageError(f"the parameter {text!r} is not of the form KEY=VALUE", hint="e.g. -p topic=bees")
        if not _is_unicode(text):
            raise UsageError(f"the parameter {key!r} is not UTF-8 text")
        declared = manifest.parameters.get(key)
        read = value if declared is None else _from_text(key, declared, value)
        if key not in params:
            params[key] = read
        elif declared is not None and declared.type == "list":
            params[key] = params[key] + read
        else:
            raise UsageError(f"the parameter {key!r} is given twice")
    return params


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _from_text(key: str, declared: Parameter, text: str) -> Any:
    match declared.type:
        case "integer" if _INTEGER.fullmatch(text):
            return _integer(key, text)
        case "number":
            return _number(key, text)
        case "boolean" if text.lower() in _TRUTH:
            return _TRUTH[text.lower()]
        case "integer" | "boolean":
            raise _mistyped(key, declared, text)
        case "file" | "dir":
            return os.path.expanduser(text)
        case "list":
            if text.lstrip().startswith("["):
                return _json(key, text)
            return [part.strip() for part in text.split(",")] if text.strip() else []
        case "json":
            return _json(key, text)
        case _:
            return text


def _mistyped(key: str, declared: Parameter, text: str) -> ParameterError:
    wanted = (
        "true or false" if declared.type == "boolean" else f"a{'n' * (declared.type[0] in 'aeiou')} {declared.type}"
    )
    return ParameterError(f"the parameter {key!r} must be {wanted}, not {text!r}", hint=_described(declared))


def _described(declared: Parameter) -> str | None:
    return declared.description or None


def _integer(key: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:  # more digits than Python reads
        raise ParameterError(f"the parameter {key!r} is too large") from None


def _number(key: str, text: str) -> int | float:
    if _INTEGER.fullmatch(text):
        return _integer(key, text)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if "_" in text or not math.isfinite(number):
        raise ParameterError(f"the parameter {key!r} must be a number, not {text!r}")
    return number


def _json(key: str, text: str) -> Any:
    try:
        return _loads(text)
    except ValueError as error:
        raise ParameterError(f"the parameter {key!r} is not JSON: {error}") from None


def _loads(text: str) -> Any:
    """Parse JSON as its standard has it: no NaN, no unbounded nesting.

    Raises:
        ValueError: With the reason and the place.
    """

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a JSON value")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_params_file(path: str | Path) -> dict[str, Any]:
    """Read parameters from a JSON file that holds one object.

    Raises:
        UsageError: It cannot be read.
        ParameterError: It is not UTF-8, not JSON, or not an object.
    """
    try:
        raw = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"the parameters file {str(path)!r} cannot be read: {reason}") from None
    try:
        loaded = _loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ParameterError(f"the parameters file {str(path)!r} is not UTF-8 (byte {error.start})") from None
    except ValueError as error:
        raise ParameterError(f"the parameters file {str(path)!r} is not JSON: {error}") from None
    if not isinstance(loaded, dict):
        kind = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(type(loaded), "a number")
        raise ParameterError(
            f"the parameters file {str(path)!r} holds {kind}, not an object",
            hint='write {"name": value, ...}',
        )
    return loaded


def bind_params(manifest: Manifest, params: Mapping[str, Any]) -> dict[str, Any]:
    """Check parameters against what the spell declares, and fill in defaults.

    Undeclared ones pass as they are. An optional one that is neither given nor has a default is absent.

    Raises:
        ParameterError: One is missing, of the wrong type, or none of its choices.
    """
    bound: dict[str, Any] = {}
    for name, value in params.items():
        declared = manifest.parameters.get(name)
        bound[name] = value if declared is None else _fit(name, declared, value)
    for name, declared in manifest.parameters.items():
        if name in bound:
            continue
        if declared.required:
            given = [key for key in params if key not in manifest.parameters]
            raise ParameterError(
                f"the spell needs the parameter {name!r}"
                + (f": {declared.description}" if declared.description else ""),
                hint=_meant(name, given) or f"give it with -p {name}={declared.type.upper()}",
            )
        if declared.default is not None:
            bound[name] = declared.default
    return bound


def _fit(name: str, declared: Parameter, value: Any) -> Any:
    if declared.type in ("file", "dir") and isinstance(value, os.PathLike):
        value = os.fspath(value)
    elif declared.type == "list" and isinstance(value, tuple):
        value = list(value)
    elif declared.type == "string":
        value = instants_as_text(value)
    if fault := mismatch(declared.type, value):
        raise ParameterError(f"the parameter {name!r} {fault}", hint=_described(declared))
    if declared.choices and value not in declared.choices:
        close = difflib.get_close_matches(value, declared.choices, 1) if isinstance(value, str) else []
        raise ParameterError(
            f"the parameter {name!r} must be one of {shown(declared.choices)}, not {value!r}",
            hint=f"did you mean {close[0]!r}?" if close else None,
        )
    return value


def _meant(name: str, given: list[str]) -> str | None:
    close = difflib.get_close_matches(name, given, 1)
    return f"you gave {close[0]!r}; did you mean {name!r}?" if close else None


def surplus_hint(manifest: Manifest, params: Mapping[str, Any]) -> str | None:
    """Return a did-you-mean for a given name that is near a declared one, for a note; None if there is none.

    A required one that is missing is told by :func:`bind_params`.
    """
    for name in params:
        if name not in manifest.parameters:
            close = difflib.get_close_matches(name, manifest.parameters, 1)
            if close and close[0] not in params and not manifest.parameters[close[0]].required:
                return f"the spell declares no parameter {name!r}; did you mean {close[0]!r}?"
    return None


def named_paths(manifest: Manifest, params: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the paths a person named by giving parameters of type ``file`` or ``dir``.

    Naming is granting: the command line grants reading of exactly these. Pass what the person gave, never what
    a script passes to another or declares as a default.

    Raises:
        ParameterError: One does not exist, or is not what its type says.
    """
    paths: list[str] = []
    for name, declared in manifest.parameters.items():
        path = params.get(name)
        if declared.type not in ("file", "dir") or not isinstance(path, str):
            continue
        if "\0" in path or not os.path.exists(path):
            raise ParameterError(f"the parameter {name!r}: there is no {_kind(declared)} {path!r}")
        if os.path.isdir(path) != (declared.type == "dir"):
            raise ParameterError(f"the parameter {name!r}: {path!r} is not a {_kind(declared)}")
        paths.append(path)
    return tuple(paths)


def _kind(declared: Parameter) -> str:
    return "directory" if declared.type == "dir" else "file"
