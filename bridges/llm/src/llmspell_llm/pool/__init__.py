"""Several models behind one name: who is asked, what happens when one fails, and how each is doing.

May import ``errors``, ``providers`` and ``adapter``.
"""

from llmspell_llm.pool.member import Health, Member
from llmspell_llm.pool.pool import Pool, PoolSettings
from llmspell_llm.pool.provider import PoolProvider
from llmspell_llm.pool.strategies import STRATEGIES

__all__ = ["STRATEGIES", "Health", "Member", "Pool", "PoolProvider", "PoolSettings"]
