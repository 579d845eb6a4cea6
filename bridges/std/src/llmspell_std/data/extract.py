"""Find JSON inside what a model wrote around it."""

from __future__ import annotations

import json
import re
from typing import Any

from llmspell.plugin import BridgeError

MAX_TEXT = 1024 * 1024
_MAX_TRIES = 200
_FENCE = re.compile(r"```[A-Za-z]*\s*\n(.*?)```", re.DOTALL)
_NOTHING = object()


def extract(text: str, *, repair: bool = True) -> Any:
    """Return the first JSON object or list in a text: in a code fence, bare, or, with ``repair``, mended.

    Raises:
        BridgeError: ``no_json``; ``too_large`` beyond a million characters.
    """
    if len(text) > MAX_TEXT:
        raise BridgeError(f"the text is longer than {MAX_TEXT:,} characters", code="too_large")
    for candidate in (*_FENCE.findall(text)[:_MAX_TRIES], text):
        found = _first(candidate)
        if found is not _NOTHING:
            return found
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    if repair and start >= 0:
        from json_repair import repair_json

        try:
            mended = repair_json(text[start:], return_objects=True, skip_json_loads=True)
        except (RecursionError, ValueError):
            mended = None
        if isinstance(mended, dict | list) and mended:
            return mended
    raise BridgeError("there is no JSON in the text", code="no_json")


def _first(text: str) -> Any:
    decoder = json.JSONDecoder()
    for tries, start in enumerate(re.finditer(r"[{\[]", text)):
        if tries >= _MAX_TRIES:
            break
        try:
            return decoder.raw_decode(text, start.start())[0]
        except (ValueError, RecursionError):
            continue
    return _NOTHING
