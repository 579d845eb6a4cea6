"""Where the interpreter of a zygote or a spawned worker begins: isolated, and told where to import from.

Run as ``python -I -S boot.py MODULE DESCRIPTOR HOST_PID``. The first frame on the descriptor is the host's ``sys.path``
as JSON; the command line of a process can be read by everybody, the descriptor cannot.
"""

import gc
import importlib
import json
import os
import sys


def _read(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = os.read(descriptor, size - len(data))
        if not part:
            raise SystemExit("the host closed the connection before it said where to import from")
        data += part
    return data


if __name__ == "__main__":
    gc.disable()  # what is imported stays; a worker collects again
    module, descriptor, host = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    length = int.from_bytes(_read(descriptor, 4), "big")
    sys.path[:] = json.loads(_read(descriptor, length))
    importlib.import_module(f"llmspell.runtime.worker.{module}").launch(descriptor, host)
