"""What to use here instead of what authors know from browsers, Node and Deno."""

from __future__ import annotations

import re

_UNDEFINED = re.compile(r"^'?([\w$]+)'? is not defined$")

_INSTEAD = {
    "fetch": "requests are made by the bridge http: await http.get(url)",
    "XMLHttpRequest": "requests are made by the bridge http: await http.get(url)",
    "process": "what a spell is given stands in the global params; there is no process to reach",
    "Buffer": "bytes are a Uint8Array here; it has toBase64() and toHex(), and TextEncoder makes one of a text",
    "setImmediate": "use queueMicrotask(f), or setTimeout(f, 0)",
    "global": "the global object is globalThis",
    "window": "the global object is globalThis",
    "self": "the global object is globalThis",
    "document": "there is no page here; text goes out by console.log",
    "alert": "text goes out by console.log",
    "prompt": "a spell is given its input as params",
    "localStorage": "what is to be kept goes to the bridge state",
    "sessionStorage": "what is to be kept goes to the bridge state",
    "__dirname": "paths are relative to the spell's own directory",
    "__filename": "the file's own name is import.meta.url",
    "Deno": "what touches the world is reached by bridges, such as fs and http",
    "Bun": "what touches the world is reached by bridges, such as fs and http",
    "AbortController": "a task can be cancelled: const task = async.spawn(f); task.cancel()",
    "Worker": "tasks run side by side where they wait for the host: async.spawn(f)",
    "Intl": "quickjs-ng has no Intl; format numbers and dates with their own methods",
}
_SCHEMES = ("node:", "npm:", "jsr:", "bun:", "http://", "https://")


def for_error(name: str, message: str) -> str:
    """Return what to do about an error, ``""`` if nothing is known.

    Example:
        >>> for_error("ReferenceError", "fetch is not defined")
        'requests are made by the bridge http: await http.get(url)'
    """
    found = _UNDEFINED.match(message) if name == "ReferenceError" else None
    return _INSTEAD.get(found[1], "") if found is not None else ""


def for_module(name: str) -> str:
    """Return what to do about a module that is not found, ``""`` if nothing is known."""
    if name.startswith(_SCHEMES):
        return "modules are bridges, such as fs and http, and files of the spell's own directory: './lib.js'"
    return ""
