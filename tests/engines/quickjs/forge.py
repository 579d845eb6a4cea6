"""Read hostile scripts from standard input, one a line; run each in a forked process; say how each ended.

A script of its own, run by the tests: the process must have one thread only, so that it can fork.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
import time
from typing import Any

from llmspell.engine import GuestLimits, Source
from llmspell.engine.messages import MAIN, Call, Done, Emit, Failed, Fault, Reply, Start
from llmspell_quickjs.engine import JavaScriptEngine

PATIENCE = 20.0


class Port:
    def emit(self, message: Emit) -> None:
        pass

    def ask(self, calls: list[Any], *, hears: bool = False) -> Reply:
        return answer(calls[-1])


def answer(call: Call) -> Reply:
    if call.method == "module":
        exports = [["echo", False, False], ["fetch", True, False], ["fail", False, False], ["big", False, False]]
        return Reply(call.id, {"kind": "bridge", "name": call.args[0], "exports": exports})
    if call.method == "fail":
        return Reply(call.id, None, Fault("failed", "no"))
    if call.method == "big":
        return Reply(call.id, [10**400, "\ud800", -(10**400)])
    return Reply(call.id, call.args[0] if call.args else None)


def live(engine: JavaScriptEngine, case: dict[str, Any]) -> dict[str, Any]:
    guest = engine.open(GuestLimits(memory=case["memory"]), Port())
    timer = threading.Timer(case["deadline"], guest.interrupt, ("deadline",))
    timer.daemon = True
    timer.start()
    said: list[Any] = guest.step(Start(Source(case["text"], "hostile.js", "javascript"), bridges=("kit",)))
    try:
        while True:
            calls = [word for word in said if isinstance(word, Call)]
            for word in said:
                if isinstance(word, Done) and word.id == MAIN:
                    return {"kind": "done", "message": type(word.values[0]).__name__}
                if isinstance(word, Failed) and word.id == MAIN:
                    failure = word.failure
                    kind = f"{failure.kind}:{failure.limit}" if failure.limit else failure.kind
                    return {"kind": kind, "message": failure.message[:500]}
            if not calls:
                return {"kind": "stuck", "message": ""}
            said = [word for call in calls for word in guest.step(answer(call))]
    finally:
        timer.cancel()
        guest.close()


def serve(engine: JavaScriptEngine, case: dict[str, Any]) -> dict[str, Any]:
    reading, writing = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.write(writing, json.dumps(live(engine, case)).encode())
        os._exit(0)
    os.close(writing)
    data = b""
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, began + PATIENCE - time.monotonic()))
        if not ready:
            os.kill(child, signal.SIGKILL)
            break
        part = os.read(reading, 65536)
        if not part:
            break
        data += part
    os.close(reading)
    _, status = os.waitpid(child, 0)
    told = json.loads(data) if data else {"kind": "nothing", "message": ""}
    return {**told, "status": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - began}


if __name__ == "__main__":
    shared = JavaScriptEngine(spares=0)
    for line in sys.stdin:
        print(json.dumps(serve(shared, json.loads(line))), flush=True)
