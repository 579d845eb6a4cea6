"""The tables of the reference, each made from the code it tells of; `docs/generate.py` puts them into documents."""
