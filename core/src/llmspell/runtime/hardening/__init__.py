"""Walls around a worker process: a plan of what is asked, the kernel calls that do it, a report of what held.

Imports ``errors`` only; every part can be imported on any operating system and says what that one lacks. The plan
is all that a host needs; who carries it out (``apply``, ``namespaces``) or tries it out (``probe``) asks for that part.
"""

from llmspell.runtime.hardening.plan import Applied, Hardening, Piece, ProcessLimits, State

__all__ = ["Applied", "Hardening", "Piece", "ProcessLimits", "State"]
