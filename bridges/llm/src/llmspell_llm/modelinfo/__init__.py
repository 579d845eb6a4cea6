"""What is known of models: context, abilities, prices.

May import ``errors``, ``prices``, ``providers`` and ``adapter``.
"""
