"""JSON, CSV, XML and conversions between formats. May import ``declare``, ``patience`` and the standard readers."""
