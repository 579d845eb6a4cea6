"""The room of the drill: forks hardened processes on request and lets each make one attempt.

A process of its own, started isolated like a zygote. Requests come as JSON lines: the first says where to
import from, the others name an attempt and the pieces of the plan to leave out.
"""

import importlib.util
import json
import os
import signal
import socket
import sys
from types import ModuleType
from typing import Any


def load(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("attempts", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def attempt(module: ModuleType, request: dict[str, Any], setup: dict[str, Any], nested: Any, entered: Any) -> Any:
    from llmspell.runtime.hardening import Hardening, Piece, ProcessLimits, kernel
    from llmspell.runtime.hardening.apply import harden

    ours, theirs = socket.socketpair()
    alone = nested.home >= 0 and Piece.PID_NAMESPACE not in request["without"]
    pid = nested.fork() if alone else os.fork()
    if pid == 0:
        outcome: dict[str, Any] = {"refused": False, "why": "the room failed", "text": ""}
        try:
            ours.close()
            plan = Hardening.strict(ProcessLimits(memory=256 << 20, cpu=10), readable=request["readable"])
            plan = plan.without(*(Piece(name) for name in request["without"]))
            applied = harden(
                plan,
                keep=[theirs.fileno()],
                parent=0 if alone else os.getppid(),
                inherited=nested.states(entered),
            )
            applied.require(plan, "strict")
            scene = module.Scene([theirs.fileno()], setup["host"], kernel.machine().numbers)
            outcome = module.run(request["attempt"], scene)
        except BaseException as error:
            outcome["text"] = repr(error)
        os.write(theirs.fileno(), json.dumps(outcome).encode())
        os._exit(0)
    theirs.close()
    ours.settimeout(20)
    said = b""
    try:
        while part := ours.recv(65536):
            said += part
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
    ours.close()
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if said:
        return json.loads(said)
    if code == -signal.SIGSYS:
        return {"refused": True, "why": "killed", "text": "SIGSYS"}
    return {"refused": False, "why": "vanished", "text": f"ended with {code} and said nothing"}


def main() -> None:
    setup = json.loads(sys.stdin.readline())
    sys.path[:] = setup["path"]
    from llmspell.runtime.hardening.namespaces import PidNamespaces, enter

    secret = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(secret, True)
    entered = enter()
    zygote = os.fork()
    if zygote:
        os.close(0)
        os.waitpid(zygote, 0)
        return
    module = load(setup["attempts"])
    nested = PidNamespaces.probe()
    print(json.dumps([module.names(), module.WANTED_ONLY]), flush=True)
    for line in sys.stdin:
        print(json.dumps(attempt(module, json.loads(line), setup, nested, entered)), flush=True)


if __name__ == "__main__":
    main()
