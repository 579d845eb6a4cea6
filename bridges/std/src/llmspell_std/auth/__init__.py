"""The ``auth`` bridge: credentials, tokens, sessions and rules.

Secrets of the host pass through it, never out of it.
"""
