"""The first file a zygote's interpreter runs: isolated, without site-packages, told where to import from.

Run as ``python -I -S boot.py DESCRIPTOR HOST_PID``. The first frame on the socket is the host's ``sys.path`` as
JSON; the command line of a process can be read by everybody, the socket cannot.
"""

import gc
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
    control, host = int(sys.argv[1]), int(sys.argv[2])
    length = int.from_bytes(_read(control, 4), "big")
    sys.path[:] = json.loads(_read(control, length))
    from llmspell.runtime.worker.zygote import launch

    launch(control, host)
