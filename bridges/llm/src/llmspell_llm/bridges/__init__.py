"""What scripts see of this package: one module per bridge, each thin over the room of its name.

May import every other room; nothing imports it but ``plugin``, by name.
"""
