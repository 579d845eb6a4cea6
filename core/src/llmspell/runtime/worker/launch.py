"""Start the interpreter of a zygote or a worker. It imports next to nothing, so that it can come first of all."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import Any

from llmspell.runtime.worker.waiting import readable

_BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot.py")
_END = 2.0


def no_workers() -> str | None:
    """Say why this process can have no workers at all, or None if it can."""
    if not sys.executable:
        return "workers are started with this process's own interpreter, which has no name here"
    return None


def no_zygote() -> str | None:
    """Say why workers cannot be forked here and have to be spawned one by one, or None if they can be forked."""
    if not hasattr(os, "fork") or not hasattr(socket, "AF_UNIX") or not hasattr(socket, "send_fds"):
        return f"workers are forked and given descriptors, which {sys.platform} does not know"
    if sys.platform == "darwin":
        return "a forked process may not use what Apple's frameworks have begun in its parent"
    return no_workers()


def start(module: str, descriptor: int, **options: Any) -> subprocess.Popen[bytes]:
    """Start an isolated interpreter that runs ``launch`` of a module of this room.

    Args:
        module: Which.
        descriptor: Where it reads :func:`import_path` from, as a number of its own.
        options: For ``Popen``.

    Raises:
        OSError: It could not be started; nothing is left of it.
    """
    environment: dict[str, str] = {}
    if sys.platform == "win32":
        # It finds its own libraries by one variable, and would open a console.
        environment = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
        options["creationflags"] = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own interpreter and our own file
        [sys.executable, "-I", "-S", _BOOT, module, str(descriptor), str(os.getpid())],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=os.sep,
        start_new_session=os.name == "posix",
        **options,
    )
    return process


def import_path() -> bytes:
    """Return the first frame such an interpreter reads: where to import from."""
    path = json.dumps([os.path.abspath(entry) for entry in sys.path]).encode()
    return len(path).to_bytes(4, "big") + path


class Launch:
    """A zygote's process that was just started, and the socket that leads to it.

    Raises:
        OSError: It could not be started; nothing is left of it.
    """

    __slots__ = ("control", "process")

    def __init__(self) -> None:
        path = import_path()
        ours, theirs = socket.socketpair()
        self.control = ours
        with theirs:
            try:
                number = theirs.fileno()
                self.process = start("zygote", number, stdin=subprocess.DEVNULL, pass_fds=[number])
            except BaseException:
                ours.close()
                raise
        try:
            ours.sendall(path)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Hang up, upon which the zygote ends itself, and see to it that it does. Idempotent."""
        self.control.close()
        if not self._ends():
            self.process.kill()
            self.process.wait()

    def _ends(self) -> bool:
        """Wait for the end of the process. Told of it where the system can; ``Popen.wait`` looks again and again."""
        try:
            descriptor = os.pidfd_open(self.process.pid) if self.process.returncode is None else -1
        except (AttributeError, OSError):
            descriptor = -1
        try:
            told = descriptor >= 0 and readable(descriptor, _END)
            self.process.wait(0 if descriptor >= 0 and not told else _END)
        except subprocess.TimeoutExpired:
            return False
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        return True

    def abandon(self) -> None:
        """Let go in a forked child of the host, to which the zygote does not belong."""
        self.control.close()
        self.process.returncode = 0  # nothing to wait for, and nothing to warn of
