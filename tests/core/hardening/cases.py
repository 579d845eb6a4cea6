"""What the tests of this room do inside children; see ``in_child``."""

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def _hardening() -> Any:
    """Gather what the cases use of the room, which its parts offer one by one."""
    from llmspell.runtime import hardening
    from llmspell.runtime.hardening import apply, namespaces

    return SimpleNamespace(
        **{name: getattr(hardening, name) for name in hardening.__all__},
        harden=apply.harden,
        enter=namespaces.enter,
        PidNamespaces=namespaces.PidNamespaces,
    )


def _harden(plan: Any, **more: Any) -> Any:
    return _hardening().harden(plan, keep=(0, 1, 2), parent=os.getppid(), **more)


def _only(piece: str, **more: Any) -> Any:
    hardening = _hardening()
    plan = hardening.Hardening(frozenset({hardening.Piece(piece)}), **more)
    applied = _harden(plan)
    applied.require(plan, "test")
    return applied


def _status() -> dict[str, str]:
    rows = (line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {name: value.strip() for name, value in rows}


def capabilities() -> Any:
    _only("capabilities")
    return {name: int(value, 16) for name, value in _status().items() if name.startswith("Cap")}


def no_new_privileges() -> Any:
    _only("no-new-privileges")
    return _status()["NoNewPrivs"]


def not_dumpable() -> Any:
    from llmspell.runtime.hardening import kernel

    before = kernel.prctl(kernel.PR_GET_DUMPABLE)
    _only("not-dumpable")
    return [before, kernel.prctl(kernel.PR_GET_DUMPABLE)]


def parent_death() -> Any:
    from llmspell.runtime.hardening import process

    _only("parent-death")
    return process.parent_death_signal()


def parent_gone() -> Any:
    hardening = _hardening()
    plan = hardening.Hardening(frozenset({hardening.Piece.PARENT_DEATH}))
    applied = hardening.harden(plan, keep=(), parent=os.getppid() + 1)
    return applied.state(hardening.Piece.PARENT_DEATH).detail


def environment() -> Any:
    before = dict(os.environ)
    _only("environment", environment=(("KEPT", "yes"),))
    return [before.get("LLMSPELL_TEST_SECRET"), dict(os.environ)]


def session() -> Any:
    _only("session")
    return [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()]


def descriptors() -> Any:
    hardening = _hardening()
    for number in (10, 57, 900):
        os.dup2(2, number)
    plan = hardening.Hardening(frozenset({hardening.Piece.DESCRIPTORS}))
    hardening.harden(plan, keep=(1, 57), parent=os.getppid())
    return {str(n): os.readlink(f"/proc/self/fd/{n}") for n in range(3000) if os.path.exists(f"/proc/self/fd/{n}")}


def limits() -> Any:
    import resource

    hardening = _hardening()
    asked = hardening.ProcessLimits(memory=64 << 20, cpu=7, file_size=0, open_files=33)
    detail = _only("limits", limits=asked).states[0].detail
    kinds = ("RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE")
    try:
        grown = len(bytearray(65 << 20))
    except MemoryError:
        grown = 0
    small = len(bytearray(32 << 20))
    return [detail, {kind: resource.getrlimit(getattr(resource, kind)) for kind in kinds}, grown, small]


def limits_under_a_lower_one() -> Any:
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))
    _only("limits", limits=_hardening().ProcessLimits(open_files=60))
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def landlock(readable: str, hidden: str) -> Any:
    hardening = _hardening()
    plan = hardening.Hardening(
        frozenset({hardening.Piece.NO_NEW_PRIVILEGES, hardening.Piece.LANDLOCK_FILES}),
        readable=(readable, readable + "/no such path"),
    )
    _harden(plan).require(plan, "test")
    got = {}
    for name, path, flags in (
        ("read inside", readable + "/file", os.O_RDONLY),
        ("write inside", readable + "/file", os.O_WRONLY),
        ("create inside", readable + "/new", os.O_WRONLY | os.O_CREAT),
        ("read outside", hidden, os.O_RDONLY),
    ):
        try:
            os.close(os.open(path, flags))
            got[name] = "opened"
        except OSError as error:
            got[name] = os.strerror(error.errno)
    return got


def landlock_network(port: int) -> Any:
    hardening = _hardening()
    plan = hardening.Hardening(frozenset({hardening.Piece.NO_NEW_PRIVILEGES, hardening.Piece.LANDLOCK_NETWORK}))
    _harden(plan).require(plan, "test")
    with socket.socket() as client:
        return os.strerror(client.connect_ex(("127.0.0.1", port)))


def own_root(folder: str) -> Any:
    """With nothing but a new root: what is there, and whether it can be written beside what is shown."""
    hardening = _hardening()
    hardening.enter()
    plan = hardening.Hardening(
        frozenset({hardening.Piece.OWN_ROOT}), readable=(folder + "/readable", folder + "/alone", folder + "/absent")
    )

    def look() -> Any:
        state = _harden(plan).states[0]
        try:
            os.mkdir(folder + "/new")
            written = "created"
        except OSError as error:
            written = os.strerror(error.errno or 0)
        return {
            "state": [state.applied, state.detail],
            "root": os.listdir("/"),
            "beside": sorted(os.listdir(folder)),
            "text": Path(folder, "readable", "file").read_text(),
            "write": written,
        }

    return _ask_child(look)


def namespaces() -> Any:
    hardening = _hardening()
    before = {name: os.readlink(f"/proc/self/ns/{name}") for name in ("user", "net", "ipc")}
    entered = hardening.enter()
    after = {name: os.readlink(f"/proc/self/ns/{name}") for name in before}
    report = {str(state.piece): [state.applied, state.detail] for state in entered}
    ids = [os.getuid(), os.getgid()]
    pids = _ask_child(lambda: [os.getpid(), _ask_grandchild()])
    changed = [name for name in before if before[name] != after[name]]
    return {"report": report, "changed": changed, "pids": pids, "ids": ids}


def _ask_child(work: Callable[[], Any], fork: Callable[[], int] = os.fork) -> Any:
    wait, tell = os.pipe()
    pid = fork()
    if pid == 0:
        status = 1
        try:
            os.write(tell, json.dumps(work()).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(tell)
    with os.fdopen(wait, "rb") as file:
        said = file.read()
    os.waitpid(pid, 0)
    return json.loads(said)


def _ask_grandchild() -> Any:
    nested = _hardening().PidNamespaces.probe()
    return [_ask_child(lambda: [os.getpid(), os.getppid()], nested.fork) for _ in range(3)]


def namespaces_of_an_ordinary_user() -> Any:
    from llmspell.runtime.hardening import kernel

    _hardening()
    nobody = 65534
    os.setgid(nobody)
    os.setuid(nobody)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
    return namespaces()


def killing_the_zygote() -> Any:
    """Tell whether a grandchild in a nested namespace dies with process 1 of the outer one."""
    hardening = _hardening()
    hardening.enter()
    alive, held = os.pipe()
    zygote = os.fork()
    if zygote == 0:
        nested = hardening.PidNamespaces.probe()
        if nested.fork() == 0:
            os.write(held, b"g")
            while True:
                time.sleep(60)
        while True:
            time.sleep(60)
    os.close(held)
    born = os.read(alive, 1)
    os.kill(zygote, signal.SIGKILL)
    os.waitpid(zygote, 0)
    return [born.decode(), os.read(alive, 1).decode()]


def strict_interpreter() -> Any:
    """Run what an engine runs under every wall: threads, memory, clocks, both VMs, waiting."""
    import select

    import lupa.lua54
    import quickjs

    hardening = _hardening()
    ours, theirs = socket.socketpair()
    plan = hardening.Hardening.strict(hardening.ProcessLimits(memory=512 << 20))
    kept = (0, 1, 2, ours.fileno(), theirs.fileno())
    hardening.harden(plan, keep=kept, parent=os.getppid()).require(plan, "strict")
    said: list[Any] = []

    def engines() -> None:
        lua = lupa.lua54.LuaRuntime()
        said.append(lua.execute("local t = {} for i = 1, 1e5 do t[i] = tostring(i) end return #table.concat(t)"))
        said.append(quickjs.Context().eval("JSON.stringify([...Array(1e4).keys()]).length"))
        said.append(bool(lua.execute("return os.time() > 0 and os.clock() >= 0")))

    for _ in range(3):
        thread = threading.Thread(target=engines)
        thread.start()
        thread.join()
    engines()
    ours_fd, theirs_fd = ours.fileno(), theirs.fileno()
    os.write(ours_fd, b"hello")
    ready, _, _ = select.select([theirs_fd], [], [], 5)
    poll = select.poll()
    poll.register(ours_fd, select.POLLIN)
    said.append([os.read(theirs_fd, 5).decode(), bool(ready), poll.poll(1)])
    waited = threading.Event().wait(0.001)
    time.sleep(0.001)
    return [said, waited, len(os.urandom(8)), len(bytearray(100 << 20))]


def warn_about_nothing() -> Any:
    return _hardening().harden(_hardening().Hardening(frozenset()), keep=(0, 1, 2), parent=0).states


if __name__ == "__main__":
    request = json.load(sys.stdin)
    sys.path[:] = request["path"]
    print(json.dumps(globals()[request["case"]](*request["args"])))
