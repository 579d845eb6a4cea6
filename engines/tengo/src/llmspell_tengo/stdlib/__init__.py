"""The Python half of the standard modules: pure functions on plain values, called by name from the runtime.

May import ``values`` only. A string arrives as str, or as bytes where it is not UTF-8.
"""
