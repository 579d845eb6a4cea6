"""The probe's child starts here, isolated and without site-packages: it is told where to import from."""

import json
import sys

if __name__ == "__main__":
    sys.path[:] = json.load(sys.stdin)
    from llmspell.runtime.hardening.probe import main

    main()
