"""The worker placement: guests in processes of their own, which are hardened, pooled, and killed when they must be.

``boot``, ``zygote`` and ``serve`` run in those processes and import nothing heavy; the rest is the host's side.
"""
