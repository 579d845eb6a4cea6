"""Embedding llmspell: ``Host`` and ``Session``, plugins, hook specifications, configuration.

May import every room but ``cli`` and ``testing``.
"""
