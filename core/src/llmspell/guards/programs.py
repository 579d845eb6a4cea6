"""``ProgramsGuard``: the one way to start another program."""

from __future__ import annotations

import fnmatch
import os
import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from llmspell.errors import BridgeError, PolicyDeniedError
from llmspell.guards.files import FilesGuard
from llmspell.policy import Grants

if TYPE_CHECKING:
    from llmspell.guards.process import Finished, Program

MAX_ARGUMENTS = 1000
MAX_ARGUMENT_BYTES = 128 * 1024
_IO = 12


class ProgramsGuard:
    """Start only programs that ``Grants.subprocess`` names, without a shell and without the host's environment.

    A grant is a name, which then means what the host finds on its own ``PATH`` and nothing else of that name, or an
    absolute path; patterns are possible. A name never means a file that the script itself may write. What a granted
    program does is its own: the guards of files and hosts do not hold for it. It gets ``PATH``, ``LANG`` and the
    environment variables that are granted, never secrets.

    Args:
        grants: What is granted.
        environ: The host's environment, to look programs up and to pass granted variables on.
        files: Says where a program may be started.

    Example:
        >>> ProgramsGuard(Grants(), {}).find("git")
        Traceback (most recent call last):
        ...
        llmspell.errors.PolicyDeniedError: the policy does not allow starting 'git'
    """

    def __init__(self, grants: Grants, environ: Mapping[str, str], files: FilesGuard | None = None) -> None:
        self._granted = grants.subprocess
        self._passed = grants.env
        self._secrets = grants.secrets
        self._environ = environ
        self._files = files

    def allows(self, program: str) -> bool:
        """Tell whether a program is granted; it may still not be there."""
        return any(fnmatch.fnmatchcase(program, pattern) for pattern in self._granted) or self._found_by_name(program)

    def find(self, program: str) -> str:
        """Return the absolute path of a granted program.

        Raises:
            PolicyDeniedError: It is not granted, or granted by name and the script may write it.
            BridgeError: ``invalid_argument``: neither a name nor an absolute path; ``not_found``.
        """
        if not program or "\0" in program:
            raise BridgeError("a program is given by its name or absolute path", code="invalid_argument")
        if not self.allows(program):
            raise PolicyDeniedError(
                f"the policy does not allow starting {program!r}", hint=f"grant it: --allow-run {program}"
            )
        if os.path.dirname(program) and not os.path.isabs(program):
            raise BridgeError(
                f"{program!r} is neither the name of a program nor an absolute path", code="invalid_argument"
            )
        found = shutil.which(program, path=self._path)
        if found is None or not os.path.isabs(found):
            raise BridgeError(f"there is no program {program!r}", code="not_found", exit_code=_IO)
        if not self._granted_by_path(found) and self._writable(found):
            raise PolicyDeniedError(
                f"{program!r} is {found}, which the script itself may write",
                hint=f"grant it by its path if that is meant: --allow-run {found}",
            )
        return found

    async def start(
        self,
        program: str,
        args: Sequence[str] = (),
        *,
        directory: str | None = None,
        secrets: Sequence[str] = (),
    ) -> Program:
        """Start a program. Whoever starts it must end it.

        Args:
            program: Its name or absolute path.
            args: Its arguments, as they are: no shell reads them.
            directory: Where it starts; must be granted for reading. The working directory if not given.
            secrets: Names of granted variables, secret ones too, that it needs as well.

        Raises:
            PolicyDeniedError: The program, the directory or a variable is not granted.
            BridgeError: ``not_found``, ``not_directory``, ``invalid_argument``, ``not_started``.
        """
        from llmspell.guards.process import Program

        path = self.find(program)
        _check_arguments(args)
        environment = {**self._environment(), **{name: self._secret(name) for name in secrets}}
        try:
            return await Program.start([path, *args], env=environment, cwd=self._directory(directory))
        except OSError as error:
            raise BridgeError(
                f"{program!r} cannot be started: {error.strerror}", code="not_started", exit_code=_IO
            ) from error

    async def run(
        self,
        program: str,
        args: Sequence[str] = (),
        *,
        directory: str | None = None,
        stdin: bytes | None = None,
        timeout: float | None = None,
        max_output: int = 1024 * 1024,
    ) -> Finished:
        """Run a program to its end, or to that of ``timeout`` seconds or ``max_output`` bytes; then nothing is left.

        Raises:
            PolicyDeniedError, BridgeError: As :meth:`start`.
        """
        from llmspell.guards.process import run_to_end

        started = await self.start(program, args, directory=directory)
        return await run_to_end(started, stdin=stdin, timeout=timeout, max_output=max_output)

    def _granted_by_path(self, found: str) -> bool:
        return any(fnmatch.fnmatchcase(found, pattern) for pattern in self._granted)

    def _writable(self, found: str) -> bool:
        """Tell whether the script could put a program of its own where this one lies, or where its link leads."""
        files = self._files
        return files is not None and any(files.allows(path, write=True) for path in (found, os.path.realpath(found)))

    @property
    def _path(self) -> str:
        return self._environ.get("PATH") or os.defpath

    def _found_by_name(self, program: str) -> bool:
        """Tell whether an absolute path is exactly what a granted name means."""
        name = os.path.basename(program)
        return os.path.isabs(program) and name in self._granted and shutil.which(name, path=self._path) == program

    def _environment(self) -> dict[str, str]:
        passed = {
            name: value
            for name, value in self._environ.items()
            if _names(self._passed, name) and not _names(self._secrets, name)
        }
        return {"LANG": "C.UTF-8", **passed, "PATH": self._path}

    def _secret(self, name: str) -> str:
        if not (_names(self._secrets, name) or _names(self._passed, name)):
            raise PolicyDeniedError(
                f"the policy does not allow the variable {name!r}", hint=f"grant it: --allow-env {name}"
            )
        value = self._environ.get(name)
        if value is None:
            raise BridgeError(f"the variable {name!r} is not set", code="not_found")
        return value

    def _directory(self, directory: str | None) -> str | None:
        if directory is None:
            return None
        files = self._files or FilesGuard(Grants())
        if files.stat(directory).kind != "directory":
            raise BridgeError(f"{directory!r} is not a directory", code="not_directory", exit_code=_IO)
        return files.unguarded_path(directory)


def _names(patterns: frozenset[str], name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _check_arguments(args: Sequence[str]) -> None:
    if len(args) > MAX_ARGUMENTS or sum(map(len, args)) > MAX_ARGUMENT_BYTES:
        raise BridgeError(
            f"a program takes at most {MAX_ARGUMENTS} arguments of {MAX_ARGUMENT_BYTES:,} characters in all",
            code="invalid_argument",
        )
    for place, arg in enumerate(args, 1):
        if "\0" in arg:
            raise BridgeError(f"argument {place} holds a NUL character", code="invalid_argument")
        try:
            arg.encode("utf-8")
        except UnicodeEncodeError:
            raise BridgeError(f"argument {place} holds lone surrogates", code="invalid_argument") from None
