"""The bare binding's figures, in a process of its own: ``python bare.py [DIRECTORY]``.

Given a directory, the ``quickjs`` in it is measured: one built on this machine, beside the published wheel. Prints one
line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

if len(sys.argv) > 1:
    sys.path.insert(0, sys.argv[1])

from _quickjs import Context

PROGRAMS = {
    "calls": "(function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) })(24)",
    "integers": "(() => { let s = 0; for (let i = 0; i < 400000; i++) { s += i % 7 } return s })()",
    "objects": "(() => { const a = []; for (let i = 0; i < 30000; i++) a.push({ i, t: [i] }); return a.length })()",
    "texts": "(() => { let s = ''; for (let i = 0; i < 60000; i++) s += 'ab'; return s.length })()",
    "sort": """(() => { const a = []; for (let i = 0; i < 15000; i++) a.push((i * 7919) % 15013);
        return a.sort((x, y) => x - y)[9] })()""",
    "regexp": """(() => { let n = 0;
        for (let i = 0; i < 3000; i++) n += /(\\w+)@(\\w+)/.exec('x'.repeat(20) + '@y').length; return n })()""",
}
"""CPU work, as expressions: the same text is timed bare and as a spell."""

DATA = {f"key{i}": (i if i % 3 == 0 else f"value {i}" if i % 3 == 1 else i + 0.5) for i in range(1000)}


def best(work: Callable[[], object], count: int) -> float:
    figures = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        figures.append(time.perf_counter() - began)
    return min(figures)


def main() -> None:
    figures = {}
    for name, text in PROGRAMS.items():
        context = Context()
        figures[name] = best(lambda c=context, t=text: c.eval(t), 7)
    figures["new context"] = best(Context, 50)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
