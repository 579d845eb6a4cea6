"""``LocalServer``: a GGUF model served inside this process, on loopback, in the OpenAI wire format."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from llmspell_local import loader
from llmspell_local.errors import ServerError

_ASK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a model is served.

    Attributes:
        context: Tokens all slots hold together.
        slots: Requests that are worked on at once; others wait.
        threads: Threads that compute. One is the measured best on few or busy cores, where llama.cpp's spinning
            barriers make two slower than one.
        embeddings: Serve embeddings instead of text.
    """

    context: int = 8192
    slots: int = 4
    threads: int = 1
    embeddings: bool = False


class LocalServer:
    """A model that is loaded on first use and stopped by :meth:`close`. Safe to use from several threads.

    The port is free and on 127.0.0.1, and the key is random, so that nobody else on the machine can use it.

    Args:
        model: A GGUF file.
        options: How to serve it.

    Example:
        >>> server = LocalServer(Path("model.gguf"))
        >>> server.running
        False
        >>> server.close()
    """

    def __init__(self, model: Path, options: ServerOptions | None = None) -> None:
        self.model = model
        self.options = options or ServerOptions()
        self.api_key = secrets.token_urlsafe(24)
        self._lock = threading.Lock()
        self._server: Any = None
        self._address: str | None = None
        self._closed = False

    @property
    def running(self) -> bool:
        return self._server is not None

    @property
    def address(self) -> str:
        """Base address, ``http://127.0.0.1:PORT``; loads the model if it is not loaded yet."""
        return self.start()

    @property
    def base_url(self) -> str:
        """Where an OpenAI client should connect."""
        return f"{self.start()}/v1"

    def start(self) -> str:
        """Load the model and begin to listen, if that has not happened yet; return the address.

        Blocks while the model loads: call it in a thread from async code.

        Raises:
            ServerError: The model does not load, or the server was closed.
        """
        address = self._address
        if address is not None:
            return address
        with self._lock:
            if self._closed:
                raise ServerError("the embedded model was stopped together with its host")
            if self._address is None:
                self._server, self._address = loader.start(self.model, self.api_key, self.options)
            return self._address

    def close(self) -> None:
        """Stop the server and let go of the model; requests in flight fail at once. Idempotent."""
        with self._lock:
            self._closed = True
            server, address = self._server, self._address
            if server is None or address is None:
                return
            # llama.cpp waits for a request in flight until its client leaves: make all of them leave.
            port = urlsplit(address).port or 0
            _shut_connections(port)
            self._see_it_run()
            _shut_connections(port)
            self._server = self._address = None
            del server

    def _see_it_run(self) -> None:
        """Have one token made. A server told to stop before its own loop runs would never hear of it."""
        try:
            self.ask("POST", "/completion", {"prompt": "a", "n_predict": 1})
        except ServerError:
            return  # it does not answer, so there is nothing it could be in the middle of

    def __enter__(self) -> LocalServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def tokenise(self, text: str) -> list[int]:
        """Return the tokens of a text, as this model counts them. Blocks.

        Raises:
            ServerError: The server gives no usable answer.
        """
        answer = self.ask("POST", "/tokenize", {"content": text})
        return [int(token) for token in answer["tokens"]]

    def count(self, text: str) -> int:
        """Return how many tokens a text has. Blocks."""
        return len(self.tokenise(text))

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Make one request of the server's own interface and return the decoded answer. Blocks.

        Raises:
            ServerError: It cannot be reached, refuses, or does not answer JSON.
        """
        parts = urlsplit(self.start())
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_ASK_SECONDS)
        try:
            connection.request(
                method, path, None if body is None else json.dumps(body),
                {"Content-Type": "application/json", "Authorization": f"Bearer {self.api_key}"},
            )  # fmt: skip
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServerError(f"the embedded model does not answer {path}: {error}") from error
        finally:
            connection.close()
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise ServerError(f"the embedded model does not answer JSON at {path}") from error
        if response.status != http.client.OK:
            raise ServerError(f"the embedded model refuses {path}: {response.status} {answer}")
        return answer


def _shut_connections(port: int) -> None:
    """Shut every connection with the server on ``port``, at this process's ends of it.

    The clients' ends count too: a connection the server has not accepted yet has no other.
    """
    try:
        descriptors = [int(name) for name in os.listdir("/dev/fd")]
    except (OSError, ValueError):  # no such directory on this platform: clients have to leave by themselves
        return
    for descriptor in descriptors:
        try:
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                continue
            connection = socket.socket(fileno=os.dup(descriptor))
        except OSError:  # closed since it was listed
            continue
        with connection:
            try:
                if port in (connection.getsockname()[1], connection.getpeername()[1]):
                    connection.shutdown(socket.SHUT_RDWR)
            except (OSError, IndexError, TypeError):  # not an Internet socket, or the one that listens
                continue
