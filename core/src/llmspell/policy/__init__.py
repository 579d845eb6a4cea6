"""What a run may do and use: levels, limits, grants, profiles. A policy only ever narrows.

May import ``errors`` and ``values``.
"""

from llmspell.policy.grants import Grants, how_to_grant
from llmspell.policy.limits import Limits, parse_duration, parse_size
from llmspell.policy.policy import LEVELS, Level, Policy, PolicyPreset

__all__ = [
    "LEVELS",
    "Grants",
    "Level",
    "Limits",
    "Policy",
    "PolicyPreset",
    "how_to_grant",
    "parse_duration",
    "parse_size",
]
