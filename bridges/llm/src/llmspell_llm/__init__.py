"""The model bridges of llmspell: llm, providers, pool, modelinfo, structured, agent, tools, workflow.

Rooms, each importing only those before it: ``conversation``, ``errors`` and ``prices`` (plain types and facts),
``structured`` (schemas and constrained answers), ``providers`` (who serves models, and which one is meant),
``adapter`` (the only contact with pydantic-ai), ``pool``, ``modelinfo``, ``llm``, ``tools``, ``agent``, ``workflow``
(what is done with models), ``bridges`` (what scripts see of it). Importing the package loads no model library.
"""
