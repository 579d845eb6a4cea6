"""Placements: where a guest lives (this process, or a worker of its own), and what drives its conversation.

May import every room above it: ``errors``, ``values``, ``policy``, ``bridge``, ``engine`` and ``gate``.
"""
