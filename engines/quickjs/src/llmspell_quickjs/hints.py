"""What to use here instead of what authors know from browsers, Node, Deno and Bun."""

from __future__ import annotations

import re

_HTTP = "requests are made by the bridge http: await http.get(url)"
_FS = "files are read and written by the bridge fs: fs.read(path), fs.write(path, text)"
_LLM = "models are asked by the bridge llm: await llm.complete(text)"
_BYTES = "bytes are a Uint8Array here; it has toBase64() and toHex(), and TextEncoder makes one of a text"
_GLOBAL = "the global object is globalThis"
_STATE = "what is to be kept goes to the bridge state"
_WORLD = "what touches the world is reached by bridges, such as fs and http"
_CANCEL = "a task can be cancelled: const task = async.spawn(f); task.cancel()"
_TASKS = "tasks run side by side where they wait for the host: async.spawn(f)"
_CHANNEL = "values go from task to task by a channel: import channel from 'channel'"
_EVENTS = "the bridge events has listeners: events.on(name, f)"
_PARAMS = "what a spell is given stands in the global params; there is no process to reach"
_PAGE = "there is no page here; text goes out by console.log"
_ASK = "the person at the terminal is asked by the bridge terminal, if the policy grants it"
_SOON = "use queueMicrotask(f), or setTimeout(f, 0)"
_PLACE = "the file's own place is import.meta.dirname and import.meta.filename"
_TEST = "tests are written with the bridge testing"

_GLOBALS = {
    "http": "the bridge http has to be granted, and the hosts: --allow-bridge http --allow-net HOST",
    **{name: f"the bridge {name} has to be granted: --allow-bridge {name}" for name in ("auth", "machine", "os")},
    "fetch": _HTTP,
    "XMLHttpRequest": _HTTP,
    "Headers": _HTTP,
    "Request": _HTTP,
    "Response": _HTTP,
    "FormData": _HTTP,
    "WebSocket": _HTTP,
    "EventSource": _HTTP,
    "process": _PARAMS,
    "Buffer": _BYTES,
    "Blob": _BYTES,
    "File": _BYTES,
    "setImmediate": _SOON,
    "requestAnimationFrame": _SOON,
    "global": _GLOBAL,
    "window": _GLOBAL,
    "self": _GLOBAL,
    "document": _PAGE,
    "navigator": _PAGE,
    "location": _PAGE,
    "alert": "text goes out by console.log",
    "print": "text goes out by console.log",
    "prompt": "a spell is given its input as params; " + _ASK,
    "confirm": _ASK,
    "localStorage": _STATE,
    "sessionStorage": _STATE,
    "indexedDB": _STATE,
    "caches": _STATE,
    "__dirname": _PLACE,
    "__filename": _PLACE,
    "Deno": _WORLD,
    "Bun": _WORLD,
    "std": _WORLD,
    "AbortController": _CANCEL,
    "AbortSignal": _CANCEL,
    "Event": _EVENTS,
    "EventTarget": _EVENTS,
    "EventEmitter": _EVENTS,
    "CustomEvent": _EVENTS,
    "MessageChannel": _CHANNEL,
    "BroadcastChannel": _CHANNEL,
    "ReadableStream": "a stream is an async generator: async function* () { yield 1 }, read with for await",
    "TransformStream": "a stream is an async generator: async function* () { yield 1 }, read with for await",
    "Worker": _TASKS,
    "SharedArrayBuffer": "no memory is shared here; " + _CHANNEL,
    "Atomics": "no memory is shared here; " + _CHANNEL,
    "FinalizationRegistry": "close what is to be closed in finally, or with using",
    "WebAssembly": "quickjs-ng has no WebAssembly",
    "Intl": "quickjs-ng has no Intl; format numbers and dates with their own methods",
    "await": "await works in async functions and at the top level only",
    "describe": _TEST,
    "test": _TEST,
    "expect": _TEST,
}  # fmt: skip

_MODULES = {
    **dict.fromkeys(("fs", "fs/promises", "fs-extra"), _FS),
    **dict.fromkeys(("http", "https", "http2", "axios", "got", "node-fetch", "undici", "ky", "superagent"), _HTTP),
    **dict.fromkeys(("openai", "@anthropic-ai/sdk", "ai", "langchain", "@google/genai", "ollama"), _LLM),
    **dict.fromkeys(("child_process", "execa"), "programs are run by the bridge os, where the policy grants them"),
    **dict.fromkeys(("readline", "readline/promises", "prompts", "inquirer"), _ASK),
    **dict.fromkeys(("timers", "timers/promises"), "setTimeout is a global; await core.sleep(seconds) waits"),
    **dict.fromkeys(("worker_threads", "cluster"), _TASKS),
    **dict.fromkeys(("assert", "assert/strict", "test", "jest", "vitest", "mocha", "chai"), _TEST),
    **dict.fromkeys(("events", "eventemitter3"), _EVENTS),
    **dict.fromkeys(("process", "dotenv"), _PARAMS),
    "buffer": _BYTES,
    "crypto": "crypto.randomUUID() and getRandomValues() are globals; core.hash(text) makes hashes",
    "lodash": "the bridge core has merge, slugify and more, and today's arrays and objects the rest",
    "path": "a path is a text: `${folder}/${name}`",
    "url": "URL and URLSearchParams are globals",
    "util": "console.log shows values as util.inspect does, and structuredClone copies them",
    "uuid": "crypto.randomUUID() is a global",
    "zod": "schemas are checked by the bridge structured",
}

_FUNCTIONS = {
    **dict.fromkeys(("readFileSync", "readFile", "readTextFile"), "a file is read by fs.read(path)"),
    **dict.fromkeys(("writeFileSync", "writeFile", "writeTextFile"), "a file is written by fs.write(path, text)"),
    **dict.fromkeys(("readdirSync", "readdir"), "a directory is listed by fs.list(path)"),
    "appendFileSync": "fs.append(path, text) writes at a file's end",
    "existsSync": "fs.exists(path) tells whether there is something",
    "mkdirSync": "fs.mkdir(path) makes a directory",
    "statSync": "fs.stat(path) tells of a file",
    "unlinkSync": "fs.remove(path) removes a file",
}  # fmt: skip

_PATTERNS = (
    ("ReferenceError", re.compile(r"^'?([\w$]+)'? is not defined$"), _GLOBALS),
    ("BridgeError", re.compile(r"^\w+ has no function '(\w+)'"), _FUNCTIONS),
    ("SyntaxError", re.compile(r"^'(?:node:)?fs' has no export '(\w+)'"), _FUNCTIONS),
    ("TypeError", re.compile(r"^cannot read property '(digest|encrypt|decrypt|sign|importKey)' of undefined$"),
     dict.fromkeys(("digest", "encrypt", "decrypt", "sign", "importKey"),
                   "there is no crypto.subtle; core.hash(text) makes hashes")),
)  # fmt: skip

_SCHEMES = re.compile(r"^(?:node|npm|jsr|bun):|^https?://")
_ELSEWHERE = "modules are bridges, such as fs and http, and files of the spell's own directory: './lib.js'"


def for_error(name: str, message: str) -> str:
    """Return what to do about an error, ``""`` if nothing is known.

    Example:
        >>> for_error("ReferenceError", "fetch is not defined")
        'requests are made by the bridge http: await http.get(url)'
    """
    for kind, pattern, instead in _PATTERNS:
        found = pattern.match(message) if name == kind else None
        if found is not None:
            return instead.get(found[1], "")
    return ""


def for_module(name: str) -> str:
    """Return what to do about a module that is not found, ``""`` if nothing is known.

    Example:
        >>> for_module("node:path")
        'a path is a text: `${folder}/${name}`'
    """
    if name.startswith((".", "/")):
        return ""
    return _MODULES.get(_SCHEMES.sub("", name, count=1), _ELSEWHERE)
