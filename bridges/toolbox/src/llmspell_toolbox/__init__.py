"""The built-in tools: files, web, system, math, dates, data and feeds.

Each room holds the tools of one category; ``bridge`` gathers them, ``sources`` offers them to the registry of tools.
A room may import ``declare``, ``patience`` and the standard bridges' readers; of the other rooms only ``dates.reading``
and ``web.html``.
"""
