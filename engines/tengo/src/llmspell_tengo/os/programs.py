"""Programs that ``Grants.subprocess`` names, run to their end."""

from __future__ import annotations

import asyncio
import fnmatch
import os
import selectors
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from llmspell.errors import PolicyDeniedError
from llmspell.guards import FilesGuard
from llmspell.plugin import BridgeError
from llmspell.policy import Grants
from llmspell_tengo.os import environment

MOST_OUTPUT = 16 * 1024 * 1024
"""Bytes a program may write to its output or to its errors, before it is ended."""

_LOOK = 0.05
"""Seconds between two looks whether a silent program has ended, or should."""


def locate(environ: Mapping[str, str], grants: Grants, files: FilesGuard, name: str) -> str:
    """Return the absolute path of a granted program.

    A grant names a program as scripts do (``git``: the one that the host's ``PATH`` finds) or by its absolute path. A
    program in a directory the script may write to is only found if the grant names its path.

    Raises:
        PolicyDeniedError: It is not granted.
        BridgeError: ``not_found``.
    """
    if "\0" in name or not name:
        raise BridgeError("a program's name should be neither empty nor hold NUL", code="invalid_argument")
    if os.sep in name:
        path = os.path.normpath(name)
        if not os.path.isabs(name) or not _granted(grants, path):
            raise _denied(name)
        if not os.access(path, os.X_OK) or os.path.isdir(path):
            raise _missing(name)
        return path
    places = [place for place in environ.get("PATH", "").split(os.pathsep) if os.path.isabs(place)]
    found = shutil.which(name, path=os.pathsep.join(places)) if places else None
    by_name = _granted(grants, name)
    if not by_name and (found is None or not _granted(grants, found)):
        raise _denied(name)
    if found is None:
        raise _missing(name)
    writable = any(files.allows(path, write=True) for path in (found, os.path.realpath(found)))
    if writable and not _granted(grants, found):
        raise PolicyDeniedError(
            f"the program {name!r} is in a directory that the script may write to",
            hint=f"grant it by its path: subprocess={found!r}",
        )
    return found


def environment_of(environ: Mapping[str, str], grants: Grants, given: list[str] | None) -> dict[str, str]:
    """Return a program's environment: ``PATH``, and what the script gives, else all it may see.

    Raises:
        PolicyDeniedError: A variable is not granted, so the script may not set it for others either.
    """
    variables = {name: value for name, value in environ.items() if name == "PATH"}
    if given is None:
        return {**environment.granted(environ, grants), **variables}
    for entry in given:
        name, found, value = entry.partition("=")
        if not found or not name or "\0" in entry:
            raise BridgeError(f"a variable is given as NAME=value, not as {entry[:50]!r}", code="invalid_argument")
        environment.lookup(environ, grants, name)
        variables[name] = value
    return variables


async def execute(command: list[str], variables: Mapping[str, str], directory: str | None) -> dict[str, Any]:
    """Run a program to its end; what it started and left running ends with it.

    It is ended early if it writes too much, or the call is cancelled. A thread of its own waits for it: a program may
    take as long as it likes, and must not keep those from their work that read and write files.
    """
    if any("\0" in arg for arg in command):
        raise BridgeError("an argument of a program should not hold NUL", code="invalid_argument")
    try:
        process = subprocess.Popen(  # noqa: S603, ASYNC220 - the policy names the program; it starts at once
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(variables),
            cwd=directory,
            start_new_session=True,
        )
    except OSError as error:
        name, reason = os.path.basename(command[0]), os.strerror(error.errno or 0)
        raise BridgeError(f"the program {name!r} cannot be started: {reason}", code="io") from error
    watch = _Watch(process)
    watch.thread.start()
    try:
        return await asyncio.wrap_future(watch.ended)
    finally:
        watch.stop.set()
        watch.kill()


class _Watch:
    """Reads what a program writes, and waits for it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.stop = threading.Event()
        self.ended: Future[dict[str, Any]] = Future()
        self.ended.set_running_or_notify_cancel()
        self.thread = threading.Thread(target=self._run, name=f"llmspell program {process.pid}", daemon=True)

    def kill(self) -> None:
        """End the program and what it started, as far as that stayed in its session."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _run(self) -> None:
        try:
            with self.process:  # closes the pipes and waits
                try:
                    output, errors = self._read()
                finally:
                    self.kill()
            self.ended.set_result({"status": self.process.returncode, "output": output, "errors": errors})
        except BaseException as error:  # noqa: BLE001 - it belongs to who waits
            self.ended.set_exception(error)

    def _read(self) -> tuple[bytes, bytes]:
        streams = {stream: bytearray() for stream in (self.process.stdout, self.process.stderr) if stream is not None}
        with selectors.DefaultSelector() as selector:
            for stream in streams:
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ)
            while not self.stop.is_set():
                over = self.process.poll() is not None
                ready = selector.select(0 if over else _LOOK) if selector.get_map() else []
                for key, _ in ready:
                    content = streams[key.fileobj]  # type: ignore[index]
                    part = os.read(key.fd, 65536)
                    content += part
                    if not part:
                        selector.unregister(key.fileobj)
                    if len(content) > MOST_OUTPUT:
                        raise BridgeError(f"the program wrote more than {MOST_OUTPUT:,} bytes", code="too_large")
                if over and not ready:
                    break
                if not selector.get_map():
                    with suppress(subprocess.TimeoutExpired):
                        self.process.wait(_LOOK)
        output, errors = map(bytes, streams.values())
        return output, errors


def _granted(grants: Grants, name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in grants.subprocess)


def _denied(name: str) -> PolicyDeniedError:
    return PolicyDeniedError(
        f"the policy does not allow starting the program {name!r}", hint=f"grant it: subprocess={name!r}"
    )


def _missing(name: str) -> BridgeError:
    return BridgeError(f"there is no program {name!r}", code="not_found")
