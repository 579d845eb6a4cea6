"""``Program``: another program at work, ended with all it started."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

_LINE = 64 * 1024
_HAS_WAITID = hasattr(os, "waitid") and hasattr(os, "WNOWAIT")
_HAS_GROUPS = hasattr(os, "killpg")


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a program.

    Attributes:
        status: Its exit status; negative for the signal that ended it.
        stdout: What it wrote, as far as it was kept.
        truncated: It wrote more than was allowed, and was ended for that.
        timed_out: It took longer than was allowed, and was ended for that.
        duration: Seconds.
    """

    status: int
    stdout: bytes
    stderr: bytes
    truncated: bool
    timed_out: bool
    duration: float


class Program:
    """A program in a session of its own: ending it ends every process of its group.

    Attributes:
        pid: Of its first process, and of its group.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self.pid = popen.pid
        self._gone = asyncio.get_running_loop().create_future()
        self.stdin: asyncio.StreamWriter
        self.stdout = asyncio.StreamReader(limit=_LINE)
        self.stderr = asyncio.StreamReader(limit=_LINE)
        self._transports: list[asyncio.BaseTransport] = []
        self._watcher = threading.Thread(target=self._watch, args=(asyncio.get_running_loop(),), daemon=True)

    @classmethod
    async def start(cls, command: Sequence[str], *, env: Mapping[str, str], cwd: str | None) -> Program:
        """Start a program. It inherits no descriptor, and of the environment what it is given.

        Raises:
            OSError: It cannot be started.
        """
        popen = subprocess.Popen(  # noqa: S603, ASYNC220 - quick; asyncio would reap too early
            list(command), env=dict(env), cwd=cwd, start_new_session=True, close_fds=True, bufsize=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        program = cls(popen)
        program._watcher.start()
        try:
            await program._connect()
        except BaseException:
            await program.end()
            raise
        return program

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        popen = self._popen
        assert popen.stdin is not None
        assert popen.stdout is not None
        assert popen.stderr is not None
        for reader, pipe in ((self.stdout, popen.stdout), (self.stderr, popen.stderr)):
            self._transports.append(await _read_from(loop, reader, pipe))
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.streams.FlowControlMixin(loop=loop), popen.stdin
        )
        self._transports.append(transport)
        self.stdin = asyncio.StreamWriter(transport, protocol, None, loop)

    @property
    def running(self) -> bool:
        """Whether its first process is still there."""
        return not self._gone.done()

    async def wait(self) -> int:
        """Wait until its first process is gone, end what is left of its group, and return the exit status."""
        status: int = await asyncio.shield(self._gone)
        return status

    def kill(self) -> None:
        """End every process of its group, now."""
        if self.running:
            self._kill_group()

    async def end(self) -> int:
        """End every process of its group, and let go of the pipes."""
        self.kill()
        try:
            return await self.wait()
        finally:
            for transport in self._transports:
                transport.close()
            for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
                if pipe is not None:
                    pipe.close()

    def _kill_group(self) -> None:
        try:
            if _HAS_GROUPS:
                os.killpg(self.pid, signal.SIGKILL)
            else:
                self._popen.kill()
        except (ProcessLookupError, PermissionError):  # gone already; macOS says the latter of a zombie
            pass

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait in a thread of its own: first without reaping, so that the number of the group is still ours to kill."""
        if _HAS_WAITID:
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            self._kill_group()
        status = self._popen.wait()
        try:
            loop.call_soon_threadsafe(self._settle, status)
        except RuntimeError:  # the loop is closed: nobody waits any more
            pass

    def _settle(self, status: int) -> None:
        if not self._gone.done():
            self._gone.set_result(status)


async def _read_from(
    loop: asyncio.AbstractEventLoop, reader: asyncio.StreamReader, pipe: IO[Any]
) -> asyncio.ReadTransport:
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader, loop=loop), pipe)
    return transport


async def run_to_end(program: Program, *, stdin: bytes | None, timeout: float | None, max_output: int) -> Finished:
    """Feed a program, keep what it writes, and end it where it writes or takes too much.

    Args:
        stdin: What it reads; None for nothing.
        timeout: Seconds it may take.
        max_output: Bytes it may write, in all.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    kept: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
    room = max_output
    truncated = timed_out = False

    async def keep(name: str, reader: asyncio.StreamReader) -> None:
        nonlocal room, truncated
        while part := await reader.read(_LINE):
            kept[name] += part[:room]
            if len(part) > room:
                truncated = True
                program.kill()
                return
            room -= len(part)

    async def feed() -> None:
        try:
            if stdin:
                program.stdin.write(stdin)
                await program.stdin.drain()
            program.stdin.close()
        except (BrokenPipeError, ConnectionResetError):  # it does not want to read
            pass

    work = asyncio.gather(keep("stdout", program.stdout), keep("stderr", program.stderr), feed(), program.wait())
    try:
        async with asyncio.timeout(timeout):
            await work
    except TimeoutError:
        timed_out = True
    finally:
        status = await asyncio.shield(program.end())
    return Finished(status, bytes(kept["stdout"]), bytes(kept["stderr"]), truncated, timed_out, loop.time() - began)
