"""Lua states with the Tengo runtime in them, and programs running there.

May import ``compiler`` and ``syntax``; knows nothing of guests and hosts.
"""
