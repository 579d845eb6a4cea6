"""Notes for spells."""
