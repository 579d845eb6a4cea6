"""Feeds: RSS, Atom and JSON Feed. May import ``declare``, ``patience``, ``dates.reading`` and ``web.html``."""
