"""A process that calls every export with hostile arguments and nothing granted, and tells what it touched.

An audit hook of Python sees every file, socket, name look-up and program, whoever asks for it. It cannot be removed.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from llmspell import Grants, Host, LlmspellError, Policy
from llmspell.bridge import exports_of
from llmspell.bridge.registry import load_factory

# The names of time zones are looked up in Python's own data base, which refuses to leave it.
EVENTS = {
    "open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.link",
    "os.symlink", "os.truncate", "os.utime", "os.putenv", "socket.connect", "socket.getaddrinfo",
    "socket.gethostbyname", "socket.bind", "socket.sendto", "subprocess.Popen", "os.system", "os.exec",
    "os.posix_spawn", "os.fork", "os.startfile", "sqlite3.connect", "ftplib.connect", "smtplib.connect",
    "urllib.Request", "http.client.connect", "webbrowser.open", "shutil.rmtree", "shutil.copyfile", "shutil.move",
    "glob.glob",
}  # fmt: skip
RUNS_MODELS = {"local"}
"""Plugins whose exports compute for minutes, with files and addresses of their own."""

PROBE = """
local module = require(params.bridge)
local method = module[params.method]
local tried = 0
local function try(...) tried = tried + 1; pcall(method, ...) end
for _, value in ipairs(params.values) do
  try(value)
  try(value, value)
  try(value, value, value)
  try({ value })
  local named = {}
  for _, name in ipairs(params.names) do named[name] = value end
  try(named)
  try(value, named)
  for _, name in ipairs(params.names) do try({ [name] = value }) end
end
return tried
"""
NAMES = [
    "address", "args", "base_url", "command", "cwd", "database", "dest", "destination", "directory", "endpoint", "feed",
    "file", "filename", "from", "host", "href", "input", "location", "model", "name", "output", "path", "pattern",
    "program", "provider", "root", "schema", "server", "source", "target", "template", "to", "uri", "url",
]  # fmt: skip


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    marks: list[str] = asked["marks"]
    touched: list[str] = []
    now = threading.local()
    calling = [""]

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event not in EVENTS or getattr(now, "inside", False):
            return
        now.inside = True
        try:
            told = repr(args)
            if any(mark in told for mark in marks) and "/zoneinfo/" not in told.replace("\\", "/"):
                touched.append(f"{calling[0]}: {event} {told[:200]}")
        finally:
            now.inside = False

    tried = 0
    sys.addaudithook(hook)
    policy = Policy(level="minimal", grants=Grants(bridges=frozenset({"*"})))
    with Host(config={}, environ={}, block=RUNS_MODELS) as host:
        names = sorted(asked["bridges"] or host.bridges.names)
        for bridge in names:
            exports = sorted(exports_of(load_factory(host.bridge_registry.get(bridge).factory, bridge)))
            for method in exports:
                calling[0] = f"{bridge}.{method}"
                with host.session(policy.narrow(time=asked["seconds"])) as session:
                    try:
                        params = {"bridge": bridge, "method": method, "values": asked["values"], "names": NAMES}
                        tried += session.eval("lua", PROBE, params).value
                    except LlmspellError as error:
                        print(f"{calling[0]}: {type(error).__name__}: {error}"[:200], file=sys.stderr)
    print(json.dumps({"bridges": names, "tried": tried, "touched": touched}))


if __name__ == "__main__":
    main()
