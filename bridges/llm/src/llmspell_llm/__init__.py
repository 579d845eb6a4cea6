"""The model bridges of llmspell: llm, providers, pool, modelinfo, structured, agent, tools.

Rooms, each importing only those before it: ``conversation`` and ``errors`` (plain types), ``structured``
(schemas and constrained answers), ``providers`` (who serves models, and which one is meant), ``adapter`` (the only
contact with pydantic-ai), then one room per bridge. Importing the package loads no model library.
"""
