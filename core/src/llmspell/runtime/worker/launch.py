"""Start a zygote's interpreter. It imports next to nothing, so that it can come before everything else."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

_BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot.py")
_END = 2.0


def unsupported() -> str | None:
    """Say why there can be no workers in this process, or None if there can."""
    if not hasattr(os, "fork") or not hasattr(socket, "AF_UNIX") or not hasattr(socket, "send_fds"):
        return f"workers are forked and given descriptors, which {sys.platform} does not know"
    if not sys.executable:
        return "workers are started with this process's own interpreter, which has no name here"
    return None


class Launch:
    """A zygote's process that was just started, and the socket that leads to it.

    Raises:
        OSError: It could not be started; nothing is left of it.
    """

    __slots__ = ("control", "process")

    def __init__(self) -> None:
        path = json.dumps([os.path.abspath(entry) for entry in sys.path]).encode()
        ours, theirs = socket.socketpair()
        self.control = ours
        with theirs:
            try:
                self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own file
                    [sys.executable, "-I", "-S", _BOOT, str(theirs.fileno()), str(os.getpid())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={},
                    cwd="/",
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        try:
            ours.sendall(len(path).to_bytes(4, "big") + path)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Hang up, upon which the zygote ends itself, and see to it that it does. Idempotent."""
        self.control.close()
        try:
            self.process.wait(_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def abandon(self) -> None:
        """Let go in a forked child of the host, to which the zygote does not belong."""
        self.control.close()
        self.process.returncode = 0  # nothing to wait for, and nothing to warn of
