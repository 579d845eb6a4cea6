"""Walls around a worker process: a plan of what is asked, the kernel calls that do it, a report of what held.

Imports ``errors`` only; every part can be imported on any operating system and says what that one lacks.
"""

from llmspell.runtime.hardening.apply import harden
from llmspell.runtime.hardening.namespaces import PidNamespaces, enter
from llmspell.runtime.hardening.plan import Applied, Hardening, Piece, ProcessLimits, State
from llmspell.runtime.hardening.probe import MachineReport, probe

__all__ = [
    "Applied",
    "Hardening",
    "MachineReport",
    "PidNamespaces",
    "Piece",
    "ProcessLimits",
    "State",
    "enter",
    "harden",
    "probe",
]
