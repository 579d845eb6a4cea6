"""What is known of models: context, abilities, prices.

May import ``errors``, ``prices``, ``providers`` and ``adapter``.
"""

from llmspell_llm.modelinfo.catalog import ModelRecord, Wanted, estimate_cost, find, models_of, record_of

__all__ = ["ModelRecord", "Wanted", "estimate_cost", "find", "models_of", "record_of"]
